/* lib/av/av.h - what can be done with media: an index, init segments, segments.
 * SPDX-License-Identifier: BSD-2-Clause
 * The only door to lib/av, which alone names libav*. Every call is complete in itself: it opens
 * nothing by name, keeps nothing, and reads only the source that it is given. All of it is meant to
 * run in a process of its own that may open, connect and execute nothing: media are hostile.
 * Whoever made them, what is written is a function of the source, the rendition and the number;
 * urgency changes the bytes of an encoded segment, but neither its pictures nor their times. */
#ifndef SLUICE_AV_AV_H
#define SLUICE_AV_AV_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"

/* Where media bytes come from: a file descriptor with pread, or whatever feeds us. */
struct av_source {
	void *of;
	/* Reads up to `n` bytes from `offset` on. Returns how many, 0 at the end, -1 with errno. */
	int (*read_at)(void *of, uint64_t offset, void *to, size_t n);
	uint64_t size; /* bytes of all of it */
	size_t most;   /* bytes worth asking for at once, 65536 or more; 0: as many as can be */
};

/* Somebody waits for it: all processors and a faster preset; or it is made ahead of time. */
enum av_urgency { AV_AHEAD, AV_URGENT };

/* Silences what libav* prints by itself. To be called once in a process. */
void av_begin(void);

/* Finds out what the source is and where its segments begin; *out but for its validator, with all
 * it points to in `arena`. Fails: FAIL_INPUT with a sentence that says what is wrong with the file,
 * FAIL_UPSTREAM when the source cannot be read. */
int av_index(const struct av_source *s, struct arena *arena, struct record *out, struct fail *f);

/* Writes the init segment (ISO/IEC 14496-12 section 8.16.2; RFC 8216 section 3.3) of a rendition
 * that rendition_fits() and rendition_has_init(). Fails as av_index(); what was written to `out_fd`
 * is worth nothing then. */
int av_init_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	int out_fd, struct fail *f);

/* Writes segment `n` < rendition_segments() of a rendition that rendition_fits(): fMP4, WebVTT, or
 * a sheet of thumbnails as JPEG. The same failures, and FAIL_MISSING when the source is not the one
 * that the record was made of. */
int av_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	uint32_t n, enum av_urgency urgency, int out_fd, struct fail *f);

/* Writes the picture that the source is, made to fit into `lines` by `lines` (16 to 2048) but never
 * larger than it is: as PNG where it is transparent, else as JPEG. Fails: FAIL_INPUT for what is no
 * picture, FAIL_UPSTREAM, FAIL_BUSY. */
int av_art(const struct av_source *s, int lines, int out_fd, struct fail *f);

/* Writes the best sound of the source as "mp3", "aac", "opus" or "flac" of `kbps`, from beginning
 * to end, so that what is there can be sent while the rest is made. Fails: FAIL_INPUT for a source
 * without sound, or another format; FAIL_UPSTREAM, FAIL_BUSY. */
int av_music(const struct av_source *s, const char *format, int kbps, int out_fd, struct fail *f);

#endif
