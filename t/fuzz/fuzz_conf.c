/* t/fuzz/fuzz_conf.c - a configuration is taken whole, within its limits, or refused in a sentence.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/http/ident.h"
#include "lib/io/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct conf *c)
{
	static char text[1024 * 1024];
	FILE *to = fmemopen(text, sizeof(text), "w");

	must(c->api_processes >= 1 && c->api_threads >= 1 && c->live_max >= 0);
	must(c->state_dir[0] == '/' && c->www_dir[0] == '/' && c->run_dir[0] == '/');
	for (size_t i = 0; i < c->source_count; i++) {
		const struct conf_source *s = &c->sources[i];
		must(ident_source_ok(span_of(s->name)) && conf_source(c, s->name) == s);
		must(s->account_count >= 1);
		for (size_t n = 0; n < s->account_count; n++)
			must(s->accounts[n].connections >= 0 && s->accounts[n].password);
	}
	must(to != NULL);
	conf_print(c, to);
	fclose(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fail f = {0};
	struct conf *c = NULL;
	char path[40];
	int fd;

	/* What another file says is not this one's business. */
	if (memmem(data, size, "include", 7))
		return 0;
	fd = memfd_create("conf", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(&c, path, NULL, &f) == 0)
		hold(c);
	else
		must(f.kind != FAIL_NONE && f.text[0] && !strchr(f.text, '\n'));
	conf_close(&c);
	close(fd);
	return 0;
}
