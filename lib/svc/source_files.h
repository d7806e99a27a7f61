/* lib/svc/source_files.h - a directory of films and series as a source.
 * SPDX-License-Identifier: BSD-2-Clause
 * Every file below `url` with an ending of a film's is one, or an episode where its name says so
 * (lib/http/episode.h); the directory that it, or the series' own, lies in is its category. Its key
 * is a hash of its path, so it keeps its id as long as it keeps its place. Hidden names and
 * symbolic links are passed over. */
#ifndef SLUICE_SVC_SOURCE_FILES_H
#define SLUICE_SVC_SOURCE_FILES_H

#include "lib/svc/catalog.h"
#include "lib/svc/source.h"

extern const struct source_type source_files;

/* Whether a file of that name is a film. */
bool source_files_is_film(struct span name);

/* The film's name and year from that of its file, "The.Lost.World.1925.1080p.mkv": cleaned, dots
 * and underscores as blanks, cut before a year or a quality. `to` holds CHANNEL_NAME_MAX bytes. */
void source_files_name(struct span file, char *to, int64_t *year);

/* What a file's path below the directory tells of an episode: "Show/Season 1/02 - Pilot.mkv",
 * "Show (2005)/Show.S01E02.mkv", "Downloads/Show.1x02.720p.mkv". False for a film. `shelf` is the
 * folder that the series lies in, a part of `path`. */
struct files_episode {
	char series[CHANNEL_NAME_MAX], name[CHANNEL_NAME_MAX]; /* cleaned; its own may be "" */
	int64_t year, season, number;
	struct span shelf;
};
bool source_files_episode(struct span path, struct files_episode *out);

#endif
