/* fcgi-app/processes/janitor.c - ends lives, keeps quota and free space, clears what the dead left.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fcgi-app/processes/census.h"
#include "fcgi-app/processes/packager/hoard.h"
#include "fcgi-app/processes/leftovers.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/block_map.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/svc/lives.h"
#include "lib/svc/objects.h"
#include "lib/svc/memo.h"
#include "lib/svc/popular.h"
#include "lib/svc/prefetch.h"
#include "lib/svc/publish.h"
#include "lib/svc/store.h"

enum {
	TICK_MS = 250,
	SECOND_MS = 1000,
	SWEEP_MS = 5000,
	OBJECTS_MS = 15000,
	HOUR_MS = 3600 * 1000,
	UNLISTED_MS = 300 * 1000, /* more than a live segment lives */
	DUE_BUDGET_MS = 150,	  /* of a tick, for ending lives */
	EVICT_BUDGET_MS = 150,
	COUNT_BUDGET_MS = 25,
	LOOK_EVERY = 32, /* lines between two looks at the clock */
	BEGIN_PERCENT = 98,
	KEEP_PERCENT = 95, /* of the quota, after an eviction */
	STEP_FILES = 64,   /* that go when the file system is full without saying why */
	TIDY_MINUTES = 10, /* younger lists are never tidied away */
	TURN_MINUTES = 60, /* before what is popular gets another turn */
	POPULAR_MS = 600 * 1000
};

struct janitor {
	int memo_part; /* that is swept next */
	const struct conf *conf;
	struct board *board;
	struct publisher *publisher;
	struct census census;

	int64_t *minutes; /* the lists of lives/ that are due, the oldest first */
	size_t minute_count, minute_at;
	int64_t listed_minute;	  /* when they were looked up */
	struct lives_reader due;  /* being worked off; fd -1: none */
	struct lives_reader made; /* being evicted */
	struct popular popular;
	int64_t popular_ms;  /* when that was read; monotonic */
	int64_t turn_minute; /* the list of made/ that turns were last given in, up to a line */
	int turn_line;

	char boot[BLOCK_MAP_BOOT_BYTES];
	int64_t second_ms, sweep_ms, objects_ms, hour_ms; /* when these were last done; monotonic */
	int64_t synced_minute, synced_bytes;
	bool full[PUBLISH_STORES];     /* as last said in the log */
	int64_t unlisted, unlisted_ms; /* BOARD_LIVE_UNLISTED, and when it last grew; monotonic */
};

static bool is_due(int64_t *last_ms, int64_t every_ms)
{
	int64_t now_ms = clock_mono_ms();

	/* Tests may turn back the monotonic clock, too. */
	if (*last_ms && now_ms >= *last_ms && now_ms - *last_ms < every_ms)
		return false;
	*last_ms = now_ms;
	return true;
}

/* --- lives ------------------------------------------------------------------------------------ */

static void list_due(struct janitor *j, int64_t minute)
{
	free(j->minutes);
	j->minute_at = 0;
	j->minute_count = lives_list(publish_lives(j->publisher), &j->minutes);
	while (j->minute_count && j->minutes[j->minute_count - 1] >= minute)
		j->minute_count--;
	j->listed_minute = minute;
}

/* The next list that is due. One that is being written to is left for the next look. */
static bool next_list(struct janitor *j)
{
	int64_t minute = clock_real_ms() / 60000;

	if (j->due.fd >= 0)
		return true;
	if (j->minute_at == j->minute_count && minute != j->listed_minute)
		list_due(j, minute);
	while (j->minute_at < j->minute_count) {
		switch (lives_open(
			&j->due, publish_lives(j->publisher), j->minutes[j->minute_at++])) {
		case LIVES_OPEN:
			return true;
		case LIVES_HELD:
			j->listed_minute = -1;
			break;
		case LIVES_NONE:
			break;
		}
	}
	return false;
}

