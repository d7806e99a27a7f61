/* fcgi-app/endpoints/joined.c - video whose picture and sound are separate objects, joined by HLS.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/joined.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/cdn.h"
#include "fcgi-app/endpoints/film.h"
#include "lib/hls/m3u8.h"
#include "lib/hls/sidx.h"
#include "lib/svc/resolved.h"

enum {
	WAIT_MS = 20000,
	LIST_MAX = 4 << 20,
	FIRST_BYTES = 65536, /* most indexes are within */
	KBPS_OF_LINE = 4     /* where nobody says what a picture takes */
};

static const char list_type[] = "application/vnd.apple.mpegurl";
static const char *const words[] = {"source", "1080p", "720p", "480p", "360p", "240p", "144p"};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

/* --- what there is ---------------------------------------------------------------------------- */

static enum resolved_result find(struct app *app, struct request *rq, const char *id,
	const char *word, const char *format, int wait_ms, struct resolved *out, int64_t *retry_s,
	struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app);
	struct resolved_ask ask = {.id = id, .hinted_kbps = INT64_MAX, .format = format};

	*retry_s = 0;
	if (!quality_parse(span_of(word), &ask.quality))
		return RESOLVED_FAILED;
	return resolved_await(&at, &ask, wait_ms, &rq->arena, out, retry_s, f);
}

bool joined_is(struct app *app, struct request *rq, const struct object_ask *ask)
{
	const struct resolved_at at = app_resolved_at(app);
	const struct resolved_ask picture = {
		ask->id, object_ask_quality(ask), ask->kbps, RESOLVED_PICTURE};
	struct resolved found;
	struct fail ignored;
	int64_t retry_s;

	return !*ask->format &&
	       resolved_find(&at, &picture, &rq->arena, &found, &retry_s, &ignored) ==
		       RESOLVED_FOUND &&
	       found.program && found.video;
}

int joined_redirect(
	struct request *rq, struct reply *r, const struct object_ask *ask, struct fail *f)
{
	struct quality q = object_ask_quality(ask);
	const char *to = q.kind != QUALITY_HEIGHT
				 ? arena_printf(&rq->arena, "/cdn/hls/%s/master.m3u8", ask->id)
				 : arena_printf(&rq->arena, "/cdn/hls/%s/master.m3u8?quality=%dp",
					   ask->id, q.height);

	return film_redirect(r, to, f);
}

struct joined {
	char id[OBJECT_ID_BYTES];
	enum { MASTER, PICTURE, SOUND } what;
	const char *word;   /* of `words`, or "high" */
	const char *suffix; /* ".m3u8" of a list, ".mp4" of the bytes */
};

static const char *const stems[] = {[MASTER] = "master", [PICTURE] = "picture-", [SOUND] = "sound"};

static bool is_id(const char *text)
{
	return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-") ==
	       strlen(text);
}

/* --- the master ------------------------------------------------------------------------------- */

static bool is_mp4(const struct resolved *r)
{
	return strcmp(r->format, "mp4") == 0 || strcmp(r->format, "m4a") == 0 ||
	       strcmp(r->format, "m4v") == 0;
}

/* A source's own words for what is in it stand in the list only where they are no more than
 * that. */
