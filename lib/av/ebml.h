/* lib/av/ebml.h - of Matroska as much as finds its clusters.              RFC 8794, 9559
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_EBML_H
#define SLUICE_AV_EBML_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/av/reader.h"

struct ebml_map {
	uint64_t first_cluster; /* its place in the file; 0: there is none */
	bool has_cues;		/* they stand before the clusters, or are said to stand behind */
};

/* Walks over what stands before the first cluster. Fails as reader_fail(). */
int ebml_map(struct reader *r, struct ebml_map *out, struct fail *f);

/* The first cluster that begins at or after `from` and before `until`; 0 where there is none. */
uint64_t ebml_cluster(struct reader *r, uint64_t from, uint64_t until);

#endif
