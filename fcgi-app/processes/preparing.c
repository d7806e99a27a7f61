/* fcgi-app/processes/preparing.c - what a player will ask for as soon as it has a film's master.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/preparing.h"

#include "fcgi-app/processes/making.h"
#include "fcgi-app/processes/parts.h"
#include "lib/hls/vod.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/film_list.h"

enum { BEHIND_SEGMENTS = 50 /* that are made ahead, before thumbnails */ };

static void ask_for_inits(const struct making *m, struct parts *p, const struct film_list_of *film,
	const struct ladder *ladder)
{
	struct package_request rq = {
		.version = PACKAGE_VERSION, .part = PACKAGE_INIT, .suffix = "mp4"};
	struct rendition list[VOD_LISTED_MAX];
	size_t count = vod_listed(film->record, ladder, list);

	file_path(rq.id, sizeof(rq.id), "%s", film->id);
	file_path(rq.ver, sizeof(rq.ver), "%s", film->ver);
	for (size_t i = 0; i < count; i++) {
		rendition_print(&list[i], rq.rendition);
		if (rendition_has_init(&list[i]) && !making_is_there(m, &rq))
			parts_ask(p, &rq, BEHIND_SEGMENTS);
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