static bool is_codec(const char *text)
{
	return *text &&
	       strspn(text, "0123456789.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
		       strlen(text);
}

static void add_variant(struct buf *list, const char *word, const struct resolved *picture,
	const struct resolved *sound)
{
	int64_t lines = picture->height ? picture->height : 360;
	int64_t kbps = picture->kbps ? picture->kbps : lines * KBPS_OF_LINE;

	kbps += sound ? (sound->kbps ? sound->kbps : 128) : 0;
	buf_printf(list, "#EXT-X-STREAM-INF:BANDWIDTH=%lld", (long long)kbps * 1000);
	if (is_codec(picture->codecs) && (!sound || is_codec(sound->codecs)))
		buf_printf(list, ",CODECS=\"%s%s%s\"", picture->codecs, sound ? "," : "",
			sound ? sound->codecs : "");
	buf_printf(list, "%s\npicture-%s.m3u8\n", sound ? ",AUDIO=\"sound\"" : "", word);
}

/* Sound that cannot be joined is told; a video without any plays without. */
static int find_sound(struct app *app, struct request *rq, const char *id, struct resolved *sound,
	bool *has, struct fail *f)
{
	int64_t retry_s;

	*has = find(app, rq, id, "high", "aac", 0, sound, &retry_s, f) == RESOLVED_FOUND &&
	       !sound->video;
	if (*has && !is_mp4(sound))
		return fail_set(f, FAIL_UPSTREAM,
			"The source's sound is in no MP4, and cannot be joined with the picture");
	return 0;
}

/* From the wished quality downwards, each object once. */
static int make_master(struct app *app, struct request *rq, struct reply *r, const struct joined *j,
	struct fail *f)
{
	struct resolved picture = {0}, sound;
	const char *last = "";
	struct buf list;
	int64_t retry_s = 0;
	bool has, begun = false;

	if (find(app, rq, j->id, j->word, RESOLVED_PICTURE, WAIT_MS, &picture, &retry_s, f) !=
			RESOLVED_FOUND ||
		find_sound(app, rq, j->id, &sound, &has, f) < 0) {
		r->retry_after_s = (int)retry_s;
		return -1;
	}
	if (!picture.program || !picture.video)
		return fail_set(f, FAIL_MISSING, "This has no picture apart from its sound");
	buf_init(&list, LIST_MAX);
	buf_puts(&list, "#EXTM3U\n#EXT-X-VERSION:6\n");
	if (has)
		buf_puts(&list, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\","
				"DEFAULT=YES,AUTOSELECT=YES,URI=\"sound.m3u8\"\n");
	for (size_t i = 0; i < WORDS; i++) {
		begun = begun || words[i] == j->word;
		if (!begun ||
			find(app, rq, j->id, words[i], RESOLVED_PICTURE, 0, &picture, &retry_s,
				f) != RESOLVED_FOUND ||
			strcmp(picture.object, last) == 0)
			continue;
		add_variant(&list, words[i], &picture, has ? &sound : NULL);
		last = picture.object;
	}
	*f = (struct fail){0};
	reply_text(r, 200, list_type, buf_span(&list));
	buf_release(&list);
	reply_cache(r, "private, no-cache");
	return 0;
}

/* --- a list of parts -------------------------------------------------------------------------- */

static bool read_all(int fd, char *to, int64_t from, int64_t end)
{
	while (from < end) {
		ssize_t n = pread(fd, to + from, (size_t)(end - from), from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
	}
	return true;
}

/* Has `need` bytes of the beginning, of which `have` are there. */
static int fetch(
	struct blocks *b, char *to, int64_t have, int64_t need, int64_t *retry_s, struct fail *f)
{
	struct blocks_piece piece;

	while (have < need) {
		if (blocks_next(b, have, need - 1, &piece, retry_s, f) < 0)
			return -1;
		if (piece.fd < 0)
			memcpy(to + have, piece.bytes, piece.len);
		else if (!read_all(piece.fd, to, have, have + (int64_t)piece.len))
			return fail_set(f, FAIL_BUSY, "The object has just been removed");
		have += (int64_t)piece.len;
	}
	return 0;
}

static int read_index(
	struct blocks *b, char *head, struct sidx *index, int64_t *retry_s, struct fail *f)
{
	int64_t size = 0, have = 0, need = FIRST_BYTES;

	if (!blocks_is_known(b) && blocks_learn(b, 0, FIRST_BYTES - 1, retry_s, f) < 0)
		return -1;
	size = blocks_info(b)->size;
	need = need < size ? need : size;
	for (enum sidx_result got = SIDX_MORE; got == SIDX_MORE && need > have;) {
		if (fetch(b, head, have, need, retry_s, f) < 0)
			return -1;
		have = need;
		got = sidx_read(span_make(head, (size_t)have), size, index, &need);
		if (got == SIDX_OK)
			return 0;
	}
	return fail_set(f, FAIL_UPSTREAM,
		"The source's picture and sound are separate, and have no index to join them by");
}

static void print_list(struct buf *list, const struct sidx *x, const char *uri)
{
	int64_t longest = 1;

	for (size_t i = 0; i < x->count; i++) {
		int64_t s = (x->parts[i].duration + x->timescale / 2) / x->timescale;

		longest = s > longest ? s : longest;
	}
	buf_printf(list,
		"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%lld\n"
		"#EXT-X-PLAYLIST-TYPE:VOD\n"
		"#EXT-X-MAP:URI=\"%s\",BYTERANGE=\"%lld@0\"\n",
		(long long)longest, uri, (long long)x->init_length);
	for (size_t i = 0; i < x->count; i++) {
		const struct sidx_part *p = &x->parts[i];
		m3u8_extinf(list, p->duration * 1000000 / x->timescale, NULL);
		buf_printf(list, "#EXT-X-BYTERANGE:%lld@%lld\n%s\n", (long long)p->length,
			(long long)p->at, uri);
	}
	buf_puts(list, "#EXT-X-ENDLIST\n");
}

static int send_list(struct reply *r, struct blocks *b, const char *uri, struct fail *f)
{
	struct sidx *index = malloc(sizeof(*index));
	char *head = malloc(SIDX_HEAD_MAX * 2);
	int64_t retry_s = 0;
	struct buf list;
	int bad;

	buf_init(&list, LIST_MAX);
	bad = index && head ? read_index(b, head, index, &retry_s, f)
			    : fail_set(f, FAIL_BUSY, "There is no memory for an index");
	if (!bad) {
		print_list(&list, index, uri);
		reply_text(r, 200, list_type, buf_span(&list));
		reply_cache(r, "private, no-cache");
	}
	r->retry_after_s = (int)retry_s;
	buf_release(&list);
	free(index);
	free(head);
	return bad;
}

/* --- requests --------------------------------------------------------------------------------- */

static int make_ask(const struct joined *j, struct object_ask *ask, struct fail *f)
{
	struct quality quality;

	if (quality_parse(span_of(j->word), &quality) &&
		object_ask_make(ask, j->id, &quality, INT64_MAX,
			j->what == SOUND ? "aac" : RESOLVED_PICTURE))
		return 0;
	return fail_set(f, FAIL_INPUT, "This is no id");
}

static int make(struct app *app, struct request *rq, struct reply *r, void *ctx, struct fail *f)
{
	const struct joined *j = ctx;
	struct object_ask ask;
	struct blocks *b;
	char uri[32];
	int bad;

	if (j->what == MASTER)
		return make_master(app, rq, r, j, f);
	if (make_ask(j, &ask, f) < 0 ||
		blocks_open(&b, app->conf, app->boot, &ask, fcgi_socket(rq->x), f) < 0)
		return -1;
	snprintf(uri, sizeof(uri), "%s%s.mp4", stems[j->what], j->what == PICTURE ? j->word : "");
	bad = send_list(r, b, uri, f);
	blocks_close(&b);
	return bad;
}

/* One of `words`; "" or "auto": all of them but the source's own. */
static bool read_word(struct span text, const char **word)
{
	for (size_t i = 0; i < WORDS; i++) {
		*word = words[i];
		if (span_is(text, words[i]))
			return true;
	}
	*word = words[1];
	return text.len == 0 || span_is(text, "auto");
}

/* "picture-720p.m3u8" and the like. */
static bool read_name(struct span name, struct joined *j)
{
	static const char *const suffixes[] = {".m3u8", ".mp4"};
	struct span rest;
	size_t len;

	for (j->what = MASTER; j->what < SOUND && !span_starts(name, stems[j->what]); j->what++)
		;
	if (!span_starts(name, stems[j->what]))
		return false;
	len = strlen(stems[j->what]);
	rest = span_make(name.ptr + len, name.len - len);
	j->word = "high";
	for (size_t i = 0; i < 2; i++) {
		len = strlen(suffixes[i]);
		if (rest.len < len ||
			!span_is(span_make(rest.ptr + rest.len - len, len), suffixes[i]))
			continue;
		j->suffix = suffixes[i];
		rest.len -= len;
		return j->what == PICTURE ? rest.len && read_word(rest, &j->word)
					  : rest.len == 0 && (j->what || i == 0);
	}
	return false;
}

int joined_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct joined *j = arena_alloc(&rq->arena, sizeof(*j));
	const char *quality = request_query(rq, "quality");
	struct object_ask ask;

	if (!j)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (!read_name(rq->args[1], j))
		return fail_set(f, FAIL_MISSING, "There is no such list");
	if (!span_copy(rq->args[0], j->id, sizeof(j->id)) || !is_id(j->id))
		return fail_set(f, FAIL_INPUT, "This is no id");
	if (j->what == MASTER && !read_word(span_of(quality), &j->word))
		return fail_set(f, FAIL_INPUT, "Unknown quality: 144p to 1080p, source or auto");
	if (strcmp(j->suffix, ".mp4") == 0)
		return make_ask(j, &ask, f) < 0 ? -1 : cdn_object(app, rq, r, &ask, f);
	reply_later(r, (struct reply_rest){make, NULL, j});
	return 0;
}
