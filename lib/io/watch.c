/* lib/io/watch.c - tells when something below a directory has changed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NEWS = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
	       IN_DELETE_SELF | IN_MOVE_SELF,
	HOW = NEWS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
	EVENTS_BYTES = 16384
};

struct watch {
	int fd;
	int top; /* its number */
};

int watch_open(struct watch **out, struct fail *f)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return fail_set(f, FAIL_BUSY, "There is no memory to watch a directory");
	w->top = -1;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0) {
		fail_errno(f, FAIL_BUSY, errno, "A directory cannot be watched");
		free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void watch_close(struct watch **w)
{
	if (!*w)
		return;
	close((*w)->fd);
	free(*w);
	*w = NULL;
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

/* --- the tree --------------------------------------------------------------------------------- */

struct walk {
	struct watch *watch;
	char path[PATH_MAX];
	int64_t count, most;
	int depth;
	bool all;
};

static bool is_directory(const struct walk *w, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return lstat(w->path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void walk(struct walk *w);

static void walk_entry(struct walk *w, const struct dirent *entry)
{
	size_t len = strlen(w->path), more = strlen(entry->d_name);

	if (entry->d_name[0] == '.' || len + more + 2 > sizeof(w->path))
		return;
	w->path[len] = '/';
	memcpy(w->path + len + 1, entry->d_name, more + 1);
	if (is_directory(w, entry))
		walk(w);
	w->path[len] = '\0';
}

/* The watch comes first: what is new afterwards is told. */
static void walk(struct walk *w)
{
	struct dirent *entry;
	DIR *dir;

	if (w->count == w->most || w->depth == WATCH_DEPTH_MAX ||
		inotify_add_watch(w->watch->fd, w->path, HOW) < 0) {
		/* One that has gone meanwhile is missed by nobody. */
		w->all = w->all && w->count < w->most && errno != ENOSPC && errno != ENOMEM;
		return;
	}
	w->count++;
	dir = opendir(w->path);
	if (!dir)
		return;
	w->depth++;
	while (w->all && (entry = readdir(dir)))
		walk_entry(w, entry);
	w->depth--;
	closedir(dir);
}

int64_t watch_tree(struct watch *watch, const char *top, int64_t most, bool *all, struct fail *f)
{
	struct walk *w = calloc(1, sizeof(*w));
	int64_t count;

	if (!w || strlen(top) >= sizeof(w->path)) {
		free(w);
		return fail_set(f, FAIL_BUSY, "There is no memory to watch a directory");
	}
	strncpy(w->path, top, sizeof(w->path) - 1);
	w->watch = watch;
	w->most = most;
	w->all = true;
	errno = 0;
	walk(w);
	count = w->count;
	*all = w->all;
	free(w);
	if (count == 0 && most > 0 && *all)
		return fail_errno(f, FAIL_MISSING, errno, "The directory cannot be watched");
	if (count > 0)
		watch->top = inotify_add_watch(watch->fd, top, HOW);
	return count;
}

/* --- what has happened ------------------------------------------------------------------------ */

static void take_event(const struct watch *w, const struct inotify_event *e,
	bool (*wanted)(const char *name), struct watch_news *news)
{
	bool own = e->wd == w->top && e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT);

	if (e->mask & (IN_Q_OVERFLOW | IN_UNMOUNT) || own) {
		news->lost = news->changed = true;
		return;
	}
	if (e->len == 0 || e->name[0] == '.' || (!(e->mask & IN_ISDIR) && !wanted(e->name)))
		return;
	news->changed = true;
	if (e->mask & (IN_MOVED_FROM | IN_DELETE))
		news->removed = true;
}

void watch_take(struct watch *w, bool (*wanted)(const char *name), struct watch_news *news)
{
	_Alignas(struct inotify_event) char events[EVENTS_BYTES];
	ssize_t n;

	while ((n = read(w->fd, events, sizeof(events))) > 0) {
		for (char *at = events; at < events + n;) {
			const struct inotify_event *e = (const void *)at;

			take_event(w, e, wanted, news);
			at += sizeof(*e) + e->len;
		}
	}
}
