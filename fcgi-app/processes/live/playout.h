/* fcgi-app/processes/live/playout.h - what a channel has to show: its run, its window, its record.
 * SPDX-License-Identifier: BSD-2-Clause
 * A segment is linked into the live store first and listed in the record afterwards, so that what
 * is listed is there. What a killed process linked and never listed is removed by the next one. */
#ifndef SLUICE_PROCESSES_LIVE_PLAYOUT_H
#define SLUICE_PROCESSES_LIVE_PLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/hls/ladder.h"
#include "lib/hls/window.h"
#include "lib/svc/live.h"

struct conf;
struct mc;
struct publisher;

struct playout {
	const struct conf *conf;
	const struct ladder *ladder;
	struct mc *mc;
	struct publisher *publisher;
	const char *id;
	struct live_state state;
	int64_t date_ms;  /* wall clock of time 0 of this encoder; 0: not known yet */
	int64_t given_us; /* what this encoder was given: the present, a moment ago */
	/* Who speaks: every start of an encoder and every slate has a number of its own, and
	 * between two that differ in the list stands a discontinuity. */
	int64_t voices, encoder_voice, slate_voice, last_voice;
	int64_t listed_ms;    /* when a segment was last listed, by the monotonic clock; 0: never */
	int64_t saved_ms;     /* the record, by the monotonic clock */
	int64_t column_bytes; /* of the newest column, all renditions together */
	int64_t pruned_n;     /* segments below it were removed to make room; 0: none */
	struct fail full;     /* why there is nothing new although the source sends; or FAIL_NONE */
};

/* Takes up the run that the record names, or memcached, when it is recent enough to be of use to
 * anybody; otherwise begins a new one. Borrows all. Fails: FAIL_INTERNAL, FAIL_INPUT (the key). */
int playout_open(struct playout *p, const struct conf *conf, const struct ladder *ladder,
	struct mc *mc, struct publisher *publisher, const char *id, struct fail *f);

/* An encoder starts: a number for its first file. Its segments do not join those before. */
int64_t playout_begin(struct playout *p);

/* Publishes the segments of a column, which lie at live/work/{id}/seg/{rendition}/{n}.ts and go
 * from there, under the next number, and lists what was published. */
void playout_add(struct playout *p, struct window_column *c, int64_t start_us);

/* The same for the slate of `reason`, which is shown for the `times`th time in a row after the
 * first (0). Fails, with nothing listed, when there is no such file or no room for it. */
int playout_add_slate(struct playout *p, enum live_reason reason, int64_t times, struct fail *f);

/* Whether what was listed last came from this start of the encoder. */
bool playout_is_on(const struct playout *p);

/* Writes the record when `why` is news, or it was not written for a while. A list whose segments
 * are about to end their lives is emptied. */
void playout_save(struct playout *p, const struct fail *why, enum live_reason reason);

/* Where the disk is nearly full, removes what has left the list before its time, but for the last
 * few; where it is full, those too, and shortens the list. So a channel goes on in the room that it
 * has. False when there is none for its next segments even then. */
bool playout_make_room(struct playout *p);

/* Removes what an encoder that is gone left unfinished. */
void playout_sweep(const struct playout *p);

/* Writes the record now. */
void playout_write(struct playout *p);

/* Nobody wants its playlists any more, though the channel goes on: there is nothing to show. */
void playout_forget(struct playout *p);

/* Writes the record of a channel that another host has, at `base`. */
void playout_elsewhere(
	const struct conf *conf, const struct ladder *ladder, const char *id, const char *base);

/* Nobody watches any more: forgets the run and removes all that is in the channel's directory. */
void playout_end(struct playout *p);

#endif
