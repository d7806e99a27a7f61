/* lib/svc/breaker.c - what has failed lately is left alone for a while: a circuit breaker.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/breaker.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"

enum {
	SOURCE_FAILURES = 3, /* a source's answers to one channel say little about the others */
	ORIGIN_FAILURES = 2,
	OPEN_MS = 5000,
	OPEN_MAX_MS = 120000,
	KEPT_S = 900,
	RECORD_MAX = 1024,
	KEY_BYTES = 256
};

static const char family[] = "brk";

int64_t breaker_open_ms(bool of_source, int64_t failures, enum live_reason reason)
{
	int64_t first = of_source ? SOURCE_FAILURES : ORIGIN_FAILURES, ms = OPEN_MS;

	if (reason == LIVE_LIMIT)
		return OPEN_MS;
	if (failures < first)
		return 0;
	while (failures-- > first && ms < OPEN_MAX_MS)
		ms *= 2;
	return ms < OPEN_MAX_MS ? ms : OPEN_MAX_MS;
}

/* --- the record ----------------------------------------------------------------------------- */

void breaker_print(const struct breaker *b, struct buf *to)
{
	buf_printf(to, "breaker 1\n%lld %lld %lld %d %s\n%s\n", (long long)b->failures,
		(long long)b->since_ms, (long long)b->open_until_ms, (int)b->why.kind,
		live_reason_name(b->reason), b->why.text);
}

static bool next_number(struct span *line, int64_t max, int64_t *out)
{
	struct span word;

	return span_next(line, ' ', &word) && num_parse(word, 0, max, out);
}

bool breaker_parse(struct span text, struct breaker *out)
{
	struct breaker b = {0};
	struct span line;
	int64_t kind;

	if (!span_next(&text, '\n', &line) || !span_is(line, "breaker 1") ||
		!span_next(&text, '\n', &line) || !next_number(&line, INT64_MAX, &b.failures) ||
		!next_number(&line, INT64_MAX, &b.since_ms) ||
		!next_number(&line, INT64_MAX, &b.open_until_ms) ||
		!next_number(&line, FAIL_INTERNAL, &kind) || !live_reason_parse(line, &b.reason))
		return false;
	if (!span_next(&text, '\n', &line) || !text.ptr || text.len ||
		!span_copy(line, b.why.text, sizeof(b.why.text)) || b.failures == 0)
		return false;
	b.why.kind = (enum fail_kind)kind;
	*out = b;
	return true;
}

/* --- where it is kept ------------------------------------------------------------------------- */

static void print_key(const struct breaker_key *key, char to[KEY_BYTES])
{
	file_path(to, KEY_BYTES, "%s%s%s", key->id ? key->id : "", key->id ? " " : "", key->name);
}

/* An origin's name is no name of a file. */
static bool path_of(const struct breaker_key *key, char to[LIVE_PATH_BYTES])
{
	unsigned char digest[SIGN_SIZE];
	char hex[17], name[40];

	sign_sha256(span_of(key->name), digest);
	num_print_hex(digest, sizeof(hex) / 2, hex);
	snprintf(name, sizeof(name), "broken.%s", hex);
	if (!key->id)
		return file_path(to, LIVE_PATH_BYTES, "%s/%s", key->conf->run_dir, name);
	live_path(key->conf, key->id, name, to);
	return *to != '\0';
}

/* One that has been closed for long says nothing about today. */
static bool is_old(const struct breaker *b)
{
	int64_t now_ms = clock_real_ms();
	int64_t last_ms = b->open_until_ms ? b->open_until_ms : b->since_ms;

	return b->since_ms > now_ms + 1000 || last_ms + KEPT_S * 1000 < now_ms;
}

void breaker_look(const struct breaker_key *key, struct breaker *out)
{
	char name[KEY_BYTES], path[LIVE_PATH_BYTES];
	enum mc_result shared;
	struct buf text;
	bool known;

	print_key(key, name);
	buf_init(&text, RECORD_MAX);
	shared = mc_get(key->mc, family, name, &text, NULL);
	known = shared == MC_OK && breaker_parse(buf_span(&text), out);
	buf_clear(&text);
	if (shared == MC_AWAY && path_of(key, path))
		known = file_read(path, &text, NULL) == 0 && breaker_parse(buf_span(&text), out);
	buf_release(&text);
	if (!known || is_old(out))
		*out = (struct breaker){0};
}

bool breaker_is_open(const struct breaker *b, int64_t now_ms)
{
	return b->open_until_ms > now_ms && b->open_until_ms <= now_ms + OPEN_MAX_MS;
}

bool breaker_bars(const struct conf *conf, struct mc *mc, const char *id, const struct origin *o)
{
	const struct breaker_key keys[] = {
		{conf, mc, NULL, o->source->name}, {conf, mc, id, o->name}};
	struct breaker b;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		breaker_look(&keys[i], &b);
		if (breaker_is_open(&b, clock_real_ms()))
			return true;
	}
	return false;
}

size_t breaker_order(const struct conf *conf, struct mc *mc, const char *id,
	const struct origins *origins, const struct origin *out[ORIGINS_MAX])
{
	const struct origin *barred[ORIGINS_MAX];
	size_t count = 0, later = 0;

	for (size_t i = 0; i < origins->count; i++) {
		const struct origin *o = &origins->list[i];

		if (origins->count > 1 && breaker_bars(conf, mc, id, o))
			barred[later++] = o;
		else
			out[count++] = o;
	}
	for (size_t i = 0; i < later; i++)
		out[count++] = barred[i];
	return count;
}

void breaker_failed(const struct breaker_key *key, enum live_reason reason, const struct fail *why)
{
	int64_t now_ms = clock_real_ms(), open_ms;
	char name[KEY_BYTES], path[LIVE_PATH_BYTES];
	struct breaker b;
	struct buf text;

	breaker_look(key, &b);
	if (b.failures++ == 0)
		b.since_ms = now_ms;
	b.reason = reason;
	b.why = *why;
	open_ms = breaker_open_ms(key->id == NULL, b.failures, reason);
	b.open_until_ms = open_ms ? now_ms + open_ms : 0;
	print_key(key, name);
	buf_init(&text, RECORD_MAX);
	breaker_print(&b, &text);
	mc_set(key->mc, family, name, buf_span(&text), KEPT_S);
	if (path_of(key, path))
		file_replace(path, buf_span(&text), 0600, NULL);
	buf_release(&text);
}

void breaker_well(const struct breaker_key *key)
{
	char name[KEY_BYTES], path[LIVE_PATH_BYTES];

	print_key(key, name);
	mc_delete(key->mc, family, name);
	if (path_of(key, path))
		unlink(path);
}
