/* t/fuzz/fuzz_sidx.c - any bytes as the beginning of a fragmented MP4 with an index.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: the beginning of a file that is a megabyte longer. Parts lie one behind the other within
 * the file and behind its head; what more is asked for is more, and within the file. */
#include <stdlib.h>

#include "lib/hls/sidx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool good)
{
	if (!good)
		abort();
}

static void check(const struct sidx *x, int64_t size)
{
	int64_t at = x->parts[0].at;

	need(x->count > 0 && x->count <= SIDX_PARTS_MAX && x->timescale > 0);
	need(x->init_length > 0 && x->init_length < at);
	for (size_t i = 0; i < x->count; i++) {
		need(x->parts[i].at == at && x->parts[i].length > 0 && x->parts[i].duration > 0);
		at += x->parts[i].length;
	}
	need(at <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sidx *x = malloc(sizeof(*x));
	int64_t whole = (int64_t)size + 1000000, more = 0;

	need(x);
	switch (sidx_read(span_make((const char *)data, size), whole, x, &more)) {
	case SIDX_OK:
		check(x, whole);
		break;
	case SIDX_MORE:
		need(more > (int64_t)size && more <= whole);
		break;
	case SIDX_NONE:
		break;
	}
	free(x);
	return 0;
}
