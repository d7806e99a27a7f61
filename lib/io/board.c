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

enum { TOTALS_ROOM = 128, LAYOUT = 2, MINUTE_MS = 60000 };

struct minute {
	_Atomic int64_t number; /* since the epoch */
	_Atomic int64_t requests, errors;
};

/* What must be the same in whoever made the board and whoever opens it. */
struct head {
	char magic[12];
	uint32_t layout, slots, slot_size, rows, row_size;
};

struct face {
	struct head head;
	_Atomic int64_t totals[TOTALS_ROOM];
	struct minute minute[BOARD_MINUTES];
	struct board_slot slot[BOARD_SLOTS];
	struct rows table;
};

struct board {
	struct face *face;
	struct board_slot *own; /* may be a parent's after a fork: own->pid tells */
	struct board_slot spare;
};

static const struct head our_head = {.magic = "sluiceboard",
	.layout = LAYOUT,
	.slots = BOARD_SLOTS,
	.slot_size = sizeof(struct board_slot),
	.rows = ROWS_MAX,
	.row_size = sizeof(struct row)};

static const struct board_total_info total_infos[] = {
	[BOARD_PUBLISHED_BYTES] = {"published_bytes", "store_used_bytes",
		"Bytes of published files that are kept now, live segments left out.", true, 1},
	[BOARD_PUBLISHED_FILES] = {"published_files", "store_files",
		"Published files that are kept now, live segments left out.", true, 1},
	[BOARD_EVICTED_BYTES] = {"evicted_bytes", "evicted_bytes",
		"Bytes removed before their time to keep quota and free space.", false, 1},
	[BOARD_REQUESTS] = {"requests", "requests", "Requests answered by workers.", false, 1},
	[BOARD_ERRORS] = {"errors", "errors",
		"Answers of 500 and above, those that said busy left out.", false, 1},
	[BOARD_RESPAWNS] = {"respawns", "respawns", "Processes that died and were started again.",
		false, 1},
	[BOARD_LIVE_STARTED] = {"live_started", "live_starts", "Channels started.", false, 1},
	[BOARD_LIVE_REFUSED] = {"live_refused", "live_refusals",
		"Channels not started because live_max was reached.", false, 1},
	[BOARD_RELOADS] = {"reloads", "reloads", "Reloads done.", false, 1},
	[BOARD_RELOADS_REFUSED] = {"reloads_refused", "reload_refusals",
		"Reloads refused because the new configuration was no good.", false, 1},
	[BOARD_COUNTED_MS] = {"counted_ms", "store_counted_timestamp_seconds",
		"When the published files were last counted; 0: never.", true, 1000},
	[BOARD_FULL_SINCE_MS] = {"full_since_ms", "store_full_since_timestamp_seconds",
		"Nothing more can be kept since then; 0: it can.", true, 1000},
	[BOARD_PUBLISH_REFUSED] = {"publish_refused", "publish_refusals",
		"Files that were not kept because there was no room.", false, 1},
	[BOARD_LIVE_FULL_SINCE_MS] = {"live_full_since_ms",
		"live_store_full_since_timestamp_seconds",
		"No live segment can be kept since then; 0: they can.", true, 1000},
	[BOARD_BUSY] = {"busy", "busy_refusals",
		"Requests answered 503 at once because too many were at work.", false, 1},
	[BOARD_PUBLISHES] = {"publishes", "publishes", "Files published, live segments included.",
		false, 1},
	[BOARD_PUBLISHES_BYTES] = {"publishes_bytes", "publishes_bytes",
		"Bytes of the files published, live segments included.", false, 1},
	[BOARD_EVICTED_FILES] = {"evicted_files", "evicted_files",
		"Files removed before their time to keep quota and free space.", false, 1},
	[BOARD_TOKENS_ASKED] = {"tokens_asked", "tokens_asked",
		"How often a gateway was asked for a channel's token.", false, 1},
	[BOARD_TOKENS_JOINED] = {"tokens_joined", "tokens_joined",
		"Requests that waited for a gateway's answer, which they shared.", false, 1},
	[BOARD_TOKENS_CACHED] = {"tokens_cached", "tokens_cached",
		"Requests that were answered with a token known already.", false, 1},
	[BOARD_LIVE_IDLE] = {"live_idle", "live_idle_stops",
		"Channels stopped because nobody watched.", false, 1},
	[BOARD_ENCODER_STARTS] = {"encoder_starts", "encoder_starts", "Encoders started.", false,
		1},
	[BOARD_ENCODER_ENDS] = {"encoder_ends", "encoder_failures",
		"Encoders that ended or were ended while their channel went on.", false, 1},
	[BOARD_LEASES_TAKEN] = {"leases_taken", "leases_taken", "Leases taken.", false, 1},
	[BOARD_LEASES_LOST] = {"leases_lost", "leases_lost",
		"Leases lost to another host, or because nothing confirmed them.", false, 1},
	[BOARD_LIVE_UNLISTED] = {"live_unlisted", "live_segments_unlisted",
		"Live segments kept though the list of lives found no room for them.", false, 1},
	[BOARD_ACCESS_LINES] = {"access_lines", "access_log_lines",
		"Lines of the front server's access log that were read.", false, 1},
	[BOARD_ACCESS_BAD] = {"access_bad", "access_log_lines_unread",
		"Lines of the front server's access log that made no sense.", false, 1},
	[BOARD_ACCESS_LOSSES] = {"access_losses", "access_log_losses",
		"How often the access log was rotated away before it had been read.", false, 1},
	[BOARD_ACCESS_READ_MS] = {"access_read_ms", "access_log_read_timestamp_seconds",
		"When the access log was read to its end last; 0: never.", true, 1000},
	[BOARD_STREAM_FILES] = {"stream_files", "store_stream_files",
		"Published files that streams are made of, live segments left out.", true, 1},
	[BOARD_PICTURE_FILES] = {"picture_files", "store_picture_files",
		"Published files of artwork and thumbnails.", true, 1},
	[BOARD_WARM_STREAMS] = {"warm_streams", "warm_streams",
		"Streams whose first bytes are kept because of a prefetch.", true, 1},
	[BOARD_LIMITED] = {"rate_limited", "rate_limit_refusals",
		"Requests refused because their client asked too often.", false, 1},
	[BOARD_STREAM_BYTES] = {"stream_bytes", "stream_cache_bytes",
		"Bytes of the byte cache, in use or promised to what is being fetched.", true, 1},
	[BOARD_STREAM_ENDED] = {"stream_ended", "stream_cache_removals",
		"Objects removed from the byte cache.", false, 1},
	[BOARD_STREAM_EVICTED_BYTES] = {"stream_evicted_bytes", "stream_cache_evicted_bytes",
		"Bytes removed from the byte cache before their time to keep its quota.", false, 1},
	[BOARD_STREAM_OBJECTS] = {"stream_objects", "stream_cache_objects",
		"Streams of which the byte cache has bytes.", true, 1},
};

