/* lib/svc/art.c - logos of channels, posters of films and series, thumbnails of pages, by size.
 * SPDX-License-Identifier: BSD-2-Clause
 * What was made is a memo of the family `art`: "FRESH NAME", FRESH in ms since the epoch. */
#include "lib/svc/art.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/svc/catalog.h"
#include "lib/svc/catalog_series.h"
#include "lib/svc/info.h"
#include "lib/svc/memo.h"
#include "lib/svc/wanted.h"

enum { SIZE_UNSAID = 512, SIZE_LEAST = 64, ARENA_MAX = 1 << 20 };

static const char kept_as[] = "art"; /* on this host alone */

bool art_size(struct span text, int64_t *size)
{
	int64_t asked = SIZE_UNSAID;

	if (text.len && !num_parse(text, 1, ART_SIZE_MAX, &asked))
		return false;
	*size = SIZE_LEAST;
	while (*size < asked)
		*size *= 2;
	return true;
}

/* --- where it is ------------------------------------------------------------------------------ */

static int find_in_catalog(
	const struct resolved_at *at, const struct ident *id, struct art *out, struct fail *f)
{
	union {
		struct channel channel;
		struct film film;
		struct series series;
	} *row = malloc(sizeof(*row));
	const char *url = "", *source = "";
	int result;

	if (!row)
		return fail_set(f, FAIL_BUSY, "There is no memory to look for a picture");
	if (id->kind == IDENT_LIVE) {
		result = catalog_channel(at->catalog, id, &row->channel, f);
		url = row->channel.logo;
		source = row->channel.source;
	} else if (id->kind == IDENT_SER) {
		result = catalog_series(at->catalog, id, &row->series, f);
		url = row->series.poster;
		source = row->series.source;
	} else {
		result = catalog_film(at->catalog, id, &row->film, f);
		url = row->film.poster;
		source = row->film.source;
	}
	if (result == 0) {
		out->source = conf_source(at->conf, source);
		span_copy(span_of(url), out->url, sizeof(out->url));
	}
	free(row);
	return result;
}

static enum resolved_result find_by_program(const struct resolved_at *at, const struct wanted *w,
	int64_t wait_ms, struct art *out, int64_t *retry_s, struct fail *f)
{
	const struct resolve what = {.source = w->source,
		.page = w->kind == WANTED_PAGE,
		.key = w->key,
		.quality = resolve_by_quality(w->source) ? at->conf->default_quality : ""};
	struct offer *o = malloc(sizeof(*o));
	enum resolved_result result;
	struct arena arena;

	if (!o) {
		fail_set(f, FAIL_BUSY, "There is no memory to look for a picture");
		return RESOLVED_FAILED;
	}
	arena_init(&arena, ARENA_MAX);
	result = info_await(at, &what, wait_ms, &arena, o, retry_s, f);
	if (result == RESOLVED_FOUND) {
		out->source = w->source;
		span_copy(span_of(o->thumbnail), out->url, sizeof(out->url));
	}
	arena_release(&arena);
	free(o);
	return result;
}

enum resolved_result art_find(const struct resolved_at *at, const char *id, int64_t wait_ms,
	struct art *out, int64_t *retry_s, struct fail *f)
{
	enum resolved_result result = RESOLVED_FOUND;
	struct wanted w;

	*out = (struct art){.url = ""};
	*retry_s = 0;
	if (wanted_parse(at->conf, id, &w, f) < 0)
		return RESOLVED_FAILED;
	if (w.kind == WANTED_TITLE)
		result = find_in_catalog(at, &w.ident, out, f) < 0 ? RESOLVED_FAILED
								   : RESOLVED_FOUND;
	else if (strcmp(w.source->type, "command") == 0)
		result = find_by_program(at, &w, wait_ms, out, retry_s, f);
	if (result != RESOLVED_FOUND || (*out->url && out->source))
		return result;
	fail_set(f, FAIL_MISSING, "There is no picture of this");
	return RESOLVED_FAILED;
}

/* --- what was made ---------------------------------------------------------------------------- */

static void key_of(const char *id, int64_t size, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "%s %lld", id, (long long)size);
}

bool art_look(const struct conf *conf, const char *id, int64_t size, struct art_known *out)
{
	char key[JOBS_LINE_MAX];
	int64_t fresh_ms;
	struct span text, word;
	struct buf value;
	bool found;

	key_of(id, size, key);
	buf_init(&value, ART_NAME_MAX + 32);
	found = memo_get(conf, NULL, kept_as, key, &value, NULL);
	text = buf_span(&value);
	found = found && span_next(&text, ' ', &word) && num_parse(word, 0, INT64_MAX, &fresh_ms) &&
		text.len && span_copy(text, out->name, sizeof(out->name));
	if (found)
		out->fresh = fresh_ms > clock_real_ms();
	buf_release(&value);
	return found;
}

void art_keep(const struct conf *conf, const char *id, int64_t size, const char *name)
{
	int64_t now_ms = clock_real_ms();
	char key[JOBS_LINE_MAX];
	struct buf value;

	key_of(id, size, key);
	buf_init(&value, ART_NAME_MAX + 32);
	buf_printf(&value, "%lld %s", (long long)(now_ms + conf->art_ttl_s * 1000), name);
	memo_put(conf, NULL, kept_as, key, buf_span(&value), now_ms + ART_KEEP_S * 1000LL);
	buf_release(&value);
}

void art_line(const char *id, int64_t size, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "art %s %lld", id, (long long)size);
}

bool art_read(const char *line, char id[JOBS_LINE_MAX], int64_t *size)
{
	struct span rest = span_of(line), word;
	int64_t asked;

	return span_next(&rest, ' ', &word) && span_is(word, "art") &&
	       span_next(&rest, ' ', &word) && span_copy(word, id, JOBS_LINE_MAX) && rest.len &&
	       num_parse(rest, 1, ART_SIZE_MAX, &asked) && art_size(rest, size) && *size == asked;
}

void art_setback(const char *id, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "art:%s", id);
}
