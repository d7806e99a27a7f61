/* t/fuzz/fuzz_wanted.c - ids of streams, lines for the jobs process, addresses of pages.
 * SPDX-License-Identifier: BSD-2-Clause
 * An id that is taken is read back as it is printed; a host that the system reads as an address
 * which is not public is known for one, however it is spelt. */
#include <netdb.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/hls/plays.h"
#include "lib/http/authority.h"
#include "lib/http/cidr.h"
#include "lib/io/conf.h"
#include "lib/svc/art.h"
#include "lib/svc/music.h"
#include "lib/svc/prefetch.h"
#include "lib/svc/wanted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold_id(const struct conf *conf, const char *text)
{
	struct wanted w, again;
	char printed[WANTED_ID_MAX];

	if (wanted_parse(conf, text, &w, NULL) < 0)
		return;
	must(w.kind == WANTED_TITLE ? !w.source : w.source && wanted_key_ok(span_of(w.key)));
	wanted_print(conf, &w, printed);
	must(wanted_parse(conf, printed, &again, NULL) == 0);
	must(again.kind == w.kind && again.source == w.source && strcmp(again.key, w.key) == 0);
	must(again.ident.kind == w.ident.kind && strcmp(again.ident.key, w.ident.key) == 0 &&
		strcmp(again.ident.source, w.ident.source) == 0);
}

static void hold_line(const struct conf *conf, const char *line)
{
	char id[JOBS_LINE_MAX];
	struct resolved_ask ask;
	struct arena arena;
	struct music m;
	struct ident ident;
	int64_t art_lines;

	if (art_read(line, id, &art_lines))
		must(art_lines >= 1 && art_lines <= ART_SIZE_MAX && !strpbrk(id, " "));
	if (music_read(line, &ident, &m))
		must(ident.kind != IDENT_NONE && m.format && m.kbps >= 0 && m.kbps <= 512);
	arena_init(&arena, JOBS_LINE_MAX * 4);
	if (prefetch_read(conf, line, &arena, &ask))
		must(ask.id && *ask.id && !strpbrk(ask.id, " /?&"));
	arena_release(&arena);
}

/* What the C library reads without asking anybody. */
static bool is_private_address(const char *host)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *list;
	struct cidr_address a;
	bool is_private;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return false;
	if (list->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)list->ai_addr;
		uint8_t v4[4];

		memcpy(v4, &in->sin_addr, 4);
		a = cidr_from_v4(v4);
	} else {
		const struct sockaddr_in6 *in = (const void *)list->ai_addr;

		memcpy(a.bytes, &in->sin6_addr, 16);
	}
	is_private = cidr_is_private(&a);
	freeaddrinfo(list);
	return is_private;
}

static void hold_url(const char *url)
{
	struct span host;
	char word[300];

	if (!authority_host(span_of(url), &host))
		return;
	must(host.len && host.ptr >= url && host.ptr + host.len <= url + strlen(url));
	if (span_copy(host, word, sizeof(word)) && is_private_address(word))
		must(authority_is_private(host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"resolver"};
	const struct conf_source sources[] = {{.name = "disk", .type = "files", .url = "/srv"},
		{.name = "plain", .type = "http", .url = "https://h.example/{id}"},
		{.name = "tube",
			.type = "command",
			.url = "",
			.command = words,
			.command_count = 1}};
	const struct conf conf = {.sources = sources, .source_count = 3};
	char text[JOBS_LINE_MAX], url[JOBS_LINE_MAX + 8];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, size ? (const char *)data : "", size);
	text[size] = '\0';
	hold_id(&conf, text);
	hold_line(&conf, text);
	hold_url(text);
	snprintf(url, sizeof(url), "http://%s", text);
	hold_url(url);
	plays_parse(span_of(text));
	return 0;
}