/* Removes what a line names; the bytes that were freed. */
static int64_t drop(struct janitor *j, struct span word, struct span name, int64_t due_s)
{
	enum publish_store store;
	char text[PUBLISH_NAME_BYTES];
	int64_t freed;

	if (!publish_line(word, name, &store, text))
		return 0;
	freed = publish_drop(j->publisher, store, text, due_s);
	if (freed > 0 && store == PUBLISH_WWW && j->census.running)
		publish_count_add(&j->census.freed, text, 1, freed);
	return freed < 0 ? 0 : freed;
}

/* What was to die in minutes that have passed. A file whose life was renewed says so itself. */
static void end_lives(struct janitor *j)
{
	int64_t until_ms = clock_mono_ms() + DUE_BUDGET_MS, now_s = clock_real_ms() / 1000;
	struct span word, name;

	while (next_list(j)) {
		for (int i = 1; lives_next(&j->due, &word, &name); i++) {
			drop(j, word, name, now_s);
			if (i % LOOK_EVERY == 0 && clock_mono_ms() >= until_ms)
				return;
		}
		lives_close(&j->due, true);
		if (clock_mono_ms() >= until_ms)
			return;
	}
}

/* --- room ------------------------------------------------------------------------------------- */

/* Whether more than `percent` of the quota is used, or less than the floor (and what `percent`
 * leaves of it, the other way round) is free. */
static bool is_tight(const struct janitor *j, const struct publish_room *room, int percent)
{
	int64_t spare = percent == KEEP_PERCENT ? room->floor / 100 * (100 - KEEP_PERCENT) : 0;
	bool counted = board_get(j->board, BOARD_COUNTED_MS) != 0;

	return (counted && room->used > room->quota / 100 * percent) || room->inodes_low ||
	       (room->free >= 0 && room->free < room->floor + spare);
}

/* The player's own parts are what everything else is watched with. */
static bool may_go(struct span word, struct span name)
{
	return span_is(word, "www") && !span_starts(name, "web/");
}

static bool still_tight(const struct janitor *j)
{
	struct publish_room room;

	publish_room(j->conf, j->board, PUBLISH_WWW, &room);
	return is_tight(j, &room, KEEP_PERCENT);
}

/* What is asked for most is kept longer: its line goes to the end of made/, as if it were new. Once
 * in TURN_MINUTES: where all is popular, the oldest goes all the same. */
static bool give_turn(struct janitor *j, struct span word, struct span name, int line)
{
	int64_t now = clock_real_ms() / 60000;
	enum publish_store store;
	char text[PUBLISH_NAME_BYTES];
	struct stat st;
	int fd;

	if (now - j->made.minute < TURN_MINUTES || !popular_has(&j->popular, name) ||
		!publish_line(word, name, &store, text))
		return false;
	if (j->made.minute == j->turn_minute && line <= j->turn_line)
		return true; /* it has had it, and the list is read again */
	if (store_stat(publish_root(j->publisher, store), text, &st) < 0)
		return false;
	fd = lives_append(publish_made(j->publisher), now, "www", text);
	if (fd < 0)
		return false;
	close(fd);
	j->turn_minute = j->made.minute;
	j->turn_line = line;
	return true;
}

/* Evicts what one list names. True when the list is done with. */
static bool evict_list(struct janitor *j, int64_t until_ms, int64_t *files, int64_t files_wanted)
{
	struct span word, name;
	int64_t freed;

	for (int i = 1; lives_next(&j->made, &word, &name); i++) {
		freed = may_go(word, name) && !give_turn(j, word, name, i) ? drop(j, word, name, 0)
									   : 0;
		*files += freed > 0;
		board_add(j->board, BOARD_EVICTED_BYTES, freed);
		board_add(j->board, BOARD_EVICTED_FILES, freed > 0);
		if (freed > 0 && *files >= files_wanted && !still_tight(j))
			return false;
		if (i % LOOK_EVERY == 0 && clock_mono_ms() >= until_ms)
			return false;
	}
	return true;
}

