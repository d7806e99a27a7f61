/* lib/http/episode.h - which episode of which season a name tells of.
 * SPDX-License-Identifier: BSD-2-Clause
 * Names of files and what gateways call episodes: "Show.S01E02.Pilot", "Show - 1x02",
 * "Season 1 Episode 2", and, in a folder that is a season's, "02 - Pilot". Spans point into what
 * was given. */
#ifndef SLUICE_HTTP_EPISODE_H
#define SLUICE_HTTP_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"

enum { EPISODE_SEASON_MAX = 9999, EPISODE_NUMBER_MAX = 9999 };

struct episode_mark {
	int64_t season, number; /* season 0: specials */
	struct span before;	/* what stands before the mark: the series' name, may be empty */
	struct span after;	/* and behind it: the episode's own, may be empty */
};

/* The first mark in `name` (without an extension). Of several episodes in one file, "S01E02E03",
 * the first counts. False where there is none: a film. */
bool episode_find(struct span name, struct episode_mark *out);

/* What a name in the folder of season `season` tells: a mark, or the number it begins with. */
bool episode_find_in(int64_t season, struct span name, struct episode_mark *out);

/* Whether a folder is a season's: "Season 1", "S01", "Staffel 2", "Specials" (0). */
bool episode_is_season(struct span folder, int64_t *season);

#endif
