/* fcgi-app/processes/packager/preparing.c - what a player asks for soon after a film's master.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/preparing.h"

#include "fcgi-app/processes/packager/making.h"
#include "fcgi-app/processes/packager/parts.h"
#include "lib/base/clock.h"
#include "lib/hls/vod.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/film_list.h"

enum {
	BEHIND_SEGMENTS = 50, /* that are made ahead, before thumbnails */
	LATER_MS = 250	      /* the player asks for its first segment meanwhile */
};

/* Whether what is listed as the i-th may be asked for next, and takes next to no time. */
static bool is_next(const struct rendition *x, size_t i)
{
	return i == 0 || x->kind == RENDITION_SOURCE || x->kind == RENDITION_AUDIO;
}

static void ask_for_inits(const struct making *m, struct parts *p, const struct film_list_of *film,
	const struct ladder *ladder)
{
	struct package_request rq = {
		.version = PACKAGE_VERSION, .part = PACKAGE_INIT, .suffix = "mp4"};
	struct rendition list[VOD_LISTED_MAX];
	size_t count = vod_listed(film->record, ladder, list);
	struct part *part;

	file_path(rq.id, sizeof(rq.id), "%s", film->id);
	file_path(rq.ver, sizeof(rq.ver), "%s", film->ver);
	for (size_t i = 0; i < count; i++) {
		rendition_print(&list[i], rq.rendition);
		if (!rendition_has_init(&list[i]) || making_is_there(m, &rq))
			continue;
		part = parts_ask(p, &rq, BEHIND_SEGMENTS);
		if (part && part->waiters == 0 && !is_next(&list[i], i))
			part->due_us = clock_mono_us() + LATER_MS * 1000;
	}
}

void preparing_begin(const struct making *m, struct parts *p, const char *id)
{
	const struct conf *conf = m->conf;
	char ver[TITLE_VER_BYTES];
	struct film_list_of film = {id, ver, making_record(m, id)};
	struct ladder ladder;
	struct ident ident;
	struct title t;
	struct fail why;

	if (!film.record || !ident_parse(span_of(id), IDENT_NONE, &ident) ||
		title_find(&t, conf, m->catalog, &ident, &why) < 0 ||
		ladder_parse(conf->film_ladder, conf->max_quality, conf->default_quality, &ladder,
			&why) < 0)
		return;
	title_version(&t, &film.record->source, conf->film_ladder, m->key, ver);
	film_list_publish_all(m->publisher, conf, &film, &ladder);
	ask_for_inits(m, p, &film, &ladder);
}