static void learn_popular(struct janitor *j)
{
	struct fail f = {0};

	if (is_due(&j->popular_ms, POPULAR_MS) && popular_read(&j->popular, j->conf, &f) < 0)
		log_warn("popular_not_read", LOG_STR("why", f.text));
}

/* Removes what was made first until there is room; goes on at the next tick when it takes long. */
static void evict(struct janitor *j, int64_t files_wanted)
{
	int64_t until_ms = clock_mono_ms() + EVICT_BUDGET_MS, files = 0;
	int64_t *minutes;
	size_t count = lives_list(publish_made(j->publisher), &minutes);
	bool done = true;

	learn_popular(j);
	for (size_t i = 0; i < count && done; i++) {
		if (lives_open(&j->made, publish_made(j->publisher), minutes[i]) != LIVES_OPEN)
			continue;
		done = evict_list(j, until_ms, &files, files_wanted);
		lives_close(&j->made, done);
		done = done && (still_tight(j) || files < files_wanted);
	}
	free(minutes);
	if (files)
		log_info("evicted", LOG_INT("files", files),
			LOG_INT("published_bytes", board_get(j->board, BOARD_PUBLISHED_BYTES)));
}

static bool is_full(const struct janitor *j, enum publish_store store)
{
	return board_get(j->board, publish_full_total(store)) != 0;
}

static bool can_write(struct janitor *j, enum publish_store store, const struct publish_room *room)
{
	struct fail f = {0};

	/* Live television may go below the floor (publish.c). */
	if (room->inodes_low || (store == PUBLISH_WWW && room->free < room->floor))
		return false;
	return publish_probe(j->publisher, store, &f) == PUBLISH_OK;
}

/* Evicts where quota, floor or the disk itself want it. Live segments may lie on the same disk. */
static void make_room(struct janitor *j)
{
	bool full = is_full(j, PUBLISH_WWW);
	struct publish_room room;
	struct fail f = {0};

	publish_room(j->conf, j->board, PUBLISH_WWW, &room);
	if (is_tight(j, &room, BEGIN_PERCENT) ||
		(full && room.used > room.quota / 100 * KEEP_PERCENT))
		evict(j, 0);
	else if ((full || is_full(j, PUBLISH_LIVE)) &&
		 publish_probe(j->publisher, PUBLISH_WWW, &f) == PUBLISH_FULL)
		evict(j, STEP_FILES);
}

/* `full` stays until something can be written again, and no longer than a second after that. */
static void keep_room(struct janitor *j)
{
	static const char *const names[PUBLISH_STORES] = {"www", "live"};

	make_room(j);
	for (int i = 0; i < PUBLISH_STORES; i++) {
		enum publish_store store = (enum publish_store)i;
		struct publish_room room;
		bool full = is_full(j, store);

		publish_room(j->conf, j->board, store, &room);
		if (full && can_write(j, store, &room)) {
			board_set(j->board, publish_full_total(store), 0);
			full = false;
		}
		if (full != j->full[i])
			log_warn(full ? "store_full" : "store_has_room", LOG_STR("store", names[i]),
				LOG_INT("published_bytes",
					board_get(j->board, BOARD_PUBLISHED_BYTES)),
				LOG_INT("free_bytes", room.free));
		j->full[i] = full;
	}
}

/* Live segments that found no room for their line in lives/. There are none but in the minutes when
 * a disk is full; then all are asked themselves. */
static void end_unlisted(struct janitor *j)
{
	int64_t count = board_get(j->board, BOARD_LIVE_UNLISTED), now_ms = clock_mono_ms();
	int64_t now_s = clock_real_ms() / 1000;
	struct store_walk w;
	enum store_step step;
	struct stat st;

	if (count != j->unlisted)
		j->unlisted_ms = now_ms;
	j->unlisted = count;
	if (!j->unlisted_ms || now_ms - j->unlisted_ms > UNLISTED_MS ||
		!store_walk_open(&w, publish_root(j->publisher, PUBLISH_LIVE), ""))
		return;
	while ((step = store_walk_next(&w, &st)) != STORE_END) {
		if (step == STORE_FILE && publish_end_s(&st) && publish_end_s(&st) <= now_s)
			publish_drop(j->publisher, PUBLISH_LIVE, w.name, now_s);
	}
	store_walk_close(&w);
}

