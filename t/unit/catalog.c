/* t/unit/catalog.c - lists of channels: swapped in whole, found again, page by page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/catalog.h"
#include "lib/svc/generation.h"
#include "t/unit/tap.h"

static char top[] = "/tmp/sluice-catalog-XXXXXX";

/* Channels 1 to `count` but for `without`, half of them News. */
static int import(const struct conf *conf, int count, int without, bool force, struct fail *f)
{
	struct source_category news = {span_of("1"), span_of("Néws")};
	struct source_category sport = {span_of("2"), span_of("Sport")};
	struct generation *g = NULL;

	if (generation_begin(&g, conf, "demo", f) < 0)
		return -1;
	struct source_sink sink = generation_sink(g);
	sink.category(sink.ctx, &news, f);
	sink.category(sink.ctx, &sport, f);
	for (int i = 1; i <= count; i++) {
		char key[20], name[40];
		struct source_channel row = {.number = i};

		if (i == without)
			continue;
		snprintf(key, sizeof(key), "%d", i);
		snprintf(name, sizeof(name), "Télé %03d", i);
		row.key = span_of(key);
		row.name = span_of(name);
		row.category = span_of(i % 2 ? "1" : "2");
		sink.channel(sink.ctx, &row, f);
	}
	return generation_swap(&g, force, NULL, f);
}

static int note_id(void *ctx, const struct channel *c)
{
	buf_printf(ctx, "%s ", c->stream_id);
	return 0;
}

static const char *page(struct catalog *c, struct catalog_query q, char *next)
{
	static struct buf ids;
	static struct fail f;

	buf_release(&ids);
	buf_init(&ids, 65536);
	q.each = note_id;
	q.ctx = &ids;
	return catalog_channels(c, &q, next, &f) < 0 ? f.text : buf_str(&ids);
}

static int note_category(void *ctx, const struct catalog_category *k)
{
	buf_printf(ctx, "%s=%lld ", k->name, (long long)k->channels);
	return 0;
}

static void lookups(struct catalog *c)
{
	static const struct {
		const char *id;
		enum fail_kind kind;
	} cases[] = {{"live-7", FAIL_NONE}, {"7", FAIL_NONE}, {"demo.live-7", FAIL_NONE},
		{"live-999", FAIL_MISSING}, {"other.live-7", FAIL_MISSING},
		{"vod-7", FAIL_MISSING}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct channel channel;
		struct fail f = {0};
		struct ident id;

		ok(ident_parse(span_of(cases[i].id), IDENT_LIVE, &id), "%s is an id", cases[i].id);
		catalog_channel(c, &id, &channel, &f);
		is_int(f.kind, cases[i].kind, "and %s", cases[i].kind ? "unknown" : "known");
		if (!cases[i].kind)
			is_str(channel.name, "Télé 007", "by its name");
	}
}

static void queries(struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX];
	struct fail f = {0};
	struct buf names;

	is_str(page(c, (struct catalog_query){.q = span_of("tele 00"), .limit = 3}, next), "1 2 3 ",
		"a search folds accents and case, a page is as long as asked");
	is_str(page(c,
		       (struct catalog_query){
			       .q = span_of("TÉLÉ 00"), .limit = 3, .cursor = span_of(next)},
		       next),
		"4 5 6 ", "and the next one follows");
	is_str(page(c, (struct catalog_query){.q = span_of("00"), .category = span_of("sport")},
		       next),
		"2 4 6 8 100 ", "a category chooses");
	is_str(next, "", "the last page says so");
	is_str(page(c, (struct catalog_query){.q = span_of("%")}, next), "",
		"a sign of SQL is only a sign");
	is_str(page(c, (struct catalog_query){.cursor = span_of("x")}, next),
		"This cursor is none of ours", "a cursor that is none is refused");
	buf_init(&names, 1000);
	is_int(catalog_categories(c, note_category, &names, &f), 0, "categories are listed");
	is_str(buf_str(&names), "Néws=50 Sport=50 ", "with how many channels they have");
	buf_release(&names);
}

static void generations(const struct conf *conf, struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX];
	struct catalog_state state;
	int64_t before = 0, after = 0;
	struct fail f = {0};

	page(c, (struct catalog_query){.limit = 10}, next);
	catalog_revision(c, &before, &f);
	is_int(import(conf, 100, 5, false, &f), 0, "a new list comes in");
	catalog_revision(c, &after, &f);
	ok(after > before, "which the revision tells");
	is_str(page(c, (struct catalog_query){.limit = 3, .cursor = span_of(next)}, next),
		"11 12 13 ", "a page goes on where it was");
	is_int(import(conf, 0, 0, false, &f), -1, "an empty list is not believed");
	is_int(import(conf, 40, 0, false, &f), -1, "nor is less than half of it");
	catalog_state(c, "demo", &state, &f);
	is_int(state.channels, 99, "nothing was lost");
	ok(*state.trouble, "and why is noted: %s", state.trouble);
	is_int(import(conf, 40, 0, true, &f), 0, "unless it is forced");
	catalog_state(c, "demo", &state, &f);
	is_int(state.channels, 40, "then it is so");
	is_str(state.trouble, "", "and all is well");
}

int main(void)
{
	char path[200], text[400];
	struct catalog *c = NULL;
	struct conf *conf = NULL;
	struct fail f = {0};
	char next[CATALOG_CURSOR_MAX];

	if (!mkdtemp(top))
		return 1;
	snprintf(path, sizeof(path), "%s/sluice.conf", top);
	snprintf(text, sizeof(text),
		"state_dir = \"%s/state\"\nrun_dir = \"%s/run\"\n"
		"source \"demo\" { url = \"http://gw.example\" }\n",
		top, top);
	file_replace(path, span_of(text), 0600, &f);
	is_int(conf_load(&conf, path, &f), 0, "a configuration is read: %s", f.text);
	is_int(catalog_open(&c, conf, &f), 0, "a catalogue is opened");
	is_str(page(c, (struct catalog_query){0}, next), "",
		"one that was never imported is empty");
	is_int(import(conf, 100, 0, false, &f), 0, "a list is imported: %s", f.text);
	lookups(c);
	queries(c);
	generations(conf, c);
	catalog_close(&c);
	conf_close(&conf);
	snprintf(text, sizeof(text), "rm -rf '%s'", top);
	return system(text) == 0 ? tap_done() : 1;
}
