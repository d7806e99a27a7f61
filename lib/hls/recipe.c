/* lib/hls/recipe.c - the arguments with which ffmpeg encodes a channel.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/recipe.h"

#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/base/num.h"

enum { ARGS_MAX = 360, FILTER_MAX = 4096 };

struct args {
	const char *list[ARGS_MAX + 1];
	size_t count;
	const char *sound; /* what -map takes */
	struct arena *arena;
};

static void add(struct args *a, const char *arg)
{
	must(a->count < ARGS_MAX);
	a->list[a->count++] = arg;
}

static void add_pair(struct args *a, const char *option, const char *value)
{
	add(a, option);
	add(a, value); /* NULL only when the arena is full, which is asked at the end */
}

/* 0.5, 0.5, 1, 2, 2 s, … are 1, 1, 2, 4, 4 pieces. */
struct recipe_piece recipe_piece(int64_t first_n, bool quick, int64_t k)
{
	int64_t whole = k / RECIPE_PIECES, rest = k % RECIPE_PIECES;

	if (quick && k < 2)
		return (struct recipe_piece){first_n + k, true, true};
	return (struct recipe_piece){.n = first_n + whole + (quick ? 2 : 0),
		.first = rest == 0 || (quick && k == 2),
		.last = rest == RECIPE_PIECES - 1};
}

/* -nostdin and a named demuxer: nothing in the stream chooses what reads it. Without the analysis
 * of all programmes ffmpeg begins at the first PMT, and the times of a few pictures tell their
 * rate, for the stream is clean; it must not get +nobuffer, which keeps pictures back until sound
 * of the same time has been read twice over. */
static void add_input(struct args *a, const struct recipe *r)
{
	add(a, r->ffmpeg);
	add(a, "-nostdin");
	add(a, "-hide_banner");
	add_pair(a, "-loglevel", "warning");
	add_pair(a, "-fflags", "+genpts+discardcorrupt");
	add_pair(a, "-analyzeduration", "200000");
	add_pair(a, "-probesize", "2000000");
	add_pair(a, "-fpsprobesize", "5");
	add_pair(a, "-scan_all_pmts", "0");
	add_pair(a, "-threads", "2");
	add_pair(a, "-f", "mpegts");
	add_pair(a, "-i", "pipe:0");
}

/* One decode for all. A picture that is wider than 16:9 is made lower, never larger than its
 * rung. */
static void add_filters(struct args *a, const struct recipe *r)
{
	size_t pictures = 0;
	struct buf b;

	buf_init(&b, FILTER_MAX);
	for (size_t i = 0; i < r->ladder->count; i++)
		pictures += r->encodes[i] && r->ladder->rungs[i]->height;
	if (pictures == 0)
		return;
	buf_printf(&b, "[0:v:0]yadif=deint=interlaced,split=%zu", pictures);
	for (size_t i = 0; i < r->ladder->count; i++) {
		if (r->encodes[i] && r->ladder->rungs[i]->height)
			buf_printf(&b, "[s%zu]", i);
	}
	for (size_t i = 0; i < r->ladder->count; i++) {
		const struct rung *g = r->ladder->rungs[i];
		if (!r->encodes[i] || !g->height)
			continue;
		buf_printf(&b,
			";[s%zu]scale=w='2*trunc(min(dar*%d\\,%d)/2+0.5)'"
			":h='2*trunc(min(%d\\,%d/dar)/2+0.5)',setsar=1,format=yuv420p[v%zu]",
			i, g->height, g->width, g->height, g->width, i);
	}
	must(!b.failed);
	add_pair(a, "-filter_complex_threads", "2");
	add_pair(a, "-filter_complex", arena_copy(a->arena, buf_span(&b)));
	buf_release(&b);
}

/* Keyframes stand where they are forced and nowhere else, whatever the frame rate: in a quick start
 * at 0, 0.5, 1, 2, 4, 6 s. Each picture that the encoder looks ahead is one more that a segment
 * waits for. */