/* --- made ------------------------------------------------------------------------------------- */

/* The one thing that is synced: after a crash it says which files may be empty. */
static void sync_minute(struct janitor *j, int64_t minute)
{
	char file[32];
	struct stat st;
	int fd;

	snprintf(file, sizeof(file), "%lld", (long long)minute);
	fd = openat(publish_made(j->publisher), file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && (minute != j->synced_minute || st.st_size != j->synced_bytes)) {
		fsync(fd);
		j->synced_minute = minute;
		j->synced_bytes = st.st_size;
	}
	close(fd);
}

static void sync_made(struct janitor *j)
{
	int64_t minute = clock_real_ms() / 60000;

	/* What came in the last second of a minute. */
	if (minute != j->synced_minute && j->synced_minute)
		sync_minute(j, j->synced_minute);
	sync_minute(j, minute);
}

/* True when something that the list names is there. */
static bool has_use(struct janitor *j)
{
	struct span word, name;
	enum publish_store store;
	char text[PUBLISH_NAME_BYTES];
	struct stat st;

	while (lives_next(&j->made, &word, &name)) {
		if (publish_line(word, name, &store, text) &&
			store_stat(publish_root(j->publisher, store), text, &st) == 0)
			return true;
	}
	return false;
}

/* Lists of made/ whose files have all died. */
static void tidy_made(struct janitor *j)
{
	int64_t now = clock_real_ms() / 60000, *minutes;
	size_t count = lives_list(publish_made(j->publisher), &minutes);

	for (size_t i = 0; i < count && minutes[i] < now - TIDY_MINUTES; i++) {
		if (lives_open(&j->made, publish_made(j->publisher), minutes[i]) == LIVES_OPEN)
			lives_close(&j->made, !has_use(j));
	}
	free(minutes);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void tick(struct janitor *j)
{
	end_lives(j);
	if (is_due(&j->second_ms, SECOND_MS)) {
		sync_made(j);
		keep_room(j);
	}
	if (is_due(&j->sweep_ms, SWEEP_MS)) {
		memo_sweep(j->conf, j->memo_part++ % MEMO_PARTS);
		board_set(j->board, BOARD_WARM_STREAMS, prefetch_count(j->conf));
		leftovers_channels(j->conf);
		leftovers_temporaries(j->conf, j->publisher);
		end_unlisted(j);
	}
	if (is_due(&j->objects_ms, OBJECTS_MS)) {
		objects_sweep(j->conf, j->board, j->boot, j->conf->stream_quota);
		objects_settle(j->conf, j->boot);
	}
	if (is_due(&j->hour_ms, HOUR_MS)) {
		tidy_made(j);
		hoard_sweep(j->conf);
	}
	if (!j->census.running && census_due(j->board, clock_real_ms()))
		census_begin(&j->census, j->publisher, j->board);
	if (j->census.running)
		census_step(&j->census, j->publisher, j->board, COUNT_BUDGET_MS);
}

int janitor_run(const struct conf *conf, struct board *board)
{
	struct janitor *j = calloc(1, sizeof(*j));
	struct timespec wait = {0, TICK_MS * 1000000L};
	struct fail f = {0};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (!j || publish_open(&j->publisher, conf, board, &f) < 0) {
		log_error("janitor_failed", LOG_STR("why", f.text));
		free(j);
		return 1;
	}
	j->conf = conf;
	j->board = board;
	j->due.fd = j->made.fd = -1;
	j->hour_ms = clock_mono_ms();
	block_map_boot(j->boot);
	leftovers_unsynced(conf, j->publisher);
	do {
		tick(j);
	} while (sigtimedwait(&stop, NULL, &wait) < 0);
	lives_close(&j->due, false);
	census_stop(&j->census);
	free(j->minutes);
	publish_close(&j->publisher);
	free(j);
	return 0;
}
