/* lib/svc/pair.h - a video whose picture and sound are separate objects at its source.
 * SPDX-License-Identifier: BSD-2-Clause
 * Only what HLS can join is one: MP4 (RFC 8216, section 3.3). A picture is meant by a word as
 * requests have it ("720p", "source"); the sound is the best there is, in AAC if it can be. */
#ifndef SLUICE_SVC_PAIR_H
#define SLUICE_SVC_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/http/wish.h"
#include "lib/svc/object.h"
#include "lib/svc/resolved.h"

/* The words of the pictures that `q` means, from the best downwards; who does not say means what
 * the settings have. None for sound alone, which no pair is asked for. */
struct wish pair_wish(const struct conf *conf, const struct quality *q);

/* Whether a pair can be given where a request names `format` (may be NULL). */
bool pair_suits(const char *format);

/* How the picture of that word, or the sound (NULL), is asked for, and its bytes. False for what is
 * no id. */
struct resolved_ask pair_ask(const char *id, const char *word);
bool pair_object(struct object_ask *to, const char *id, const char *word);

struct pair {
	struct resolved picture, sound;
	bool has_sound; /* a picture without any is played without */
};

/* Finds both, waiting at most `wait_ms` for each. Fails: as resolved_find(); FAIL_MISSING for what
 * is no pair, FAIL_UPSTREAM for one that cannot be joined. */
enum resolved_result pair_find(const struct resolved_at *at, const char *id, const char *word,
	int64_t wait_ms, struct arena *arena, struct pair *out, int64_t *retry_s, struct fail *f);

#endif
