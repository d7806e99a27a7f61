/* t/fuzz/replay.c - runs a fuzz target without a fuzzer: its corpus, and changes of it.
 * SPDX-License-Identifier: BSD-2-Clause
 * The target's name is the program's, so t/fuzz/mc_value.t reads t/fuzz/corpus/mc_value. The
 * changes are the same each time. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/unit/tap.h"

enum { INPUT_MAX = 65536, CHANGES = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A copy of its own size, so that a sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(1);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_changed(const uint8_t *data, size_t size)
{
	static uint8_t changed[INPUT_MAX];
	uint32_t state = 0x9e3779b9u + (uint32_t)size;

	for (int i = 0; i < CHANGES; i++) {
		size_t len = next_random(&state) % 4 ? size : next_random(&state) % (size + 1);

		memcpy(changed, data, size);
		for (uint32_t n = next_random(&state) % 8; n > 0 && len > 0; n--)
			changed[next_random(&state) % len] = (uint8_t)next_random(&state);
		run(changed, len);
	}
}

static void run_file(const char *path)
{
	static uint8_t input[INPUT_MAX];
	FILE *in = fopen(path, "re");
	size_t size;

	if (!in) {
		ok(false, "%s can be read", path);
		return;
	}
	size = fread(input, 1, sizeof(input), in);
	fclose(in);
	run(input, size);
	run_changed(input, size);
	ok(true, "%s and %d changes of it", strrchr(path, '/') + 1, CHANGES);
}

int main(int argc, char **argv)
{
	const char *top = getenv("SLUICE_SRCDIR"), *name = strrchr(argv[0], '/');
	char dir[600], path[1000];
	struct dirent **found;
	int count, files = 0;

	(void)argc;
	name = name ? name + 1 : argv[0];
	snprintf(dir, sizeof(dir), "%s/t/fuzz/corpus/%.*s", top ? top : ".",
		(int)strcspn(name, "."), name);
	run((const uint8_t *)"", 0);
	count = scandir(dir, &found, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		if (found[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", dir, found[i]->d_name);
			run_file(path);
			files++;
		}
		free(found[i]);
	}
	if (count >= 0)
		free(found);
	ok(files > 0, "there is a corpus in %s", dir);
	return tap_done();
}
