/* lib/svc/edge.c - where a title at a gateway is played from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/edge.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/svc/origin.h"
#include "lib/svc/slot.h"
#include "lib/svc/summon.h"
#include "lib/svc/title.h"

enum {
	RECORD_MAX = EDGE_URL_BYTES + 1024,
	LOOK_MS = 20,
	CALL_MS = 500,
	CONNECT_MS = 4000,
	TOTAL_MS = 8000,
	KEEP_MS = 60000, /* then an answer is of no use to anybody */
	SWEEP_MAX = 1000
};

/* --- the record ------------------------------------------------------------------------------- */

void edge_print(const struct edge *e, struct buf *to)
{
	buf_printf(to, "edge 1\n%lld %d\n%s\n%s\n", (long long)e->asked_ms, (int)e->why.kind,
		e->url, e->why.text);
}

bool edge_parse(struct span text, struct edge *out)
{
	struct span line, word;
	struct edge e = {0};
	int64_t kind;

	if (!span_next(&text, '\n', &line) || !span_is(line, "edge 1") ||
		!span_next(&text, '\n', &line) || !span_next(&line, ' ', &word) ||
		!num_parse(word, 0, INT64_MAX, &e.asked_ms) ||
		!num_parse(line, 0, FAIL_INTERNAL, &kind))
		return false;
	if (!span_next(&text, '\n', &line) || !span_copy(line, e.url, sizeof(e.url)) ||
		!span_next(&text, '\n', &line) ||
		!span_copy(line, e.why.text, sizeof(e.why.text)) || text.len)
		return false;
	e.why.kind = (enum fail_kind)kind;
	if ((*e.url == '\0') == (kind == FAIL_NONE))
		return false;
	*out = e;
	return true;
}

static bool path_of(const struct conf *conf, const char *id, char to[PATH_MAX])
{
	return file_path(to, PATH_MAX, "%s/edge%s%s", conf->run_dir, *id ? "/" : "", id);
}

/* --- secrets ---------------------------------------------------------------------------------- */

/* What is escaped, once or twice, as it is meant. */
static void unescape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		int high = *from == '%' ? num_hex_digit(from[1]) : -1;
		int low = high >= 0 ? num_hex_digit(from[2]) : -1;

		to[n++] = low >= 0 ? (char)(high * 16 + low) : *from;
		from += low >= 0 ? 2 : 0;
	}
	to[n] = '\0';
}

static bool holds(const char *url, const char *secret)
{
	char once[EDGE_URL_BYTES], twice[EDGE_URL_BYTES];

	if (!*secret)
		return false;
	unescape(url, once, sizeof(once));
	unescape(once, twice, sizeof(twice));
	return strstr(url, secret) || strstr(once, secret) || strstr(twice, secret);
}

/* Of a list nobody says which part is a secret: all are, but for the host and the file's name. */
static bool holds_part(const char *url, const char *own)
{
	const char *path = strstr(own, "://");
	const char *last = strrchr(own, '/');
	struct span rest, part;
	char word[EDGE_URL_BYTES];

	path = path ? strchr(path + 3, '/') : NULL;
	if (!path)
		return false;
	rest = span_make(path + 1, strlen(path + 1));
	while (rest.len && rest.ptr <= last) {
		if (!span_next(&rest, '/', &part))
			break;
		if (part.len && part.ptr + part.len <= last &&
			(!span_copy(part, word, sizeof(word)) || holds(url, word)))
			return true;
	}
	/* "…/film.mkv?token=…" */
	rest = span_of(strchr(own, '?') ? strchr(own, '?') + 1 : "");
	while (span_next(&rest, '&', &part)) {
		const char *value = part.len ? memchr(part.ptr, '=', part.len) : NULL;

		if (value)
			part = span_make(value + 1, part.len - (size_t)(value + 1 - part.ptr));
		if (part.len && (!span_copy(part, word, sizeof(word)) || holds(url, word)))
			return true;
	}
	return false;
}

static bool has_user(const char *url)
{
	const char *host = strstr(url, "://");
	const char *at = host ? strchr(host, '@') : NULL;

	return at && at < host + 3 + strcspn(host + 3, "/?#");
}

