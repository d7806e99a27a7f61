/* lib/svc/film_list.h - the lists of a film: playlists of its renditions, places of its thumbnails.
 * SPDX-License-Identifier: BSD-2-Clause
 * Text, made of the film's record, that never changes below a {ver}: published, it is the front
 * server's to send. */
#ifndef SLUICE_SVC_FILM_LIST_H
#define SLUICE_SVC_FILM_LIST_H

#include "lib/base/buf.h"
#include "lib/hls/record.h"
#include "lib/hls/rendition.h"

struct conf;
struct publisher;

/* A film as its addresses name it. */
struct film_list_of {
	const char *id, *ver;
	const struct record *record;
};

enum { FILM_LIST_NAME_BYTES = 200 };

/* Where the list of a rendition that rendition_fits() is published, below www. */
void film_list_name(
	const struct film_list_of *film, const struct rendition *x, char to[FILM_LIST_NAME_BYTES]);

/* Prints that list, and publishes it where there is room. False when it is longer than `to` may
 * be. */
bool film_list_publish(struct publisher *p, const struct conf *conf,
	const struct film_list_of *film, const struct rendition *x, struct buf *to);

/* Publishes all that the film's master names, and the thumbnails' list, where they are missing. */
void film_list_publish_all(struct publisher *p, const struct conf *conf,
	const struct film_list_of *film, const struct ladder *ladder);

#endif
