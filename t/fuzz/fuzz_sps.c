/* t/fuzz/fuzz_sps.c - what a stream says of its pictures is believable or not taken.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>

#include "lib/base/must.h"
#include "lib/hls/sps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct sps *s)
{
	must(s->width >= 1 && s->width <= 16384 && s->height >= 1 && s->height <= 16384);
	must(s->rate_milli >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sps s = {.width = -1};

	if (sps_parse(data, size, &s))
		hold(&s);
	else
		must(s.width == -1);
	s = (struct sps){.width = -1};
	if (sps_find(data, size, &s))
		hold(&s);
	return 0;
}