_Static_assert(
	(int)BOARD_TOTALS <= (int)TOTALS_ROOM, "a new total needs more room and a new layout");
_Static_assert(sizeof(total_infos) / sizeof(total_infos[0]) == BOARD_TOTALS, "each has a line");

static bool is_ours(const struct face *face)
{
	return memcmp(&face->head, &our_head, sizeof(our_head)) == 0;
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
	/* A hole would be SIGBUS on a full disk, for whoever writes into it first. */
	errno = posix_fallocate(fd, 0, sizeof(struct face));
	if (errno || fchmod(fd, 0640) < 0)
		return false;
	return pwrite(fd, &our_head, sizeof(our_head), 0) == (ssize_t)sizeof(our_head);
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

void board_limit(struct board *b, int limit)
{
	if (b->own)
		atomic_store(&b->own->limit, limit);
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
	for (size_t i = 0; i < BOARD_SLOTS; i++) {
		if (atomic_load(&b->face->slot[i].pid) == pid)
			return &b->face->slot[i];
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

int64_t board_started_ms(const struct board *b)
{
	int64_t started_ms = clock_real_ms();
	const struct board_slot *slot;
	size_t at = 0;

	while ((slot = board_each(b, &at))) {
		int64_t one_ms = atomic_load(&slot->started_ms);
		if (one_ms && one_ms < started_ms)
			started_ms = one_ms;
	}
	return started_ms;
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

const struct board_total_info *board_total_info(enum board_total total)
{
	must(total < BOARD_TOTALS);
	return &total_infos[total];
}

struct row *board_row(struct board *b, enum row_kind kind, const char *name)
{
	return b ? rows_find(&b->face->table, kind, name) : NULL;
}

const struct rows *board_rows(const struct board *b)
{
	return &b->face->table;
}

void board_minute_add(struct board *b, bool error)
{
	int64_t now = clock_real_ms() / MINUTE_MS;
	struct minute *m = &b->face->minute[now % BOARD_MINUTES];
	int64_t number = atomic_load(&m->number);

	/* Who begins it forgets what was here 8 minutes ago. One that counts in between is lost. */
	if (number != now && atomic_compare_exchange_strong(&m->number, &number, now)) {
		atomic_store(&m->requests, 0);
		atomic_store(&m->errors, 0);
	}
	atomic_fetch_add(&m->requests, 1);
	atomic_fetch_add(&m->errors, error);
}

void board_minutes(const struct board *b, int minutes, int64_t *requests, int64_t *errors)
{
	int64_t now = clock_real_ms() / MINUTE_MS;

	must(minutes > 0 && minutes < BOARD_MINUTES);
	*requests = *errors = 0;
	for (int i = 0; i < BOARD_MINUTES; i++) {
		const struct minute *m = &b->face->minute[i];
		int64_t number = atomic_load(&m->number);

		if (number > now || number < now - minutes)
			continue;
		*requests += atomic_load(&m->requests);
		*errors += atomic_load(&m->errors);
	}
}
