/* lib/http/mime.c - the media types of what we publish.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/mime.h"

#include <stddef.h>

const char *mime_type(struct span name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".ts", "video/mp2t"},
		{".m4s", "video/iso.segment"},
		{".mp4", "video/mp4"},
		{".m3u8", "application/vnd.apple.mpegurl"},
		{".vtt", "text/vtt; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".webmanifest", "application/manifest+json"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (span_ends(name, types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}
