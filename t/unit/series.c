/* t/unit/series.c - series and their episodes: imported, asked for, found again page by page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_schema.h"
#include "lib/svc/catalog_series.h"
#include "lib/svc/generation_inside.h"
#include "t/unit/tap.h"

static char top[] = "/tmp/sluice-series-XXXXXX";

/* Series 1 to `count`, a film, and as many episodes of series 1 as are told. */
static int import(const struct conf *conf, int count, int episodes, struct fail *f)
{
	struct source_title film = {
		.kind = SOURCE_FILMS, .key = span_of("9"), .name = span_of("Film")};
	struct source_category drama = {span_of("21"), span_of("Drama"), SOURCE_SERIES};
	struct generation *g = NULL;
	struct source_sink sink;

	if (generation_begin(&g, conf, "demo", f) < 0)
		return -1;
	sink = generation_sink(g);
	sink.category(sink.ctx, &drama, f);
	sink.title(sink.ctx, &film, f);
	for (int i = 1; i <= count; i++) {
		char key[20], name[40];
		struct source_title row = {.kind = SOURCE_SERIES, .year = 2000 + i, .rating = 75};

		snprintf(key, sizeof(key), "%d", i);
		snprintf(name, sizeof(name), "Série %d", i);
		row.key = span_of(key);
		row.name = span_of(name);
		row.category = span_of(i % 2 ? "21" : "");
		sink.title(sink.ctx, &row, f);
		/* Others may write between two rows. */
		is_int(sink.rest(sink.ctx, f), 0, "a pause");
	}
	for (int i = 0; i < episodes; i++) {
		char key[20];
		struct source_episode row = {.series = span_of("1"),
			.name = span_of("Pilot"),
			.suffix = span_of("mkv"),
			.season = 2 - i % 2,
			.number = i / 2 + 1};

		snprintf(key, sizeof(key), "7%d", i);
		row.key = span_of(key);
		sink.episode(sink.ctx, &row, f);
	}
	return generation_swap(&g, false, NULL, f);
}

static void note_series(void *ctx, const struct series *s)
{
	buf_printf(ctx, "%s:%s:%s ", s->id, s->name, s->category);
}

static const char *page(
	struct catalog *c, const char *q, const char *category, int limit, char *next)
{
	static struct buf text;
	static struct fail f;
	struct series_query query = {.page.q = span_of(q),
		.page.category = span_of(category),
		.page.cursor = span_of(next),
		.page.limit = limit,
		.each = note_series,
		.ctx = &text};
	char after[CATALOG_CURSOR_MAX];

	buf_release(&text);
	buf_init(&text, 4096);
	if (catalog_series_page(c, &query, after, &f) < 0)
		return f.text;
	snprintf(next, CATALOG_CURSOR_MAX, "%s", after);
	return buf_str(&text);
}

static void lists(struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX] = "";

	is_str(page(c, "", "", 2, next), "ser-1:Série 1:Drama ser-2:Série 2: ", "a page of series");
	is_str(page(c, "", "", 2, next), "ser-3:Série 3:Drama ", "the next one");
	is_str(next, "", "is the last");
	is_str(page(c, "SERIE 2", "", 0, next), "ser-2:Série 2: ", "they are found by name");
	is_str(page(c, "", "drama", 0, next), "ser-1:Série 1:Drama ser-3:Série 3:Drama ",
		"and by category");
	snprintf(next, sizeof(next), "other.5");
	is_str(page(c, "", "", 2, next), "This cursor is none of ours", "a cursor is checked");
}

static int note_episode(void *ctx, const struct episode *e)
{
	buf_printf(ctx, "%s:%lldx%lld ", e->id, (long long)e->season, (long long)e->number);
	return 0;
}

static const char *episodes(
	struct catalog *c, const char *id, int season, int number, int limit, char *next)
{
	static struct buf text;
	static struct fail f;
	struct series *series = calloc(1, sizeof(*series));
	struct episode_query q = {.season = season,
		.number = number,
		.cursor = span_of(next),
		.limit = limit,
		.each = note_episode,
		.ctx = &text};
	char after[CATALOG_CURSOR_MAX] = "";
	struct ident ident;
	int result;

