/* lib/svc/source_xtream.c - an Xtream Codes gateway as a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source_xtream.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/http/ident.h"
#include "lib/http/json_items.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_xtream_inside.h"

enum {
	LOGIN_MAX = 1024 * 1024,
	REPLY_MAX = 512 * 1024 * 1024, /* nothing of it is kept */
	DEPTH_MAX = 32
};

/* --- reading tolerantly ----------------------------------------------------------------------- */

struct span xtream_text(struct json_object *o, const char *name)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, name, &v))
		return span_of("");
	if (json_object_is_type(v, json_type_string))
		return span_make(json_object_get_string(v), (size_t)json_object_get_string_len(v));
	if (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double))
		return span_of(json_object_get_string(v));
	return span_of("");
}

int64_t xtream_number(struct json_object *o, const char *name)
{
	int64_t n = 0;

	num_parse(span_trim(xtream_text(o, name)), 0, INT64_MAX / 2, &n);
	return n;
}

struct json_object *xtream_parse(struct span text, struct fail *f)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL;

	if (t && text.len && text.len < INT_MAX)
		root = json_tokener_parse_ex(t, text.ptr, (int)text.len);
	if (t)
		json_tokener_free(t);
	if (!root)
		fail_set(f, FAIL_UPSTREAM, "The gateway's answer is no JSON%s",
			text.len && text.ptr[0] == '<' ? " but a web page" : "");
	return root;
}

struct list;
typedef int item_fn(struct json_object *item, const struct list *l, struct fail *f);

/* A list that comes in. */
struct list {
	struct json_items items;
	struct json_tokener *tokener;
	item_fn *give;
	enum source_kind kind;
	const struct source_sink *sink;
	struct fail why; /* what ended it; kind FAIL_NONE: nothing yet */
};

static bool on_item(void *ctx, struct span text)
{
	struct list *l = ctx;
	struct json_object *item;
	int result = 0;

	json_tokener_reset(l->tokener);
	item = json_tokener_parse_ex(l->tokener, text.ptr, (int)text.len);
	if (!item) {
		fail_set(&l->why, FAIL_UPSTREAM, "The gateway's answer is no JSON");
		return false;
	}
	result = l->give(item, l, &l->why);
	json_object_put(item);
	return result == 0;
}

static int open_list(struct list *l, item_fn *give, enum source_kind kind,
	const struct source_sink *sink, struct fail *f)
{
	*l = (struct list){.give = give, .kind = kind, .sink = sink};
	l->tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!l->tokener)
		return fail_set(f, FAIL_BUSY, "There is no memory for the gateway's list");
	json_items_init(&l->items, on_item, l);
	return 0;
}

static int close_list(struct list *l, struct fail *f)
{
	int result = 0;

	if (!l->why.kind && !json_items_whole(&l->items))
		fail_set(&l->why, FAIL_UPSTREAM, "The gateway's answer is no JSON%s",
			l->items.first == '<' ? " but a web page" : "");
	if (l->why.kind)
		result = fail_set(f, l->why.kind, "%s", l->why.text);
	json_items_release(&l->items);
	json_tokener_free(l->tokener);
	return result;
}

static int give_category(struct json_object *item, const struct list *l, struct fail *f)
{
	char name[CHANNEL_CATEGORY_MAX];
	struct source_category row = {
		.key = span_trim(xtream_text(item, "category_id")), .kind = l->kind};

	row.name =
		span_make(name, text_clean(xtream_text(item, "category_name"), name, sizeof(name)));
	if (row.key.len == 0 || row.key.len >= CHANNEL_CATEGORY_MAX || row.name.len == 0)
		return 0;
	return l->sink->category(l->sink->ctx, &row, f);
}

static int give_channel(struct json_object *item, const struct list *l, struct fail *f)
{
	char name[CHANNEL_NAME_MAX], epg[CHANNEL_EPG_MAX];
	struct source_channel row = {
		.key = span_trim(xtream_text(item, "stream_id")),
		.logo = source_picture(xtream_text(item, "stream_icon")),
		.category = span_trim(xtream_text(item, "category_id")),
		.number = xtream_number(item, "num"),
		.archive_days = xtream_number(item, "tv_archive")
					? xtream_number(item, "tv_archive_duration")
					: 0,
		.adult = xtream_number(item, "is_adult") != 0,
	};

	row.name = span_make(name, text_clean(xtream_text(item, "name"), name, sizeof(name)));
	row.epg = span_make(epg, text_clean(xtream_text(item, "epg_channel_id"), epg, sizeof(epg)));
	if (!ident_key_ok(row.key) || row.name.len == 0)
		return 0;
	if (row.category.len >= CHANNEL_CATEGORY_MAX)
		row.category.len = 0;
	return l->sink->channel(l->sink->ctx, &row, f);
}

