/* t/fuzz/fuzz_moov.c - any bytes as the tables of an MP4 file.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: a moov. What is taken can be walked to its last sample, and the small one made of it is
 * taken in turn, and begins with the same samples. */
#include <stdlib.h>
#include <string.h>

#include "lib/av/moov.h"
#include "lib/av/moov_box.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { THIN_MAX = 8 << 20, WALK_MAX = 20000 };

static void need(bool good)
{
	if (!good)
		abort();
}

static bool read(struct moov *m, struct span box)
{
	char *bytes = malloc(box.len + 1);

	need(bytes != NULL);
	memcpy(bytes, box.ptr, box.len);
	if (moov_read(m, bytes, span_make(bytes, 0), span_make(bytes, box.len)))
		return true;
	moov_release(m);
	return false;
}

/* The samples of both, side by side, as far as the small one has what every track begins with. */
static void compare(const struct moov *all, const struct moov *few)
{
	need(all->count == few->count);
	for (size_t i = 0; i < all->count; i++) {
		struct moov_walk a, b;

		moov_begin(&a, &all->tracks[i]);
		moov_begin(&b, &few->tracks[i]);
		while (moov_next(&b)) {
			need(moov_next(&a) && a.now.number == b.now.number);
			need(a.now.dts == b.now.dts && a.now.pts == b.now.pts);
			need(a.now.size == b.now.size && a.now.key == b.now.key);
			need(a.now.place + MOOV_BASE == b.now.place);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct moov_want beginning = {-1, 0, 0};
	struct moov m, thin;
	struct moov_walk w;
	struct moov_box box;
	struct span rest;
	struct buf b;

	if (!read(&m, span_make((const char *)data, size)))
		return 0;
	for (size_t i = 0; i < m.count; i++) {
		struct moov_want want = {
			(int)i, m.tracks[i].timescale, 2LL * m.tracks[i].timescale};

		moov_begin(&w, &m.tracks[i]);
		for (int n = 0; n < WALK_MAX && moov_next(&w); n++)
			need(w.now.number < m.tracks[i].samples);
		buf_init(&b, THIN_MAX);
		if (m.tracks[i].samples < WALK_MAX)
			moov_thin(&m, &want, 1000, &b);
		buf_release(&b);
	}
	buf_init(&b, THIN_MAX);
	if (moov_thin(&m, &beginning, 1000, &b)) {
		rest = buf_span(&b);
		need(moov_box_next(&rest, &box) && box.type == MOOV_WORD('m', 'o', 'o', 'v'));
		/* Edit lists are for all samples, and need not fit to those few. */
		if (read(&thin, box.whole)) {
			compare(&m, &thin);
			moov_release(&thin);
		}
	}
	buf_release(&b);
	moov_release(&m);
	return 0;
}
