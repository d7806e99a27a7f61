/* lib/svc/source_http.c - addresses made from a template, as a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source_http.h"

#include <string.h>

#include "lib/io/conf.h"
#include "lib/io/fetch.h"

static const char id_word[] = "{id}", quality_word[] = "{quality}";

bool source_http_has_qualities(const struct conf_source *source)
{
	return strstr(source->url, quality_word) != NULL;
}

/* Passes over `word` when *at begins with it. */
static bool take_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

int source_http_fill(const struct conf_source *source, const char *key, const char *quality,
	struct buf *url, struct fail *f)
{
	for (const char *at = source->url; *at;) {
		if (take_word(&at, id_word))
			fetch_url_escape(key, url);
		else if (take_word(&at, quality_word))
			fetch_url_escape(quality, url);
		else
			buf_putc(url, *at++);
	}
	if (url->failed)
		return fail_set(
			f, FAIL_INPUT, "The source %s has too long an address", source->name);
	return 0;
}

const struct source_type source_http = {.name = "http"};
const struct source_type source_command = {.name = "command"};