static void add_video(struct args *a, const struct recipe *r, size_t i)
{
	const struct rung *g = r->ladder->rungs[i];

	add_pair(a, "-map", arena_printf(a->arena, "[v%zu]", i));
	add_pair(a, "-c:v", "libx264");
	add_pair(a, "-preset", "superfast");
	add_pair(a, "-threads:v", arena_printf(a->arena, "%d", r->threads));
	add_pair(a, "-x264-params", "rc-lookahead=4:sync-lookahead=0");
	add_pair(a, "-profile:v", g->profile);
	add_pair(a, "-level:v", g->level);
	add_pair(a, "-crf", "22");
	add_pair(a, "-maxrate:v", arena_printf(a->arena, "%dk", g->video_kbps));
	add_pair(a, "-bufsize:v", arena_printf(a->arena, "%dk", g->video_buffer_kbit));
	add_pair(a, "-g", "100000");
	add_pair(a, "-force_key_frames",
		r->quick ? "expr:gte(t,if(lt(n_forced,2),n_forced/"
			   "2,if(lt(n_forced,4),n_forced-1,2*n_"
			   "forced-4)))"
			 : "expr:gte(t,2*n_forced)");
	add_pair(a, "-sc_threshold", "0");
	add_pair(a, "-flags", "+cgop");
	add_pair(a, "-fps_mode", "cfr");
	add_pair(a, "-fpsmax", "60");
}

static void add_audio(struct args *a, const struct rung *g)
{
	add_pair(a, "-map", a->sound);
	add_pair(a, "-af", "aresample=async=1:first_pts=0");
	add_pair(a, "-c:a", "aac");
	add_pair(a, "-aac_coder", "fast");
	add_pair(a, "-b:a", arena_printf(a->arena, "%dk", g->audio_kbps));
	add_pair(a, "-ac", "2");
	add_pair(a, "-ar", "48000");
}

/* The number pattern is ffmpeg's own, so a '%' in the directory is doubled. */
static const char *pattern(struct arena *arena, const char *dir, const struct rung *g)
{
	struct buf b;
	char *text;

	buf_init(&b, FILTER_MAX);
	for (; *dir; dir++)
		buf_puts(&b, *dir == '%' ? "%%" : (char[]){*dir, '\0'});
	buf_printf(&b, "/%s/%s%%d.ts", g->name, g->height ? "" : "p");
	text = b.failed ? NULL : arena_copy(arena, buf_span(&b));
	buf_release(&b);
	return text;
}

/* Timestamps are left as they come out of the encoders, in both layers of the muxer, so that the
 * renditions agree to the tick; tables are sent at each cut anyway. ffmpeg names a segment before
 * it closes it: flush_packets has all of it in the file by then. */
static void add_output(struct args *a, const struct recipe *r, size_t i)
{
	const struct rung *g = r->ladder->rungs[i];
	int64_t n = g->height ? r->first_n : 0;

	add_pair(a, "-avoid_negative_ts", "disabled");
	add_pair(a, "-f", "segment");
	add_pair(a, "-segment_format", "mpegts");
	add_pair(a, "-segment_format_options",
		"avoid_negative_ts=disabled:pat_period=2:sdt_period=2:flush_packets=1");
	add_pair(a, "-individual_header_trailer", "0");
	add_pair(a, "-segment_time", "0.5"); /* of pictures: at the next keyframe */
	add_pair(a, "-segment_start_number", arena_printf(a->arena, "%lld", (long long)n));
	add_pair(a, "-segment_list", arena_printf(a->arena, "pipe:%d", RECIPE_LIST_FD));
	add_pair(a, "-segment_list_type", "csv");
	add_pair(a, "-segment_list_entry_prefix", arena_printf(a->arena, "%s/", g->name));
	add(a, pattern(a->arena, r->dir, g));
}

static const char *const *finish(struct args *a)
{
	const char **list = arena_alloc(a->arena, (a->count + 1) * sizeof(*list));

	if (a->arena->full || !list)
		return NULL;
	for (size_t i = 0; i < a->count; i++)
		list[i] = a->list[i];
	return list;
}

bool recipe_choose(struct recipe *r, bool picture, bool sound, int height)
{
	bool any = false;

	r->has_audio = sound;
	ladder_fit(r->ladder, height, r->encodes);
	for (size_t i = 0; i < r->ladder->count; i++) {
		if (r->ladder->rungs[i]->height)
			r->encodes[i] &= picture;
		else
			r->encodes[i] = sound;
		any |= r->encodes[i];
	}
	return any;
}

const char *const *recipe_args(const struct recipe *r, struct arena *arena)
{
	struct args a = {.arena = arena, .sound = "0:a:0"};

	add_input(&a, r);
	add_filters(&a, r);
	for (size_t i = 0; i < r->ladder->count; i++) {
		const struct rung *g = r->ladder->rungs[i];
		if (!r->encodes[i])
			continue;
		if (g->height)
			add_video(&a, r, i);
		if (!g->height || r->has_audio)
			add_audio(&a, g);
		add_output(&a, r, i);
	}
	return finish(&a);
}

