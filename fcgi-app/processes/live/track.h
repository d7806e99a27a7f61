/* fcgi-app/processes/live/track.h - a media playlist that is followed, and its waiting segments.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_LIVE_TRACK_H
#define SLUICE_PROCESSES_LIVE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/blend.h"
#include "lib/hls/follow.h"
#include "lib/hls/mp4.h"
#include "lib/hls/playlist.h"
#include "lib/hls/remux.h"
#include "lib/hls/reservoir.h"
#include "lib/io/fetch.h"

struct track {
	char url[FETCH_URL_BYTES];  /* of the list, as it is named */
	char base[FETCH_URL_BYTES]; /* that answered last, or "" */
	bool ask_first;		    /* `base` does not answer again: `url` is asked each time */
	struct buf text;	    /* of the list */
	struct playlist *list;	    /* owned; borrows from the text */
	bool has_list;		    /* one of this connection */
	struct follow follow;
	struct buf map;		       /* the initialization section, where it is MPEG-TS */
	char map_uri[FETCH_URL_BYTES]; /* of the one that was read last; "": none was */
	int64_t map_offset;
	struct mp4 mp4; /* what it says */
	struct remux remux;
	struct blend *blend; /* borrowed: picture and sound come apart; NULL: as one */
	int kind;	     /* which of them this is */
	enum seam seam;	     /* before the segment that comes next */
	struct reservoir queue;
	int64_t given_us;	 /* of the queue, ever */
	unsigned seams, aligned; /* how often the place was chosen; of the other one, at that */
};

bool track_init(struct track *t);    /* false without memory */
void track_release(struct track *t); /* accepts a zeroed one */
void track_forget(struct track *t);  /* where it was: the next list is another one */

/* The list is at `url` from here on. One of another place is another list. */
void track_use(struct track *t, const char *url);
void track_answered(struct track *t, const char *base);

/* Where to ask for the list now: at the address that answered last, so that a redirect is followed
 * once. */
const char *track_address(const struct track *t);

/* After a refusal: whether there is an address that was not tried. */
bool track_ask_first(struct track *t);

/* Reads a list, which is then t->list: as playlist_parse(). */
int track_read(struct track *t, struct span text, struct fail *f);

/* Follows t->list. */
enum follow_news track_list(struct track *t);

/* Goes on where `with` does, if it can, when the place of that was chosen anew. */
void track_align(struct track *t, const struct track *with);

/* The segment that is wanted, or NULL. */
const struct playlist_segment *track_next(struct track *t);
void track_skip(struct track *t); /* without it */

/* The initialization section that was read last; reading one. Fails: FAIL_UPSTREAM. */
bool track_has_map(const struct track *t, const struct playlist_part *map);
int track_map(struct track *t, const struct playlist_part *map, struct span bytes, struct fail *f);

/* Puts a segment into the queue, as MPEG-TS; may take its bytes. Fails: FAIL_UPSTREAM for what is
 * no
 * media. */
int track_add(struct track *t, const struct playlist_segment *s, struct buf *bytes, struct fail *f);

#endif
