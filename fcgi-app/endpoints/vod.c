/* fcgi-app/endpoints/vod.c - films: masters, playlists, and the parts that are made when asked for.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/vod.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/film.h"
#include "fcgi-app/endpoints/find.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/hls/m3u8.h"
#include "lib/hls/rendition.h"
#include "lib/hls/vod.h"
#include "lib/http/mime.h"
#include "lib/io/conf.h"
#include "lib/svc/beside.h"
#include "lib/svc/film_list.h"
#include "lib/svc/package.h"

enum {
	INDEX_WAIT_MS = 3000,
	PART_WAIT_MS = 9000, /* players give up after 10 s without a byte */
	MASTER_KEEP_MS = 1000
};

static const char forever[] = "public, max-age=31536000, immutable";

static struct film_seen *new_film(struct request *rq, struct fail *f)
{
	struct film_seen *film = arena_alloc(&rq->arena, sizeof(*film));

	if (!film) {
		fail_set(f, FAIL_INPUT, "The request is too large");
		return NULL;
	}
	film->viewer = find_viewer(rq);
	film->client = rq->client;
	return film;
}

/* What may be waited for comes later: the player is to ask again soon. */
static int soon(struct reply *r, const struct fail *f)
{
	if (f->kind == FAIL_BUSY)
		r->retry_after_s = 1;
	return -1;
}

static int is_changed(struct reply *r, struct fail *f)
{
	r->error_code = "changed";
	return fail_set(f, FAIL_MISSING, "The film has changed; ask for its playlist again");
}

static int read_format(struct request *rq, enum rendition_format *out, struct fail *f)
{
	const char *word = request_query(rq, "format");

	*out = word && strcmp(word, "ts") == 0 ? RENDITION_TS : RENDITION_FMP4;
	if (word && strcmp(word, "ts") != 0 && strcmp(word, "fmp4") != 0)
		return fail_set(f, FAIL_INPUT, "Unknown format: fmp4 or ts");
	return 0;
}

/* --- playlists -------------------------------------------------------------------------------- */

static int send_text(struct reply *r, struct buf *text, struct fail *f)
{
	int result = 0;

	if (text->failed)
		result = fail_set(f, FAIL_UPSTREAM, "The film has too many segments");
	else
		reply_text(r, 200, M3U8_TYPE, buf_span(text));
	buf_release(text);
	return result;
}

/* Sound alone is a film without its picture. */
static void drop_picture(struct record *r)
{
	if (r->audio_count)
		r->video = (struct record_video){.codec = ""};
}

static void print_master(struct request *rq, const struct film_seen *film, const struct ladder *l,
	enum rendition_format format, struct buf *to)
{
	struct beside *files = arena_alloc(&rq->arena, BESIDE_MAX * sizeof(*files));
	struct vod_text texts[BESIDE_MAX];
	size_t count = files ? beside_list(&film->title, files) : 0;
	const struct vod_master m = {&film->record, l, film->ver, format, texts, count};

	for (size_t i = 0; i < count; i++)
		texts[i] = files[i].text;
	vod_master_print(&m, to);
}

int vod_master(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	struct fail *f)
{
	struct film_seen *film = new_film(rq, f);
	struct asked_quality quality;
	enum rendition_format format;
	struct buf text;
	bool settled;

	if (!film || find_film_quality(app, rq, &quality, f) < 0 || read_format(rq, &format, f) < 0)
		return -1;
	if (film_open(film, app, id, INDEX_WAIT_MS, f) < 0) {
		film_close(film);
		return soon(r, f);
	}
	if (quality.sound_alone)
		drop_picture(&film->record);
	buf_init(&text, VOD_MAX_BYTES);
	print_master(rq, film, &quality.ladder, format, &text);
	settled = film_is_settled(film);
	film_close(film);
	if (send_text(r, &text, f) < 0)
		return -1;
	if (quality.hinted)
		reply_vary(r, FIND_HINTS);
	reply_cache(r, settled ? "max-age=60" : "no-cache");
	r->keep_ms = MASTER_KEEP_MS;
	return 0;
}

/* Whether the film has it, in its record or beside it; then *file (may be NULL) is that file. */
static bool has_rendition(struct request *rq, const struct film_seen *film,
	const struct rendition *x, struct beside *file)
{
	struct beside *files;
	size_t count;

	if (x->kind != RENDITION_BESIDE)
		return rendition_fits(x, &film->record);
	files = arena_alloc(&rq->arena, BESIDE_MAX * sizeof(*files));
	count = files ? beside_list(&film->title, files) : 0;
	for (size_t i = 0; i < count; i++) {
		if (files[i].id != x->beside)
			continue;
		if (file)
			*file = files[i];
		return true;
	}
	return false;
}