/* 24 pictures and 45 frames of sound, of which the encoder itself adds the first. */
static void add_slate_input(struct args *a, const struct recipe_slate *s)
{
	add(a, s->ffmpeg);
	add_pair(a, "-nostdin", "-hide_banner");
	add_pair(a, "-loglevel", "error");
	add(a, "-y");
	add_pair(a, "-f", "lavfi");
	add_pair(a, "-i", "color=c=0x16202c:s=1280x720:r=25,trim=end_frame=24");
	add_pair(a, "-f", "lavfi");
	add_pair(a, "-i", "anullsrc=r=48000:cl=stereo,atrim=end_sample=45056");
}

static void add_slate_filters(struct args *a, const struct recipe_slate *s)
{
	size_t pictures = 0;
	struct buf b;

	buf_init(&b, FILTER_MAX);
	for (size_t i = 0; i < s->ladder->count; i++)
		pictures += s->ladder->rungs[i]->height > 0;
	buf_puts(&b, "[0:v]");
	if (s->words)
		buf_printf(&b,
			"drawtext=text='%s':fontsize=64:fontcolor=white:x=(w-tw)/2:y=h/2-90,"
			"drawtext=text='%s':fontsize=32:fontcolor=0xb8c4d0:x=(w-tw)/2:y=h/2+30,",
			s->title, s->line);
	buf_printf(&b, "split=%zu", pictures);
	for (size_t i = 0; i < s->ladder->count; i++) {
		if (s->ladder->rungs[i]->height)
			buf_printf(&b, "[s%zu]", i);
	}
	for (size_t i = 0; i < s->ladder->count; i++) {
		const struct rung *g = s->ladder->rungs[i];
		if (g->height)
			buf_printf(&b, ";[s%zu]scale=%d:%d,setsar=1,format=yuv420p[v%zu]", i,
				g->width, g->height, i);
	}
	must(!b.failed);
	add_pair(a, "-filter_complex", arena_copy(a->arena, buf_span(&b)));
	buf_release(&b);
}

const char *const *recipe_slate_args(const struct recipe_slate *s, struct arena *arena)
{
	struct args a = {.arena = arena, .sound = "1:a"};
	struct recipe r = {.ladder = s->ladder, .threads = 2};

	add_slate_input(&a, s);
	add_slate_filters(&a, s);
	for (size_t i = 0; i < s->ladder->count; i++) {
		const struct rung *g = s->ladder->rungs[i];
		if (g->height)
			add_video(&a, &r, i);
		add_audio(&a, g);
		add_pair(&a, "-f", "mpegts");
		add_pair(&a, "-pat_period", "4");
		add_pair(&a, "-sdt_period", "4");
		add(&a, arena_printf(arena, "%s/%s.ts", s->dir, g->name));
	}
	return finish(&a);
}

/* "12.345678" in microseconds; false for more than a day's worth of years. */
static bool read_seconds(struct span text, int64_t *us)
{
	struct span whole;
	int64_t s, fraction = 0, scale = 100000;

	span_next(&text, '.', &whole);
	if (span_starts(whole, "-") || !num_parse(whole, 0, 1000000000000, &s))
		return false;
	for (size_t i = 0; i < text.len; i++, scale /= 10) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		fraction += (text.ptr[i] - '0') * scale;
	}
	*us = s * 1000000 + fraction;
	return true;
}

bool recipe_line(const struct ladder *l, struct span line, struct recipe_segment *out)
{
	struct span name, rendition, start;
	struct recipe_segment s = {0};

	if (!span_next(&line, ',', &name) || !span_next(&line, ',', &start) || !line.ptr ||
		!span_next(&name, '/', &rendition) || !span_ends(name, ".ts"))
		return false;
	name.len -= 3;
	if (span_starts(name, "p")) {
		s.piece = true;
		name = span_make(name.ptr + 1, name.len - 1);
	}
	if (!num_parse(name, 0, INT64_MAX / 2, &s.n) || !read_seconds(start, &s.start_us) ||
		!read_seconds(line, &s.end_us) || s.end_us <= s.start_us)
		return false;
	while (s.rung < l->count && !span_is(rendition, l->rungs[s.rung]->name))
		s.rung++;
	if (s.rung == l->count || (s.piece && l->rungs[s.rung]->height))
		return false;
	*out = s;
	return true;
}