/* "7.5", "8" or "N/A" out of 10, in tenths. */
static int64_t rating_of(struct json_object *item)
{
	struct span rest = span_trim(xtream_text(item, "rating")), whole;
	int64_t tens = 0, tenth = 0;

	span_next(&rest, '.', &whole);
	if (!num_parse(whole, 0, 10, &tens))
		return 0;
	if (rest.len)
		num_parse(span_make(rest.ptr, 1), 0, 9, &tenth);
	return tens * 10 + tenth > 100 ? 100 : tens * 10 + tenth;
}

/* The year out of a year or a date. */
static int64_t year_of(struct json_object *item)
{
	static const char *const names[] = {"year", "release_date", "releaseDate", "releasedate"};
	int64_t year = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && year == 0; i++) {
		struct span text = span_trim(xtream_text(item, names[i]));
		num_parse(span_make(text.ptr, text.len < 4 ? text.len : 4), 1850, 2200, &year);
	}
	return year;
}

struct span xtream_suffix(struct json_object *item)
{
	struct span text = span_trim(xtream_text(item, "container_extension"));

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return span_of("");
	}
	return text.len < TITLE_SUFFIX_MAX ? text : span_of("");
}

static int give_title(struct json_object *item, const struct list *l, struct fail *f)
{
	bool is_film = l->kind == SOURCE_FILMS;
	char name[CHANNEL_NAME_MAX], plot[TITLE_PLOT_MAX];
	struct source_title row = {
		.kind = l->kind,
		.key = span_trim(xtream_text(item, is_film ? "stream_id" : "series_id")),
		.poster = source_picture(xtream_text(item, is_film ? "stream_icon" : "cover")),
		.category = span_trim(xtream_text(item, "category_id")),
		.suffix = xtream_suffix(item),
		.year = year_of(item),
		.rating = rating_of(item),
		.changed_s = xtream_number(item, is_film ? "added" : "last_modified"),
		.adult = xtream_number(item, "is_adult") != 0,
	};

	row.name = span_make(name, text_clean(xtream_text(item, "name"), name, sizeof(name)));
	row.plot = span_make(plot, text_clean(xtream_text(item, "plot"), plot, sizeof(plot)));
	if (!ident_key_ok(row.key) || row.name.len == 0)
		return 0;
	if (row.category.len >= CHANNEL_CATEGORY_MAX)
		row.category.len = 0;
	return l->sink->title(l->sink->ctx, &row, f);
}

static int each_item(struct span json, item_fn *give, enum source_kind kind,
	const struct source_sink *sink, struct fail *f)
{
	struct list l;

	if (open_list(&l, give, kind, sink, f) < 0)
		return -1;
	json_items_feed(&l.items, json.ptr, json.len);
	return close_list(&l, f);
}

int source_xtream_categories(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_category, SOURCE_CHANNELS, sink, f);
}

int source_xtream_channels(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_channel, SOURCE_CHANNELS, sink, f);
}

int source_xtream_films(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_title, SOURCE_FILMS, sink, f);
}

int source_xtream_series(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_title, SOURCE_SERIES, sink, f);
}

int source_xtream_login(struct span json, struct fail *f)
{
	struct json_object *root = xtream_parse(json, f), *user = NULL;
	struct span auth, status;
	char word[40];
	int result = 0;

	if (!root)
		return -1;
	if (json_object_is_type(root, json_type_object))
		json_object_object_get_ex(root, "user_info", &user);
	auth = xtream_text(user, "auth");
	status = span_trim(xtream_text(user, "status"));
	text_clean(status, word, sizeof(word));
	if (!user)
		result = fail_set(f, FAIL_UPSTREAM, "The gateway does not answer a login");
	else if (span_is(auth, "0"))
		result = fail_set(
			f, FAIL_FORBIDDEN, "The gateway refuses the account's name or password");
	else if (status.len && !span_is_nocase(status, "Active"))
		result = fail_set(f, FAIL_FORBIDDEN, "The account is not active: %s", word);
	json_object_put(root);
	return result;
}

/* --- asking ----------------------------------------------------------------------------------- */

static int put_base(const struct conf_source *s, struct buf *url, struct fail *f)
{
	struct span base = span_of(s->url);

	while (span_ends(base, "/"))
		base.len--;
	if (!span_starts(base, "http://") && !span_starts(base, "https://"))
		return fail_set(f, FAIL_INPUT, "The source %s has no http address", s->name);
	buf_add(url, base.ptr, base.len);
	return 0;
}

int xtream_action(const struct conf_source *s, const char *action, struct buf *url, struct fail *f)
{
	if (put_base(s, url, f) < 0)
		return -1;
	buf_puts(url, "/player_api.php?username=");
	fetch_url_escape(s->accounts[0].user, url);
	buf_puts(url, "&password=");
	fetch_url_escape(s->accounts[0].password, url);
	if (*action)
		buf_printf(url, "&action=%s", action);
	if (url->failed)
		return fail_set(f, FAIL_INPUT, "The source %s has too long an address", s->name);
	return 0;
}

