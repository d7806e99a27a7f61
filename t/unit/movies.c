/* t/unit/movies.c - lists of films: page by page, by name and category, of several sources.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_movies.h"
#include "lib/svc/generation.h"
#include "t/unit/tap.h"

static char top[] = "/tmp/sluice-movies-XXXXXX";

/* Films 1 to `count`, every other one a drama; an empty category beside it. */
static int import(const struct conf *conf, const char *source, int count, struct fail *f)
{
	struct source_category drama = {span_of("d"), span_of("Drama"), SOURCE_FILMS};
	struct source_category none = {span_of("n"), span_of("Nobody's"), SOURCE_FILMS};
	struct generation *g = NULL;

	if (generation_begin(&g, conf, source, f) < 0)
		return -1;
	struct source_sink sink = generation_sink(g);
	sink.category(sink.ctx, &none, f);
	sink.category(sink.ctx, &drama, f);
	for (int i = 1; i <= count; i++) {
		char key[20], name[40];
		struct source_title row = {.kind = SOURCE_FILMS, .year = 1900 + i, .rating = 75};

		snprintf(key, sizeof(key), "%d", i);
		snprintf(name, sizeof(name), "Filmé %d", i);
		row.key = span_of(key);
		row.name = span_of(name);
		row.category = span_of(i % 2 ? "d" : "");
		row.poster = span_of("http://h/p.png");
		sink.title(sink.ctx, &row, f);
	}
	return generation_swap(&g, false, NULL, f);
}

static void note(void *ctx, const struct movie *m)
{
	buf_printf(ctx, "%s:%s:%s:%lld ", m->id, m->name, m->category, (long long)m->year);
}

static void note_name(void *ctx, const char *name)
{
	buf_printf(ctx, "%s ", name);
}

/* `next` is the cursor to begin with, and then that of the next page. */
static const char *page(
	struct catalog *c, const char *q, const char *category, int limit, char *next)
{
	static struct buf text;
	static struct fail f;
	struct movie_query query = {.page.q = span_of(q),
		.page.category = span_of(category),
		.page.cursor = span_of(next),
		.page.limit = limit,
		.each = note,
		.ctx = &text};
	char after[CATALOG_CURSOR_MAX];

	buf_release(&text);
	buf_init(&text, 4096);
	if (catalog_movies(c, &query, after, &f) < 0)
		return f.text;
	snprintf(next, CATALOG_CURSOR_MAX, "%s", after);
	return buf_str(&text);
}

static const char *categories(struct catalog *c)
{
	static struct buf text;
	struct fail f;

	buf_release(&text);
	buf_init(&text, 4096);
	is_int(catalog_title_categories(
		       c, IDENT_VOD, &(struct catalog_names){note_name, &text}, &f),
		0, "the categories are read");
	return buf_str(&text);
}

static void of_one(struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX] = "";

	is_str(page(c, "", "", 2, next), "vod-1:Filmé 1:Drama:1901 vod-2:Filmé 2::1902 ",
		"a page of films");
	is_str(page(c, "", "", 2, next), "vod-3:Filmé 3:Drama:1903 ", "the next one");
	is_str(next, "", "is the last");
	is_str(page(c, "FILME 2", "", 0, next), "vod-2:Filmé 2::1902 ", "they are found by name");
	is_str(page(c, "none", "", 0, next), "", "or not");
	is_str(page(c, "", "drama", 0, next), "vod-1:Filmé 1:Drama:1901 vod-3:Filmé 3:Drama:1903 ",
		"and by category");
	is_str(categories(c), "Drama ", "only those that have films are named");
	is_str(page(c, "", "", -1, next), "A page has 1 to 1000 titles", "a page is of some size");
	snprintf(next, sizeof(next), "other.5");
	is_str(page(c, "", "", 2, next), "This cursor is none of ours", "a cursor is checked");
	snprintf(next, sizeof(next), "demo.x");
	is_str(page(c, "", "", 2, next), "This cursor is none of ours", "in all its parts");
}

static void of_two(const struct conf *conf)
{
	char next[CATALOG_CURSOR_MAX] = "";
	struct catalog *c = NULL;
	struct fail f = {0};

	is_int(catalog_open(&c, conf, &f), 0, "a catalogue of two sources");
	is_str(page(c, "", "", 3, next),
		"demo.vod-1:Filmé 1:Drama:1901 demo.vod-2:Filmé 2::1902 "
		"demo.vod-3:Filmé 3:Drama:1903 ",
		"one source's films come first");
	is_str(page(c, "", "", 3, next), "more.vod-1:Filmé 1:Drama:1901 ", "then the other's");
	is_str(categories(c), "Drama ", "a category of both is told once");
	catalog_close(&c);
}

int main(void)
{
	struct conf_source sources[] = {
		{.name = "demo", .type = "xtream"}, {.name = "more", .type = "xtream"}};
	struct conf conf = {.sources = sources, .source_count = 1};
	char state[64], tidy[80], next[CATALOG_CURSOR_MAX] = "";
	struct catalog *c = NULL;
	struct fail f = {0};

	ok(mkdtemp(top) != NULL, "a directory");
	snprintf(state, sizeof(state), "%s", top);
	conf.state_dir = state;
	is_int(catalog_open(&c, &conf, &f), 0, "a catalogue");
	is_str(page(c, "", "", 0, next), "", "without films at first");
	is_int(import(&conf, "demo", 3, &f), 0, "an import: %s", f.text);
	of_one(c);
	conf.source_count = 2;
	sources[1].type = "command";
	is_str(page(c, "", "", 1, next), "vod-1:Filmé 1:Drama:1901 ",
		"beside a source that lists nothing ids stay as they are");
	sources[1].type = "xtream";
	catalog_close(&c);
	is_int(import(&conf, "more", 1, &f), 0, "another one: %s", f.text);
	of_two(&conf);
	snprintf(tidy, sizeof(tidy), "rm -rf '%s'", top);
	return system(tidy) == 0 ? tap_done() : 1;
}
