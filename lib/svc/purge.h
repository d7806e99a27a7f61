/* lib/svc/purge.h - drops what is kept of a title or a stream, so that it is made or fetched anew.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_PURGE_H
#define SLUICE_SVC_PURGE_H

#include <stdint.h>

struct conf;
struct mc;
struct publisher;

struct purged {
	int64_t files, bytes; /* published ones */
	int64_t streams;      /* of the byte cache */
};

/* What `id` names on this host: parts, playlists and pictures of a film, its index (here and in
 * memcached), its artwork, and its bytes in every quality and format that can be asked for by name.
 * Who reads any of it goes on. `boot` is block_map_boot()'s. */
void purge(const struct conf *conf, struct mc *mc, struct publisher *p, const char *boot,
	const char *id, struct purged *out);

#endif
