/* lib/svc/source_m3u.c - a list of channels (M3U) as a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source_m3u.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/io/sign.h"
#include "lib/svc/catalog.h"

enum { LIST_MAX = 256 * 1024 * 1024, PIECE = 65536 };

struct reader {
	struct m3u m3u;
	const char *base;
	const struct source_sink *sink;
	struct fail *f;
	struct buf url;
	struct span group; /* of the row before, in group_text */
	char group_text[CHANNEL_CATEGORY_MAX];
	bool failed;
};

/* --- rows ------------------------------------------------------------------------------------- */

bool source_m3u_resolve(struct span url, const char *base, struct buf *to)
{
	struct span root = span_of(base), host;
	const char *slash;

	buf_clear(to);
	if (span_starts(url, "http://") || span_starts(url, "https://"))
		return buf_add(to, url.ptr, url.len) && url.len > sizeof("https://") - 1;
	if (url.len == 0 || memchr(url.ptr, ':', url.len < 12 ? url.len : 12) ||
		(!span_starts(root, "http://") && !span_starts(root, "https://")))
		return false;
	host = span_make(strstr(base, "://") + 3, 0);
	host.len = strcspn(host.ptr, "/?#");
	root.len = (size_t)(host.ptr - base) + host.len;
	if (span_starts(url, "//"))
		root.len = (size_t)(host.ptr - base) - 2;
	else if (url.ptr[0] != '/') {
		struct span path =
			span_make(host.ptr + host.len, strcspn(host.ptr + host.len, "?#"));
		slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
		root.len += slash ? (size_t)(slash - path.ptr) : 0;
	}
	buf_add(to, root.ptr, root.len);
	if (url.ptr[0] != '/')
		buf_putc(to, '/');
	return buf_add(to, url.ptr, url.len);
}

/* The path of an address, with its query. */
static struct span path_of(struct span url)
{
	struct span rest = url;
	size_t at = span_starts(url, "https://") ? 8 : 7;
	const char *slash = url.len > at ? memchr(url.ptr + at, '/', url.len - at) : NULL;

	if (slash)
		rest = span_make(slash, url.len - (size_t)(slash - url.ptr));
	return rest;
}

static void make_key(const struct m3u_entry *e, struct span name, struct span url,
	char key[SOURCE_M3U_KEY_BYTES])
{
	unsigned char digest[SIGN_SIZE];
	struct span what = e->guide_id.len ? e->guide_id : path_of(url);
	struct buf text;

	buf_init(&text, 2 * M3U_LINE_MAX);
	buf_puts(&text, e->guide_id.len ? "id\n" : "path\n");
	buf_add(&text, what.ptr, what.len);
	buf_putc(&text, '\n');
	buf_add(&text, name.ptr, name.len);
	sign_sha256(buf_span(&text), digest);
	buf_release(&text);
	key[0] = 'm';
	num_print_hex(digest, (SOURCE_M3U_KEY_BYTES - 2) / 2, key + 1);
}

/* The ending of a film's file, lower case, or an empty span. */
static struct span film_suffix(struct span url)
{
	static const char *const suffixes[] = {"mkv", "mp4", "avi", "mov", "m4v", "mpg", "mpeg",
		"wmv", "flv", "webm", "divx", "ogv", "3gp"};
	struct span path = path_of(url), name;
	const char *dot;

	span_next(&path, '?', &name);
	dot = name.len ? memrchr(name.ptr, '.', name.len) : NULL;
	if (!dot)
		return span_of("");
	name = span_make(dot + 1, name.len - (size_t)(dot + 1 - name.ptr));
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (span_is_nocase(name, suffixes[i]))
			return span_of(suffixes[i]);
	}
	return span_of("");
}

/* What is to be sent as a header, or nothing when it cannot be. */
static struct span header_text(struct span text, size_t most)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return span_of("");
	}
	return text.len < most ? text : span_of("");
}

/* Several groups stand side by side with ';': the first one counts. A group is told before its
 * first channel; a repetition costs the sink nothing. */
static int give_group(struct reader *r, struct span text, enum source_kind kind, struct span *name)
{
	struct span first = {0};
	char clean[CHANNEL_CATEGORY_MAX];
	struct source_category row = {.kind = kind};

	span_next(&text, ';', &first);
	*name = span_make(clean, text_clean(first, clean, sizeof(clean)));
	if (!span_eq(*name, span_of(r->group_text)) || kind != SOURCE_CHANNELS) {
		span_copy(*name, r->group_text, sizeof(r->group_text));
		row.key = row.name = span_of(r->group_text);
		if (row.name.len && r->sink->category(r->sink->ctx, &row, r->f) < 0)
			return -1;
	}
	*name = span_of(r->group_text);
	return 0;
}

static int give_channel(struct reader *r, const struct m3u_entry *e, struct span name)
{
	char key[SOURCE_M3U_KEY_BYTES], epg[CHANNEL_EPG_MAX];
	struct source_channel row = {.name = name,
		.logo = source_picture(e->logo),
		.url = buf_span(&r->url),
		.agent = header_text(e->agent, CHANNEL_AGENT_MAX),
		.referrer = header_text(e->referrer, CHANNEL_REFERRER_MAX)};

	make_key(e, name, row.url, key);
	row.key = span_of(key);
	row.epg = span_make(epg, text_clean(e->guide_id, epg, sizeof(epg)));
	num_parse(e->number, 1, INT32_MAX, &row.number);
	num_parse(e->days, 1, 365, &row.archive_days);
	if (give_group(r, e->group, SOURCE_CHANNELS, &row.category) < 0)
		return -1;
	return r->sink->channel(r->sink->ctx, &row, r->f);
}

