/* lib/http/json_items.h - the entries of a long JSON list, one at a time.        RFC 8259
 * SPDX-License-Identifier: BSD-2-Clause
 * Cuts a list into its entries while it comes in, so that only one is in memory; what an entry says
 * is read by a JSON parser. A list is an array, or the object that some programs send instead (its
 * members' values are the entries). Only objects are given; numbers, texts and arrays in between
 * are passed over. */
#ifndef SLUICE_HTTP_JSON_ITEMS_H
#define SLUICE_HTTP_JSON_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum { JSON_ITEM_MAX = 1024 * 1024 /* bytes; a longer entry is left out */ };

/* False: it is no JSON, or enough. */
typedef bool json_item_fn(void *ctx, struct span item);

enum json_items_state {
	JSON_BEFORE, /* nothing but blanks has come */
	JSON_WITHIN,
	JSON_BEHIND, /* the list is whole */
	JSON_NONE    /* this is no JSON list */
};

struct json_items {
	enum json_items_state state;
	struct buf item;
	json_item_fn *each;
	void *ctx;
	int depth;
	bool in_text, escaped;
	bool in_item, too_long;
	int64_t items, bytes;
	char first; /* the first byte that is no blank: '<' for a web page */
};

void json_items_init(struct json_items *j, json_item_fn *each, void *ctx);
void json_items_release(struct json_items *j); /* accepts a zeroed one */

/* Takes the next piece. False when it is no list, or `each` has said so. */
bool json_items_feed(struct json_items *j, const void *bytes, size_t len);

/* Whether the list has come in whole. */
bool json_items_whole(const struct json_items *j);

#endif