bool edge_is_clean(const struct conf_source *source, const char *own, const char *url)
{
	if (has_user(url))
		return false;
	for (size_t i = 0; i < source->account_count; i++) {
		if (holds(url, source->accounts[i].user) ||
			holds(url, source->accounts[i].password))
			return false;
	}
	return strcmp(url, own) != 0 &&
	       (strcmp(source->type, "xtream") == 0 || !holds_part(url, own));
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool look(const struct conf *conf, const char *id, struct edge *out)
{
	char path[PATH_MAX];
	struct buf text;
	bool found;

	buf_init(&text, RECORD_MAX);
	found = path_of(conf, id, path) && file_read(path, &text, NULL) == 0 &&
		edge_parse(buf_span(&text), out);
	buf_release(&text);
	return found;
}

int edge_ask(const struct conf *conf, const char *id, int64_t age_ms, int64_t wait_ms,
	struct edge *out, struct fail *f)
{
	int64_t begun_ms = clock_mono_ms(), called_ms = begun_ms - CALL_MS;
	int64_t from_ms = clock_real_ms() - age_ms;

	for (;;) {
		int64_t now_ms = clock_mono_ms();

		if (look(conf, id, out) && out->asked_ms >= from_ms) {
			*f = out->why;
			return f->kind ? -1 : 0;
		}
		if (now_ms - called_ms >= CALL_MS) {
			called_ms = now_ms;
			summon_ask(conf, EDGE_VERB, id);
		}
		if (now_ms - begun_ms >= wait_ms)
			return fail_set(f, FAIL_BUSY, "The gateway has not answered yet");
		poll(NULL, 0, LOOK_MS);
	}
}

/* --- the process that asks -------------------------------------------------------------------- */

struct asking {
	const struct conf *conf;
	struct board *board;
	struct mc *mc;
	struct title title;
	struct edge edge;
	struct buf own; /* the title's address; a secret */
};

static int read_answer(struct asking *a, const struct fetch_result *res, struct fail *f)
{
	int status = res->head.status;
	const char *to = res->redirect_url;

	if (status >= 200 && status < 300)
		return fail_set(f, FAIL_CONFLICT, "The gateway sends this title itself");
	if (status < 300 || status >= 400)
		return fail_set(
			f, FAIL_UPSTREAM, "The gateway refuses this title (status %d)", status);
	if ((strncmp(to, "http://", 7) != 0 && strncmp(to, "https://", 8) != 0) ||
		!span_copy(span_of(to), a->edge.url, sizeof(a->edge.url)))
		return fail_set(f, FAIL_UPSTREAM, "The gateway leads to no address for viewers");
	if (edge_is_clean(a->title.source, buf_str(&a->own), to))
		return 0;
	a->edge.url[0] = '\0';
	return fail_set(f, FAIL_CONFLICT, "The edge's address holds credentials");
}

static int ask_gateway(struct asking *a, const struct conf_account *account, struct fail *f)
{
	const struct conf_source *s = a->title.source;
	struct fetch_result *res = calloc(1, sizeof(*res));
	struct fetch_request rq = {.policy = {s->allow, s->allow_count},
		.user_agent = *s->user_agent ? s->user_agent : NULL,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
		.row = board_row(a->board, ROW_SOURCE, s->name)};
	int result = -1;

	buf_clear(&a->own);
	if (!res) {
		fail_set(f, FAIL_BUSY, "There is no memory to ask the gateway");
	} else if (title_url(&a->title, account, &a->own, f) == 0) {
		rq.url = buf_str(&a->own);
		result = fetch_get(&rq, true, res, f) < 0 ? -1 : read_answer(a, res, f);
		buf_release(&res->body);
	}
	free(res);
	return result;
}

/* With the first account that has a connection for one more viewer. */
static int ask_all(struct asking *a, struct fail *f)
{
	const struct conf_source *s = a->title.source;
	struct origin o = {.source = s};
	char dir[PATH_MAX];
	struct lease_env env = {dir, a->mc, a->conf->host_name, a->board};
	struct lease *slot = NULL;
	int result = -1;

	file_path(dir, sizeof(dir), "%s/lease", a->conf->run_dir);
	fail_set(f, FAIL_BUSY, SLOT_FULL_TEXT, s->name);
	for (size_t i = 0; i < s->account_count && result < 0; i++) {
		o.account = &s->accounts[i];
		switch (slot_take(&env, &o, a->title.film.id, SLOT_RESOLVER, &slot, NULL, f)) {
		case SLOT_MINE:
		case SLOT_SHARED:
			result = ask_gateway(a, o.account, f);
			lease_drop(&slot);
			break;
		case SLOT_FULL:
		case SLOT_ERROR:
			break;
		}
	}
	return result;
}

static int find_title(struct asking *a, const char *id, struct fail *f)
{
	struct catalog *catalog = NULL;
	struct ident ident;
	int result = -1;

	if (!ident_parse(span_of(id), IDENT_NONE, &ident))
		fail_set(f, FAIL_MISSING, "There is no such title");
	else if (catalog_open(&catalog, a->conf, f) == 0)
		result = title_find(&a->title, a->conf, catalog, &ident, f);
	catalog_close(&catalog);
	if (result == 0 && a->title.where != TITLE_HTTP)
		result = fail_set(f, FAIL_CONFLICT, "The title lies here");
	return result;
}

/* Answers that nobody waits for any more. */
static void sweep(const struct conf *conf)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = path_of(conf, "", path) ? opendir(path) : NULL;

	for (int i = 0; dir && i < SWEEP_MAX && (entry = readdir(dir)); i++) {
		if (entry->d_name[0] != '.' && path_of(conf, entry->d_name, path) &&
			clock_real_ms() - file_mtime_ms(path) > KEEP_MS)
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

static int store(const struct asking *a, const char *id, struct fail *f)
{
	char path[PATH_MAX];
	struct buf text;
	int result = -1;

	buf_init(&text, RECORD_MAX);
	edge_print(&a->edge, &text);
	if (path_of(a->conf, "", path) && file_mkdirs(path, 0700, f) == 0 &&
		path_of(a->conf, id, path))
		result = file_renew(path, buf_span(&text), 0600, f);
	buf_release(&text);
	return result;
}

int edge_run(const struct conf *conf, struct board *board, const char *id)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct asking *a = calloc(1, sizeof(*a));
	struct fail f = {0};
	int result;

	if (!a)
		return 1;
	a->conf = conf;
	a->board = board;
	a->edge.asked_ms = clock_real_ms();
	buf_init(&a->own, 8192);
	mc_open(&a->mc, &config, &f); /* without it this host counts connections for itself */
	if (find_title(a, id, &a->edge.why) == 0 && ask_all(a, &a->edge.why) == 0)
		a->edge.why = (struct fail){0};
	log_info("edge_asked", LOG_STR("id", id),
		LOG_STR("said", a->edge.why.kind ? a->edge.why.text : "ok"),
		LOG_INT("ms", clock_real_ms() - a->edge.asked_ms));
	sweep(conf);
	result = store(a, id, &f);
	if (result < 0)
		log_warn("edge_not_stored", LOG_STR("id", id), LOG_STR("why", f.text));
	mc_close(&a->mc);
	buf_release(&a->own);
	free(a);
	return result < 0;
}
