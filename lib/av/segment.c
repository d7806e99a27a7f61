/* lib/av/segment.c - init segments and segments, of whatever rendition.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/uio.h>

#include "lib/av/av.h"
#include "lib/av/copy.h"
#include "lib/av/encode.h"
#include "lib/av/fmp4.h"
#include "lib/av/mpegts.h"
#include "lib/av/sound.h"
#include "lib/av/sprite.h"
#include "lib/av/text.h"
#include "lib/av/track.h"
#include "lib/base/must.h"

enum { INIT_MAX = 1 << 20, WHOLE_MAX = 16 << 20, TS_MAX = 300 << 20 };

static int write_buf(const struct buf *b, int fd, struct fail *f)
{
	struct iovec piece = {b->ptr, b->len};

	if (b->failed)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a segment");
	return fmp4_write_all(fd, &piece, 1, f);
}

/* All of a track but its samples; what it borrows is in `config`, or in the record. */
static int describe(const struct record *r, const struct rendition *x, struct track *t,
	struct buf *config, struct fail *f)
{
	switch (x->kind) {
	case RENDITION_SOURCE:
		copy_describe_video(r, t);
		return 0;
	case RENDITION_VIDEO:
	case RENDITION_IFRAMES:
		return encode_describe(r, x, t, config, f);
	case RENDITION_AUDIO:
		if (!r->audio[x->track].copy)
			return sound_describe(r, x->track, t, config, f);
		copy_describe_audio(r, x->track, t);
		return 0;
	default:
		return fail_set(f, FAIL_MISSING, "Such segments are not made");
	}
}

int av_init_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	int out_fd, struct fail *f)
{
	struct track t = {0};
	struct buf b, config;
	int result;

	(void)s;
	must(rendition_fits(x, r) && rendition_has_init(x));
	buf_init(&b, INIT_MAX);
	buf_init(&config, RECORD_BLOB_MAX);
	result = describe(r, x, &t, &config, f);
	if (result == 0) {
		fmp4_init(&t, &b);
		result = write_buf(&b, out_fd, f);
	}
	buf_release(&config);
	buf_release(&b);
	return result;
}

/* What is to be made. */
struct wanted {
	const struct av_source *source;
	const struct record *record;
	const struct rendition *rendition;
	uint32_t n;
	enum av_urgency urgency;
};

static int fill(const struct wanted *w, struct track *t, struct fail *f)
{
	const struct av_source *s = w->source;
	const struct record *r = w->record;
	const struct rendition *x = w->rendition;

	if (x->kind == RENDITION_SOURCE)
		return copy_video(s, r, w->n, t, f);
	if (x->kind == RENDITION_VIDEO || x->kind == RENDITION_IFRAMES)
		return encode_video(s, r, x, w->n, w->urgency, t, f);
	if (r->audio[x->track].copy) {
		int result = copy_audio(s, r, x->track, w->n, t, f);

		if (result <= 0)
			return result;
		track_release(t);
	}
	return sound_encode(s, r, x->track, w->n, t, f);
}

/* What is no track: subtitles, sheets of pictures. */
static int write_whole(const struct wanted *w, int fd, struct fail *f)
{
	struct buf b;
	int result;

	buf_init(&b, WHOLE_MAX);
	result = w->rendition->kind == RENDITION_TEXT
			 ? text_segment(w->source, w->record, w->rendition, w->n, &b, f)
			 : sprite_sheet(w->source, w->record, w->rendition, w->n, &b, f);
	if (result == 0)
		result = write_buf(&b, fd, f);
	buf_release(&b);
	return result;
}

/* A track with its config. */
static int make(const struct wanted *w, struct track *t, struct buf *config, struct fail *f)
{
	struct track described;

	if (describe(w->record, w->rendition, &described, config, f) < 0 || fill(w, t, f) < 0)
		return -1;
	t->config = described.config;
	return 0;
}

/* The picture with the title's first sound, or a sound alone. */
static int write_ts(const struct wanted *w, int fd, struct fail *f)
{
	const struct rendition first = {.kind = RENDITION_AUDIO};
	bool picture = w->rendition->kind != RENDITION_AUDIO;
	bool sound = !picture || w->record->audio_count > 0;
	struct track video = {0}, audio = {0};
	struct wanted beside = *w;
	struct buf b, configs[2];
	int result = 0;

	if (w->rendition->kind == RENDITION_SOURCE && strcmp(w->record->video.codec, "h264") != 0)
		return fail_set(f, FAIL_MISSING, "This picture is not handed out in MPEG-TS");
	if (picture)
		beside.rendition = &first;
	buf_init(&b, TS_MAX);
	buf_init(&configs[0], RECORD_BLOB_MAX);
	buf_init(&configs[1], RECORD_BLOB_MAX);
	if (picture)
		result = make(w, &video, &configs[0], f);
	if (result == 0 && sound)
		result = make(&beside, &audio, &configs[1], f);
	if (result == 0) {
		mpegts_print(picture ? &video : NULL, sound ? &audio : NULL, &b);
		result = write_buf(&b, fd, f);
	}
	track_release(&video);
	track_release(&audio);
	buf_release(&configs[0]);
	buf_release(&configs[1]);
	buf_release(&b);
	return result;
}

int av_segment(const struct av_source *s, const struct record *r, const struct rendition *x,
	uint32_t n, enum av_urgency urgency, int out_fd, struct fail *f)
{
	const struct wanted wanted = {s, r, x, n, urgency};
	struct track t = {0};
	int result;

	must(rendition_fits(x, r) && n < rendition_segments(x, r));
	if (x->kind == RENDITION_TEXT || x->kind == RENDITION_THUMBNAILS)
		return write_whole(&wanted, out_fd, f);
	if (x->format == RENDITION_TS)
		return write_ts(&wanted, out_fd, f);
	result = fill(&wanted, &t, f);
	if (result == 0)
		result = fmp4_write(&t, n, out_fd, f);
	track_release(&t);
	return result;
}