static int give_film(struct reader *r, const struct m3u_entry *e, struct span name)
{
	char key[SOURCE_M3U_KEY_BYTES];
	struct source_title row = {.kind = SOURCE_FILMS,
		.name = name,
		.poster = source_picture(e->logo),
		.url = buf_span(&r->url),
		.suffix = film_suffix(buf_span(&r->url))};

	if (!r->sink->title)
		return 0;
	make_key(e, name, row.url, key);
	row.key = span_of(key);
	if (give_group(r, e->group, SOURCE_FILMS, &row.category) < 0)
		return -1;
	return r->sink->title(r->sink->ctx, &row, r->f);
}

static bool on_entry(void *ctx, const struct m3u_entry *e)
{
	char clean[CHANNEL_NAME_MAX];
	struct reader *r = ctx;
	struct span name;
	int result;

	name = span_make(clean, text_clean(e->name, clean, sizeof(clean)));
	if (name.len == 0)
		name.len = text_clean(e->guide_name, clean, sizeof(clean));
	if (!source_m3u_resolve(e->url, r->base, &r->url) || r->url.failed)
		return true; /* udp, rtmp and the like: not ours to fetch */
	if (name.len == 0) {
		struct span path = path_of(buf_span(&r->url));
		name.len = text_clean(path, clean, sizeof(clean));
	}
	if (name.len == 0 || r->url.len >= CHANNEL_URL_MAX)
		return true;
	result = film_suffix(buf_span(&r->url)).len ? give_film(r, e, name)
						    : give_channel(r, e, name);
	r->failed = result < 0;
	return result == 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void open_reader(
	struct reader *r, const char *base, const struct source_sink *sink, struct fail *f)
{
	*r = (struct reader){.base = base, .sink = sink, .f = f};
	buf_init(&r->url, M3U_LINE_MAX + 4096);
	m3u_init(&r->m3u, on_entry, r);
}

/* Ends the list; `result` is what became of it so far. */
static int close_reader(struct reader *r, int result)
{
	struct fail none = {0};

	if (result == 0 && !m3u_end(&r->m3u) && !r->failed)
		result = -1;
	if (r->m3u.is_none)
		result = fail_set(r->f, FAIL_UPSTREAM,
			"What is there is no list of channels (M3U), but a web page or the like");
	else if (r->failed)
		result = -1;
	else if (result < 0 && !r->f->kind)
		fail_set(r->f, FAIL_UPSTREAM, "The list cannot be read");
	if (result == 0 && r->sink->listed) {
		r->sink->listed(r->sink->ctx, SOURCE_CHANNELS, &none);
		r->sink->listed(r->sink->ctx, SOURCE_FILMS, &none);
	}
	m3u_release(&r->m3u);
	buf_release(&r->url);
	return result;
}

int source_m3u_rows(
	struct span list, const char *base, const struct source_sink *sink, struct fail *f)
{
	struct reader r;

	open_reader(&r, base, sink, f);
	m3u_feed(&r.m3u, list.ptr, list.len);
	return close_reader(&r, 0);
}

static int read_file(struct reader *r, const char *path)
{
	char piece[PIECE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return fail_errno(r->f, FAIL_INPUT, errno, "The list %s cannot be read", path);
	while ((n = read(fd, piece, sizeof(piece))) > 0 && m3u_feed(&r->m3u, piece, (size_t)n))
		;
	if (n < 0)
		fail_errno(r->f, FAIL_INPUT, errno, "The list %s cannot be read", path);
	close(fd);
	return n < 0 ? -1 : 0;
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct reader *r = ctx;

	if (head->status == 200)
		return FETCH_GO_ON;
	fail_set(r->f, head->status == 401 || head->status == 403 ? FAIL_FORBIDDEN : FAIL_UPSTREAM,
		"The list's address answers with status %d", head->status);
	r->failed = true;
	return FETCH_STOP;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct reader *r = ctx;

	if (!m3u_feed(&r->m3u, bytes, len))
		return FETCH_STOP;
	r->failed = r->sink->rest && r->sink->rest(r->sink->ctx, r->f) < 0;
	return r->failed ? FETCH_STOP : FETCH_GO_ON;
}

static int read_address(struct reader *r, const struct conf_source *s)
{
	struct fetch_request rq;
	struct fail why = {0};

	source_request(s, s->url, LIST_MAX, &rq);
	rq.on_head = on_head;
	rq.on_data = on_data;
	rq.ctx = r;
	if (fetch_run(&rq, &why) == 0)
		return 0;
	if (!r->failed && !r->m3u.is_none)
		*r->f = why;
	return -1;
}

static int m3u_import(const struct conf_source *s, const struct source_sink *sink, struct fail *f)
{
	struct reader r;

	*f = (struct fail){0};
	open_reader(&r, s->url, sink, f);
	return close_reader(&r, s->url[0] == '/' ? read_file(&r, s->url) : read_address(&r, s));
}

const struct source_type source_m3u = {.name = "m3u", .import = m3u_import};
