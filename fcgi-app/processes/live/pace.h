/* fcgi-app/processes/live/pace.h - segments are given on as time goes by, picture beside sound.
 * SPDX-License-Identifier: BSD-2-Clause
 * Segments come in lumps of many seconds; what is made of them must come steadily. */
#ifndef SLUICE_PROCESSES_LIVE_PACE_H
#define SLUICE_PROCESSES_LIVE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi-app/processes/live/media_playlist.h"

enum {
	PACE_PLAYLISTS = 2,  /* the picture, and its sound where that has a playlist of its own */
	PACE_MS = 100,	     /* pieces, and so how often to call */
	PACE_BURST_MS = 4000 /* given at once when something comes after a pause */
};

struct pace {
	int64_t clock_us; /* until when what was given lasts: monotonic */
};

/* Gives what is due of the queues of `playlists`, of which `count` are followed. False: the feed
 * wants no more. */
bool pace_give(struct pace *p, struct media_playlist playlists[PACE_PLAYLISTS], size_t count,
	const struct reservoir_feed *feed);

/* Whether there is something to give, now or when its time comes. */
bool pace_waits(struct media_playlist playlists[PACE_PLAYLISTS], size_t count);

/* Gives all of it now. */
void pace_flush(struct media_playlist playlists[PACE_PLAYLISTS], const struct reservoir_feed *feed);

#endif
