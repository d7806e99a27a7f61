/* lib/svc/publish_remove.c - taking back what is published.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "lib/svc/publish.h"
#include "lib/svc/store.h"

bool publish_remove(struct publisher *p, enum publish_store store, const char *name, int64_t due_s)
{
	struct stat st;

	if (publish_drop(p, store, name, due_s) < 0)
		return false;
	return store_stat(publish_root(p, store), name, &st) < 0;
}

int publish_remove_tree(
	struct publisher *p, enum publish_store store, const char *name, struct fail *f)
{
	struct store_walk w;
	enum store_step step;
	bool good = true;
	struct stat st;

	if (!store_name_ok(span_of(name)))
		return fail_set(f, FAIL_INPUT, "Nothing can be published under such a name");
	if (!store_walk_open(&w, publish_root(p, store), name)) {
		return errno == ENOENT
			       ? 0
			       : fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be removed", name);
	}
	while ((step = store_walk_next(&w, &st)) != STORE_END) {
		if (step == STORE_FILE && publish_drop(p, store, w.name, 0) < 0)
			good = false;
	}
	store_walk_close(&w);
	return good ? 0 : fail_set(f, FAIL_INTERNAL, "Not all of %s could be removed", name);
}
