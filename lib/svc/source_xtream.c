/* lib/svc/source_xtream.c - an Xtream Codes gateway as a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source_xtream.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/http/ident.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"

enum {
	REPLY_MAX = 64 * 1024 * 1024,
	DEPTH_MAX = 32,
	CONNECT_MS = 10000,
	STALL_MS = 30000,
	TOTAL_MS = 300000
};

/* --- reading tolerantly
 * ---------------------------------------------------------------------------- */

/* A member as text: a string, or a number as it was written; "" for anything else. */
static struct span text_of(struct json_object *o, const char *name)
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

static int64_t number_of(struct json_object *o, const char *name)
{
	int64_t n = 0;

	num_parse(span_trim(text_of(o, name)), 0, INT64_MAX / 2, &n);
	return n;
}

static struct json_object *parse(struct span text, struct fail *f)
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

typedef int item_fn(struct json_object *item, const struct source_sink *sink, struct fail *f);

/* Calls `each` for the members of a list, or of an object that should have been one. */
static int each_item(
	struct span json, item_fn *each, const struct source_sink *sink, struct fail *f)
{
	struct json_object *root = parse(json, f);
	int result = 0;

	if (!root)
		return -1;
	if (json_object_is_type(root, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(root) && result == 0; i++)
			result = each(json_object_array_get_idx(root, i), sink, f);
	} else if (json_object_is_type(root, json_type_object)) {
		json_object_object_foreach(root, key, item)
		{
			(void)key;
			if (result == 0 && json_object_is_type(item, json_type_object))
				result = each(item, sink, f);
		}
	}
	json_object_put(root);
	return result;
}

static int give_category(struct json_object *item, const struct source_sink *sink, struct fail *f)
{
	char name[CHANNEL_CATEGORY_MAX];
	struct source_category row = {.key = span_trim(text_of(item, "category_id"))};

	row.name = span_make(name, text_clean(text_of(item, "category_name"), name, sizeof(name)));
	if (row.key.len == 0 || row.key.len >= CHANNEL_CATEGORY_MAX || row.name.len == 0)
		return 0;
	return sink->category(sink->ctx, &row, f);
}

/* Only what a browser can load; anything else is no logo. */
static struct span web_address(struct span text)
{
	text = span_trim(text);
	if ((!span_starts(text, "http://") && !span_starts(text, "https://")) ||
		text.len >= CHANNEL_LOGO_MAX)
		return span_of("");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			return span_of("");
	}
	return text;
}

static int give_channel(struct json_object *item, const struct source_sink *sink, struct fail *f)
{
	char name[CHANNEL_NAME_MAX], epg[CHANNEL_EPG_MAX];
	struct source_channel row = {
		.key = span_trim(text_of(item, "stream_id")),
		.logo = web_address(text_of(item, "stream_icon")),
		.category = span_trim(text_of(item, "category_id")),
		.number = number_of(item, "num"),
		.archive_days =
			number_of(item, "tv_archive") ? number_of(item, "tv_archive_duration") : 0,
		.adult = number_of(item, "is_adult") != 0,
	};

	row.name = span_make(name, text_clean(text_of(item, "name"), name, sizeof(name)));
	row.epg = span_make(epg, text_clean(text_of(item, "epg_channel_id"), epg, sizeof(epg)));
	if (!ident_key_ok(row.key) || row.name.len == 0)
		return 0;
	if (row.category.len >= CHANNEL_CATEGORY_MAX)
		row.category.len = 0;
	return sink->channel(sink->ctx, &row, f);
}

int source_xtream_categories(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_category, sink, f);
}

int source_xtream_channels(struct span json, const struct source_sink *sink, struct fail *f)
{
	return each_item(json, give_channel, sink, f);
}

int source_xtream_login(struct span json, struct fail *f)
{
	struct json_object *root = parse(json, f), *user = NULL;
	struct span auth, status;
	char word[40];
	int result = 0;

	if (!root)
		return -1;
	if (json_object_is_type(root, json_type_object))
		json_object_object_get_ex(root, "user_info", &user);
	auth = text_of(user, "auth");
	status = span_trim(text_of(user, "status"));
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

/* --- asking
 * ------------------------------------------------------------------------------------------ */

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

/* One reply of player_api.php into `body`, which the caller releases. */
static int ask(const struct conf_source *s, const char *action, struct buf *body, struct fail *f)
{
	struct fetch_request rq = {.policy = {s->allow, s->allow_count},
		.user_agent = *s->user_agent ? s->user_agent : NULL,
		.follow = 5,
		.compressed = true,
		.max_bytes = REPLY_MAX,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS};
	struct fetch_result res;
	struct buf url;
	int result;

	buf_init(&url, 4096);
	buf_init(body, REPLY_MAX);
	if (put_base(s, &url, f) < 0) {
		buf_release(&url);
		return -1;
	}
	buf_puts(&url, "/player_api.php?username=");
	fetch_url_escape(s->accounts[0].user, &url);
	buf_puts(&url, "&password=");
	fetch_url_escape(s->accounts[0].password, &url);
	if (*action)
		buf_printf(&url, "&action=%s", action);
	rq.url = buf_str(&url);
	result = url.failed
			 ? fail_set(f, FAIL_INPUT, "The source %s has too long an address", s->name)
			 : fetch_get(&rq, false, &res, f);
	buf_release(&url);
	if (result < 0 && url.failed)
		return -1;
	*body = res.body;
	if (result < 0)
		return -1;
	if (res.head.status == 401 || res.head.status == 403)
		return fail_set(f, FAIL_FORBIDDEN, "The gateway refuses the account (status %d)",
			res.head.status);
	if (res.head.status != 200)
		return fail_set(
			f, FAIL_UPSTREAM, "The gateway answers with status %d", res.head.status);
	return 0;
}

static int xtream_import(
	const struct conf_source *s, const struct source_sink *sink, struct fail *f)
{
	struct buf body;
	int result;

	result = ask(s, "", &body, f);
	if (result == 0)
		result = source_xtream_login(buf_span(&body), f);
	buf_release(&body);
	if (result < 0)
		return -1;
	/* Without categories channels are still worth having. */
	if (ask(s, "get_live_categories", &body, f) == 0)
		source_xtream_categories(buf_span(&body), sink, f);
	buf_release(&body);
	result = ask(s, "get_live_streams", &body, f);
	if (result == 0)
		result = source_xtream_channels(buf_span(&body), sink, f);
	buf_release(&body);
	return result;
}

static int xtream_live_url(const struct conf_source *s, const struct conf_account *account,
	const char *key, struct buf *url, struct fail *f)
{
	if (!ident_key_ok(span_of(key)))
		return fail_set(f, FAIL_INPUT, "This is no channel of the source %s", s->name);
	if (put_base(s, url, f) < 0)
		return -1;
	buf_puts(url, "/live/");
	fetch_url_escape(account->user, url);
	buf_putc(url, '/');
	fetch_url_escape(account->password, url);
	buf_printf(url, "/%s.ts", key);
	if (url->failed)
		return fail_set(f, FAIL_INPUT, "The source %s has too long an address", s->name);
	return 0;
}

const struct source_type source_xtream = {"xtream", xtream_import, xtream_live_url};
