/* t/fuzz/fuzz_nal.c - any bytes as the pictures of a film.
 * SPDX-License-Identifier: BSD-2-Clause
 * Units lie in them, lengths are theirs, and a configuration that is made can be named. Input: a
 * byte, whose lowest bits are the codec and whose encoder it was, and the stream. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/av/nal.h"
#include "lib/base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each within the stream, behind the one before. */
static size_t hold_units(struct span stream)
{
	struct span rest = stream, unit;
	const char *end = stream.ptr;
	size_t count = 0;

	while (nal_next(&rest, &unit)) {
		must(unit.ptr >= end && unit.ptr + unit.len <= stream.ptr + stream.len);
		must(!memmem(unit.ptr, unit.len, "\0\0\1", 3));
		end = unit.ptr + unit.len;
		count++;
	}
	return count;
}

/* As many as there can be, and nothing else. */
static void hold_lengths(struct span made, size_t most)
{
	size_t count = 0;

	while (made.len) {
		const unsigned char *p = (const unsigned char *)made.ptr;
		size_t len;

		must(made.len >= 4);
		len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		must(len > 0 && len <= made.len - 4);
		made = span_make(made.ptr + 4 + len, made.len - 4 - len);
		count++;
	}
	must(count <= most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum nal_codec codec;
	struct span stream;
	struct buf made, config;
	char name[64];
	size_t count;

	if (size < 1)
		return 0;
	codec = data[0] & 1 ? NAL_HEVC : NAL_H264;
	stream = span_make((const char *)data + 1, size - 1);
	count = hold_units(stream);
	buf_init(&made, size * 3);
	buf_init(&config, 1 << 20);
	nal_to_lengths(codec, stream, data[0] & 2, &made);
	must(!made.failed);
	hold_lengths(buf_span(&made), count);
	if (nal_config(codec, stream, 8, &config)) {
		must(!config.failed && nal_codecs(codec, buf_span(&config), name, sizeof(name)));
		must(strlen(name) > 4 && strchr(name, '.'));
	}
	if (nal_codecs(codec, stream, name, sizeof(name)))
		must(strlen(name) < sizeof(name));
	buf_release(&made);
	buf_release(&config);
	return 0;
}
