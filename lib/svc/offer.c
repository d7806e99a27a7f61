/* lib/svc/offer.c - what a resolver has found for an id, as lines.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/offer.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/http/authority.h"
#include "lib/http/expiry.h"
#include "lib/http/text.h"

enum { KBPS_MAX = 1000000, HEIGHT_MAX = 100000 };

/* What does not say how high it is is taken for small. */
static const struct offer_usual sound_or_small = {false, 360, 0};

/* --- what may stand in it --------------------------------------------------------------------- */

static bool is_among(struct span text, size_t size, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			(!c || !strchr(others, c)))
			return false;
	}
	return text.len < size;
}

bool offer_is_url(struct span text)
{
	return text.len < OFFER_URL_MAX && authority_is_address(text);
}

bool offer_is_picture(struct span text)
{
	return text.len < OFFER_URL_MAX && authority_is_shown(text);
}

static bool is_header(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c >= 0x7f)
			return false;
	}
	return text.len < OFFER_HEADER_MAX;
}

static bool is_in(int64_t value, int64_t max)
{
	return value >= 0 && value <= max;
}

static bool is_sound(const struct offer_format *n)
{
	return offer_is_url(span_of(n->url)) && is_among(span_of(n->id), OFFER_ID_MAX, "._+-") &&
	       is_among(span_of(n->ext), OFFER_EXT_MAX, "") &&
	       is_among(span_of(n->codecs), OFFER_CODECS_MAX, "._-,+ ") &&
	       is_header(span_of(n->agent)) && is_header(span_of(n->referrer)) &&
	       is_in(n->kbps, KBPS_MAX) && is_in(n->height, HEIGHT_MAX) &&
	       is_in(n->width, HEIGHT_MAX) && is_in(n->bytes, INT64_MAX) &&
	       is_in(n->expires_ms, INT64_MAX) && (n->kind == OFFER_SOUND) == (n->height == 0);
}

/* "mp3" of "https://e.example/a.mp3?x"; "" for none. */
static struct span ending_of(const char *url)
{
	struct span path = span_of(url), rest = path, part;

	span_next(&rest, '#', &path);
	rest = path;
	span_next(&rest, '?', &path);
	while (span_next(&path, '/', &part))
		rest = part;
	for (path = rest; span_next(&path, '.', &part);)
		;
	return part.len < rest.len ? part : span_of("");
}

bool offer_is_sound_ext(struct span ext)
{
	static const char *const endings[] = {
		"mp3", "m4a", "aac", "opus", "ogg", "oga", "flac", "wav", "weba"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_is(ext, endings[i]))
			return true;
	}
	return false;
}

static bool has_id(const struct offer *o, const char *id)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(o->formats[i].id, id) == 0)
			return true;
	}
	return false;
}

