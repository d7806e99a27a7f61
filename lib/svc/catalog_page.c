/* lib/svc/catalog_page.c - pages of titles (films, series), whose order is the source's own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/catalog_page.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/num.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog_inside.h"

/* How far a page has come. */
struct progress {
	const struct catalog_page *page;
	struct page_words words;
	size_t source; /* index in the configuration */
	int64_t position, left;
	bool more;
};

/* "source.position" of the last one that was given. */
static int read_cursor(const struct catalog *c, struct progress *p, struct fail *f)
{
	struct span rest = p->page->query->cursor, source;

	p->position = -1;
	if (rest.len == 0)
		return 0;
	span_next(&rest, '.', &source);
	while (p->source < c->conf->source_count &&
		!span_is(source, c->conf->sources[p->source].name))
		p->source++;
	if (p->source == c->conf->source_count || !num_parse(rest, -1, INT64_MAX, &p->position))
		return fail_set(f, FAIL_INPUT, "This cursor is none of ours");
	return 0;
}

void page_words_read(const struct page_query *q, struct page_words *out)
{
	char folded[CHANNEL_NAME_MAX];
	struct span rest, word;
	size_t n = 0;

	*out = (struct page_words){0};
	text_fold(q->q, folded, sizeof(folded));
	rest = span_of(folded);
	while (n < PAGE_WORDS && span_next(&rest, ' ', &word)) {
		if (word.len)
			span_copy(word, out->word[n++], sizeof(out->word[0]));
	}
	text_fold(q->category, out->category, sizeof(out->category));
}

static int give_rows(struct catalog *c, struct db *db, struct progress *p, struct fail *f)
{
	const char *source = c->conf->sources[p->source].name;
	struct db_stmt *st;
	enum db_step step;

	if (db_prepare(db, p->page->sql, &st, f) < 0)
		return -1;
	db_bind_text(st, 1, span_of(source));
	db_bind_int(st, 2, p->position);
	db_bind_text(st, 3, span_of(p->words.category));
	db_bind_text(st, 4, p->page->query->category);
	for (int i = 0; i < PAGE_WORDS; i++)
		db_bind_text(st, 5 + i, span_of(p->words.word[i]));
	db_bind_int(st, 9, p->left + 1); /* one more tells whether there is another page */
	while ((step = db_step(st, f)) == DB_ROW) {
		if (p->left == 0) {
			p->more = true;
			break;
		}
		p->position = db_int(st, p->page->position);
		p->left -= p->page->give(p->page->ctx, c, source, st);
	}
	db_done(st);
	return step == DB_FAILED ? -1 : 0;
}

int catalog_page_read(
	struct catalog *c, const struct catalog_page *page, char *next, struct fail *f)
{
	int64_t limit = page->query->limit;
	struct progress p = {.page = page, .left = limit ? limit : CATALOG_LIMIT};
	struct db *db = NULL;
	int result = 0;

	if (p.left < 1 || p.left > CATALOG_LIMIT_MAX)
		return fail_set(f, FAIL_INPUT, "A page has 1 to %d titles", CATALOG_LIMIT_MAX);
	if (read_cursor(c, &p, f) < 0 || catalog_begin(c, &db, f) < 0)
		return -1;
	page_words_read(page->query, &p.words);
	while (db && p.source < c->conf->source_count) {
		result = give_rows(c, db, &p, f);
		if (result < 0 || p.more)
			break;
		p.source++;
		p.position = -1;
	}
	if (db)
		catalog_end(c, db);
	next[0] = '\0';
	if (result == 0 && p.more)
		snprintf(next, CATALOG_CURSOR_MAX, "%s.%" PRId64, c->conf->sources[p.source].name,
			p.position);
	return result;
}