/* To the same below the {ver} of the film as it is now: `name`, made in the request's arena. */
static int redirect_to(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	const struct rendition *x, const char *name, struct fail *f)
{
	struct film_seen *film = new_film(rq, f);
	struct span query = rq->path.query;
	const char *to;
	int result;

	if (!film)
		return -1;
	result = film_open(film, app, id, INDEX_WAIT_MS, f);
	if (result < 0)
		soon(r, f);
	else if (!has_rendition(rq, film, x, NULL))
		result = fail_set(f, FAIL_MISSING, "The film has no such rendition");
	film_close(film);
	if (result < 0)
		return -1;
	to = name ? arena_printf(&rq->arena, "/api/hls/%s/%s/%s%s%.*s", film->title.film.id,
			    film->ver, name, query.len ? "?" : "", (int)query.len,
			    query.len ? query.ptr : "")
		  : NULL;
	return film_redirect(r, to, f);
}

int vod_latest(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	struct fail *f)
{
	char name[RENDITION_NAME_BYTES];
	enum rendition_format format;
	struct rendition x;

	if (read_format(rq, &format, f) < 0)
		return -1;
	if (!rendition_parse_list(rq->args[1], &x) || x.kind == RENDITION_THUMBNAILS)
		return fail_set(f, FAIL_MISSING, "There is no such rendition");
	if (format == RENDITION_TS && rendition_has_ts(&x))
		x.format = format;
	rendition_print_list(&x, name);
	return redirect_to(app, rq, r, id, &x, arena_printf(&rq->arena, "%s.m3u8", name), f);
}

/* Published, so that the front server sends it from now on; where there is no room, sent from
 * here. */
static int send_list(struct app *app, struct reply *r, const struct film_seen *film,
	const struct rendition *x, struct fail *f)
{
	const struct film_list_of of = {film->title.film.id, film->ver, &film->record};
	char name[FILM_LIST_NAME_BYTES];
	struct buf text;

	buf_init(&text, VOD_MAX_BYTES);
	film_list_publish(app->publisher, app->conf, &of, x, &text);
	if (send_text(r, &text, f) < 0)
		return -1;
	film_list_name(&of, x, name);
	r->type = mime_type(span_of(name));
	reply_cache(r, forever);
	return 0;
}

static int film_ident(const struct request *rq, struct ident *id, struct fail *f)
{
	if (find_ident(rq, id, f) < 0)
		return -1;
	return find_is_title(id) ? 0 : fail_set(f, FAIL_MISSING, "There is no such film");
}

static int answer_list(struct app *app, struct request *rq, struct reply *r,
	const struct rendition *x, struct fail *f)
{
	struct film_seen *film = new_film(rq, f);
	struct ident id;
	int result;

	if (!film || film_ident(rq, &id, f) < 0)
		return -1;
	result = film_open(film, app, &id, PART_WAIT_MS, f);
	if (result < 0)
		soon(r, f);
	else if (!span_is(rq->args[1], film->ver))
		result = is_changed(r, f);
	else if (!has_rendition(rq, film, x, NULL))
		result = fail_set(f, FAIL_MISSING, "The film has no such rendition");
	else
		result = send_list(app, r, film, x, f);
	film_close(film);
	return result;
}

/* Thumbnails have no playlist, but a list of their own. */
int vod_media(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct rendition x;

	if (!rendition_parse_list(rq->args[2], &x) || x.kind == RENDITION_THUMBNAILS)
		return fail_set(f, FAIL_MISSING, "There is no such rendition");
	return answer_list(app, rq, r, &x, f);
}

int vod_thumbnails(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct rendition x = {.kind = RENDITION_THUMBNAILS};

	return answer_list(app, rq, r, &x, f);
}

/* --- parts ------------------------------------------------------------------------------------ */

/* "init.mp4" or "12.m4s": what of a rendition is asked for. */
static int read_file_name(
	struct span file, struct package_request *rq, struct rendition *x, struct fail *f)
{
	struct span name, suffix = file;
	int64_t n = 0;

	if (!rendition_parse(span_of(rq->rendition), x))
		return fail_set(f, FAIL_MISSING, "There is no such rendition");
	span_next(&suffix, '.', &name);
	rq->part = span_is(file, "init.mp4") ? PACKAGE_INIT : PACKAGE_SEGMENT;
	if (!suffix.ptr || !rendition_parse_part(span_of(rq->rendition), suffix, x) ||
		(rq->part == PACKAGE_SEGMENT &&
			(span_is(suffix, "mp4") || (name.len > 1 && name.ptr[0] == '0') ||
				!num_parse(name, 0, RECORD_SEGMENTS_MAX, &n))) ||
		!span_copy(suffix, rq->suffix, sizeof(rq->suffix)))
		return fail_set(f, FAIL_MISSING, "A rendition has no such file");
	rq->n = (uint32_t)n;
	return 0;
}

