/* lib/svc/offer_json.c - an offer out of what `yt-dlp -J` prints.
 * SPDX-License-Identifier: BSD-2-Clause
 * One object with a list `formats`, or with one `url` of its own. Formats that are playlists or of
 * other protocols are left out. */
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "lib/http/text.h"
#include "lib/svc/offer.h"

enum { DEPTH_MAX = 32, PREFERENCE_UNSAID = -1 };

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
static enum offer_kind kind_of(struct json_object *format)
{
	bool sound = text_of(format, "vcodec").len ? has_no(format, "vcodec")
						   : offer_is_sound_ext(text_of(format, "ext"));

	if (sound)
		return OFFER_SOUND;
	return has_no(format, "acodec") ? OFFER_PICTURE : OFFER_BOTH;
}

static bool is_true(struct json_object *from, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(from, name, &member) &&
	       json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

/* Only what is one resource over HTTP, with a picture or sound that can be read. */
static bool is_fetched(struct json_object *format)
{
	struct span protocol = text_of(format, "protocol");

	if (is_true(format, "has_drm") || (has_no(format, "acodec") && has_no(format, "vcodec")))
		return false;
	return protocol.len == 0 || span_is(protocol, "https") || span_is(protocol, "http");
}

/* Of several languages the one that the title was made in is preferred, say those who know it. */
static int preference_of(struct json_object *format)
{
	struct json_object *member;

	if (!json_object_object_get_ex(format, "language_preference", &member) ||
		!json_object_is_type(member, json_type_int))
		return PREFERENCE_UNSAID;
	return json_object_get_int(member);
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

struct reading {
	const struct offer_usual *usual;
	struct arena *arena;
	struct offer *to;
	int preferred[3]; /* the best language, by enum offer_kind */
};

static void look_at_language(struct reading *r, struct json_object *format)
{
	int *best = &r->preferred[kind_of(format)], own = preference_of(format);

	if (is_fetched(format) && own > *best)
		*best = own;
}

static void add_format(const struct reading *r, struct json_object *format)
{
	struct offer_format n = {.kind = kind_of(format)};
	struct arena *arena = r->arena;

	if (span_starts(text_of(format, "protocol"), "m3u8"))
		r->to->has_lists = true;
	if (!is_fetched(format) ||
		(n.kind != OFFER_PICTURE && preference_of(format) < r->preferred[n.kind]))
		return;
	n.kbps = number_of(format, n.kind == OFFER_SOUND ? "abr" : "tbr", INT_MAX);
	if (!n.kbps)
		n.kbps = number_of(format, "tbr", INT_MAX);
	if (n.kind == OFFER_SOUND) {
		n.kbps = n.kbps ? n.kbps : r->usual->kbps;
	} else {
		n.height = number_of(format, "height", INT_MAX);
		n.height = n.height ? n.height : r->usual->height;
		n.width = number_of(format, "width", INT_MAX);
	}
	n.url = copy(arena, text_of(format, "url"), OFFER_URL_MAX);
	n.id = copy(arena, text_of(format, "format_id"), OFFER_ID_MAX);
	n.ext = copy(arena, text_of(format, "ext"), OFFER_EXT_MAX);
	n.codecs = codecs_of(format, arena);
	n.agent = header_of(format, "User-Agent", arena);
	n.referrer = header_of(format, "Referer", arena);
	n.bytes = number_of(format, "filesize", INT64_MAX);
	if (!offer_add(r->to, arena, &n)) { /* its names may be odd; they are not needed */
		n.id = n.codecs = "";
		offer_add(r->to, arena, &n);
	}
}

static struct json_object *format_at(struct json_object *formats, size_t i)
{
	struct json_object *item = json_object_array_get_idx(formats, i);

	return json_object_is_type(item, json_type_object) ? item : NULL;
}

/* From the end: the best come last, and there may be more than we keep. */
static void add_formats(struct reading *r, struct json_object *formats)
{
	size_t count = json_object_array_length(formats);

	for (size_t i = 0; i < count; i++) {
		if (format_at(formats, i))
			look_at_language(r, format_at(formats, i));
	}
	while (count-- > 0) {
		if (format_at(formats, count))
			add_format(r, format_at(formats, count));
	}
}

static void read_whole(struct reading *r, struct json_object *root)
{
	struct arena *arena = r->arena;
	struct offer *out = r->to;
	struct span thumbnail = text_of(root, "thumbnail");
	struct json_object *formats;
	char title[OFFER_TITLE_MAX];

	text_clean(text_of(root, "title"), title, sizeof(title));
	out->title = arena_copy(arena, span_of(title));
	out->thumbnail = offer_is_picture(thumbnail) ? arena_copy(arena, thumbnail) : "";
	out->duration_s = number_of(root, "duration", OFFER_DURATION_MAX_S);
	if (json_object_object_get_ex(root, "formats", &formats) &&
		json_object_is_type(formats, json_type_array))
		add_formats(r, formats);
	else
		add_format(r, root);
}

/* Whether nothing follows. */
static bool is_blank(struct span text, size_t from)
{
	while (from < text.len && text.ptr[from] && strchr(" \t\r\n", text.ptr[from]))
		from++;
	return from == text.len;
}

int offer_read_json(struct span text, const struct offer_usual *usual, struct arena *arena,
	struct offer *out, struct fail *f)
{
	struct reading r = {usual, arena, out, {INT_MIN, INT_MIN, INT_MIN}};
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
		read_whole(&r, root);
	json_object_put(root);
	if (result == 0 && (!out->title || !out->thumbnail))
		result = fail_set(f, FAIL_BUSY, "There is no memory to read the resolver's answer");
	return result;
}
