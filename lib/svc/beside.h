/* lib/svc/beside.h - files of subtitles that lie beside a film of a directory.
 * SPDX-License-Identifier: BSD-2-Clause
 * "Film.en.srt" beside "Film.mkv" (lib/hls/subtitle.h). Each is a rendition by a name made of its
 * path, size and time: one that is new or has changed is another rendition, and what was published
 * of it before stays right. */
#ifndef SLUICE_SVC_BESIDE_H
#define SLUICE_SVC_BESIDE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/hls/vod.h"

struct title;

enum {
	BESIDE_MAX = 24,
	BESIDE_FILE_BYTES = 256,
	BESIDE_MOST_BYTES = 8 << 20, /* larger ones are passed over */
	BESIDE_ENTRIES_MAX = 20000   /* of a directory that is looked through */
};

struct beside {
	struct vod_text text; /* as the master lists it */
	uint64_t id;	      /* of its rendition */
	char file[BESIDE_FILE_BYTES];
	const char *format;
};

/* Lists them by name into `to`, of BESIDE_MAX; none for a film at a gateway. */
size_t beside_list(const struct title *t, struct beside *to);

/* Appends segment n of the film as WebVTT, on the clock of MPEG-TS where `ts`. Fails: FAIL_MISSING
 * when the file is gone or another one now, FAIL_BUSY. */
int beside_segment(const struct title *t, const struct beside *b, const struct record *r, size_t n,
	bool ts, struct buf *to, struct fail *f);

#endif
