/* lib/http/quality.h - the words of ?quality= and what a client's network hints say.
 * SPDX-License-Identifier: BSD-2-Clause
 * Hints: Save-Data, ECT and Downlink (Network Information), CMCD mtp (CTA-5004). */
#ifndef SLUICE_HTTP_QUALITY_H
#define SLUICE_HTTP_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

enum quality_kind {
	QUALITY_UNSAID, /* no word: the default applies */
	QUALITY_AUTO,	/* as the hints say */
	QUALITY_AUDIO,	/* sound only */
	QUALITY_LOW,
	QUALITY_MEDIUM,
	QUALITY_HIGH,
	QUALITY_HEIGHT, /* of so many lines */
	QUALITY_SOURCE
};

struct quality {
	enum quality_kind kind;
	int height; /* lines, for QUALITY_HEIGHT: 144, 240, 360, 480, 720 or 1080 */
};

/* Reads a word; the empty text is QUALITY_UNSAID. False, with *q untouched, for an unknown one. */
bool quality_parse(struct span word, struct quality *q);

/* Whether a picture is named: by its height, or as the source has it. */
bool quality_is_picture(const struct quality *q);

/* What the client's network can carry, in kb/s, by its hints (each may be NULL): INT64_MAX when
 * they say nothing. `save_data`, `ect`, `downlink`: the headers' values; `cmcd`: the value of the
 * query parameter CMCD or of the header CMCD-Request. */
int64_t quality_hinted_kbps(
	const char *save_data, const char *ect, const char *downlink, const char *cmcd);

struct quality_rung {
	int height;   /* lines */
	int64_t kbps; /* what it takes with its sound */
};

/* Index of the rung that suits `q` among `count` > 0 rungs, highest first. A height that is not
 * there: the nearest one below, or the lowest there is. `unsaid_height` stands for QUALITY_UNSAID,
 * `kbps` (from quality_hinted_kbps) decides QUALITY_AUTO. QUALITY_AUDIO gives the lowest. */
size_t quality_pick(const struct quality *q, const struct quality_rung *rungs, size_t count,
	int unsaid_height, int64_t kbps);

#endif
