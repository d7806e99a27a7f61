/* fcgi-app/endpoints/json.c - what JSON answers are put together from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/json.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "lib/io/conf.h"

void json_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, text && *text ? json_object_new_string(text) : NULL);
}

void json_number(struct json_object *to, const char *key, int64_t number)
{
	json_object_object_add(to, key, json_object_new_int64(number));
}

void json_add_name(void *list, const char *name)
{
	json_object_array_add(list, json_object_new_string(name));
}

void json_url(
	struct json_object *to, const char *key, const struct conf *conf, const char *path, ...)
{
	char url[2048];
	size_t len = (size_t)snprintf(url, sizeof(url), "%s", conf->public_url);
	va_list args;

	if (len >= sizeof(url))
		len = sizeof(url) - 1;
	va_start(args, path);
	vsnprintf(url + len, sizeof(url) - len, path, args);
	va_end(args);
	json_text(to, key, url);
}

void json_art(struct json_object *to, const char *key, const struct conf *conf, const char *id,
	const char *kept)
{
	if (kept && *kept)
		json_url(to, key, conf, "/cdn/art/%s", id);
	else
		json_text(to, key, NULL);
}

void json_time(struct json_object *to, const char *key, int64_t ms)
{
	time_t s = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_text(to, key, ms ? text : NULL);
}

void json_send(struct reply *r, int status, struct json_object *root)
{
	reply_text(r, status, "application/json",
		span_of(json_object_to_json_string_ext(
			root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(root);
}
