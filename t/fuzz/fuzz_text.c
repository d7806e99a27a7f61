/* t/fuzz/fuzz_text.c - names and addresses from outside, made fit to show, to search and to log.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/http/html.h"
#include "lib/http/path.h"
#include "lib/http/redact.h"
#include "lib/http/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Well-formed, within its size, without control bytes, and the same when it is done again. */
static void hold(size_t (*make)(struct span, char *, size_t), struct span text, size_t size)
{
	char once[200], twice[200];
	size_t len = make(text, once, size), i;

	must(len < size && strlen(once) == len && path_is_utf8(span_make(once, len)));
	for (i = 0; i < len; i++)
		must((unsigned char)once[i] >= 0x20 && once[i] != 0x7f);
	must(len == 0 || (once[0] != ' ' && once[len - 1] != ' ' && !strstr(once, "  ")));
	must(make(span_make(once, len), twice, size) == len && strcmp(once, twice) == 0);
}

static void hold_html(const char *string)
{
	struct buf to;

	buf_init(&to, 65536);
	html_escape(&to, string);
	for (size_t i = 0; i < buf_span(&to).len; i++)
		must(!strchr("<>\"'", buf_str(&to)[i]));
	buf_release(&to);
}

/* No user, no password, and of the query and of all parts before the last not a byte. */
static void hold_redacted(const char *url)
{
	char to[300];
	const char *query;

	redact_url(url, to, sizeof(to));
	must(strlen(to) < sizeof(to) && !strchr(to, '@'));
	query = strchr(to, '?');
	must(!query || strcmp(query, "?\xe2\x80\xa6") == 0 || strlen(to) == sizeof(to) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	char string[2000];

	if (size >= sizeof(string))
		return 0;
	memcpy(string, size ? (const char *)data : "", size);
	string[size] = '\0';
	for (size_t room = 4; room <= 200; room += 49) {
		hold(text_clean, text, room);
		hold(text_fold, text, room);
	}
	hold_html(string);
	hold_redacted(string);
	return 0;
}
