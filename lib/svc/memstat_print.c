/* lib/svc/memstat_print.c - how memcached does, as JSON and as text.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <json-c/json.h>
#include <stdlib.h>

#include "lib/svc/memstat.h"

enum { FAMILIES_MAX = 64 };

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, *text ? json_object_new_string(text) : NULL);
}

static void put_number(struct json_object *to, const char *key, int64_t number)
{
	json_object_object_add(to, key, json_object_new_int64(number));
}

/* "0.935", or null where nothing was asked for. */
static void put_rate(struct json_object *to, int64_t hits, int64_t misses)
{
	int rate = memstat_rate(hits, misses);
	char text[16];

	snprintf(text, sizeof(text), "%d.%03d", rate / 1000, rate % 1000);
	json_object_object_add(
		to, "hitRate", rate < 0 ? NULL : json_object_new_double_s(rate / 1000.0, text));
}

static struct json_object *class_json(const struct memstat_class *c)
{
	struct json_object *to = json_object_new_object();

	put_number(to, "class", c->number);
	put_number(to, "chunkBytes", c->chunk_bytes);
	put_number(to, "chunks", c->chunks);
	put_number(to, "chunksUsed", c->chunks_used);
	put_number(to, "bytes", c->bytes);
	put_number(to, "items", c->items);
	put_number(to, "hits", c->hits);
	put_number(to, "evicted", c->evicted);
	put_number(to, "reclaimed", c->reclaimed);
	put_number(to, "oldestSeconds", c->oldest_s);
	return to;
}

static void put_figures(struct json_object *to, const struct memstat_server *s)
{
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {
		{"uptime", s->uptime_s},
		{"gets", s->gets},
		{"hits", s->hits},
		{"misses", s->misses},
		{"sets", s->sets},
		{"evictions", s->evictions},
		{"evictedActive", s->evicted_active},
		{"expiredUnfetched", s->expired_unfetched},
		{"reclaimed", s->reclaimed},
		{"items", s->items},
		{"itemsEver", s->items_ever},
		{"bytes", s->bytes},
		{"bytesLimit", s->bytes_limit},
		{"connections", s->connections},
		{"connectionsLimit", s->connections_limit},
		{"connectionsRefused", s->connections_refused},
		{"casBadval", s->cas_badval},
		{"authErrors", s->auth_errors},
		{"flushes", s->flushes},
	};

	put_text(to, "version", s->version);
	put_rate(to, s->hits, s->misses);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		put_number(to, numbers[i].key, numbers[i].value);
}

static struct json_object *server_json(const struct memstat_server *s)
{
	struct json_object *to = json_object_new_object();
	struct json_object *classes = json_object_new_array(), *watch = json_object_new_array();
	const char *sentences[MEMSTAT_WATCH];
	size_t count = memstat_watch(s, sentences);

	put_text(to, "server", s->state.name);
	json_object_object_add(to, "reachable", json_object_new_boolean(!s->state.away));
	put_text(to, "why", s->state.why);
	put_number(to, "awaySeconds", s->state.away_ms / 1000);
	if (!s->state.away)
		put_figures(to, s);
	for (size_t i = 0; i < s->class_count && !s->state.away; i++)
		json_object_array_add(classes, class_json(&s->classes[i]));
	for (size_t i = 0; i < count; i++)
		json_object_array_add(watch, json_object_new_string(sentences[i]));
	json_object_object_add(to, "classes", classes);
	json_object_object_add(to, "watch", watch);
	return to;
}

static struct json_object *family_json(const struct memstat_family *f)
{
	struct json_object *to = json_object_new_object();

	put_text(to, "family", f->name);
	put_rate(to, f->hits, f->misses);
	put_number(to, "hits", f->hits);
	put_number(to, "misses", f->misses);
	put_number(to, "stored", f->stored);
	put_number(to, "notStored", f->not_stored);
	put_number(to, "deleted", f->deleted);
	put_number(to, "counted", f->counted);
	put_number(to, "unanswered", f->unanswered);
	put_number(to, "bytesRead", f->bytes_read);
	put_number(to, "bytesWritten", f->bytes_written);
	return to;
}