bool offer_add(struct offer *o, struct arena *arena, const struct offer_format *n)
{
	const char *id = n->id;

	if (!n->url || !id || !n->ext || !n->codecs || !n->agent || !n->referrer ||
		o->count == OFFER_FORMATS_MAX || !is_sound(n))
		return false;
	if (span_is(span_of(n->ext), "m3u8") || span_is(ending_of(n->url), "m3u8")) {
		o->has_lists = true;
		return true;
	}
	/* By it bytes are told apart. */
	for (size_t number = o->count + 1; id && (!*id || has_id(o, id)); number++)
		id = arena_printf(arena, "%zu", number);
	if (!id)
		return false;
	o->formats[o->count] = *n;
	o->formats[o->count++].id = id;
	return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

struct lines {
	const struct offer_usual *usual;
	struct arena *arena;
	struct offer *to;
	struct offer_format next; /* what the next address has */
	bool kind_said;
	size_t bare; /* addresses of which nothing is said */
};

static bool take_kind(struct lines *l, struct span value)
{
	static const char *const names[] = {"audio", "video", "both"};

	for (int i = 0; i < 3; i++) {
		if (span_is(value, names[i])) {
			l->next.kind = (enum offer_kind)i;
			l->kind_said = true;
			return true;
		}
	}
	return false;
}

/* What it is, where that is not said. */
static void guess_kind(struct lines *l, struct offer_format *n)
{
	bool sound = offer_is_sound_ext(*n->ext ? span_of(n->ext) : ending_of(n->url));

	l->bare += !sound && !n->height && !n->kbps && !*n->id && !*n->ext && !*n->codecs;
	n->kind = n->height || (l->usual->video && !sound) ? OFFER_BOTH : OFFER_SOUND;
}

static bool take_url(struct lines *l, struct span value)
{
	struct offer_format done = l->next;

	done.url = arena_copy(l->arena, value);
	if (done.url && !l->kind_said)
		guess_kind(l, &done);
	if (done.kind == OFFER_SOUND && !done.kbps)
		done.kbps = l->usual->kbps;
	if (done.kind != OFFER_SOUND && !done.height)
		done.height = l->usual->height;
	l->next = (struct offer_format){
		.id = "", .ext = "", .codecs = "", .agent = done.agent, .referrer = done.referrer};
	l->kind_said = false;
	return l->to->count == OFFER_FORMATS_MAX || offer_add(l->to, l->arena, &done);
}

static bool take_text(struct lines *l, struct span value, const char **to)
{
	*to = arena_copy(l->arena, value);
	return *to != NULL;
}

static bool take_title(struct lines *l, struct span value)
{
	char clean[OFFER_TITLE_MAX];

	text_clean(value, clean, sizeof(clean));
	return take_text(l, span_of(clean), &l->to->title);
}

/* One that nobody can load is no thumbnail, but no fault either. */
static bool take_thumbnail(struct lines *l, struct span value)
{
	return !offer_is_picture(value) || take_text(l, value, &l->to->thumbnail);
}

static bool take_expiry(struct lines *l, struct span value)
{
	int64_t s;

	if (!num_parse(value, 1, INT64_MAX / 1000, &s))
		return false;
	l->next.expires_ms = s * 1000;
	return true;
}

static bool take(struct lines *l, struct span name, struct span value)
{
	if (span_is(name, "url"))
		return take_url(l, value);
	if (span_is(name, "title"))
		return take_title(l, value);
	if (span_is(name, "thumbnail"))
		return take_thumbnail(l, value);
	if (span_is(name, "duration"))
		return num_parse(value, 0, OFFER_DURATION_MAX_S, &l->to->duration_s);
	if (span_is(name, "made"))
		return num_parse(value, 0, INT64_MAX, &l->to->made_ms);
	if (span_is(name, "user-agent"))
		return take_text(l, value, &l->next.agent);
	if (span_is(name, "referer"))
		return take_text(l, value, &l->next.referrer);
	if (span_is(name, "id"))
		return take_text(l, value, &l->next.id);
	if (span_is(name, "ext"))
		return take_text(l, value, &l->next.ext);
	if (span_is(name, "codecs"))
		return take_text(l, value, &l->next.codecs);
	if (span_is(name, "kind"))
		return take_kind(l, value);
	if (span_is(name, "expires"))
		return take_expiry(l, value);
	if (span_is(name, "kbps"))
		return num_parse(value, 0, KBPS_MAX, &l->next.kbps);
	if (span_is(name, "height"))
		return num_parse(value, 0, HEIGHT_MAX, &l->next.height);
	if (span_is(name, "width"))
		return num_parse(value, 0, HEIGHT_MAX, &l->next.width);
	return span_is(name, "bytes") && num_parse(value, 0, INT64_MAX, &l->next.bytes);
}

static bool take_line(struct lines *l, struct span line)
{
	struct span name;

	if (span_ends(line, "\r"))
		line.len--;
	if (line.len == 0)
		return true;
	if (span_starts(line, "http://") || span_starts(line, "https://"))
		return take_url(l, line);
	return span_next(&line, ':', &name) && line.ptr && take(l, name, span_trim(line));
}

static void make_pair(struct offer *o, const struct offer_usual *usual)
{
	struct offer_format *picture = &o->formats[0], *sound = &o->formats[1];

	picture->kind = OFFER_PICTURE;
	picture->height = usual->height;
	picture->kbps = 0;
	sound->kind = OFFER_SOUND;
	sound->height = 0;
	sound->kbps = usual->kbps;
}

static int read_lines(struct span text, const struct offer_usual *usual, struct arena *arena,
	struct offer *out, struct fail *f)
{
	struct lines l = {.usual = usual,
		.arena = arena,
		.to = out,
		.next = {.id = "", .ext = "", .codecs = "", .agent = "", .referrer = ""}};
	struct span line;

	for (int number = 1; span_next(&text, '\n', &line); number++) {
		if (!take_line(&l, line))
			return fail_set(f, FAIL_UPSTREAM,
				"Line %d of what the resolver says is nothing that can be used",
				number);
	}
	if (l.bare == 2 && out->count == 2)
		make_pair(out, usual);
	return 0;
}

int offer_read(struct span text, const struct offer_usual *usual, struct arena *arena,
	struct offer *out, struct fail *f)
{
	size_t blank = 0;
	int result;

	usual = usual ? usual : &sound_or_small;
	*out = (struct offer){.title = "", .thumbnail = ""};
	while (blank < text.len && strchr(" \t\r\n", text.ptr[blank]) && text.ptr[blank])
		blank++;
	if (blank == text.len)
		return fail_set(f, FAIL_UPSTREAM, "The resolver says nothing");
	if (memchr(text.ptr, '\0', text.len))
		return fail_set(f, FAIL_UPSTREAM, "What the resolver says is no text");
	if (text.ptr[blank] == '{')
		result = offer_read_json(text, usual, arena, out, f);
	else
		result = read_lines(text, usual, arena, out, f);
	if (result == 0 && out->count == 0 && out->has_lists)
		return fail_set(f, FAIL_UPSTREAM,
			"The resolver names only lists of segments (HLS), which are no streams; "
			"what is live can be a channel of a source of type m3u");
	if (result == 0 && out->count == 0)
		return fail_set(
			f, FAIL_UPSTREAM, "The resolver names no address that can be fetched");
	return result;
}

static void put_text(struct buf *to, const char *name, const char *text)
{
	if (*text)
		buf_printf(to, "%s: %s\n", name, text);
}

static void put_number(struct buf *to, const char *name, int64_t number)
{
	if (number)
		buf_printf(to, "%s: %lld\n", name, (long long)number);
}

void offer_print(const struct offer *o, struct buf *to)
{
	static const char *const kinds[] = {"audio", "video", "both"};

	put_text(to, "title", o->title);
	put_text(to, "thumbnail", o->thumbnail);
	put_number(to, "duration", o->duration_s);
	put_number(to, "made", o->made_ms);
	for (size_t i = 0; i < o->count; i++) {
		const struct offer_format *n = &o->formats[i];

		buf_printf(to, "user-agent: %s\nreferer: %s\nkind: %s\n", n->agent, n->referrer,
			kinds[n->kind]);
		put_text(to, "id", n->id);
		put_text(to, "ext", n->ext);
		put_text(to, "codecs", n->codecs);
		put_number(to, "kbps", n->kbps);
		put_number(to, "height", n->height);
		put_number(to, "width", n->width);
		put_number(to, "bytes", n->bytes);
		put_number(to, "expires", n->expires_ms / 1000);
		buf_printf(to, "url: %s\n", n->url);
	}
}

/* By what it says itself; 0: it does not. */
static int64_t ends_ms_of(const struct offer_format *n)
{
	return n->expires_ms ? n->expires_ms : expiry_of_url(span_of(n->url));
}

void offer_drop_ended(struct offer *o, int64_t now_ms)
{
	size_t left = 0;

	for (size_t i = 0; i < o->count; i++) {
		if (expiry_with_margin(now_ms, ends_ms_of(&o->formats[i]), INT64_MAX / 2) > now_ms)
			o->formats[left++] = o->formats[i];
	}
	o->count = left;
}

int64_t offer_ends_ms(const struct offer *o)
{
	int64_t ends_ms = 0;

	for (size_t i = 0; i < o->count; i++) {
		int64_t own_ms = ends_ms_of(&o->formats[i]);

		if (own_ms && (!ends_ms || own_ms < ends_ms))
			ends_ms = own_ms;
	}
	return ends_ms;
}
