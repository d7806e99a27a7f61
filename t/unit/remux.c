/* t/unit/remux.c - fragmented MP4 made MPEG-TS: what ffmpeg decodes of it is what was in it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/remux.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/hls/blend.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

static char dir[] = "/tmp/sluice-remux-XXXXXX";

/* --- the outside ------------------------------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) static bool run(const char *fmt, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command) == 0;
}

static bool read_file(const char *name, struct buf *to)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_clear(to);
	return file_read(path, to, NULL) == 0;
}

static void write_file(const char *name, const struct buf *from)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file_renew(path, buf_span(from), 0600, NULL);
}

/* --- films ------------------------------------------------------------------------------------ */

static const struct {
	const char *what, *codecs;
	bool picture, sound;
	enum ts_codec codecs_want[MP4_TRACKS];
} films[] = {
	{"H.264 with B-frames and AAC", "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac", true,
		true, {TS_H264, TS_AAC}},
	{"H.265 and AC-3",
		"-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25 -c:a ac3",
		true, true, {TS_H265, TS_AC3}},
	{"H.264 alone", "-c:v libx264 -preset ultrafast -g 25 -an", true, false,
		{TS_H264, TS_OTHER}},
	{"MP3 alone", "-vn -c:a libmp3lame", false, true, {TS_OTHER, TS_MPEG_AUDIO}},
	{"AAC of 5.1", "-vn -c:a aac -ac 6", false, true, {TS_OTHER, TS_AAC}},
};

static bool make_film(const char *codecs, const char *more)
{
	return run("cd %s && rm -f *.m4s && ffmpeg -nostdin -v error -y -f lavfi -i "
		   "testsrc2=s=320x180:r=25 "
		   "-f lavfi -i sine=f=440:r=48000 -t 4 -pix_fmt yuv420p %s film.mp4 && "
		   "ffmpeg -nostdin -v error -y -i film.mp4 -c copy %s -f hls -hls_time 1 "
		   "-hls_list_size 0 "
		   "-hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 "
		   "-hls_segment_filename '%%d.m4s' list.m3u8 && cat init.mp4 *.m4s >all.mp4",
		dir, codecs, more);
}

/* All segments, one after the other. */
static bool remux_all(struct mp4 *mp4, struct buf *out)
{
	struct remux remux = {0};
	struct fail f = {0};
	char name[32];
	struct buf in;
	bool good;

	buf_init(&in, 16 << 20);
	good = read_file("init.mp4", &in) && mp4_init(buf_span(&in), mp4, &f) == 0;
	for (int i = 0; good; i++) {
		snprintf(name, sizeof(name), "%d.m4s", i);
		if (!read_file(name, &in))
			break;
		good = mp4_begins(buf_span(&in)) &&
		       remux_segment(&remux, mp4, buf_span(&in), out, &f) == 0;
	}
	if (!good)
		printf("# %s\n", f.text);
	buf_release(&in);
	return good && out->len > 0;
}

/* Whether ffmpeg decodes the same of both: the same frames, and the same time between picture and
 * sound. */
static bool same_frames(const char *stream)
{
	return run("cd %s && for f in all.mp4 out.ts; do ffmpeg -nostdin -v error "
		   "$([ $f = all.mp4 ] && echo -ignore_editlist 1) -i $f -map 0:%s "
		   "$([ %s = v ] && echo -vsync passthrough || echo -c:a pcm_s16le) -f framehash "
		   "-hash md5 - | "
		   "grep -v '^#' | sed 's/.*,//' | grep . >$f.$$; done; "
		   "cmp all.mp4.$$ out.ts.$$ && [ $(wc -l <out.ts.$$) -gt 90 ]",
		dir, stream, stream);
}

static bool same_times(void)
{
	return run("cd %s && for f in all.mp4 out.ts; do for s in v a; do "
		   "ffprobe -v error -select_streams $s -show_entries packet=pts_time -of csv=p=0 "
		   "$f | "
		   "tr -d , | sort -n | grep -m1 .; done | tr '\\n' ' ' >$f.times; done; "
		   "awk '{ d[FILENAME] = $1 - $2 } END { e = d[\"all.mp4.times\"] - "
		   "d[\"out.ts.times\"]; "
		   "exit !(NR == 2 && e < 0.001 && e > -0.001) }' all.mp4.times out.ts.times || "
		   "{ cat all.mp4.times out.ts.times; false; }",
		dir);
}

