/* lib/av/aac.h - what a stream of AAC says of itself.   ISO/IEC 14496-3 sections 1.6.2, 1.A.2
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_AV_AAC_H
#define SLUICE_AV_AAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

enum { AAC_LC = 2 };

struct aac {
	int object; /* AAC_LC, or another audio object type */
	uint32_t rate;
	int channels;  /* 0: said elsewhere */
	char bytes[2]; /* an AudioSpecificConfig that says this and no more */
};

/* Reads an AudioSpecificConfig. False for what is none, or has an explicit SBR. */
bool aac_parse_config(struct span bytes, struct aac *out);

/* Reads the header of an ADTS frame. False for what is none. */
bool aac_parse_adts(struct span bytes, struct aac *out);

/* Bytes of the ADTS header that the frame begins with; 0: there is none. */
size_t aac_adts_header(struct span bytes);

#endif
