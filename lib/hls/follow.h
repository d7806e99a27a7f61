/* lib/hls/follow.h - which segment of a live playlist comes next.   RFC 8216 sections 6.3.3, 6.3.4
 * SPDX-License-Identifier: BSD-2-Clause
 * And when the list, which is somebody else's, is asked for again. Numbers only. The list may slide
 * on too fast, begin to count anew, come from a cache that is behind, or stand still. Times are
 * monotonic. */
#ifndef SLUICE_HLS_FOLLOW_H
#define SLUICE_HLS_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hls/playlist.h"

enum {
	FOLLOW_BEHIND = 3, /* target durations from the end at which one begins */
	FOLLOW_FROZEN = 3, /* without anything new until it has stopped */
	FOLLOW_STALE = 2,  /* until a list that is behind counts anew */
	FOLLOW_LATE = 6	   /* behind the end until the rest is given up */
};

struct follow {
	bool begun;
	int64_t next_n; /* of the segment that is wanted */
	int64_t last_n; /* of the newest that was listed */
	int64_t target_us;
	int64_t asked_ms, news_ms,
		behind_ms; /* the list; something new in it; it is behind, or 0 */
	bool changed;	   /* the last list had something new */
};

enum follow_news {
	FOLLOW_ON,     /* next_n is, or will be, in the list */
	FOLLOW_BEGUN,  /* next_n was chosen */
	FOLLOW_MISSED, /* segments were missed: next_n was chosen anew */
	FOLLOW_ANEW    /* numbers begin anew, and so does the source's clock */
};

/* Another connection to the same list, which goes on where the last one ended if it can. */
void follow_join(struct follow *f, int64_t now_ms);

/* The list was asked for, at `now_ms`. */
void follow_asked(struct follow *f, int64_t now_ms);

/* What it says; with an ended or empty list too. */
enum follow_news follow_list(struct follow *f, const struct playlist *p, int64_t now_ms);

/* The segment that is wanted, or NULL: it is not there yet. Gaps are passed over. */
const struct playlist_segment *follow_next(struct follow *f, const struct playlist *p);

/* How much is listed from next_n on. */
int64_t follow_ahead_us(const struct follow *f, const struct playlist *p);

/* How long until the list is to be asked for again: 0 is now. */
int64_t follow_wait_ms(const struct follow *f, int64_t now_ms);

/* Nothing new for so long that the source has stopped. */
bool follow_is_frozen(const struct follow *f, int64_t now_ms);

#endif
