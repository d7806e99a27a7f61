/* fcgi-app/processes/live/media_playlist.h - one that is followed, and its segments that wait.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_LIVE_MEDIA_PLAYLIST_H
#define SLUICE_PROCESSES_LIVE_MEDIA_PLAYLIST_H

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

struct media_playlist {
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

bool media_playlist_init(struct media_playlist *m);    /* false without memory */
void media_playlist_release(struct media_playlist *m); /* accepts a zeroed one */
/* Forgets where it was: the next list is another one. */
void media_playlist_forget(struct media_playlist *m);

/* The list is at `url` from here on. One of another place is another list. */
void media_playlist_use(struct media_playlist *m, const char *url);
void media_playlist_answered(struct media_playlist *m, const char *base);

/* Where to ask for the list now: at the address that answered last, so that a redirect is followed
 * once. */
const char *media_playlist_address(const struct media_playlist *m);

/* After a refusal: whether there is an address that was not tried. */
bool media_playlist_ask_first(struct media_playlist *m);

/* Reads a list, which is then m->list: as playlist_parse(). */
int media_playlist_read(struct media_playlist *m, struct span text, struct fail *f);

/* Follows m->list. */
enum follow_news media_playlist_follow(struct media_playlist *m);

/* Goes on where `with` does, if it can, when the place of that was chosen anew. */
void media_playlist_align(struct media_playlist *m, const struct media_playlist *with);

/* The segment that is wanted, or NULL. */
const struct playlist_segment *media_playlist_next(struct media_playlist *m);
void media_playlist_skip(struct media_playlist *m); /* without it */

/* The initialization section that was read last; reading one. Fails: FAIL_UPSTREAM. */
bool media_playlist_has_map(const struct media_playlist *m, const struct playlist_part *map);
int media_playlist_map(struct media_playlist *m, const struct playlist_part *map, struct span bytes,
	struct fail *f);

/* Puts a segment into the queue, as MPEG-TS; may take its bytes. Fails: FAIL_UPSTREAM for what is
 * no
 * media. */
int media_playlist_add(struct media_playlist *m, const struct playlist_segment *s,
	struct buf *bytes, struct fail *f);

#endif
