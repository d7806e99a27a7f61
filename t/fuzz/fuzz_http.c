/* t/fuzz/fuzz_http.c - header fields: ranges lie within their body, dates and weights are sound.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/http/accept.h"
#include "lib/http/date.h"
#include "lib/http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_range(const char *header, int64_t size)
{
	struct range r = {-1, -1};

	switch (range_parse(header, size, &r)) {
	case RANGE_OK:
		must(0 <= r.first && r.first <= r.last && r.last < size);
		break;
	case RANGE_NONE:
	case RANGE_UNSATISFIABLE:
		must(r.first == -1 && r.last == -1);
		break;
	}
}

static void hold_content_range(const char *header)
{
	struct range r = {-1, -1};
	int64_t size = -1;

	if (range_of_content(header, &r, &size))
		must(0 <= r.first && r.first <= r.last && r.last < size);
	else
		must(r.first == -1 && r.last == -1 && size == -1);
}

static void hold_date(const char *header, int64_t now_s)
{
	char printed[DATE_BYTES];
	int64_t s = -1, again;

	if (!date_parse(header, now_s, &s)) {
		must(s == -1);
		return;
	}
	date_print(s, printed);
	must(strlen(printed) == DATE_BYTES - 1);
	must(date_parse(printed, now_s, &again) && again == s);
}

static void hold_accept(const char *header)
{
	static const char *const names[] = {"text/html", "application/json", "gzip", "br"};
	const char *coding;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int weight = accept_weight(header, names[i]);
		must(weight >= ACCEPT_UNSAID && weight <= ACCEPT_MAX);
	}
	coding = accept_coding(header, true, true);
	must(!coding || accept_weight(header, coding) > 0);
	must(!accept_coding(header, false, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t number = 0;
	char *text;

	if (size < sizeof(number))
		return 0;
	memcpy(&number, data, sizeof(number));
	text = malloc(size - sizeof(number) + 1);
	must(text);
	memcpy(text, data + sizeof(number), size - sizeof(number));
	text[size - sizeof(number)] = '\0';
	hold_range(text, number & INT64_MAX);
	hold_range(text, number & 0xff);
	hold_content_range(text);
	hold_date(text, number & 0xffffffffff);
	hold_accept(text);
	free(text);
	return 0;
}
