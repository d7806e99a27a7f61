/* fcgi-app/endpoints/joined.c - video whose picture and sound are separate objects, joined by HLS.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/joined.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/rate.h"
#include "fcgi-app/endpoints/cdn.h"
#include "fcgi-app/endpoints/film.h"
#include "lib/hls/m3u8.h"
#include "lib/hls/sidx.h"
#include "lib/svc/pair.h"

enum {
	WAIT_MS = 20000,
	LIST_MAX = 4 << 20,
	FIRST_BYTES = 65536, /* most indexes are within */
	KBPS_OF_LINE = 4,    /* where nobody says what a picture takes */
	PEAK_PERCENT = 200   /* of the average, which is all that sources tell */
};

int joined_redirect(struct app *app, struct request *rq, struct reply *r,
	const struct object_ask *ask, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	const struct quality q = object_ask_quality(ask);
	const struct wish wish = pair_wish(app->conf, &q);
	const struct fail before = *f;
	bool said = quality_is_picture(&q);
	struct pair pair;
	int64_t retry_s;

	if (wish.count == 0 || !pair_suits(ask->format))
		return -1;
	if (pair_find(&at, ask->id, wish.steps[0].word, WAIT_MS, &rq->arena, &pair, &retry_s, f) !=
		RESOLVED_FOUND) {
		if (f->kind == FAIL_MISSING)
			*f = before;
		return -1;
	}
	*f = (struct fail){0};
	return film_redirect(r,
		arena_printf(&rq->arena, "/cdn/hls/%s/master.m3u8%s%s", ask->id,
			said ? "?quality=" : "", said ? wish.steps[0].word : ""),
		f);
}

struct joined {
	char id[OBJECT_ID_BYTES];
	enum { MASTER, PICTURE, SOUND } what;
	struct quality quality;
	const char *word;   /* of the picture, as lib/svc/pair.h has them; "" for the sound */
	const char *suffix; /* ".m3u8" of a list, ".mp4" of the bytes */
};

static const char *const stems[] = {[MASTER] = "master", [PICTURE] = "picture-", [SOUND] = "sound"};

/* --- the master ------------------------------------------------------------------------------- */

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
	long long kbps = picture->kbps ? picture->kbps : lines * KBPS_OF_LINE;

	kbps += sound ? (sound->kbps ? sound->kbps : 128) : 0;
	buf_printf(list, "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld",
		kbps * 1000 * PEAK_PERCENT / 100, kbps * 1000);
	if (is_codec(picture->codecs) && (!sound || is_codec(sound->codecs)))
		buf_printf(list, ",CODECS=\"%s%s%s\"", picture->codecs, sound ? "," : "",
			sound ? sound->codecs : "");
	if (picture->width && picture->height)
		buf_printf(list, ",RESOLUTION=%lldx%lld", (long long)picture->width,
			(long long)picture->height);
	buf_printf(list, "%s\npicture-%s.m3u8\n", sound ? ",AUDIO=\"sound\"" : "", word);
}

struct master_list {
	const struct resolved_at at;
	struct request *rq;
	const struct joined *joined;
	const struct pair *pair;
	const char *first; /* the object that stands first */
	struct buf text;
};

/* Each object once: `last` is the one before. No program is run for one that is not known: it may
 * be told a quality, and the one that was asked for is there. */
static const char *add_picture(struct master_list *l, const char *word, const char *last)
{
	const struct resolved_ask ask = pair_ask(l->joined->id, word);
	struct resolved picture;
	struct fail ignored;
	int64_t retry_s;

	if (resolved_await(&l->at, &ask, 0, &l->rq->arena, &picture, &retry_s, &ignored) !=
			RESOLVED_FOUND ||
		strcmp(picture.object, last) == 0 || strcmp(picture.object, l->first) == 0)
		return last;
	add_variant(&l->text, word, &picture, l->pair->has_sound ? &l->pair->sound : NULL);
	return picture.object;
}

/* The wished picture stands first, as players begin with it; where none was named, those above it
 * follow, too. */
static void list_pictures(struct master_list *l, const struct conf *conf)
{
	static const struct quality most = {QUALITY_HEIGHT, 1080};
	const struct quality *q = &l->joined->quality;
	const struct wish wish = pair_wish(conf, quality_is_picture(q) ? q : &most);
	const char *last = "";

	l->first = "";
	l->first = add_picture(l, l->joined->word, "");
	for (size_t i = 0; i < wish.count; i++)
		last = add_picture(l, wish.steps[i].word, last);
}

