/* lib/http/mime.c - the media types of what we publish.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/mime.h"

#include <stddef.h>

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
	{".webp", "image/webp"},
	{".webmanifest", "application/manifest+json"},
	{".webm", "video/webm"},
	{".mkv", "video/x-matroska"},
	{".mov", "video/quicktime"},
	{".avi", "video/x-msvideo"},
	{".flv", "video/x-flv"},
	{".weba", "audio/webm"},
	{".m4a", "audio/mp4"},
	{".mp3", "audio/mpeg"},
	{".aac", "audio/aac"},
	{".ogg", "audio/ogg"},
	{".opus", "audio/ogg"},
	{".flac", "audio/flac"},
	{".wav", "audio/wav"},
	{".mka", "audio/x-matroska"},
	{".m4v", "video/mp4"},
	{".m2ts", "video/mp2t"},
	{".mts", "video/mp2t"},
	{".mpg", "video/mpeg"},
	{".mpeg", "video/mpeg"},
	{".vob", "video/mpeg"},
	{".wmv", "video/x-ms-wmv"},
	{".asf", "video/x-ms-asf"},
	{".divx", "video/x-msvideo"},
	{".ogv", "video/ogg"},
	{".ogm", "video/ogg"},
	{".3gp", "video/3gpp"},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

const char *mime_type(struct span name)
{
	for (size_t i = 0; i < TYPES; i++) {
		if (span_ends(name, types[i].ending))
			return types[i].type;
	}
	return "application/octet-stream";
}

const char *mime_suffix(const char *type)
{
	struct span rest = span_of(type), word;

	span_next(&rest, ';', &word);
	word = span_trim(word);
	for (size_t i = 0; i < TYPES; i++) {
		if (span_is_nocase(word, types[i].type))
			return types[i].ending + 1;
	}
	return NULL;
}
