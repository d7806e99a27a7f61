/* lib/http/redact.c - addresses of upstreams without their secrets.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/redact.h"

#include <stdio.h>
#include <string.h>

/* Tokens and passwords stand in any part of a path, so none is shown; a short ending says what was
 * asked for. */
static const char *ending(const char *path, size_t len)
{
	const char *dot = memrchr(path, '.', len), *slash = memrchr(path, '/', len);
	size_t n = dot ? len - (size_t)(dot - path) : 0;

	if (!dot || dot < slash || n > 5)
		return "";
	for (size_t i = 1; i < n; i++) {
		if (!((dot[i] >= 'a' && dot[i] <= 'z') || (dot[i] >= '0' && dot[i] <= '9')))
			return "";
	}
	return dot;
}

void redact_url(const char *url, char *to, size_t size)
{
	size_t scheme = strncmp(url, "http://", 7) == 0	   ? 7
			: strncmp(url, "https://", 8) == 0 ? 8
							   : 0;
	const char *host = url + scheme, *end, *at, *path;
	const char *shown;

	if (!scheme) {
		snprintf(to, size, "…");
		return;
	}
	path = host + strcspn(host, "/?#");
	at = memrchr(host, '@', (size_t)(path - host));
	if (at)
		host = at + 1;
	end = path + strcspn(path, "?#");
	shown = ending(path, (size_t)(end - path));
	snprintf(to, size, "%.*s%.*s%s%.*s%s", (int)scheme, url, (int)(path - host), host,
		end - path > 1 ? "/…" : "", *shown ? (int)(end - shown) : 0, shown,
		*end == '?' ? "?…" : "");
}
