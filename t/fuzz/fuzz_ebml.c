/* t/fuzz/fuzz_ebml.c - any bytes as a Matroska file: its clusters lie in it and are some.
 * SPDX-License-Identifier: BSD-2-Clause
 * Input: two bytes, where clusters are looked for, and the file. */
#include <stdint.h>
#include <string.h>

#include "lib/av/ebml.h"
#include "lib/base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *ptr;
	size_t len;
} file;

/* The reader's own need libav, and a file. */
int reader_peek(struct reader *r, uint64_t offset, size_t n, const uint8_t **bytes)
{
	(void)r;
	*bytes = file.ptr + (offset < file.len ? offset : file.len);
	if (offset >= file.len)
		return 0;
	return (int)(n < file.len - offset ? n : file.len - offset);
}

int reader_fail(const struct reader *r, int av_error, const char *what, struct fail *f)
{
	(void)r;
	(void)av_error;
	return fail_set(f, FAIL_INPUT, "%s", what);
}

static void hold_cluster(uint64_t at)
{
	must(at + 4 <= file.len && memcmp(file.ptr + at, "\x1F\x43\xB6\x75", 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av_source source = {.size = size < 2 ? 0 : size - 2};
	struct reader r = {.source = &source};
	struct ebml_map map;
	struct fail f = {0};
	uint64_t from, until, found;

	if (size < 2)
		return 0;
	file.ptr = data + 2;
	file.len = size - 2;
	if (ebml_map(&r, &map, &f) < 0)
		must(f.kind == FAIL_INPUT);
	else if (map.first_cluster)
		hold_cluster(map.first_cluster);
	from = file.len * data[0] / 256;
	until = from + file.len * data[1] / 256;
	found = ebml_cluster(&r, from, until);
	must(!found || (found >= from && found < until));
	if (found)
		hold_cluster(found);
	return 0;
}
