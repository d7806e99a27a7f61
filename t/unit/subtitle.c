/* t/unit/subtitle.c - files of subtitles: their names, their writing, their cues.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/record.h"
#include "lib/hls/subtitle.h"
#include "lib/http/charset.h"
#include "t/unit/tap.h"

static void names(void)
{
	static const struct {
		const char *stem, *file, *format; /* NULL: another film's, or none */
		const char *language, *title;
		unsigned flags;
	} cases[] = {
		{"Film", "Film.srt", "srt", "", "", 0},
		{"Film", "Film.en.srt", "srt", "en", "", 0},
		{"Film", "Film.eng.forced.ass", "ass", "eng", "", RECORD_TEXT_FORCED},
		{"Film", "Film.pt-BR.sdh.vtt", "vtt", "pt-br", "", RECORD_TEXT_DEAF},
		{"Film", "Film.English.cc.SRT", "srt", "en", "", RECORD_TEXT_DEAF},
		{"Film", "Film.en.hi.ssa", "ass", "en", "", RECORD_TEXT_DEAF},
		{"Film", "Film.hi.srt", "srt", "hi", "", 0},
		{"Film", "Film.default.fr.srt", "srt", "fr", "", RECORD_TEXT_DEFAULT},
		{"Film", "Film.de.Director's \"cut\".srt", "srt", "de", "Director's cut", 0},
		{"A.Film.2001", "A.Film.2001.en.srt", "srt", "en", "", 0},
		{"Film", "Film 2.srt", NULL, "", "", 0},
		{"Film", "Film.txt", NULL, "", "", 0},
		{"Film", "Other.srt", NULL, "", "", 0},
		{"Film", "Film", NULL, "", "", 0},
		{"Film", "Film.", NULL, "", "", 0},
		{"", ".srt", NULL, "", "", 0},
	};
	struct subtitle_name n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = subtitle_name(span_of(cases[i].stem), span_of(cases[i].file), &n);

		is_int(found, cases[i].format != NULL, "%s beside %s", cases[i].file,
			cases[i].stem);
		if (!found || !cases[i].format)
			continue;
		is_str(n.format, cases[i].format, "its format");
		is_str(n.language, cases[i].language, "its language");
		is_str(n.title, cases[i].title, "its title");
		is_int(n.flags, cases[i].flags, "what it is for");
	}
}

static void writings(void)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
		const char *text;
	} cases[] = {
		{"UTF-8", "Caf\xc3\xa9", 5, "Caf\xc3\xa9"},
		{"UTF-8 with a mark",
			"\xef\xbb\xbf"
			"a",
			4, "a"},
		{"UTF-16, little end first", "\xff\xfe\xe9\0\x3d\xd8\0\xde", 8,
			"\xc3\xa9\xf0\x9f\x98\x80"},
		{"UTF-16, big end first", "\xfe\xff\0\xe9", 4, "\xc3\xa9"},
		{"UTF-16 without a mark", "1\0\n\0a\0b\0c\0", 10, "1\nabc"},
		{"half a pair",
			"\xff\xfe\x3d\xd8"
			"a\0",
			6,
			"\xef\xbf\xbd"
			"a"},
		{"Windows-1252", "Caf\xe9 \x80 \x93q\x94", 10,
			"Caf\xc3\xa9 \xe2\x82\xac \xe2\x80\x9cq\xe2\x80\x9d"},
		{"a NUL", "a\0b", 3, "ab"},
		{"nothing", "", 0, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		charset_decode(span_make(cases[i].bytes, cases[i].len), &b);
		is_str(buf_str(&b), cases[i].text, "%s", cases[i].what);
		buf_release(&b);
	}
}

static void cues(void)
{
	static const char srt[] =
		"1\r\n00:00:01,000 --> 00:00:02,500\r\n<b>One</b> & <font color=red>two</font>\r\n"
		"second line\r\n\r\n2\r\n00:00:04,000 --> 00:00:09,000\r\n{\\an8}Three\r\n\r\n"
		"3\n00:00:07,000 --> 00:00:06,000\nbackwards\n\nnot a cue\n\n"
		"4\n0:0:20,5 --> 0:0:21,25 X1:0\nlast --> arrow";
	static const char vtt[] =
		"WEBVTT\n\nNOTE no cue\n\nSTYLE\n::cue {}\n\n00:01.000 --> 00:02.500 align:start\n"
		"<i>One</i> &amp; two\n\nid\n00:00:04.000 --> 00:00:09.000\nThree\n";
	static const char ass[] =
		"[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, "
		"Effect, Text\nComment: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,no\n"
		"Dialogue: 0,0:00:01.00,0:00:02.50,D,,0,0,0,,{\\i1}One{\\i0},\\Ntwo\n"
		"Dialogue: 0,0:00:04.00,0:00:09.00,D,,0,0,0,,Three\nDialogue: broken\n";
	static const struct {
		const char *format, *text;
		int64_t from, until;
		const char *want;
	} cases[] = {
		{"srt", srt, 0, 4000,
			"00:00:01.000 --> 00:00:02.500\n<b>One</b> &amp; two\nsecond line\n\n"},
		{"srt", srt, 4000, 6000, "00:00:04.000 --> 00:00:09.000\nThree\n\n"},
		{"srt", srt, 8000, 20000, "00:00:04.000 --> 00:00:09.000\nThree\n\n"},
		{"srt", srt, 20000, 30000, "00:00:20.500 --> 00:00:21.250\nlast --&gt; arrow\n\n"},
		{"srt", srt, 9000, 20000, ""},
		{"vtt", vtt, 0, 4000, "00:00:01.000 --> 00:00:02.500\n<i>One</i> &amp; two\n\n"},
		{"vtt", vtt, 4000, 5000, "00:00:04.000 --> 00:00:09.000\nThree\n\n"},
		{"ass", ass, 0, 4000, "00:00:01.000 --> 00:00:02.500\nOne,\ntwo\n\n"},
		{"ass", ass, 4000, 5000, "00:00:04.000 --> 00:00:09.000\nThree\n\n"},
		{"vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\na -\007-> b ---->> c\n", 0, 4000,
			"00:00:01.000 --> 00:00:02.000\na  b  c\n\n"},
		{"srt", "", 0, 1000, ""},
		{"srt", "99999999:00:00,000 --> 1\nx\n", 0, 1000, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 10000);
		subtitle_print(
			cases[i].format, span_of(cases[i].text), cases[i].from, cases[i].until, &b);
		is_str(buf_str(&b), cases[i].want, "%s from %lld to %lld", cases[i].format,
			(long long)cases[i].from, (long long)cases[i].until);
		buf_release(&b);
	}
}

int main(void)
{
	names();
	writings();
	cues();
	return tap_done();
}
