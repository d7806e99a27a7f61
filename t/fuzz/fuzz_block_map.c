/* t/fuzz/fuzz_block_map.c - a map read from disk never leads outside of it, whatever it says.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/io/block_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct block_map *m, int64_t n)
{
	must(block_map_length(m, n) > 0 && block_map_length(m, n) <= BLOCK_BYTES);
	must(block_map_have(m, n) <= block_map_length(m, n));
	must(block_map_missing(m, n) >= n && block_map_missing(m, n) <= block_map_count(m));
}

/* All of it may be written as an owner would, and is whole then. */
static void fill(struct block_map *m)
{
	must(block_map_enter(m));
	for (int64_t n = 0; n < block_map_count(m); n++) {
		enum block_take take = block_map_take(m, n);

		hold(m, n);
		if (take == BLOCK_PRESENT)
			continue;
		must(take == BLOCK_MINE);
		block_map_extend(m, n, block_map_have(m, n));
		must(block_map_extend(m, n, block_map_length(m, n)));
		must(block_map_have(m, n) == block_map_length(m, n));
	}
	must(block_map_missing(m, 0) == block_map_count(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct block_map_info *info;
	struct block_map *m = NULL;
	struct fail f = {0};
	int64_t covered = 0;
	int fd = memfd_create("map", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	/* A tenth of the seeds says which start of the machine they are from. */
	if (block_map_open_fd(&m, fd, "boot", &f) < 0) {
		must(f.kind == FAIL_MISSING);
		return 0;
	}
	info = block_map_info(m);
	must(info->file[0] && strspn(info->file, "0123456789abcdef") == strlen(info->file));
	must(!strchr(info->suffix, '/') && !strchr(info->type, '\n'));
	for (int64_t n = 0; n < block_map_count(m); n++) {
		hold(m, n);
		covered += block_map_length(m, n);
	}
	must(info->passed ? covered == 0 : covered == info->size);
	fill(m);
	block_map_end(m);
	must(block_map_is_gone(m));
	block_map_close(&m);
	return 0;
}
