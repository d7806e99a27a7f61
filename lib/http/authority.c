/* lib/http/authority.c - the host that an URL names, where there is no doubt.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/authority.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/http/cidr.h"

enum { HOST_BYTES = 256, PORT_MAX = 65535 };

static bool holds_only(struct span text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!text.ptr[i] || !strchr(allowed, text.ptr[i]))
			return false;
	}
	return text.len > 0;
}

/* Cuts what stands before the path, the query or the fragment. */
static bool cut_authority(struct span url, struct span *authority)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (url.len <= len || !span_is_nocase(span_make(url.ptr, len), schemes[i]))
			continue;
		*authority = span_make(url.ptr + len, 0);
		while (authority->len < url.len - len &&
			!strchr("/?#", authority->ptr[authority->len]))
			authority->len++;
		return authority->len > 0;
	}
	return false;
}

bool authority_split(struct span authority, struct span *host, struct span *port)
{
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	struct span found, digits;
	const char *end;
	int64_t number;

	if (authority.len && authority.ptr[0] == '[') {
		end = memchr(authority.ptr, ']', authority.len);
		if (!end)
			return false;
		found = span_make(authority.ptr + 1, (size_t)(end - authority.ptr) - 1);
		digits = span_make(end + 1, authority.len - found.len - 2);
		if (!holds_only(found, "0123456789abcdefABCDEF:.") ||
			(digits.len && digits.ptr[0] != ':'))
			return false;
		if (digits.len)
			digits = span_make(digits.ptr + 1, digits.len - 1);
	} else {
		span_next(&authority, ':', &found);
		digits = authority.ptr ? authority : (struct span){"", 0};
		if (!holds_only(found, name))
			return false;
	}
	if (digits.len && !num_parse(digits, 1, PORT_MAX, &number))
		return false;
	*host = found;
	*port = digits;
	return true;
}

bool authority_host(struct span url, struct span *host)
{
	struct span authority, port;

	return cut_authority(url, &authority) && authority_split(authority, host, &port);
}

bool authority_is_address(struct span url)
{
	size_t skip = span_starts(url, "https://") ? 8 : 7;

	if ((skip == 7 && !span_starts(url, "http://")) || url.len <= skip ||
		strchr("/?#@", url.ptr[skip]))
		return false;
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.ptr[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			return false;
	}
	return true;
}

bool authority_is_shown(struct span url)
{
	struct span host;

	return authority_is_address(url) && authority_host(url, &host);
}

static bool is_local_name(struct span host)
{
	static const char *const ends[] = {
		".localhost", ".local", ".internal", ".lan", ".home.arpa"};
	char word[HOST_BYTES];

	if (!memchr(host.ptr, '.', host.len))
		return true;
	if (!span_copy(host, word, sizeof(word)))
		return false;
	for (char *c = word; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (span_ends(span_of(word), ends[i]))
			return true;
	}
	return false;
}

bool authority_is_private(struct span host)
{
	struct cidr_address a;
	char word[HOST_BYTES];
	struct in_addr v4;

	while (host.len && host.ptr[host.len - 1] == '.')
		host.len--;
	if (!span_copy(host, word, sizeof(word)) || !*word)
		return true;
	if (inet_pton(AF_INET6, word, a.bytes) == 1)
		return cidr_is_private(&a);
	if (inet_aton(word, &v4)) { /* 127.1, 0x7f.1, 2130706433, 017700000001, too */
		uint8_t bytes[4];

		memcpy(bytes, &v4, sizeof(bytes));
		a = cidr_from_v4(bytes);
		return cidr_is_private(&a);
	}
	return is_local_name(host);
}
