/* t/unit/ident.c - public ids, read and printed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/ident.h"
#include "t/unit/tap.h"

#define KEY27 "123456789012345678901234567"
#define SOURCE31 "s123456789012345678901234567890"

static const struct {
	const char *text;
	enum ident_kind bare, kind; /* IDENT_NONE: refused */
	const char *source, *key;
	const char *full, *shortest;
} cases[] = {
	{"live-8", IDENT_LIVE, IDENT_LIVE, "", "8", "live-8", "8"},
	{"8", IDENT_LIVE, IDENT_LIVE, "", "8", "live-8", "8"},
	{"8", IDENT_VOD, IDENT_VOD, "", "8", "vod-8", "8"},
	{"8", IDENT_NONE, IDENT_NONE, "", "", "", ""},
	{"2356443347", IDENT_LIVE, IDENT_LIVE, "", "2356443347", "live-2356443347", "2356443347"},
	{"vod-1906", IDENT_LIVE, IDENT_VOD, "", "1906", "vod-1906", "1906"},
	{"ser-201", IDENT_NONE, IDENT_SER, "", "201", "ser-201", "201"},
	{"star.201", IDENT_SER, IDENT_SER, "star", "201", "star.ser-201", "star.ser-201"},
	{"ep-77123", IDENT_NONE, IDENT_EP, "", "77123", "ep-77123", "77123"},
	{"trk-a.b_c-d", IDENT_NONE, IDENT_TRK, "", "a.b_c-d", "trk-a.b_c-d", "trk-a.b_c-d"},
	{"url-0f", IDENT_NONE, IDENT_URL, "", "0f", "url-0f", "url-0f"},
	{"star.live-8", IDENT_NONE, IDENT_LIVE, "star", "8", "star.live-8", "star.live-8"},
	{"star.8", IDENT_LIVE, IDENT_LIVE, "star", "8", "star.live-8", "star.live-8"},
	{"star.8", IDENT_NONE, IDENT_NONE, "", "", "", ""},
	{"live.8", IDENT_LIVE, IDENT_LIVE, "live", "8", "live.live-8", "live.live-8"},
	{"live.live-8", IDENT_LIVE, IDENT_LIVE, "live", "8", "live.live-8", "live.live-8"},
	{"live-a.live-8", IDENT_LIVE, IDENT_LIVE, "", "a.live-8", "live-a.live-8", "live-a.live-8"},
	{"live-live-8", IDENT_LIVE, IDENT_LIVE, "", "live-8", "live-live-8", "live-live-8"},
	{"8.live-8", IDENT_LIVE, IDENT_LIVE, "8", "8", "8.live-8", "8.live-8"},
	{"live-" KEY27, IDENT_NONE, IDENT_LIVE, "", KEY27, "live-" KEY27, KEY27},
	{SOURCE31 ".live-" KEY27, IDENT_NONE, IDENT_LIVE, SOURCE31, KEY27, SOURCE31 ".live-" KEY27,
		SOURCE31 ".live-" KEY27},
	{"live-" KEY27 "9", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{SOURCE31 "0.live-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live-", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live--8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live-.8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"Live-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"film-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{".live-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"..", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"star.", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"star..8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"8x", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"8 ", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live-8/", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live-8\n", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"live-\xc3\xa9", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
	{"st ar.live-8", IDENT_LIVE, IDENT_NONE, "", "", "", ""},
};

static void reading(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ident id = {.kind = IDENT_NONE, .source = "x", .key = "y"};
		char text[IDENT_MAX];
		bool good = ident_parse(span_of(cases[i].text), cases[i].bare, &id);

		ok(good == (cases[i].kind != IDENT_NONE), "'%s' is %s", cases[i].text,
			cases[i].kind ? "an id" : "no id");
		if (!good) {
			is_str(id.key, "y", "and nothing was written");
			continue;
		}
		is_int(id.kind, cases[i].kind, "of that kind");
		is_str(id.source, cases[i].source, "of that source");
		is_str(id.key, cases[i].key, "with that key");
		ident_print(&id, text, sizeof(text));
		is_str(text, cases[i].full, "printed whole");
		ident_print_bare(&id, text, sizeof(text));
		is_str(text, cases[i].shortest, "printed as short as it goes");
	}
	struct ident id;
	ok(!ident_parse(span_make("live-8\0", 7), IDENT_LIVE, &id), "a NUL inside is refused");
}

static void making(void)
{
	struct ident id;

	ok(ident_make(IDENT_VOD, span_of(""), span_of("7"), &id), "parts make an id");
	ok(!ident_make(IDENT_VOD, span_of("a.b"), span_of("7"), &id), "a source has no dot");
	ok(!ident_make(IDENT_VOD, span_of("star"), span_of("a/b"), &id), "a key has no slash");
	ok(!ident_source_ok(span_of("live-tv")), "a source is not named like a channel");
	ok(ident_source_ok(span_of("livetv")) && ident_source_ok(span_of("my_star-2")),
		"other names are fine");
}

int main(void)
{
	reading();
	making();
	return tap_done();
}
