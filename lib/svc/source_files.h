/* lib/svc/source_files.h - a directory of films as a source.
 * SPDX-License-Identifier: BSD-2-Clause
 * Every file below `url` with an ending of a film's is one, and the directory that it lies in is
 * its category. Its key is a hash of its path, so it keeps its id as long as it keeps its place.
 * Hidden names and symbolic links are passed over. */
#ifndef SLUICE_SVC_SOURCE_FILES_H
#define SLUICE_SVC_SOURCE_FILES_H

#include "lib/svc/source.h"

extern const struct source_type source_files;

/* Whether a file of that name is a film. */
bool source_files_is_film(struct span name);

/* The film's name and year from that of its file, "The.Lost.World.1925.1080p.mkv": cleaned, dots
 * and underscores as blanks, cut before a year or a quality. `to` holds CHANNEL_NAME_MAX bytes. */
void source_files_name(struct span file, char *to, int64_t *year);

#endif
