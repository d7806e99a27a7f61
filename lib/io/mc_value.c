/* lib/io/mc_value.c - how a value lies in memcached.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_value.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/must.h"

static void print_head(unsigned char *to, size_t family, size_t key, size_t payload)
{
	memcpy(to, "SLU", 3);
	to[3] = MC_VALUE_VERSION;
	to[4] = (unsigned char)family;
	to[5] = (unsigned char)(key >> 8);
	to[6] = (unsigned char)key;
	for (int i = 0; i < 4; i++)
		to[7 + i] = (unsigned char)(payload >> (24 - 8 * i));
}

bool mc_value_pack(struct buf *to, struct span family, struct span key, struct span payload)
{
	unsigned char head[MC_VALUE_HEAD];
	size_t before = to->len, room = to->max - to->len;

	if (family.len > UINT8_MAX || key.len > UINT16_MAX || payload.len > UINT32_MAX)
		return false;
	if (room < sizeof(head) + family.len + key.len + payload.len)
		return false;
	print_head(head, family.len, key.len, payload.len);
	if (buf_add(to, head, sizeof(head)) && buf_add(to, family.ptr, family.len) &&
		buf_add(to, key.ptr, key.len) && buf_add(to, payload.ptr, payload.len))
		return true;
	to->len = before; /* out of memory */
	return false;
}

bool mc_value_unpack(struct span raw, struct span family, struct span key, struct span *payload)
{
	unsigned char head[MC_VALUE_HEAD];
	size_t before = sizeof(head) + family.len + key.len;

	if (family.len > UINT8_MAX || key.len > UINT16_MAX)
		return false;
	if (raw.len < before || raw.len - before > UINT32_MAX)
		return false;
	print_head(head, family.len, key.len, raw.len - before);
	if (memcmp(raw.ptr, head, sizeof(head)) != 0)
		return false;
	if (!span_eq(span_make(raw.ptr + sizeof(head), family.len), family) ||
		!span_eq(span_make(raw.ptr + sizeof(head) + family.len, key.len), key))
		return false;
	*payload = span_make(raw.ptr + before, raw.len - before);
	must(payload->ptr + payload->len == raw.ptr + raw.len);
	return true;
}
