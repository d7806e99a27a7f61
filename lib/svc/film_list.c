/* lib/svc/film_list.c - the lists of a film: playlists of its renditions, places of its thumbnails.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/film_list.h"

#include "lib/hls/vod.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/publish.h"
#include "lib/svc/store.h"

void film_list_name(
	const struct film_list_of *film, const struct rendition *x, char to[FILM_LIST_NAME_BYTES])
{
	char rendition[RENDITION_NAME_BYTES];

	rendition_print_list(x, rendition);
	file_path(to, FILM_LIST_NAME_BYTES, "api/hls/%s/%s/%s.%s", film->id, film->ver, rendition,
		x->kind == RENDITION_THUMBNAILS ? "vtt" : "m3u8");
}

bool film_list_publish(struct publisher *p, const struct conf *conf,
	const struct film_list_of *film, const struct rendition *x, struct buf *to)
{
	char name[FILM_LIST_NAME_BYTES];
	struct fail why;

	if (x->kind == RENDITION_THUMBNAILS)
		vod_thumbnails_print(film->record, to);
	else
		vod_media_print(film->record, x, to);
	if (to->failed)
		return false;
	film_list_name(film, x, name);
	publish_bytes(p, PUBLISH_WWW, name, buf_span(to), conf->segment_ttl_s, 0, &why);
	return true;
}

void film_list_publish_all(struct publisher *p, const struct conf *conf,
	const struct film_list_of *film, const struct ladder *ladder)
{
	struct rendition list[VOD_LISTED_MAX + 1];
	size_t count = vod_listed(film->record, ladder, list);
	char name[FILM_LIST_NAME_BYTES];
	struct stat st;
	struct buf text;

	list[count] = (struct rendition){.kind = RENDITION_THUMBNAILS};
	count += rendition_fits(&list[count], film->record);
	buf_init(&text, VOD_MAX_BYTES);
	for (size_t i = 0; i < count; i++) {
		film_list_name(film, &list[i], name);
		if (store_stat(publish_root(p, PUBLISH_WWW), name, &st) == 0)
			continue;
		buf_clear(&text);
		film_list_publish(p, conf, film, &list[i], &text);
	}
	buf_release(&text);
}