	buf_release(&text);
	buf_init(&text, 4096);
	ok(ident_parse(span_of(id), IDENT_SER, &ident), "%s is an id", id);
	result = catalog_series(c, &ident, series, &f);
	if (result == 0)
		result = catalog_episodes(c, series, &q, after, &f);
	free(series);
	snprintf(next, CATALOG_CURSOR_MAX, "%s", after);
	return result < 0 ? f.text : buf_str(&text);
}

static void pages_of_episodes(struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX] = "";

	is_str(episodes(c, "1", -1, -1, 0, next), "ep-71:1x1 ep-73:1x2 ep-70:2x1 ep-72:2x2 ",
		"episodes come by season and number");
	is_str(episodes(c, "ser-1", -1, -1, 3, next), "ep-71:1x1 ep-73:1x2 ep-70:2x1 ", "in pages");
	is_str(next, "2.1.70", "with where the next begins");
	is_str(episodes(c, "ser-1", -1, -1, 3, next), "ep-72:2x2 ", "the last of which ends");
	is_str(next, "", "the series");
	is_str(episodes(c, "demo.ser-1", 2, -1, 0, next), "ep-70:2x1 ep-72:2x2 ", "one season");
	is_str(episodes(c, "1", 2, 2, 0, next), "ep-72:2x2 ", "one episode");
	is_str(episodes(c, "2", -1, -1, 0, next), "", "another series has none");
	is_str(episodes(c, "99", -1, -1, 0, next), "There is no such series", "and one is unknown");
	snprintf(next, sizeof(next), "x");
	is_str(episodes(c, "1", -1, -1, 0, next), "This cursor is none of ours",
		"their cursor is checked");
}

static const char *title(struct catalog *c, const char *id)
{
	static struct film film;
	static struct fail f;
	struct ident ident;

	ok(ident_parse(span_of(id), IDENT_NONE, &ident), "%s is an id", id);
	return catalog_film(c, &ident, &film, &f) < 0 ? f.text : film.name;
}

/* As the process that asks a gateway does. */
static void ask(const struct conf *conf, const char *series, const char *key)
{
	struct source_episode row = {.key = span_of(key),
		.series = span_of(series),
		.season = 1,
		.number = 9,
		.name = span_of("Asked")};
	struct fail f = {0};
	struct db *db = NULL;

	is_int(catalog_schema_write(conf, &db, &f), 0, "the catalogue can be written");
	is_int(generation_insert_episode(db, 1, 0, &row, &f), 0, "an episode is noted");
	db_close(&db);
}

int main(void)
{
	static struct conf_source source = {.name = "demo", .type = "xtream"};
	struct conf conf = {.sources = &source, .source_count = 1};
	char state[64], tidy[80], next[CATALOG_CURSOR_MAX] = "";
	struct catalog *c = NULL;
	struct fail f = {0};

	ok(mkdtemp(top) != NULL, "a directory");
	snprintf(state, sizeof(state), "%s", top);
	conf.state_dir = state;
	is_int(catalog_open(&c, &conf, &f), 0, "a catalogue");
	is_str(page(c, "", "", 0, next), "", "without series at first");
	is_int(import(&conf, 3, 4, &f), 0, "an import: %s", f.text);
	lists(c);
	pages_of_episodes(c);
	is_str(title(c, "ep-70"), "Série 1 S02E01 Pilot", "an episode is known as a film is");
	is_str(title(c, "vod-9"), "Film", "a film still is");
	is_str(title(c, "ep-9"), "There is no such episode", "neither is the other");
	ask(&conf, "2", "500");
	is_str(episodes(c, "2", -1, -1, 0, next), "ep-500:1x9 ", "what was asked for is there");
	is_int(import(&conf, 3, 2, &f), 0, "the next import: %s", f.text);
	is_str(episodes(c, "2", -1, -1, 0, next), "ep-500:1x9 ",
		"and stays, when lists are read again");
	is_str(title(c, "ep-500"), "Série 2 S01E09 Asked", "under its id");
	is_str(title(c, "ep-72"), "There is no such episode", "what is listed no more is gone");
	ask(&conf, "3", "600");
	is_int(import(&conf, 2, 2, &f), 0, "a series is no longer listed: %s", f.text);
	is_str(title(c, "ep-600"), "There is no such episode", "nor are its episodes");
	catalog_close(&c);
	snprintf(tidy, sizeof(tidy), "rm -rf '%s'", top);
	return system(tidy) == 0 ? tap_done() : 1;
}
