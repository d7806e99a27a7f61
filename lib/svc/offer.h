/* lib/svc/offer.h - what a resolver has found for an id: a title and the formats it can be had in.
 * SPDX-License-Identifier: BSD-2-Clause
 * A resolver says it in lines "name: value", which is also how it is kept:
 *
 *   title: A song                    of the whole: title, duration (s), thumbnail
 *   user-agent: player/1             to be sent with the addresses behind it: user-agent, referer
 *   id: 251                          of the next address: id, ext, kind (audio, video, both),
 *   ext: webm                        codecs, kbps, height, width, bytes, expires (s since the
 *                                    epoch)
 *   kbps: 128
 *   url: https://…                   ends it; "url: " may be left out
 *
 * or as JSON in the form of `yt-dlp -J`. Two addresses of which nothing is said are what `yt-dlp
 * -g` prints: a picture, and its sound. Addresses are secrets. */
#ifndef SLUICE_SVC_OFFER_H
#define SLUICE_SVC_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/http/wish.h"

/* Bytes with the NUL, where no count is meant. */
enum {
	OFFER_FORMATS_MAX = 64, /* further ones are left out */
	OFFER_URL_MAX = 4096,
	OFFER_TITLE_MAX = 301,
	OFFER_ID_MAX = 65, /* [A-Za-z0-9._+-] */
	OFFER_EXT_MAX = 9, /* [a-z0-9] */
	OFFER_CODECS_MAX = 81,
	OFFER_HEADER_MAX = 1025,
	OFFER_DURATION_MAX_S = 1000000
};

enum offer_kind { OFFER_SOUND, OFFER_PICTURE /* alone */, OFFER_BOTH };

/* Texts are never NULL and have no control bytes; what is not known is "" or 0. */
struct offer_format {
	const char *url; /* http or https */
	const char *id, *ext, *codecs, *agent, *referrer;
	enum offer_kind kind;
	int64_t kbps, height, width, bytes, expires_ms;
};

struct offer {
	const char *title, *thumbnail;
	int64_t duration_s;
	int64_t made_ms; /* since the epoch; 0 as a resolver says it */
	struct offer_format formats[OFFER_FORMATS_MAX];
	size_t count;	/* at least 1 once read */
	bool has_lists; /* playlists were named, which are left out */
};

/* What is taken of an address of which neither a resolver nor its ending says it. */
struct offer_usual {
	bool video;	/* whether it has a picture */
	int64_t height; /* of a picture; at least 1 */
	int64_t kbps;	/* of sound alone */
};

/* Reads what a resolver printed; texts live in `arena`. Of lines nothing is repaired, of JSON what
 * cannot be used is left out. `usual` NULL: sound, or a small picture. An id that is missing, or
 * another's, is replaced by a number.
 * Fails: FAIL_UPSTREAM for what is neither, or offers no address that can be fetched. */
int offer_read(struct span text, const struct offer_usual *usual, struct arena *arena,
	struct offer *out, struct fail *f);

/* As lines, which offer_read() reads back. */
void offer_print(const struct offer *o, struct buf *to);

/* Leaves out the addresses that have ended, or are about to. */
void offer_drop_ended(struct offer *o, int64_t now_ms);

/* When the first of its addresses ends, by what they say themselves; 0: none says it. */
int64_t offer_ends_ms(const struct offer *o);

/* The format that comes nearest to the wish from below, or else the lowest there is; what browsers
 * play before what they do not, and of equal height what all of them play. NULL when `refuses` (may
 * be NULL) refuses all, or there is none with sound. `format`: "mp3", "aac", "opus" or "flac" is
 * taken where the step has it; OFFER_PICTURE_ALONE: only pictures in MP4 without sound, which are
 * not given otherwise. */
#define OFFER_PICTURE_ALONE "picture"
struct offer_choice {
	const struct wish *wish;
	const char *format;
	bool (*refuses)(void *ctx, const struct offer_format *format);
	void *ctx;
};
const struct offer_format *offer_choose(const struct offer *o, const struct offer_choice *choice);

/* The quality of a format as requests say it: "medium", "720p". */
const char *offer_quality(const struct offer_format *format);

/* Its media type by its container, or "". */
const char *offer_type(const struct offer_format *format);

/* Whether it is an http or https address that can stand in an answer or a request as it is. */
bool offer_is_url(struct span text);

/* Whether it can be the address of a thumbnail, of which viewers are told. */
bool offer_is_picture(struct span text);

/* For the two that read: adds a format where it is sound. A playlist is noted alone. False: it is
 * left out. */
bool offer_add(struct offer *o, struct arena *arena, const struct offer_format *format);

/* Whether endings of files as this one are those of sound alone. */
bool offer_is_sound_ext(struct span ext);

/* The JSON alone. */
int offer_read_json(struct span text, const struct offer_usual *usual, struct arena *arena,
	struct offer *out, struct fail *f);

#endif
