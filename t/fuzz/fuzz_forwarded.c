/* t/fuzz/fuzz_forwarded.c - whatever stands before what our proxy added, it is not believed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t client[4] = {203, 0, 113, 9};

static void ask(enum forwarded_field field, const char *value, bool must_be_client)
{
	static const char *const trust[] = {"10.0.0.0/8", "fd00::/8"};
	struct cidr_address got = {{0}}, want = cidr_from_v4(client);
	struct cidr trusted[2];

	for (size_t i = 0; i < 2; i++) {
		if (!cidr_parse(span_of(trust[i]), &trusted[i]))
			abort();
	}
	if (!forwarded_client("10.0.0.1", field, &value, 1, trusted, 2, &got))
		abort();
	if (must_be_client && memcmp(&got, &want, sizeof(got)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048];
	size_t len = 0;

	for (; len < size && len < sizeof(text) - 40 && data[len]; len++)
		text[len] = (char)data[len];
	text[len] = '\0';
	ask(FORWARDED_X_FOR, text, false);
	ask(FORWARDED_RFC, text, false);
	memcpy(text + len, ", 203.0.113.9", sizeof(", 203.0.113.9"));
	ask(FORWARDED_X_FOR, text, true);
	memcpy(text + len, ",for=\"203.0.113.9:1\"", sizeof(",for=\"203.0.113.9:1\""));
	ask(FORWARDED_RFC, text, true);
	memcpy(text + len, ", for=203.0.113.9, for=10.1.1.1",
		sizeof(", for=203.0.113.9, for=10.1.1.1"));
	ask(FORWARDED_RFC, text, true);
	return 0;
}
