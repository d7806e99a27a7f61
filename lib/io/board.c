/* lib/io/board.c - what all our processes tell each other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/board.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/base/span.h"
#include "lib/io/file.h"

enum { TOTALS_ROOM = 64, LAYOUT = 1 };

struct face {
	char magic[12];
	uint32_t layout, slots, slot_size;
	_Atomic int64_t totals[TOTALS_ROOM];
	struct board_slot slot[BOARD_SLOTS];
};

struct board {
	struct face *face;
	struct board_slot *own; /* may be a parent's after a fork: own->pid tells */
	struct board_slot spare;
};

static const char magic[12] = "sluiceboard";
static const char *const total_names[] = {
	[BOARD_PUBLISHED_BYTES] = "published_bytes",
	[BOARD_PUBLISHED_FILES] = "published_files",
	[BOARD_EVICTED_BYTES] = "evicted_bytes",
	[BOARD_REQUESTS] = "requests",
	[BOARD_ERRORS] = "errors",
	[BOARD_RESPAWNS] = "respawns",
	[BOARD_LIVE_STARTED] = "live_started",
	[BOARD_LIVE_REFUSED] = "live_refused",
	[BOARD_RELOADS] = "reloads",
	[BOARD_RELOADS_REFUSED] = "reloads_refused",
	[BOARD_COUNTED_MS] = "counted_ms",
	[BOARD_FULL_SINCE_MS] = "full_since_ms",
	[BOARD_PUBLISH_REFUSED] = "publish_refused",
};

_Static_assert(
	(int)BOARD_TOTALS <= (int)TOTALS_ROOM, "a new total needs more room and a new layout");
_Static_assert(sizeof(total_names) / sizeof(total_names[0]) == BOARD_TOTALS, "each has a name");

static bool is_ours(const struct face *face)
{
	return memcmp(face->magic, magic, sizeof(magic)) == 0 && face->layout == LAYOUT &&
	       face->slots == BOARD_SLOTS && face->slot_size == sizeof(struct board_slot);
}

/* The board behind `fd`, which is closed; NULL when it has another layout or cannot be mapped. */
static struct face *map_face(int fd)
{
	struct face *face = MAP_FAILED;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(*face))
		face = mmap(NULL, sizeof(*face), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (face == MAP_FAILED)
		return NULL;
	if (is_ours(face))
		return face;
	munmap(face, sizeof(*face));
	return NULL;
}

static struct face *open_face(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? NULL : map_face(fd);
}

static bool write_face(int fd)
{
	struct face head = {
		.layout = LAYOUT, .slots = BOARD_SLOTS, .slot_size = sizeof(struct board_slot)};

	memcpy(head.magic, magic, sizeof(magic));
	/* A hole would be SIGBUS on a full disk, for whoever writes into it first. */
	errno = posix_fallocate(fd, 0, sizeof(struct face));
	if (errno || fchmod(fd, 0640) < 0)
		return false;
	return pwrite(fd, &head, offsetof(struct face, totals), 0) ==
	       (ssize_t)offsetof(struct face, totals);
}

static int make_face(const char *path, struct fail *f)
{
	char temporary[PATH_MAX];
	bool made;
	int fd;

	if (!file_path(temporary, sizeof(temporary), "%s.XXXXXX", path))
		return fail_set(f, FAIL_INTERNAL, "The path %s is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The board %s cannot be made", path);
	made = write_face(fd) && rename(temporary, path) == 0;
	if (!made) {
		fail_errno(f, FAIL_INTERNAL, errno, "The board %s cannot be made", path);
		unlink(temporary);
	}
	close(fd);
	return made ? 0 : -1;
}

