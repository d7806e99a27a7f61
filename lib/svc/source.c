/* lib/svc/source.c - where channels come from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source.h"

#include <string.h>

#include "lib/http/authority.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_files.h"
#include "lib/svc/source_http.h"
#include "lib/svc/source_m3u.h"
#include "lib/svc/source_xtream.h"

enum { REDIRECTS = 5, CONNECT_MS = 10000, STALL_MS = 30000, TOTAL_MS = 300000 };

static const struct source_type *const types[] = {
	&source_xtream, &source_m3u, &source_files, &source_http, &source_command};

const struct source_type *source_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	}
	return NULL;
}

static const struct source_type *type_of(const struct conf_source *source, struct fail *f)
{
	const struct source_type *type = source_type_find(source->type);

	if (!type)
		fail_set(f, FAIL_INPUT, "The source %s has an unknown type %s", source->name,
			source->type);
	return type;
}

int source_import(const struct conf_source *source, const struct source_sink *sink, struct fail *f)
{
	const struct source_type *type = type_of(source, f);

	if (type && !type->import)
		return fail_set(f, FAIL_INPUT, "The source %s lists nothing", source->name);
	return type ? type->import(source, sink, f) : -1;
}

void source_request(const struct conf_source *source, const char *url, int64_t max_bytes,
	struct fetch_request *rq)
{
	*rq = (struct fetch_request){.url = url,
		.policy = {source->allow, source->allow_count},
		.user_agent = *source->user_agent ? source->user_agent : NULL,
		.referrer = *source->referrer ? source->referrer : NULL,
		.egress = *source->egress ? source->egress : NULL,
		.follow = REDIRECTS,
		.compressed = true,
		.max_bytes = max_bytes,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS};
}

struct span source_picture(struct span text)
{
	text = span_trim(text);
	return text.len < CHANNEL_LOGO_MAX && authority_is_shown(text) ? text : span_of("");
}

bool source_lists(const struct conf_source *source)
{
	const struct source_type *type = source_type_find(source->type);

	return type && type->import;
}

bool source_several(const struct conf *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->source_count; i++)
		count += source_lists(&conf->sources[i]);
	return count > 1;
}

bool source_is_list(const struct conf_source *source)
{
	const struct source_type *type = source_type_find(source->type);

	return type && !type->live_url;
}

int source_live_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, struct buf *url, struct fail *f)
{
	const struct source_type *type = type_of(source, f);

	if (type && !type->live_url)
		return fail_set(f, FAIL_INPUT, "The source %s makes no addresses", source->name);
	return type ? type->live_url(source, account, key, url, f) : -1;
}

int source_film_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f)
{
	const struct source_type *type = type_of(source, f);

	if (type && !type->film_url)
		return fail_set(f, FAIL_INPUT, "The source %s makes no addresses", source->name);
	return type ? type->film_url(source, account, key, suffix, url, f) : -1;
}

int source_episode_url(const struct conf_source *source, const struct conf_account *account,
	const char *key, const char *suffix, struct buf *url, struct fail *f)
{
	const struct source_type *type = type_of(source, f);

	if (type && !type->episode_url)
		return fail_set(f, FAIL_INPUT, "The source %s makes no addresses", source->name);
	return type ? type->episode_url(source, account, key, suffix, url, f) : -1;
}

bool source_asks_episodes(const struct conf_source *source)
{
	const struct source_type *type = source_type_find(source->type);

	return type && type->episodes;
}

int source_episodes(const struct conf_source *source, const char *key,
	const struct source_sink *sink, struct fail *f)
{
	const struct source_type *type = type_of(source, f);

	if (type && !type->episodes)
		return fail_set(
			f, FAIL_INPUT, "The source %s is not asked for episodes", source->name);
	return type ? type->episodes(source, key, sink, f) : -1;
}
