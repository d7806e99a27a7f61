/* lib/svc/purge.c - drops what is kept of a title or a stream.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/purge.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/http/ident.h"
#include "lib/http/wish.h"
#include "lib/svc/art.h"
#include "lib/svc/index.h"
#include "lib/svc/object.h"
#include "lib/svc/objects.h"
#include "lib/svc/publish.h"
#include "lib/svc/resolved.h"
#include "lib/svc/store.h"

static void purge_files(struct publisher *p, const char *id, struct purged *out)
{
	char name[PUBLISH_NAME_BYTES];
	struct store_walk w;
	enum store_step step;
	struct stat st;

	snprintf(name, sizeof(name), "api/hls/%s", id);
	if (!store_walk_open(&w, publish_root(p, PUBLISH_WWW), name))
		return;
	while ((step = store_walk_next(&w, &st)) != STORE_END) {
		int64_t freed = step == STORE_FILE ? publish_drop(p, PUBLISH_WWW, w.name, 0) : -1;

		out->files += freed >= 0;
		out->bytes += freed > 0 ? freed : 0;
	}
	store_walk_close(&w);
}

/* By each size. One whose file is gone is fetched and made anew. */
static void purge_art(
	const struct conf *conf, struct publisher *p, const char *id, struct purged *out)
{
	struct art_known known;

	for (int64_t size = 1; size <= ART_SIZE_MAX; size *= 2) {
		int64_t freed = art_look(conf, id, size, &known)
					? publish_drop(p, PUBLISH_WWW, known.name, 0)
					: -1;

		out->files += freed >= 0;
		out->bytes += freed > 0 ? freed : 0;
	}
}

/* One name of the byte cache. Several may lead to one object, of which all the others are none
 * then. */
static void purge_object(
	const struct conf *conf, const char *boot, const struct object_ask *ask, struct purged *out)
{
	char name[OBJECT_NAME_BYTES], path[PATH_MAX];
	struct block_map *map;

	object_name(ask, name);
	if (!object_open(conf, name, boot, &map))
		return;
	objects_end(conf, map);
	block_map_close(&map);
	if (object_map_path(conf, name, path, sizeof(path)))
		unlink(path);
	out->streams++;
}

/* By all that the hints of clients may come to. */
static void purge_quality(
	const struct conf *conf, const char *boot, struct object_ask *ask, struct purged *out)
{
	size_t hints = ask->quality == QUALITY_AUTO ? WISH_HINTS : 1;

	for (size_t i = 0; i < hints; i++) {
		if (hints > 1)
			ask->kbps = wish_hints[i];
		purge_object(conf, boot, ask, out);
	}
}

static void purge_streams(
	const struct conf *conf, const char *boot, const char *id, struct purged *out)
{
	static const char *const qualities[] = {"", "auto", "audio", "low", "medium", "high",
		"144p", "240p", "360p", "480p", "720p", "1080p", "source"};
	static const char *const formats[] = {NULL, "mp3", "aac", "opus", "flac", RESOLVED_PICTURE};
	struct object_ask ask;
	struct quality q;

	for (size_t i = 0; i < sizeof(qualities) / sizeof(qualities[0]); i++) {
		for (size_t k = 0; k < sizeof(formats) / sizeof(formats[0]); k++) {
			if (!quality_parse(span_of(qualities[i]), &q))
				continue;
			if (object_ask_make(&ask, id, &q, 0, formats[k]))
				purge_quality(conf, boot, &ask, out);
		}
	}
}

void purge(const struct conf *conf, struct mc *mc, struct publisher *p, const char *boot,
	const char *id, struct purged *out)
{
	struct ident ident;
	char text[IDENT_MAX];

	*out = (struct purged){0};
	purge_streams(conf, boot, id, out);
	purge_art(conf, p, id, out);
	if (!ident_parse(span_of(id), IDENT_NONE, &ident))
		return; /* known to a source alone */
	ident_print(&ident, text, sizeof(text));
	index_drop(conf, mc, text);
	purge_files(p, text, out);
}
