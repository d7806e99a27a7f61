/* t/unit/episode.c - names that tell of an episode, and those that do not.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/episode.h"
#include "t/unit/tap.h"

static const struct {
	const char *name;
	int season, number; /* -1: none */
	const char *before, *after;
} names[] = {
	{"Show.S01E02.Pilot", 1, 2, "Show", "Pilot"},
	{"Show (2005) - s1e2 - The One", 1, 2, "Show (2005)", "The One"},
	{"The Series - S01E02 - The Second", 1, 2, "The Series", "The Second"},
	{"Show S03.E14", 3, 14, "Show", ""},
	{"Show - 1x02 - Pilot", 1, 2, "Show", "Pilot"},
	{"show_12x107", 12, 107, "show", ""},
	{"S01E02", 1, 2, "", ""},
	{"Show S01E02E03 Both", 1, 2, "Show", "Both"},
	{"Show S01E02-E03 Both", 1, 2, "Show", "Both"},
	{"Show S01E02-03 Both", 1, 2, "Show", "Both"},
	{"Show - 1x02-04 - All", 1, 2, "Show", "All"},
	{"Show S01E02-24 Hours", 1, 2, "Show", "24 Hours"},
	{"Show S01E02-3rd Time", 1, 2, "Show", "3rd Time"},
	{"Show S01E02 03", 1, 2, "Show", "03"},
	{"Show Season 2 Episode 5 Title", 2, 5, "Show", "Title"},
	{"Serie Staffel 1, Folge 7", 1, 7, "Serie", ""},
	{"Show S2024E115", 2024, 115, "Show", ""},
	{"Show S00E01 Extra", 0, 1, "Show", "Extra"},
	{"Élan S01E02", 1, 2, "Élan", ""},
	{"Film 1920x1080", -1, 0, "", ""},
	{"4x4", -1, 0, "", ""},
	{"The Lost World 1925", -1, 0, "", ""},
	{"Apollo 13", -1, 0, "", ""},
	{"Files1e2", -1, 0, "", ""},
	{"S01E", -1, 0, "", ""},
	{"Show S01E99999", -1, 0, "", ""},
	{"", -1, 0, "", ""},
};

static const struct {
	const char *name;
	int number; /* -1: none */
	const char *after;
} in_season[] = {
	{"02 - Pilot", 2, "Pilot"},
	{"E02", 2, ""},
	{"Episode 12 The End", 12, "The End"},
	{"Folge 3", 3, ""},
	{"102 Second", 2, "Second"},
	{"112", 12, ""},
	{"Show S01E09 Title", 9, "Title"},
	{"Behind the Scenes", -1, ""},
	{"3rd Rock", -1, ""},
};

static const struct {
	const char *folder;
	int season; /* -1: none */
} folders[] = {{"Season 1", 1}, {"season_02", 2}, {"S03", 3}, {"Staffel 4", 4}, {"Series 5", 5},
	{"Season 6 (2011)", 6}, {"Specials", 0}, {"Seasons Greetings", -1}, {"Season", -1},
	{"S", -1}, {"Show", -1}, {"S2nd", -1}, {"", -1}};

static void is_span(struct span got, const char *want, const char *what)
{
	ok(span_is(got, want), "%s: \"%.*s\", as \"%s\"", what, (int)got.len, got.ptr, want);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct episode_mark m;
		bool found = episode_find(span_of(names[i].name), &m);

		is_int(found ? m.season : -1, names[i].season, "season of \"%s\"", names[i].name);
		if (!found)
			continue;
		is_int(m.number, names[i].number, "its number");
		is_span(m.before, names[i].before, "its series");
		is_span(m.after, names[i].after, "its name");
	}
	for (size_t i = 0; i < sizeof(in_season) / sizeof(in_season[0]); i++) {
		struct episode_mark m;
		bool found = episode_find_in(1, span_of(in_season[i].name), &m);

		is_int(found ? m.number : -1, in_season[i].number, "in season 1: \"%s\"",
			in_season[i].name);
		if (found)
			is_span(m.after, in_season[i].after, "its name");
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int64_t season = -1;

		if (!episode_is_season(span_of(folders[i].folder), &season))
			season = -1;
		is_int(season, folders[i].season, "folder \"%s\"", folders[i].folder);
	}
	return tap_done();
}