/* The directory's lock: two that made a board each would not see each other. -1 without one. */
static int lock_directory_of(const char *path)
{
	char dir[PATH_MAX];
	int fd = -1;

	if (file_path(dir, sizeof(dir), "%s", path))
		fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int find_or_make_face(const char *path, struct face **face, struct fail *f)
{
	int lock = lock_directory_of(path), result = 0;

	*face = open_face(path);
	if (!*face) {
		result = make_face(path, f);
		*face = result == 0 ? open_face(path) : NULL;
	}
	if (lock >= 0)
		close(lock);
	if (result == 0 && !*face)
		return fail_set(f, FAIL_INTERNAL, "The board %s cannot be opened", path);
	return result;
}

int board_open(struct board **out, const char *path, struct fail *f)
{
	struct face *face = open_face(path);
	struct board *b;

	if (!face && find_or_make_face(path, &face, f) < 0)
		return -1;
	b = calloc(1, sizeof(*b));
	if (!b) {
		munmap(face, sizeof(*face));
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the board");
	}
	b->face = face;
	*out = b;
	return 0;
}

void board_close(struct board **b)
{
	if (!*b)
		return;
	board_leave(*b);
	munmap((*b)->face, sizeof(*(*b)->face));
	free(*b);
	*b = NULL;
}

static bool is_alive(pid_t pid)
{
	return pid != 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

static bool claim(struct board_slot *slot, pid_t self)
{
	int32_t pid = atomic_load(&slot->pid);

	return !is_alive(pid) && atomic_compare_exchange_strong(&slot->pid, &pid, self);
}

/* `slot` or the first that is free, from the beginning. */
static struct board_slot *take_slot(struct board *b, struct board_slot *slot, pid_t self)
{
	for (size_t i = 0; i < BOARD_SLOTS && !slot; i++) {
		if (claim(&b->face->slot[i], self))
			slot = &b->face->slot[i];
	}
	if (!slot)
		slot = &b->spare;
	atomic_store(&slot->pid, self);
	atomic_store(&slot->state, BOARD_STARTING);
	atomic_store(&slot->requests, 0);
	atomic_store(&slot->busy, 0);
	atomic_store(&slot->limit, 0);
	atomic_store(&slot->started_ms, clock_real_ms());
	return slot;
}

struct board_slot *board_enter(struct board *b, const char *role, const char *name)
{
	pid_t self = getpid();
	struct board_slot *slot = b->own;

	must(strlen(role) < sizeof(slot->role));
	if (!slot || atomic_load(&slot->pid) != self) {
		slot = (struct board_slot *)board_find(b, self);
		if (!slot || strcmp(slot->role, role) != 0)
			slot = take_slot(b, slot, self);
		b->own = slot;
	}
	span_copy(span_of(role), slot->role, sizeof(slot->role));
	span_copy(span_of(name), slot->name, sizeof(slot->name));
	return slot;
}

void board_leave(struct board *b)
{
	int32_t self = getpid();

	if (b->own)
		atomic_compare_exchange_strong(&b->own->pid, &self, 0);
	b->own = NULL;
}

void board_ready(struct board *b)
{
	if (b->own)
		atomic_store(&b->own->state, BOARD_READY);
}

void board_request_begin(struct board *b)
{
	if (b->own)
		atomic_fetch_add(&b->own->busy, 1);
}

void board_request_end(struct board *b)
{
	if (b->own) {
		atomic_fetch_sub(&b->own->busy, 1);
		atomic_fetch_add(&b->own->requests, 1);
	}
	board_add(b, BOARD_REQUESTS, 1);
}

void board_forget(struct board *b, pid_t pid)
{
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		if (pid == 0 || atomic_load(&b->face->slot[i].pid) == pid)
			atomic_store(&b->face->slot[i].pid, 0);
	}
}

const struct board_slot *board_find(const struct board *b, pid_t pid)
{
	const struct board_slot *slot;
	size_t at = 0;

	while ((slot = board_each(b, &at))) {
		if (atomic_load(&slot->pid) == pid)
			return slot;
	}
	return NULL;
}

const struct board_slot *board_each(const struct board *b, size_t *at)
{
	while (*at < BOARD_SLOTS) {
		const struct board_slot *slot = &b->face->slot[(*at)++];
		if (is_alive(atomic_load(&slot->pid)))
			return slot;
	}
	return NULL;
}

int64_t board_add(struct board *b, enum board_total total, int64_t n)
{
	must(total < BOARD_TOTALS);
	return atomic_fetch_add(&b->face->totals[total], n) + n;
}

int64_t board_get(const struct board *b, enum board_total total)
{
	must(total < BOARD_TOTALS);
	return atomic_load(&b->face->totals[total]);
}

void board_set(struct board *b, enum board_total total, int64_t value)
{
	must(total < BOARD_TOTALS);
	atomic_store(&b->face->totals[total], value);
}

const char *board_total_name(enum board_total total)
{
	must(total < BOARD_TOTALS);
	return total_names[total];
}
