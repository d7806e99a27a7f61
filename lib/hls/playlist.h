/* lib/hls/playlist.h - playlists that others wrote, master and media.          RFC 8216 section 4
 * SPDX-License-Identifier: BSD-2-Clause
 * Text only. A reader of what is really sent: either kind of line end, a byte order mark, lines
 * that are nothing and tags that nobody knows are passed over; what cannot be played is refused in
 * a sentence. URIs are as they stand, relative ones too, and borrow from the text. */
#ifndef SLUICE_HLS_PLAYLIST_H
#define SLUICE_HLS_PLAYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum {
	PLAYLIST_BYTES = 2 << 20, /* of a text; longer ones are not to be parsed */
	PLAYLIST_SEGMENTS = 512,  /* of a longer list the last ones are kept */
	PLAYLIST_VARIANTS = 64,
	PLAYLIST_RENDITIONS = 64,
	PLAYLIST_KEY = 16 /* bytes of an AES-128 key and of its vector */
};

/* Section 4.3.2.4. Only AES-128 with a key in the clear can be undone. */
struct playlist_key {
	bool on, known; /* what is behind it is encrypted; in the way that we know */
	bool has_iv;
	uint8_t iv[PLAYLIST_KEY]; /* that of section 5.2 where none is said */
	struct span uri;
};

/* A resource, or a part of one. */
struct playlist_part {
	struct span uri;
	int64_t offset, length; /* bytes; length 0: all of it */
	struct playlist_key key;
};

struct playlist_segment {
	int64_t n; /* Media Sequence Number */
	int64_t duration_us;
	int64_t date_ms;    /* wall clock of its beginning, since the epoch; 0: not said */
	bool discontinuity; /* before it */
	bool gap;	    /* it is not there */
	struct playlist_part part;
	struct playlist_part map; /* Media Initialization Section; uri empty: none */
};

struct playlist_variant {
	struct span uri, audio /* GROUP-ID, or empty */, codecs;
	int64_t bandwidth;  /* bits a second; 0: not said */
	int width, height;  /* 0: not said */
	int64_t rate_milli; /* frames in 1000 s; 0: not said */
};

/* An EXT-X-MEDIA of TYPE=AUDIO. */
struct playlist_rendition {
	struct span group, name, language, uri; /* uri empty: it is in the variants themselves */
	bool is_default;
};

struct playlist {
	bool is_master;
	bool ended;	   /* EXT-X-ENDLIST: nothing more comes */
	int64_t target_us; /* EXT-X-TARGETDURATION, or the longest segment */
	struct playlist_segment segments[PLAYLIST_SEGMENTS]; /* numbers without a gap */
	size_t count;					     /* 0 is possible: none yet */
	struct playlist_variant variants[PLAYLIST_VARIANTS];
	size_t variant_count;
	struct playlist_rendition renditions[PLAYLIST_RENDITIONS];
	size_t rendition_count;
};

/* Whether a body may be a playlist: `text` is what it begins with. `sure` says whether more of it
 * can change the answer. */
bool playlist_begins(struct span text, bool *sure);

/* Whether that is said by a Content-Type, parameters and all: the registered one (RFC 8216 section
 * 4) or one of those in use beside it. */
bool playlist_is_type(const char *content_type);

/* Reads `text`, at most PLAYLIST_BYTES. Fails: FAIL_UPSTREAM (no playlist, a list of channels,
 * nothing in it that could be played). */
int playlist_parse(struct span text, struct playlist *out, struct fail *f);

/* The variant to read for pictures of at most `height` lines (0: sound is enough): the highest that
 * is not above it, else the lowest; H.264 before others and more bits before fewer. `skip` leaves
 * out so many of the best, for what does not work. NULL: there is none that can be decoded. */
const struct playlist_variant *playlist_choose(const struct playlist *p, int height, unsigned skip);

/* The sound of a variant when it is a playlist of its own: the first language of `languages` ("eng
 * deu") that there is, else the default. NULL: its sound is in the variant itself. */
const struct playlist_rendition *playlist_sound(
	const struct playlist *p, const struct playlist_variant *v, const char *languages);

#endif
