/* lib/http/access_line.h - a line of a front server's access log, and what it was about.
 * SPDX-License-Identifier: BSD-2-Clause
 * The shipped configurations of lighttpd, nginx and Apache write
 *
 *   client host user [27/Nov/2026:09:54:47 +0000] "GET /path" 200 5560 1234 MISS
 *
 * : the path as it came or as it was rewritten, without its query; the status; the bytes sent,
 * headers among them; how long it took, in microseconds or, with a point, seconds; and what the
 * answer said as X-Cache, "-" for what the front server sent by itself. The last may be missing.
 * What clients choose stands there escaped: no quotation mark but those two. */
#ifndef SLUICE_HTTP_ACCESS_LINE_H
#define SLUICE_HTTP_ACCESS_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/span.h"
#include "lib/http/ident.h"

enum access_cache {
	ACCESS_UNKNOWN, /* the line does not say */
	ACCESS_HIT, /* by the front server itself, from a cache, or from what another had made */
	ACCESS_MISS
};

/* Texts are the line's. */
struct access_line {
	int64_t time_s; /* since the epoch */
	struct span method, path;
	int status;
	int64_t bytes;
	int64_t took_us; /* -1: the line does not say */
	enum access_cache cache;
};

/* Reads a line without its end. False, with *out untouched, for what is none. */
bool access_line_parse(struct span line, struct access_line *out);

/* Families of addresses. A new one is added at the end: they are stored by their names. */
enum access_family {
	ACCESS_SEGMENTS,  /* parts of films and channels, subtitles among them */
	ACCESS_PLAYLISTS, /* and masters */
	ACCESS_ART,	  /* artwork, and thumbnails for the seek bar */
	ACCESS_OBJECTS,	  /* whole files and streams */
	ACCESS_DIRECT,	  /* live television as it comes */
	ACCESS_DOWNLOADS,
	ACCESS_PREFETCH,
	ACCESS_API,
	ACCESS_PAGES, /* and their parts */
	ACCESS_OTHER,
	ACCESS_FAMILIES
};

/* "segments" … */
const char *access_family_name(enum access_family family);

enum { ACCESS_RENDITION_BYTES = 16 };

struct access_subject {
	enum access_family family;
	char title[IDENT_MAX];			/* "live-8"; "" where it is none's, or not known */
	char rendition[ACCESS_RENDITION_BYTES]; /* "720p"; "" */
};

/* What the address of a line is about, or a published file by its name. It need not lead to
 * anything. */
void access_subject_of(struct span path, struct access_subject *out);

#endif
