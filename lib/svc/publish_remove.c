/* lib/svc/publish_remove.c - taking back what is published.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/svc/publish.h"
#include "lib/svc/publish_inside.h"
#include "lib/svc/store.h"

/* Removes a file that was looked at. Another process may have been faster. */
static int64_t drop_file(struct publisher *p, enum publish_store store, const char *name, int dir,
	const char *last, const struct stat *st)
{
	struct publish_count less = {0};

	if (unlinkat(dir, last, 0) < 0)
		return errno == ENOENT ? 0 : -1;
	if (p->board && store == PUBLISH_WWW) {
		publish_count_add(&less, name, -1, -st->st_size);
		publish_count_put(p->board, &less);
	}
	return st->st_size;
}

int64_t publish_drop(struct publisher *p, enum publish_store store, const char *name, int64_t due_s)
{
	int64_t freed = 0;
	const char *last;
	struct stat st;
	int dir;

	if (!store_name_ok(span_of(name)))
		return -1;
	dir = store_dir(p->root[store], name, false, &last);
	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		freed = errno == ENOENT ? 0 : -1;
	else if (!S_ISREG(st.st_mode))
		freed = -1;
	else if (due_s <= 0 || publish_end_s(&st) <= due_s)
		freed = drop_file(p, store, name, dir, last, &st);
	close(dir);
	if (freed >= 0)
		store_prune(p->root[store], name);
	return freed;
}

bool publish_remove(struct publisher *p, enum publish_store store, const char *name, int64_t due_s)
{
	struct stat st;

	if (publish_drop(p, store, name, due_s) < 0)
		return false;
	return store_stat(publish_root(p, store), name, &st) < 0;
}
