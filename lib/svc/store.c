/* lib/svc/store.c - a tree of published files, entered without following a symbolic link.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/must.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static bool part_ok(struct span part)
{
	if (part.len == 0 || part.len > STORE_PART_MAX || part.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < part.len; i++) {
		char c = part.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool store_name_ok(struct span name)
{
	struct span part;
	int parts = 0;

	if (name.len == 0 || name.len > STORE_NAME_MAX)
		return false;
	while (span_next(&name, '/', &part)) {
		if (++parts > STORE_DEPTH || !part_ok(part))
			return false;
	}
	return true;
}

static int dup_root(int root)
{
	return fcntl(root, F_DUPFD_CLOEXEC, 3);
}

/* Readable by the front server whatever our umask is; a set-group-id bit stays. */
static void open_to_all(int dir)
{
	struct stat st;

	if (fstat(dir, &st) == 0 && (st.st_mode & 0755) != 0755)
		fchmod(dir, (st.st_mode & 07777) | 0755);
}

/* Part by part: makes what is missing, and is the way in where openat2() is not to be had. */
static int enter_parts(int root, const char *path, bool make)
{
	struct span rest = span_of(path), part;
	int dir = dup_root(root);

	while (dir >= 0 && span_next(&rest, '/', &part)) {
		char name[STORE_PART_MAX + 1];
		bool made;
		int next;

		must(span_copy(part, name, sizeof(name)));
		made = make && mkdirat(dir, name, 0755) == 0;
		next = make && !made && errno != EEXIST ? -1 : openat(dir, name, OPEN_DIR);
		if (made && next >= 0)
			open_to_all(next);
		close(dir);
		dir = next;
	}
	return dir;
}

static int enter(int root, const char *path)
{
	struct open_how how = {.flags = OPEN_DIR, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd;

	do {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN); /* something was renamed meanwhile */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG))
		return enter_parts(root, path, false);
	return (int)fd;
}

int store_dir(int root, const char *name, bool make, const char **last)
{
	const char *slash = strrchr(name, '/');
	char path[STORE_NAME_MAX + 1];
	int dir;

	*last = slash ? slash + 1 : name;
	if (!slash)
		return dup_root(root);
	must(span_copy(span_make(name, (size_t)(slash - name)), path, sizeof(path)));
	dir = enter(root, path);
	if (dir < 0 && make && errno == ENOENT)
		dir = enter_parts(root, path, true);
	return dir;
}

int store_stat(int root, const char *name, struct stat *st)
{
	const char *last;
	int dir = store_dir(root, name, false, &last), result, err;

	if (dir < 0)
		return -1;
	result = fstatat(dir, last, st, AT_SYMLINK_NOFOLLOW);
	err = errno;
	close(dir);
	errno = err;
	return result;
}

int store_open(int root, const char *name, struct stat *st)
{
	const char *last;
	int dir = store_dir(root, name, false, &last), fd, err;

	if (dir < 0)
		return -1;
	fd = openat(dir, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	err = errno;
	close(dir);
	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		fd = -1;
		err = ENOENT;
	}
	errno = err;
	return fd;
}

void store_prune(int root, const char *name)
{
	char path[STORE_NAME_MAX + 1];
	char *slash;

	must(span_copy(span_of(name), path, sizeof(path)));
	while ((slash = strrchr(path, '/'))) {
		const char *last;
		int dir, removed;

		*slash = '\0';
		dir = store_dir(root, path, false, &last);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0)
			return;
		removed = unlinkat(dir, last, AT_REMOVEDIR);
		if (removed < 0 && errno == ENOENT)
			removed = 0;
		close(dir);
		if (removed < 0)
			return;
	}
}

/* --- walking ---------------------------------------------------------------------------------- */

/* Takes `fd`. */
static bool push(struct store_walk *w, int fd, size_t end)
{
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	w->dirs[w->depth] = d;
	w->ends[w->depth++] = end;
	return true;
}

bool store_walk_open(struct store_walk *w, int root, const char *below)
{
	size_t len = strlen(below);

	*w = (struct store_walk){0};
	if (len == 0) /* a new open file: a copy would share its position with the others */
		return push(w, openat(root, ".", OPEN_DIR), 0);
	must(store_name_ok(span_make(below, len)));
	memcpy(w->name, below, len);
	w->name[len] = '/';
	return push(w, enter(root, below), len < STORE_NAME_MAX ? len + 1 : len);
}

void store_walk_close(struct store_walk *w)
{
	while (w->depth > 0)
		closedir(w->dirs[--w->depth]);
}

enum store_step store_walk_next(struct store_walk *w, struct stat *st)
{
	struct dirent *e;
	size_t at, len;
	DIR *d;

	if (w->depth == 0)
		return STORE_END;
	d = w->dirs[w->depth - 1];
	at = w->ends[w->depth - 1];
	e = readdir(d);
	if (!e) {
		closedir(d);
		w->depth--;
		return STORE_OTHER;
	}
	len = strlen(e->d_name);
	if (!part_ok(span_make(e->d_name, len)) || at + len > STORE_NAME_MAX ||
		fstatat(dirfd(d), e->d_name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return STORE_OTHER;
	memcpy(w->name + at, e->d_name, len + 1);
	if (S_ISREG(st->st_mode))
		return STORE_FILE;
	if (S_ISDIR(st->st_mode) && w->depth < STORE_DEPTH && at + len < STORE_NAME_MAX) {
		if (push(w, openat(dirfd(d), e->d_name, OPEN_DIR), at + len + 1))
			w->name[at + len] = '/';
	}
	return STORE_OTHER;
}
