/* lib/io/walk.c - directories that are gone to step by step.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io/file.h"

enum { LINKS_MAX = 40, DIRECTORY = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct walk {
	int dir;	     /* where it has come to */
	char at[PATH_MAX];   /* its name */
	char rest[PATH_MAX]; /* the way from there */
	int links;
	bool wary;
};

/* Takes the first part of the rest; false at the end of the way. */
static bool next_part(struct walk *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

	file_path(name, NAME_MAX + 1, "%.*s", (int)len, w->rest + skip);
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return len > 0;
}

static int go_to(struct walk *w, int dir)
{
	if (w->dir >= 0)
		close(w->dir);
	w->dir = dir;
	return dir < 0 ? -1 : 0;
}

/* Goes on where the link points to: what it says is put before the rest. */
static int follow(struct walk *w, const char *name, struct fail *f)
{
	char target[PATH_MAX], rest[PATH_MAX];
	int link = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (link >= 0 && fstat(link, &st) == 0 && S_ISLNK(st.st_mode))
		n = readlinkat(link, "", target, sizeof(target) - 1);
	if (link >= 0)
		close(link);
	if (n < 0)
		return fail_errno(f, FAIL_INTERNAL, ENOTDIR, "The directory %s/%s cannot be made",
			w->at, name);
	if (w->wary && st.st_uid != 0)
		return fail_set(f, FAIL_FORBIDDEN,
			"%s/%s is a symbolic link that root has not made, and root follows no "
			"other",
			w->at, name);
	target[n] = '\0';
	if (++w->links > LINKS_MAX || !file_path(rest, sizeof(rest), "%s%s", target, w->rest))
		return fail_errno(f, FAIL_INTERNAL, ELOOP, "%s/%s cannot be followed", w->at, name);
	file_path(w->rest, sizeof(w->rest), "%s", rest);
	if (*target != '/')
		return 0;
	w->at[0] = '\0';
	return go_to(w, open("/", DIRECTORY));
}

static int step(struct walk *w, const char *name, mode_t mode, struct fail *f)
{
	int fd = openat(w->dir, name, DIRECTORY);
	size_t len = strlen(w->at);

	if (fd < 0 && errno == ENOENT && mode &&
		(mkdirat(w->dir, name, mode) == 0 || errno == EEXIST))
		fd = openat(w->dir, name, DIRECTORY);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return follow(w, name, f);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The directory %s/%s cannot be %s",
			w->at, name, mode ? "made" : "opened");
	if (file_path(w->at + len, sizeof(w->at) - len, "/%s", name))
		return go_to(w, fd);
	close(fd);
	return fail_set(f, FAIL_INTERNAL, "The path %s is too long", w->at);
}

int walk_open(const char *path, mode_t mode, bool wary, int *out, struct fail *f)
{
	struct walk w = {.dir = open(*path == '/' ? "/" : ".", DIRECTORY), .wary = wary};
	char name[NAME_MAX + 1];
	int result = 0;

	if (w.dir < 0)
		return fail_errno(
			f, FAIL_INTERNAL, errno, "The directory %s cannot be opened", path);
	if (!file_path(w.rest, sizeof(w.rest), "%s", path))
		result = fail_set(f, FAIL_INTERNAL, "The path %s is too long", path);
	while (result == 0 && next_part(&w, name))
		result = step(&w, name, mode, f);
	if (result == 0)
		*out = w.dir;
	else if (w.dir >= 0)
		close(w.dir);
	return result;
}
