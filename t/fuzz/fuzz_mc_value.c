/* t/fuzz/fuzz_mc_value.c - any bytes that memcached may hand back.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: lengths of family and key, a byte each, both texts, and what stands under the key.
 * Only what mc_value_pack() writes is read, and what it writes is read as it was. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/io/mc_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span cut(struct span *rest, size_t len)
{
	struct span part = span_make(rest->ptr, len < rest->len ? len : rest->len);

	*rest = span_make(rest->ptr + part.len, rest->len - part.len);
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make((const char *)data, size), family, key, payload;
	struct buf again;

	if (size < 2)
		return 0;
	cut(&rest, 2);
	family = cut(&rest, data[0]);
	key = cut(&rest, data[1]);
	buf_init(&again, 1 << 20);
	if (mc_value_unpack(rest, family, key, &payload)) {
		if (!mc_value_pack(&again, family, key, payload) ||
			!span_eq(buf_span(&again), rest))
			abort();
	}
	buf_clear(&again);
	if (!mc_value_pack(&again, family, key, rest) ||
		!mc_value_unpack(buf_span(&again), family, key, &payload) ||
		!span_eq(payload, rest))
		abort();
	buf_release(&again);
	return 0;
}