static void play(void)
{
	struct mp4 mp4;
	struct buf out;

	buf_init(&out, 32 << 20);
	for (size_t i = 0; i < sizeof(films) / sizeof(films[0]); i++) {
		buf_clear(&out);
		if (!ok(make_film(films[i].codecs, ""), "%s: made", films[i].what) ||
			!ok(remux_all(&mp4, &out), "%s: made MPEG-TS", films[i].what))
			continue;
		for (int k = 0; k < MP4_TRACKS; k++)
			is_int(mp4.tracks[k].codec, films[i].codecs_want[k], "track %d is %s", k,
				ts_codec_name(films[i].codecs_want[k]));
		write_file("out.ts", &out);
		if (films[i].picture)
			ok(same_frames("v"), "every picture is decoded, and is the one it was");
		if (films[i].sound)
			ok(same_frames("a"), "so is every sound");
		if (films[i].picture && films[i].sound)
			ok(same_times(), "and both at the same time");
	}
	buf_release(&out);
}

/* A picture and a sound that come apart are one programme again. */
static void blend(void)
{
	struct blend b = {0};
	struct buf both, parts[BLEND_KINDS];
	struct mp4 mp4;

	buf_init(&both, 32 << 20);
	for (int i = 0; i < BLEND_KINDS; i++) {
		buf_init(&parts[i], 32 << 20);
		ok(make_film(films[0].codecs, i ? "-vn" : "-an") && remux_all(&mp4, &parts[i]),
			"part %d is made", i);
	}
	ok(blend_add(&b, BLEND_AUDIO, buf_span(&parts[1]), &both), "the sound is taken first");
	buf_clear(&both);
	ok(blend_add(&b, BLEND_VIDEO, buf_span(&parts[0]), &both), "then the picture");
	ok(blend_add(&b, BLEND_AUDIO, buf_span(&parts[1]), &both), "and the sound again");
	ok(!blend_add(&b, BLEND_AUDIO, buf_span(&parts[0]), &both), "a file without sound says so");
	write_file("out.ts", &both);
	ok(make_film(films[0].codecs, "") && same_frames("v") && same_frames("a"),
		"together they are the film");
	for (int i = 0; i < BLEND_KINDS; i++)
		buf_release(&parts[i]);
	buf_release(&both);
}

/* --- sound without a container ---------------------------------------------------------------- */

static const struct {
	const char *what, *how;
	enum ts_codec codec;
} sounds[] = {
	{"AAC", "-c:a aac -f adts", TS_AAC},
	{"AAC of 22.05 kHz", "-c:a aac -ar 22050 -f adts", TS_AAC},
	{"MP3", "-c:a libmp3lame -f mp3 -write_xing 0 -id3v2_version 0", TS_MPEG_AUDIO},
	{"MP3 of 22.05 kHz",
		"-c:a libmp3lame -ar 22050 -b:a 64k -f mp3 -write_xing 0 -id3v2_version 0",
		TS_MPEG_AUDIO},
	{"MP2", "-c:a mp2 -ar 44100 -f mp2", TS_MPEG_AUDIO},
	{"AC-3", "-c:a ac3 -ar 44100 -f ac3", TS_AC3},
	{"E-AC-3", "-c:a eac3 -f eac3", TS_EAC3},
};

/* RFC 8216 section 3.4: the tag that a segment begins with, for a time of 33 bits. */
static void put_tag(struct buf *to, int64_t time)
{
	static const char owner[] = "com.apple.streaming.transportStreamTimestamp";
	char field[10] = {'P', 'R', 'I', 'V', 0, 0, 0, sizeof(owner) + 8, 0, 0};

	buf_add(to, "ID3\4\0\0\0\0\0", 9);
	buf_putc(to, (char)(sizeof(field) + sizeof(owner) + 8));
	buf_add(to, field, sizeof(field));
	buf_add(to, owner, sizeof(owner));
	for (int i = 7; i >= 0; i--)
		buf_putc(to, (char)(time >> 8 * i));
}

/* Cuts `all` behind the frames that the first `share` of it holds. */
static size_t cut_at(struct span all, size_t share)
{
	struct mp4_samples samples[MP4_TRACKS];
	struct packed p = {0};
	struct fail f = {0};
	struct mp4 mp4 = {0};
	size_t at = 0;

	packed_segment(&p, all, &mp4, samples, &f);
	for (size_t i = 0; i < samples[MP4_AUDIO].count && at < share; i++)
		at = samples[MP4_AUDIO].list[i].at + samples[MP4_AUDIO].list[i].len;
	mp4_release(samples);
	return at;
}

