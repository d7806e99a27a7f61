/* t/fuzz/fuzz_cidr.c - an allow-list entry holds its own base, and a shown URL no secret.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "lib/http/cidr.h"
#include "lib/http/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[300] = "http://u:S3CR3Tpw@h/S3CR3T/", shown[200];
	struct cidr c;

	if (cidr_parse(span_make((const char *)data, size), &c)) {
		if (c.bits < 0 || c.bits > 128 || c.first_port > c.last_port ||
			!cidr_holds(&c, &c.base, c.first_port))
			abort();
	}
	for (size_t i = 0, at = strlen(text); i < size && at < sizeof(text) - 10 && data[i];
		i++, at++)
		text[at] = (char)data[i];
	memcpy(text + strlen(text), "S3CR3T", 7);
	redact_url(text, shown, sizeof(shown));
	if (strstr(shown, "S3CR3T"))
		abort();
	return 0;
}