static bool is_version(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (num_hex_digit(text.ptr[i]) < 0)
			return false;
	}
	return text.len == TITLE_VER_BYTES - 1;
}

static int read_part(
	const struct request *rq, struct package_request *out, struct rendition *x, struct fail *f)
{
	struct ident id;

	*out = (struct package_request){
		.version = PACKAGE_VERSION, .viewer = find_viewer(rq), .client = rq->client};
	if (film_ident(rq, &id, f) < 0)
		return -1;
	if (!is_version(rq->args[1]) || !span_copy(rq->args[1], out->ver, sizeof(out->ver)) ||
		!span_copy(rq->args[2], out->rendition, sizeof(out->rendition)))
		return fail_set(f, FAIL_MISSING, "There is no such part of the film");
	ident_print(&id, out->id, sizeof(out->id));
	return read_file_name(rq->args[3], out, x, f);
}

static int make_part(struct app *app, struct request *rq, struct reply *r,
	const struct package_request *part, struct fail *f)
{
	char name[PACKAGE_NAME_BYTES];
	struct package_reply made;
	int result;

	if (!app_wait_begin(app, rq->client, f))
		return soon(r, f);
	result = package_ask(app->conf, part, PART_WAIT_MS, fcgi_socket(rq->x), &made, f);
	app_wait_end(app, rq->client);
	if (result < 0)
		return made.changed ? is_changed(r, f) : soon(r, f);
	package_name(part, name);
	if (made.fd >= 0)
		return reply_descriptor(
			r, made.fd, mime_type(span_of(name)), clock_real_ms() / 1000, f);
	if (reply_file(r, app->publisher, PUBLISH_WWW, name, f) == 0)
		return 0;
	/* Evicted between the two: it is made again. */
	fail_set(f, FAIL_BUSY, "This part of the film is being made; try again in a moment");
	return soon(r, f);
}

/* A segment of subtitles beside the film is made here: it is text, read and written. */
static int make_beside(struct app *app, struct request *rq, struct reply *r,
	const struct package_request *part, const struct rendition *x, struct fail *f)
{
	struct film_seen *film = new_film(rq, f);
	char name[PACKAGE_NAME_BYTES];
	struct beside file;
	struct ident id;
	struct buf text;
	struct fail why;
	int result;

	if (!film || film_ident(rq, &id, f) < 0)
		return -1;
	buf_init(&text, BESIDE_MOST_BYTES);
	result = film_open(film, app, &id, PART_WAIT_MS, f);
	if (result < 0)
		soon(r, f);
	else if (strcmp(part->ver, film->ver) != 0 || !has_rendition(rq, film, x, &file))
		result = is_changed(r, f);
	else if (part->n >= film->record.segments)
		result = fail_set(f, FAIL_MISSING, "The film has no such segment");
	else
		result = beside_segment(&film->title, &file, &film->record, part->n,
			x->format == RENDITION_TS, &text, f);
	film_close(film);
	if (result == 0) {
		package_name(part, name);
		publish_bytes(app->publisher, PUBLISH_WWW, name, buf_span(&text),
			app->conf->segment_ttl_s, 0, &why);
		reply_text(r, 200, mime_type(span_of(name)), buf_span(&text));
	}
	buf_release(&text);
	return result;
}

int vod_part(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	char name[PACKAGE_NAME_BYTES];
	struct package_request part;
	struct rendition x;
	struct fail why;

	if (read_part(rq, &part, &x, f) < 0)
		return -1;
	package_name(&part, name);
	/* It may have been published since the front server looked. */
	if (reply_file(r, app->publisher, PUBLISH_WWW, name, &why) == 0)
		r->x_cache = "HIT";
	else if ((x.kind == RENDITION_BESIDE ? make_beside(app, rq, r, &part, &x, f)
					     : make_part(app, rq, r, &part, f)) < 0)
		return -1;
	reply_cache(r, forever);
	return 0;
}

/* --- without a version ------------------------------------------------------------------------ */

int vod_latest_thumbnails(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct rendition x = {.kind = RENDITION_THUMBNAILS};
	struct ident id;

	if (film_ident(rq, &id, f) < 0)
		return -1;
	return redirect_to(app, rq, r, &id, &x, "thumbnails.vtt", f);
}

int vod_latest_part(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct package_request part = {0};
	struct rendition x;
	struct ident id;

	if (film_ident(rq, &id, f) < 0)
		return -1;
	if (!span_copy(rq->args[1], part.rendition, sizeof(part.rendition)))
		return fail_set(f, FAIL_MISSING, "There is no such rendition");
	if (read_file_name(rq->args[2], &part, &x, f) < 0)
		return -1;
	return redirect_to(app, rq, r, &id, &x,
		arena_printf(&rq->arena, "%s/%.*s", part.rendition, (int)rq->args[2].len,
			rq->args[2].ptr),
		f);
}