static int make_master(struct app *app, struct request *rq, struct reply *r, const struct joined *j,
	struct fail *f)
{
	struct pair pair;
	struct master_list l = {
		.at = app_resolved_at(app, rq), .rq = rq, .joined = j, .pair = &pair, .first = ""};
	int64_t retry_s = 0;

	if (pair_find(&l.at, j->id, j->word, WAIT_MS, &rq->arena, &pair, &retry_s, f) !=
		RESOLVED_FOUND) {
		r->retry_after_s = (int)retry_s;
		return -1;
	}
	buf_init(&l.text, LIST_MAX);
	buf_puts(&l.text, "#EXTM3U\n#EXT-X-VERSION:6\n");
	if (pair.has_sound)
		buf_puts(&l.text, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\","
				  "DEFAULT=YES,AUTOSELECT=YES,URI=\"sound.m3u8\"\n");
	list_pictures(&l, app->conf);
	reply_text(r, 200, M3U8_TYPE, buf_span(&l.text));
	buf_release(&l.text);
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
		"#EXT-X-PLAYLIST-TYPE:VOD\n%s"
		"#EXT-X-MAP:URI=\"%s\",BYTERANGE=\"%lld@0\"\n",
		(long long)longest, x->independent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "", uri,
		(long long)x->init_length);
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
		reply_text(r, 200, M3U8_TYPE, buf_span(&list));
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
	return pair_object(ask, j->id, j->what == SOUND ? NULL : j->word)
		       ? 0
		       : fail_set(f, FAIL_INPUT, "This is no id");
}

/* Counts the request (rate_resolve) where a program has to be run to find what is asked for. Fails:
 * as rate_program(). */
static int count_program(struct app *app, struct request *rq, struct reply *r,
	const struct resolved_ask *ask, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	struct resolved known;
	struct fail ignored;
	int64_t retry_s;

	if (resolved_await(&at, ask, 0, &rq->arena, &known, &retry_s, &ignored) != RESOLVED_WAIT)
		return 0;
	return rate_program(app->rate, ask->id, rq, r, f);
}

static int make(struct app *app, struct request *rq, struct reply *r, void *ctx, struct fail *f)
{
	const struct joined *j = ctx;
	const struct resolved_ask asked = pair_ask(j->id, j->what == SOUND ? NULL : j->word);
	struct object_ask ask;
	struct blocks *b;
	char uri[32];
	int bad;

	if (count_program(app, rq, r, &asked, f) < 0)
		return -1;
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

/* A quality that a picture can have; "" and "auto" leave it to the settings. */
static bool read_quality(const struct conf *conf, struct span text, struct joined *j)
{
	struct wish wish;

	if (!quality_parse(text, &j->quality))
		return false;
	wish = pair_wish(conf, &j->quality);
	j->word = wish.count ? wish.steps[0].word : "";
	return wish.count > 0;
}

/* "picture-720p.m3u8" and the like. */
static bool read_name(const struct conf *conf, struct span name, struct joined *j)
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
	j->word = "";
	for (size_t i = 0; i < 2; i++) {
		len = strlen(suffixes[i]);
		if (rest.len < len ||
			!span_is(span_make(rest.ptr + rest.len - len, len), suffixes[i]))
			continue;
		j->suffix = suffixes[i];
		rest.len -= len;
		return j->what == PICTURE ? rest.len && read_quality(conf, rest, j)
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
	if (!read_name(app->conf, rq->args[1], j))
		return fail_set(f, FAIL_MISSING, "There is no such list");
	if (!span_copy(rq->args[0], j->id, sizeof(j->id)) || !object_id_ok(j->id))
		return fail_set(f, FAIL_INPUT, "This is no id");
	if (j->what == MASTER && !read_quality(app->conf, span_of(quality), j))
		return fail_set(f, FAIL_INPUT, "Unknown quality: 144p to 1080p, source or auto");
	if (strcmp(j->suffix, ".mp4") == 0)
		return make_ask(j, &ask, f) < 0 ? -1 : cdn_object(app, rq, r, &ask, f);
	reply_later(r, (struct reply_rest){make, NULL, j});
	return 0;
}
