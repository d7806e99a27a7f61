/* fcgi-app/processes/places.c - the directories the service lives in, and whom it runs as.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/places.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io/conf.h"
#include "lib/io/file.h"

static const gid_t no_group = (gid_t)-1;
static const uid_t no_user = (uid_t)-1;

int places_owner(const struct conf *conf, struct places_owner *out, struct fail *f)
{
	const struct passwd *user = *conf->user ? getpwnam(conf->user) : NULL;
	const struct group *group = *conf->group ? getgrnam(conf->group) : NULL;

	*out = (struct places_owner){no_user, no_group};
	if (*conf->user && !user)
		return fail_set(f, FAIL_INPUT, "user: there is no user %s here", conf->user);
	if (*conf->group && !group)
		return fail_set(f, FAIL_INPUT, "group: there is no group %s here", conf->group);
	if (geteuid() == 0 && user)
		*out = (struct places_owner){user->pw_uid, user->pw_gid};
	if (group)
		out->group = group->gr_gid;
	return 0;
}

int places_owner_beside(const struct conf *conf, struct places_owner *out, struct fail *f)
{
	struct stat st;

	if (places_owner(conf, out, f) < 0)
		return -1;
	if (out->user == no_user && geteuid() == 0 && stat(conf->state_dir, &st) == 0 &&
		st.st_uid != 0 && getpwuid(st.st_uid)) {
		out->user = st.st_uid;
		out->group = out->group == no_group ? st.st_gid : out->group;
	}
	return 0;
}

/* Opens the directory. Root goes through no symbolic link but its own: what the service's user may
 * write to, they could make point anywhere, and be given it. */
static int open_own(const char *path, struct fail *f)
{
	int fd, flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	struct stat st;

	if (lstat(path, &st) < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The directory %s is missing", path);
	if (S_ISLNK(st.st_mode) && st.st_uid != 0 && geteuid() == 0)
		return fail_set(f, FAIL_FORBIDDEN,
			"%s is a symbolic link that root has not made, and root follows no other",
			path);
	fd = open(path, S_ISLNK(st.st_mode) ? flags : flags | O_NOFOLLOW);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
	return fd;
}

/* Owner and group are set only on what we own, and only where they differ: an administrator's own
 * arrangement stays. */
static int give(const char *path, mode_t mode, const struct places_owner *owner, struct fail *f)
{
	struct stat st;
	int fd, result = 0;

	if (owner->user == no_user && owner->group == no_group)
		return 0;
	fd = open_own(path, f);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || (owner->user != no_user && st.st_uid != owner->user) ||
		(owner->group != no_group && st.st_gid != owner->group)) {
		if (fchown(fd, owner->user, owner->group) < 0 || fchmod(fd, mode) < 0)
			result = fail_errno(f, FAIL_INTERNAL, errno,
				"The directory %s cannot be given to its user and group", path);
	}
	close(fd);
	return result;
}

static int make_one(const char *path, mode_t mode, const struct places_owner *owner, struct fail *f)
{
	if (file_mkdirs(path, mode & 0777, f) < 0)
		return -1;
	return give(path, mode, owner, f);
}

static int make_below(const char *top, const char *const *names, mode_t mode,
	const struct places_owner *owner, struct fail *f)
{
	char path[PATH_MAX];

	for (; *names; names++) {
		if (!file_path(path, sizeof(path), "%s/%s", top, *names))
			return fail_set(f, FAIL_INPUT, "The path %s is too long", top);
		if (make_one(path, mode, owner, f) < 0)
			return -1;
	}
	return 0;
}

/* Puts a link in the place of one that points elsewhere, or beside nothing; many may be at it. */
static bool replace_link(const char *name, const char *target, const struct places_owner *owner)
{
	char beside[PATH_MAX];

	if (!file_path(beside, sizeof(beside), "%s.%d", name, (int)getpid()))
		return false;
	unlink(beside);
	if (symlink(target, beside) == 0 && lchown(beside, owner->user, owner->group) == 0 &&
		rename(beside, name) == 0)
		return true;
	unlink(beside);
	return false;
}

/* A link rather than a setting of the front server, because every front server follows links: `below`
 * www_dir to the public half of a store. */
static int link_store(const struct conf *conf, const char *below, const char *store,
	const struct places_owner *owner, struct fail *f)
{
	char name[PATH_MAX], target[PATH_MAX], there[PATH_MAX];
	ssize_t n;

	if (!file_path(name, sizeof(name), "%s/%s", conf->www_dir, below) ||
		!file_path(target, sizeof(target), "%s/pub", store))
		return fail_set(f, FAIL_INPUT, "The path %s is too long", conf->www_dir);
	n = readlink(name, there, sizeof(there) - 1);
	if (n < 0 && errno != ENOENT)
		return fail_set(f, FAIL_CONFLICT,
			"%s must be a symbolic link of ours and is something else", name);
	there[n < 0 ? 0 : n] = '\0';
	if (strcmp(there, target) == 0 || replace_link(name, target, owner))
		return 0;
	return fail_errno(f, FAIL_INTERNAL, errno, "The link %s cannot be made", name);
}

int places_make(const struct conf *conf, const struct places_owner *owner, struct fail *f)
{
	static const char *const read[] = {"", "www", "www/cdn", NULL};
	static const char *const kept[] = {"lives", "made", "db", NULL};
	static const char *const published[] = {"", "pub", NULL};
	static const char *const work[] = {"work", NULL};
	static const char *const leases[] = {"lease", NULL};

	if (make_below(conf->state_dir, read, 02750, owner, f) < 0 ||
		make_below(conf->state_dir, kept, 0750, owner, f) < 0 ||
		make_below(conf->live_dir, published, 02750, owner, f) < 0 ||
		make_below(conf->live_dir, work, 0700, owner, f) < 0 ||
		make_one(conf->run_dir, 0750, owner, f) < 0 ||
		make_below(conf->run_dir, leases, 0700, owner, f) < 0 ||
		make_below(conf->stream_dir, published, 02750, owner, f) < 0 ||
		make_below(conf->stream_dir, work, 0700, owner, f) < 0)
		return -1;
	return link_store(conf, "tv", conf->live_dir, owner, f) < 0
		       ? -1
		       : link_store(conf, "cdn/o", conf->stream_dir, owner, f);
}

int places_become(const struct conf *conf, const struct places_owner *owner, struct fail *f)
{
	const struct passwd *user;

	if (owner->user == no_user || geteuid() != 0 || owner->user == 0)
		return 0;
	user = getpwuid(owner->user);
	if (!user || initgroups(user->pw_name, user->pw_gid) < 0 ||
		setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "It is not possible to become user %s",
			conf->user);
	return 0;
}

void places_stores(const struct conf *conf,
	void (*each)(void *ctx, const char *work, const char *public_half), void *ctx)
{
	char work[PATH_MAX], published[PATH_MAX];

	if (file_path(work, sizeof(work), "%s/work", conf->live_dir) &&
		file_path(published, sizeof(published), "%s/pub", conf->live_dir))
		each(ctx, work, published);
}
