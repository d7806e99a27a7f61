/* t/fuzz/fuzz_mc_servers.c - any text as the list of memcached servers.
 * SPDX-License-Identifier: BSD-2-Clause
 * What is read has a host and a port, or a path; what is refused is said why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/mc_servers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mc_server_name names[4];
	struct fail f = {0};
	size_t count = 99;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (mc_servers_parse(text, names, 4, &count, &f) < 0) {
		if (f.kind != FAIL_INPUT || !*f.text)
			abort();
		count = 0;
	}
	if (count > 4)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (!strstr(text, names[i].text) || !strstr(names[i].text, names[i].host))
			abort();
		if ((names[i].host[0] == '/') != (names[i].port == 0) || !*names[i].host)
			abort();
		if (strpbrk(names[i].host, names[i].port ? " \t\r\n[]/" : " \t\r\n"))
			abort();
	}
	free(text);
	return 0;
}
