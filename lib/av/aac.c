/* lib/av/aac.c - what a stream of AAC says of itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/av/aac.h"

#include "lib/hls/bits.h"

static const uint32_t rates[] = {
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};

enum { RATES = sizeof(rates) / sizeof(rates[0]), OBJECT_SBR = 5, OBJECT_PS = 29 };

static bool set(int object, uint32_t rate_index, uint32_t channels, struct aac *out)
{
	uint32_t config = (uint32_t)object << 11 | rate_index << 7 | channels << 3;

	if (rate_index >= RATES || channels > 7)
		return false;
	*out = (struct aac){object, rates[rate_index], channels == 7 ? 8 : (int)channels,
		{(char)(config >> 8), (char)config}};
	return true;
}

bool aac_parse_config(struct span bytes, struct aac *out)
{
	struct bits b = {.p = (const uint8_t *)bytes.ptr, .len = bytes.len};
	int object = (int)bits_get(&b, 5);
	uint32_t rate_index = bits_get(&b, 4), channels = bits_get(&b, 4);

	return !b.over && object != OBJECT_SBR && object != OBJECT_PS && object != 31 &&
	       set(object, rate_index, channels, out);
}

size_t aac_adts_header(struct span s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	if (s.len < 7 || p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
		return 0;
	return p[1] & 1 ? 7 : 9;
}

bool aac_parse_adts(struct span s, struct aac *out)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	return aac_adts_header(s) &&
	       set((p[2] >> 6) + 1, p[2] >> 2 & 15, (uint32_t)((p[2] & 1) << 2 | p[3] >> 6), out);
}
