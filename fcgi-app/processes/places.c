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
#include "lib/io/walk.h"

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

/* Whether root acts for somebody else, who could have put a link on its way. */
static bool is_for_other(const struct places_owner *owner)
{
	return geteuid() == 0 && (owner->user != no_user || owner->group != no_group);
}

/* Owner and group are set only on what we own, and only where they differ: an administrator's own
 * arrangement stays. */
static int give(
	int dir, const char *path, mode_t mode, const struct places_owner *owner, struct fail *f)
{
	struct stat st;
	int fd, result = 0;

	if (owner->user == no_user && owner->group == no_group)
		return 0;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", path);
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
	int dir, result;

	if (walk_open(path, mode & 0777, is_for_other(owner), &dir, f) < 0)
		return -1;
	result = give(dir, path, mode, owner, f);
	close(dir);
	return result;
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
static bool replace_link(
	int dir, const char *name, const char *target, const struct places_owner *owner)
{
	char beside[NAME_MAX];

	file_path(beside, sizeof(beside), "%s.%d", name, (int)getpid());
	unlinkat(dir, beside, 0);
	if (symlinkat(target, dir, beside) == 0 &&
		fchownat(dir, beside, owner->user, owner->group, AT_SYMLINK_NOFOLLOW) == 0 &&
		renameat(dir, beside, dir, name) == 0)
		return true;
	unlinkat(dir, beside, 0);
	return false;
}

/* A link rather than a setting of the front server, because every front server follows links:
 * `name` in `path` to the public half of a store. */
static int link_store(const char *path, const char *name, const char *store,
	const struct places_owner *owner, struct fail *f)
{
	char target[PATH_MAX], there[PATH_MAX];
	int dir, result = 0;
	ssize_t n;

	if (!file_path(target, sizeof(target), "%s/pub", store))
		return fail_set(f, FAIL_INPUT, "The path %s is too long", store);
	if (walk_open(path, 0, is_for_other(owner), &dir, f) < 0)
		return -1;
	n = readlinkat(dir, name, there, sizeof(there) - 1);
	there[n < 0 ? 0 : n] = '\0';
	if (n < 0 && errno != ENOENT)
		result = fail_set(f, FAIL_CONFLICT,
			"%s/%s must be a symbolic link of ours and is something else", path, name);
	else if (strcmp(there, target) != 0 && !replace_link(dir, name, target, owner))
		result = fail_errno(
			f, FAIL_INTERNAL, errno, "The link %s/%s cannot be made", path, name);
	close(dir);
	return result;
}

int places_make(const struct conf *conf, const struct places_owner *owner, struct fail *f)
{
	static const char *const read[] = {"", "www", "www/cdn", NULL};
	static const char *const kept[] = {"lives", "made", "db", NULL};
	static const char *const published[] = {"", "pub", NULL};
	static const char *const work[] = {"work", NULL};
	static const char *const leases[] = {"lease", NULL};
	char cdn[PATH_MAX];

	if (make_below(conf->state_dir, read, 02750, owner, f) < 0 ||
		make_below(conf->state_dir, kept, 0750, owner, f) < 0 ||
		make_below(conf->live_dir, published, 02750, owner, f) < 0 ||
		make_below(conf->live_dir, work, 0700, owner, f) < 0 ||
		make_one(conf->run_dir, 0750, owner, f) < 0 ||
		make_below(conf->run_dir, leases, 0700, owner, f) < 0 ||
		make_below(conf->stream_dir, published, 02750, owner, f) < 0 ||
		make_below(conf->stream_dir, work, 0700, owner, f) < 0)
		return -1;
	if (!file_path(cdn, sizeof(cdn), "%s/cdn", conf->www_dir))
		return fail_set(f, FAIL_INPUT, "The path %s is too long", conf->www_dir);
	return link_store(conf->www_dir, "tv", conf->live_dir, owner, f) < 0
		       ? -1
		       : link_store(cdn, "o", conf->stream_dir, owner, f);
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

	const char *const stores[] = {conf->live_dir, conf->stream_dir};

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		if (file_path(work, sizeof(work), "%s/work", stores[i]) &&
			file_path(published, sizeof(published), "%s/pub", stores[i]))
			each(ctx, work, published);
	}
}
