/* lib/http/json_items.c - the entries of a long JSON list, one at a time.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/json_items.h"

enum { DEPTH_MAX = 32 };

void json_items_init(struct json_items *j, json_item_fn *each, void *ctx)
{
	*j = (struct json_items){.each = each, .ctx = ctx};
	buf_init(&j->item, JSON_ITEM_MAX);
}

void json_items_release(struct json_items *j)
{
	buf_release(&j->item);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void begin(struct json_items *j, char c)
{
	/* The byte order mark that some programs write. */
	if (is_blank(c) || (j->bytes <= 3 && (c == '\xef' || c == '\xbb' || c == '\xbf')))
		return;
	j->first = c;
	j->state = c == '[' || c == '{' ? JSON_WITHIN : JSON_NONE;
	j->depth = 1;
}

static void open_item(struct json_items *j, char c)
{
	if (j->depth++ == 1 && c == '{') {
		j->in_item = true;
		j->too_long = false;
		buf_clear(&j->item);
	}
	if (j->depth > DEPTH_MAX)
		j->state = JSON_NONE;
}

static void close_item(struct json_items *j)
{
	j->depth--;
	if (j->depth == 0)
		j->state = JSON_BEHIND;
	if (j->depth != 1 || !j->in_item)
		return;
	j->in_item = false;
	j->items++;
	if (!j->too_long && !j->each(j->ctx, buf_span(&j->item)))
		j->state = JSON_NONE;
}

static void take(struct json_items *j, char c)
{
	bool is_close = false;

	if (j->in_text) {
		j->in_text = j->escaped || c != '"';
		j->escaped = !j->escaped && c == '\\';
	} else if (c == '"') {
		j->in_text = true;
	} else if (c == '{' || c == '[') {
		open_item(j, c);
	} else {
		is_close = c == '}' || c == ']';
	}
	if (j->in_item && !j->too_long && !buf_putc(&j->item, c))
		j->too_long = true;
	if (is_close)
		close_item(j);
}

bool json_items_feed(struct json_items *j, const void *bytes, size_t len)
{
	const char *at = bytes;

	for (size_t i = 0; i < len && j->state < JSON_BEHIND; i++) {
		j->bytes++;
		if (j->state == JSON_BEFORE)
			begin(j, at[i]);
		else
			take(j, at[i]);
	}
	return j->state != JSON_NONE;
}

bool json_items_whole(const struct json_items *j)
{
	return j->state == JSON_BEHIND;
}
