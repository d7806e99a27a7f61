/* t/unit/catalog.c - lists of channels: swapped in whole, found again, page by page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/catalog.h"
#include "lib/svc/generation.h"
#include "lib/svc/origin.h"
#include "t/unit/tap.h"

static char top[] = "/tmp/sluice-catalog-XXXXXX";

/* Channels 1 to `count` but for `without`, half of them News. */
static int import(const struct conf *conf, int count, int without, bool force, struct fail *f)
{
	struct source_category news = {span_of("1"), span_of("Néws"), SOURCE_CHANNELS};
	struct source_category sport = {span_of("2"), span_of("Sport"), SOURCE_CHANNELS};
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

/* What stood in *f before is nobody's failure. */
static void unknown_yet(struct catalog *c)
{
	struct fail f = {FAIL_BUSY, "of another call"};
	struct channel channel;
	struct ident id;

	ok(ident_parse(span_of("live-7"), IDENT_LIVE, &id), "live-7 is an id");
	is_int(catalog_channel(c, &id, &channel, &f), -1, "without a list no channel is known");
	is_int(f.kind, FAIL_MISSING, "and that is no failure of the catalogue");
}

static void queries(struct catalog *c)
{
	char next[CATALOG_CURSOR_MAX];
	struct fail f = {0};
	struct buf names;

	is_str(page(c, (struct catalog_query){.page.q = span_of("tele 00"), .page.limit = 3}, next),
		"1 2 3 ", "a search folds accents and case, a page is as long as asked");
	is_str(page(c,
		       (struct catalog_query){.page.q = span_of("TÉLÉ 00"),
			       .page.limit = 3,
			       .page.cursor = span_of(next)},
		       next),
		"4 5 6 ", "and the next one follows");
	is_str(page(c,
		       (struct catalog_query){
			       .page.q = span_of("00"), .page.category = span_of("sport")},
		       next),
		"2 4 6 8 100 ", "a category chooses");
	is_str(next, "", "the last page says so");
	is_str(page(c, (struct catalog_query){.page.q = span_of("%")}, next), "",
		"a sign of SQL is only a sign");
	is_str(page(c, (struct catalog_query){.page.cursor = span_of("x")}, next),
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
	struct fail f = {0};

	page(c, (struct catalog_query){.page.limit = 10}, next);
	is_int(import(conf, 100, 5, false, &f), 0, "a new list comes in");
	is_str(page(c, (struct catalog_query){.page.limit = 3, .page.cursor = span_of(next)}, next),
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

/* --- several sources of one group ------------------------------------------------------------- */

static void put(struct source_sink *sink, const char *key, const char *name, const char *epg,
	const char *url)
{
	struct source_channel row = {.key = span_of(key),
		.name = span_of(name),
		.epg = span_of(epg),
		.url = span_of(url)};
	struct fail f = {0};

	is_int(sink->channel(sink->ctx, &row, &f), 0, "%s goes in", name);
}

static int add_id(void *ctx, const struct channel *channel)
{
	buf_printf(ctx, "%s ", channel->id);
	return 0;
}

static void groups(void)
{
	static const struct conf_account own = {"", "", "", 1}, more = {"two", "", "", 1};
	const struct conf_account both[] = {own, more};
	const struct conf_source sources[] = {{.name = "a",
						      .type = "xtream",
						      .group = "tv",
						      .accounts = both,
						      .account_count = 2},
		{.name = "b", .type = "m3u", .group = "tv", .accounts = &own, .account_count = 1},
		{.name = "c", .type = "xtream", .group = "", .accounts = &own, .account_count = 1}};
	char dir[80];
	struct conf conf = {.state_dir = dir, .sources = sources, .source_count = 3};
	struct catalog *c = NULL;
	struct generation *g = NULL;
	struct source_sink sink;
	struct origins *o = malloc(sizeof(*o));
	struct channel_address address;
	struct channel_entry entry = {"b", "m8", 1};
	struct fail f = {0};
	struct buf ids;
	char next[CATALOG_CURSOR_MAX];

	snprintf(dir, sizeof(dir), "%s/groups", top);
	generation_begin(&g, &conf, "a", &f);
	sink = generation_sink(g);
	put(&sink, "1", "UK: News HD", "news.uk", "");
	put(&sink, "2", "Sport", "", "");
	generation_swap(&g, false, NULL, &f);
	generation_begin(&g, &conf, "b", &f);
	sink = generation_sink(g);
	put(&sink, "m9", "The news", "NEWS.uk", "http://h/9");
	put(&sink, "m8", "Sport FHD", "", "http://h/8");
	put(&sink, "m8", "Sport FHD", "", "http://h/8b");
	put(&sink, "m8", "Sport FHD", "", "http://h/8");
	put(&sink, "m7", "Other", "", "http://h/7");
	generation_swap(&g, false, NULL, &f);
	generation_begin(&g, &conf, "c", &f);
	sink = generation_sink(g);
	put(&sink, "5", "Sport", "", "");
	generation_swap(&g, false, NULL, &f);
	catalog_open(&c, &conf, &f);
	buf_init(&ids, 1000);
	is_int(catalog_channels(c,
		       &(struct catalog_query){.each = add_id, .ctx = &ids, .page.limit = 100},
		       next, &f),
		0, "the channels of a group are listed");
	is_str(buf_str(&ids), "a.live-1 a.live-2 b.live-m7 c.live-5 ",
		"once, in the first source that has them; other sources stay as they are");
	is_int(origins_find(o, &conf, c, "a.live-1", &f), 0, "a channel's origins are found");
	ok(o->count == 3 && strcmp(o->list[0].name, "a") == 0 &&
			strcmp(o->list[1].name, "a/two") == 0 &&
			strcmp(o->list[2].name, "b") == 0 && strcmp(o->list[2].key, "m9") == 0,
		"its accounts, then the other source by the guide's id");
	is_int(origins_find(o, &conf, c, "b.live-m8", &f), 0, "by another source's id they are");
	ok(o->count == 4 && strcmp(o->list[0].key, "2") == 0 && strcmp(o->list[3].name, "b#2") == 0,
		"the same, and several addresses of a list are several");
	is_int(catalog_address(c, &entry, &address, &f), 0, "each has");
	is_str(address.url, "http://h/8b", "its own");
	is_int(origins_find(o, &conf, c, "c.live-5", &f), 0, "a source without a group");
	is_int((int64_t)o->count, 1, "is alone");
	buf_release(&ids);
	catalog_close(&c);
	free(o);
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
	is_int(conf_load(&conf, path, NULL, &f), 0, "a configuration is read: %s", f.text);
	is_int(catalog_open(&c, conf, &f), 0, "a catalogue is opened");
	is_str(page(c, (struct catalog_query){0}, next), "",
		"one that was never imported is empty");
	unknown_yet(c);
	is_int(import(conf, 100, 0, false, &f), 0, "a list is imported: %s", f.text);
	lookups(c);
	queries(c);
	generations(conf, c);
	groups();
	catalog_close(&c);
	conf_close(&conf);
	snprintf(text, sizeof(text), "rm -rf '%s'", top);
	return system(text) == 0 ? tap_done() : 1;
}
