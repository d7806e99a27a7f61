/* lib/svc/offer_json.c - an offer out of what `yt-dlp -J` prints.
 * SPDX-License-Identifier: BSD-2-Clause
 * One object with a list `formats`, or with one `url` of its own. Formats that are playlists or of
 * other protocols are left out. */
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "lib/http/text.h"
#include "lib/svc/offer.h"

enum { DEPTH_MAX = 32, HEIGHT_UNSAID = 360 /* what does not say is taken for small */ };

static const double whole_max = 9e15; /* of a double that is a whole number */

/* A member as text; "" for none, and for what is none. */
static struct span text_of(struct json_object *from, const char *name)
{
	struct json_object *member;
	struct span text;

	if (!json_object_object_get_ex(from, name, &member) ||
		!json_object_is_type(member, json_type_string))
		return span_of("");
	text = span_make(
		json_object_get_string(member), (size_t)json_object_get_string_len(member));
	return memchr(text.ptr, '\0', text.len) ? span_of("") : span_trim(text);
}

/* A member as a number from 0 to `max`; 0 for none. */
static int64_t number_of(struct json_object *from, const char *name, int64_t max)
{
	struct json_object *member;
	double value;

	if (!json_object_object_get_ex(from, name, &member) ||
		(!json_object_is_type(member, json_type_int) &&
			!json_object_is_type(member, json_type_double)))
		return 0;
	value = json_object_get_double(member);
	if (!(value >= 0 && value <= whole_max))
		return 0;
	return (int64_t)value <= max ? (int64_t)value : 0;
}

/* "none" says that there is no such track; nothing said may be either. */
static bool has_no(struct json_object *format, const char *codec)
{
	return span_is(text_of(format, codec), "none");
}

/* Where codecs are not said the container's ending tells. */
static bool is_sound(struct json_object *format)
{
	static const char *const endings[] = {
		"mp3", "m4a", "aac", "opus", "ogg", "oga", "flac", "wav"};

	if (text_of(format, "vcodec").len)
		return has_no(format, "vcodec");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_is(text_of(format, "ext"), endings[i]))
			return true;
	}
	return false;
}

/* Only what is one resource over HTTP. */
static bool is_fetched(struct json_object *format)
{
	struct span protocol = text_of(format, "protocol");

	return protocol.len == 0 || span_is(protocol, "https") || span_is(protocol, "http");
}

static char *copy(struct arena *arena, struct span text, size_t size)
{
	return arena_copy(arena, text.len < size ? text : span_of(""));
}

static const char *codecs_of(struct json_object *format, struct arena *arena)
{
	struct span sound = text_of(format, "acodec"), picture = text_of(format, "vcodec");
	bool both =
		sound.len && picture.len && !has_no(format, "acodec") && !has_no(format, "vcodec");

	if (has_no(format, "acodec"))
		sound.len = 0;
	if (has_no(format, "vcodec"))
		picture.len = 0;
	if (sound.len + picture.len + 2 > OFFER_CODECS_MAX)
		return "";
	return arena_printf(arena, "%.*s%s%.*s", (int)picture.len, picture.ptr, both ? "," : "",
		(int)sound.len, sound.ptr);
}

static const char *header_of(struct json_object *format, const char *name, struct arena *arena)
{
	struct json_object *headers;

	if (!json_object_object_get_ex(format, "http_headers", &headers) ||
		!json_object_is_type(headers, json_type_object))
		return "";
	return copy(arena, text_of(headers, name), OFFER_HEADER_MAX);
}

static void add_format(struct json_object *format, struct arena *arena, struct offer *to)
{
	struct offer_format n = {.kind = OFFER_BOTH};

	if (span_starts(text_of(format, "protocol"), "m3u8"))
		to->has_lists = true;
	if (!is_fetched(format) || (has_no(format, "acodec") && has_no(format, "vcodec")))
		return;
	if (is_sound(format))
		n.kind = OFFER_SOUND;
	else if (has_no(format, "acodec"))
		n.kind = OFFER_PICTURE;
	if (n.kind != OFFER_SOUND) {
		n.height = number_of(format, "height", INT_MAX);
		n.width = number_of(format, "width", INT_MAX);
	}
	if (n.kind != OFFER_SOUND && n.height == 0)
		n.height = HEIGHT_UNSAID;
	n.url = copy(arena, text_of(format, "url"), OFFER_URL_MAX);
	n.id = copy(arena, text_of(format, "format_id"), OFFER_ID_MAX);
	n.ext = copy(arena, text_of(format, "ext"), OFFER_EXT_MAX);
	n.codecs = codecs_of(format, arena);
	n.agent = header_of(format, "User-Agent", arena);
	n.referrer = header_of(format, "Referer", arena);
	n.kbps = number_of(format, n.kind == OFFER_SOUND ? "abr" : "tbr", INT_MAX);
	if (!n.kbps)
		n.kbps = number_of(format, "tbr", INT_MAX);
	n.bytes = number_of(format, "filesize", INT64_MAX);
	offer_add(to, arena, &n);
}

static void read_whole(struct json_object *root, struct arena *arena, struct offer *out)
{
	struct span thumbnail = text_of(root, "thumbnail");
	struct json_object *formats;
	char title[OFFER_TITLE_MAX];

	text_clean(text_of(root, "title"), title, sizeof(title));
	out->title = arena_copy(arena, span_of(title));
	out->thumbnail = offer_is_picture(thumbnail) ? arena_copy(arena, thumbnail) : "";
	out->duration_s = number_of(root, "duration", OFFER_DURATION_MAX_S);
	if (json_object_object_get_ex(root, "formats", &formats) &&
		json_object_is_type(formats, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(formats); i++) {
			struct json_object *item = json_object_array_get_idx(formats, i);

			if (json_object_is_type(item, json_type_object))
				add_format(item, arena, out);
		}
	} else {
		add_format(root, arena, out);
	}
}

/* Whether nothing follows. */
static bool is_blank(struct span text, size_t from)
{
	while (from < text.len && text.ptr[from] && strchr(" \t\r\n", text.ptr[from]))
		from++;
	return from == text.len;
}

int offer_read_json(struct span text, struct arena *arena, struct offer *out, struct fail *f)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL;
	int result = 0;

	if (!tokener)
		return fail_set(f, FAIL_BUSY, "There is no memory to read the resolver's answer");
	if (text.len <= INT_MAX)
		root = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
	if (root && !is_blank(text, json_tokener_get_parse_end(tokener))) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	if (!json_object_is_type(root, json_type_object))
		result =
			fail_set(f, FAIL_UPSTREAM, "The resolver's answer is no whole JSON object");
	else if (span_is(text_of(root, "_type"), "playlist"))
		result = fail_set(f, FAIL_UPSTREAM, "This is a list, not one title");
	else
		read_whole(root, arena, out);
	json_object_put(root);
	if (result == 0 && (!out->title || !out->thumbnail))
		result = fail_set(f, FAIL_BUSY, "There is no memory to read the resolver's answer");
	return result;
}
