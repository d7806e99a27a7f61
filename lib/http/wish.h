/* lib/http/wish.h - what to give for a quality: that one, or else the next one down.
 * SPDX-License-Identifier: BSD-2-Clause
 * Sound alone has three steps (low <= 64 kb/s, medium <= 128 kb/s, high: the best), pictures have
 * theirs by lines. */
#ifndef SLUICE_HTTP_WISH_H
#define SLUICE_HTTP_WISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/http/quality.h"

struct wish_step {
	const char *word; /* as a request says it */
	int height;	  /* lines at most; 0: sound alone */
	int64_t kbps;	  /* at most for sound; what a picture of that height takes */
};

/* Steps from the wished one downwards, at least one. */
struct wish {
	const struct wish_step *steps;
	size_t count;
};

/* The step of that word; NULL for what is none. */
const struct wish_step *wish_step(const char *word);

struct wish_usual {
	bool video;		/* what is wished by who does not say */
	const char *video_word; /* "720p" */
	const char *sound_word; /* "high" */
	const char *most;	/* pictures above it are not given; "source": all are */
};

/* `hinted_kbps` decides QUALITY_AUTO; INT64_MAX: as for who does not say. */
struct wish wish_for(const struct quality *q, const struct wish_usual *usual, int64_t hinted_kbps);

/* What hints may come to, in kb/s, best first (INT64_MAX: they say nothing): all others mean the
 * same as the next one below. Clients say what they like, and what is kept by it must be found
 * again. */
enum { WISH_HINTS = 9 };
extern const int64_t wish_hints[WISH_HINTS];
int64_t wish_hint(int64_t kbps);

#endif