/* Two segments, of which the first says when it begins, and the second only where `says`. */
static bool pack(struct remux *remux, struct span all, bool says, struct buf *out)
{
	size_t cut = cut_at(all, all.len / 2);
	struct buf segment;
	struct fail f = {0};
	bool good;

	buf_init(&segment, 1 << 20);
	put_tag(&segment, PES_WRAP - 90000); /* it wraps after a second */
	buf_add(&segment, all.ptr, cut);
	good = packed_begins(buf_span(&segment)) &&
	       remux_packed(remux, buf_span(&segment), out, &f) == 0;
	buf_clear(&segment);
	if (says)
		put_tag(&segment, remux->packed.next);
	buf_add(&segment, all.ptr + cut, all.len - cut);
	good = good && packed_begins(buf_span(&segment)) &&
	       remux_packed(remux, buf_span(&segment), out, &f) == 0;
	buf_release(&segment);
	return good;
}

static bool same_sound(void)
{
	return run(
		"cd %s && for f in all.mp4 out.ts; do ffmpeg -nostdin -v error -i $f -f s16le - | "
		"md5sum >$f.md5; done; cmp all.mp4.md5 out.ts.md5",
		dir);
}

static bool even_times(void)
{
	return run(
		"cd %s && ffprobe -v error -show_entries packet=pts,duration -of csv=p=0 out.ts | "
		"awk -F, '$2 && n++ { d = $1 - want; if (d > 1 || d < -1) bad++ } "
		"$2 { want = $1 + $2 } END { if (n < 50 || bad) { print n, bad; exit 1 } }'",
		dir);
}

static void sound_alone(void)
{
	struct buf in, out;

	buf_init(&in, 1 << 20);
	buf_init(&out, 4 << 20);
	for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++) {
		struct remux remux = {0};

		buf_clear(&out);
		if (!ok(run("cd %s && ffmpeg -nostdin -v error -y -f lavfi -i "
			    "sine=f=440:r=48000 -t 4 %s all.mp4",
				dir, sounds[i].how) &&
				    read_file("all.mp4", &in),
			    "%s without a container: made", sounds[i].what) ||
			!ok(pack(&remux, buf_span(&in), i % 2, &out), "made MPEG-TS"))
			continue;
		is_int(remux.sound.tracks[MP4_AUDIO].codec, sounds[i].codec, "it is %s",
			ts_codec_name(sounds[i].codec));
		is_int(remux.version, 1, "all of one kind");
		write_file("out.ts", &out);
		ok(same_sound(), "every sound is decoded, and is the one it was");
		ok(even_times(), "each when the one before ends");
	}
	buf_release(&in);
	buf_release(&out);
}

/* --- what is none ----------------------------------------------------------------------------- */

static void refuse(void)
{
	struct mp4_samples samples[MP4_TRACKS];
	struct fail f = {0};
	struct buf init, segment;
	struct mp4 mp4, other;

	buf_init(&init, 1 << 20);
	buf_init(&segment, 16 << 20);
	ok(make_film(films[0].codecs, "") && read_file("init.mp4", &init) &&
			read_file("0.m4s", &segment) && mp4_init(buf_span(&init), &mp4, &f) == 0,
		"a film to spoil");
	for (size_t len = 0; len < init.len; len += 7) {
		if (mp4_init(span_make(init.ptr, len), &other, &f) == 0)
			ok(false, "an initialization section cut at %zu is none", len);
	}
	for (size_t len = 0; len < segment.len; len += segment.len / 50) {
		if (mp4_segment(&mp4, span_make(segment.ptr, len), samples, &f) == 0)
			ok(false, "a segment cut at %zu is none", len);
		mp4_release(samples);
	}
	for (char *at = init.ptr; (at = memmem(at, init.len - (size_t)(at - init.ptr), "avc1", 4));)
		memcpy(at, "encv", 4);
	for (char *at = init.ptr; (at = memmem(at, init.len - (size_t)(at - init.ptr), "mp4a", 4));)
		memcpy(at, "enca", 4);
	ok(mp4_init(buf_span(&init), &other, &f) < 0 && strstr(f.text, "encrypted"),
		"what is encrypted is refused: %s", f.text);
	ok(mp4_segment(&mp4, span_of("no MP4"), samples, &f) < 0, "what is none, too");
	mp4_release(samples);
	buf_release(&init);
	buf_release(&segment);
}

int main(void)
{
	if (!run("ffmpeg -version >/dev/null 2>&1")) {
		printf("1..0 # skipped: ffmpeg is not installed\n");
		return 0;
	}
	if (!mkdtemp(dir))
		return 1;
	play();
	blend();
	sound_alone();
	refuse();
	run("rm -rf %s", dir);
	return tap_done();
}