int xtream_status(int status, struct fail *f)
{
	if (status == 401 || status == 403)
		return fail_set(
			f, FAIL_FORBIDDEN, "The gateway refuses the account (status %d)", status);
	if (status != 200)
		return fail_set(f, FAIL_UPSTREAM, "The gateway answers with status %d", status);
	return 0;
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct list *l = ctx;

	return xtream_status(head->status, &l->why) == 0 ? FETCH_GO_ON : FETCH_STOP;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct list *l = ctx;

	if (!json_items_feed(&l->items, bytes, len))
		return FETCH_STOP;
	return l->sink->rest && l->sink->rest(l->sink->ctx, &l->why) < 0 ? FETCH_STOP : FETCH_GO_ON;
}

/* Reads one list while it comes in. */
static int read_list(
	const struct conf_source *s, const char *action, struct list *l, struct fail *f)
{
	struct fetch_request rq;
	struct fail why = {0};
	struct buf url;

	buf_init(&url, 4096);
	if (xtream_action(s, action, &url, &l->why) == 0) {
		source_request(s, buf_str(&url), REPLY_MAX, &rq);
		rq.on_head = on_head;
		rq.on_data = on_data;
		rq.ctx = l;
		if (fetch_run(&rq, &why) < 0 && why.kind != FAIL_GONE)
			l->why = why;
	}
	buf_release(&url);
	return close_list(l, f);
}

static int log_in(const struct conf_source *s, struct fail *f)
{
	struct fetch_request rq;
	struct fetch_result res = {0};
	struct buf url;
	int result;

	buf_init(&url, 4096);
	result = xtream_action(s, "", &url, f);
	if (result == 0) {
		source_request(s, buf_str(&url), LOGIN_MAX, &rq);
		result = fetch_get(&rq, false, &res, f);
	}
	if (result == 0)
		result = xtream_status(res.head.status, f);
	if (result == 0)
		result = source_xtream_login(buf_span(&res.body), f);
	buf_release(&res.body);
	buf_release(&url);
	return result;
}

/* Categories are worth having, but not more than what stands in them. */
static int list_kind(const struct conf_source *s, enum source_kind kind,
	const struct source_sink *sink, struct fail *f)
{
	static const struct {
		const char *categories, *rows;
		item_fn *give;
	} kinds[SOURCE_KINDS] = {
		{"get_live_categories", "get_live_streams", give_channel},
		{"get_vod_categories", "get_vod_streams", give_title},
		{"get_series_categories", "get_series", give_title},
	};
	struct fail why = {0};
	struct list l;
	int result = -1;

	if (open_list(&l, give_category, kind, sink, &why) == 0)
		read_list(s, kinds[kind].categories, &l, &why);
	why = (struct fail){0};
	if (open_list(&l, kinds[kind].give, kind, sink, &why) == 0)
		result = read_list(s, kinds[kind].rows, &l, &why);
	if (sink->listed)
		sink->listed(sink->ctx, kind, &why);
	if (result < 0)
		*f = why;
	return result;
}

static int xtream_import(
	const struct conf_source *s, const struct source_sink *sink, struct fail *f)
{
	struct fail why;

	if (log_in(s, f) < 0 || list_kind(s, SOURCE_CHANNELS, sink, f) < 0)
		return -1;
	for (int kind = SOURCE_FILMS; sink->title && kind < SOURCE_KINDS; kind++)
		list_kind(s, (enum source_kind)kind, sink, &why);
	return 0;
}

static int put_play(const struct conf_source *s, const struct conf_account *account,
	const char *folder, const char *key, const char *suffix, struct buf *url, struct fail *f)
{
	if (!ident_key_ok(span_of(key)))
		return fail_set(f, FAIL_INPUT, "This is nothing of the source %s", s->name);
	if (put_base(s, url, f) < 0)
		return -1;
	buf_printf(url, "/%s/", folder);
	fetch_url_escape(account->user, url);
	buf_putc(url, '/');
	fetch_url_escape(account->password, url);
	buf_printf(url, "/%s%s%s", key, *suffix ? "." : "", suffix);
	if (url->failed)
		return fail_set(f, FAIL_INPUT, "The source %s has too long an address", s->name);
	return 0;
}

static int xtream_live_url(const struct conf_source *s, const struct conf_account *account,
	const char *key, struct buf *url, struct fail *f)
{
	return put_play(s, account, "live", key, s->output, url, f);
}

static int xtream_film_url(const struct conf_source *s, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f)
{
	return put_play(s, account, "movie", key, suffix, url, f);
}

static int xtream_episode_url(const struct conf_source *s, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f)
{
	return put_play(s, account, "series", key, suffix, url, f);
}

const struct source_type source_xtream = {"xtream", xtream_import, xtream_live_url, xtream_film_url,
	xtream_episode_url, source_xtream_fetch_episodes};