void memstat_json(struct mc *mc, const struct board *board, struct buf *to)
{
	struct json_object *root = json_object_new_object();
	struct json_object *servers = json_object_new_array(), *families = json_object_new_array();
	struct memstat_family list[FAMILIES_MAX];
	size_t count = memstat_families(board, list, FAMILIES_MAX);
	int64_t hits = 0, misses = 0;

	for (size_t i = 0; i < mc_count(mc); i++) {
		struct memstat_server s;

		memstat_ask(mc, i, &s);
		json_object_array_add(servers, server_json(&s));
	}
	for (size_t i = 0; i < count; i++) {
		hits += list[i].hits;
		misses += list[i].misses;
		json_object_array_add(families, family_json(&list[i]));
	}
	put_rate(root, hits, misses);
	json_object_object_add(root, "servers", servers);
	json_object_object_add(root, "families", families);
	buf_puts(to, json_object_to_json_string_ext(
			     root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

/* --- text ------------------------------------------------------------------------------------- */

/* "93.5 %", or "-". */
static const char *rate_text(int64_t hits, int64_t misses, char to[16])
{
	int rate = memstat_rate(hits, misses);

	if (rate < 0)
		snprintf(to, 16, "-");
	else
		snprintf(to, 16, "%d.%d %%", rate / 10, rate % 10);
	return to;
}

static void print_classes(const struct memstat_server *s, FILE *to)
{
	if (s->class_count)
		fprintf(to, "  %5s %10s %10s %10s %12s %10s %10s\n", "class", "bytes", "chunks",
			"items", "used bytes", "evicted", "oldest s");
	for (size_t i = 0; i < s->class_count; i++) {
		const struct memstat_class *c = &s->classes[i];
		fprintf(to, "  %5lld %10lld %10lld %10lld %12lld %10lld %10lld\n",
			(long long)c->number, (long long)c->chunk_bytes, (long long)c->chunks,
			(long long)c->items, (long long)c->bytes, (long long)c->evicted,
			(long long)c->oldest_s);
	}
}

static void print_server(const struct memstat_server *s, FILE *to)
{
	const char *sentences[MEMSTAT_WATCH];
	size_t count = memstat_watch(s, sentences);
	char rate[16];

	if (s->state.away) {
		fprintf(to, "%s is away: %s\n\n", s->state.name, s->state.why);
		return;
	}
	fprintf(to, "%s: memcached %s, up %lld s\n", s->state.name, s->version,
		(long long)s->uptime_s);
	fprintf(to, "  hit rate    %s of %lld\n", rate_text(s->hits, s->misses, rate),
		(long long)(s->hits + s->misses));
	fprintf(to, "  memory      %lld of %lld KiB, %lld items\n", (long long)s->bytes / 1024,
		(long long)s->bytes_limit / 1024, (long long)s->items);
	fprintf(to, "  forgotten   %lld before their time, %lld of them in use; %lld reclaimed\n",
		(long long)s->evictions, (long long)s->evicted_active, (long long)s->reclaimed);
	fprintf(to, "  connections %lld of %lld, %lld refused\n", (long long)s->connections,
		(long long)s->connections_limit, (long long)s->connections_refused);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "  watch       %s\n", sentences[i]);
	print_classes(s, to);
	putc('\n', to);
}

static void print_families(const struct board *board, FILE *to)
{
	struct memstat_family list[FAMILIES_MAX];
	size_t count = memstat_families(board, list, FAMILIES_MAX);
	char rate[16];

	if (count == 0)
		return;
	fprintf(to, "%-14s %8s %10s %10s %10s %10s %12s %12s\n", "our family", "hit rate", "hits",
		"misses", "stored", "unanswered", "bytes read", "written");
	for (size_t i = 0; i < count; i++) {
		const struct memstat_family *f = &list[i];
		fprintf(to, "%-14s %8s %10lld %10lld %10lld %10lld %12lld %12lld\n", f->name,
			rate_text(f->hits, f->misses, rate), (long long)f->hits,
			(long long)f->misses, (long long)f->stored, (long long)f->unanswered,
			(long long)f->bytes_read, (long long)f->bytes_written);
	}
}

void memstat_print(struct mc *mc, const struct board *board, FILE *to)
{
	if (mc_count(mc) == 0)
		fputs("No memcached is configured (memcached_servers).\n", to);
	for (size_t i = 0; i < mc_count(mc); i++) {
		struct memstat_server s;

		memstat_ask(mc, i, &s);
		print_server(&s, to);
	}
	print_families(board, to);
}
