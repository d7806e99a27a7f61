/* fcgi-app/endpoints/json.h - what JSON answers are put together from.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_JSON_H
#define SLUICE_ENDPOINTS_JSON_H

#include <stdint.h>

#include "fcgi-app/door/reply.h"

struct conf;
struct json_object;

/* A member of `to`; null for NULL and "". */
void json_text(struct json_object *to, const char *key, const char *text);

void json_number(struct json_object *to, const char *key, int64_t number);

/* Another name in `list`, an array. */
void json_add_name(void *list, const char *name);

/* The address at which we show the picture `kept` (an address of its source's, which nobody is
 * told) of `id`; null where `kept` is empty. */
void json_art(struct json_object *to, const char *key, const struct conf *conf, const char *id,
	const char *kept);

/* An address of ours: `public_url` and a path, as printf() makes it. */
void json_url(struct json_object *to, const char *key, const struct conf *conf, const char *path,
	...) __attribute__((format(printf, 4, 5)));

/* ISO 8601 in UTC of milliseconds since the epoch; null for 0. */
void json_time(struct json_object *to, const char *key, int64_t ms);

/* Makes `root`, which it takes, the body of the answer. */
void json_send(struct reply *r, int status, struct json_object *root);

#endif
