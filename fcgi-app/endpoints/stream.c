/* fcgi-app/endpoints/stream.c - a film as a whole: what plays now, and its bytes as they are.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/stream.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/cdn.h"
#include "fcgi-app/endpoints/direct.h"
#include "fcgi-app/endpoints/film.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "fcgi-app/endpoints/series.h"
#include "lib/base/buf.h"
#include "lib/hls/vod.h"
#include "lib/http/accept.h"
#include "lib/http/mime.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/svc/beside.h"

enum { WAIT_MS = 9000, EDGE_AGE_MS = 60000 /* of what is told, not played */ };

static const char *type_of(const struct film *film)
{
	char name[sizeof(film->suffix) + 1];

	snprintf(name, sizeof(name), ".%s", film->suffix);
	return mime_type(span_of(name));
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* Whether every client and every file system takes it as it is. */
static bool is_plain(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789 ._()-";

	return *name && *name != '.' && *name != '-' && name[strspn(name, plain)] == '\0';
}

/* RFC 6266, RFC 8187: the name in UTF-8, and for those who read no other the same where it is
 * plain, or the id. */
static void put_name(struct reply *r, const struct film *film)
{
	struct buf text;

	buf_init(&text, 2048);
	buf_printf(&text, "attachment; filename=\"%s%s%s\"; filename*=UTF-8''",
		is_plain(film->name) ? film->name : film->id, *film->suffix ? "." : "",
		film->suffix);
	fetch_url_escape(film->name, &text);
	buf_printf(&text, "%s%s", *film->suffix ? "." : "", film->suffix);
	reply_header(r, "Content-Disposition", buf_str(&text));
	buf_release(&text);
}

int stream_file(struct request *rq, struct reply *r, const struct title *t, struct fail *f)
{
	struct record_validator now;
	int fd;

	if (title_open(t, &fd, &now, f) < 0 || reply_descriptor(r, fd, type_of(&t->film),
						       (int64_t)(now.stamp / 1000000000), f) < 0)
		return -1;
	if (request_query(rq, "download"))
		put_name(r, &t->film);
	reply_cache(r, "private, no-cache");
	r->x_cache = "HIT"; /* nothing has to be made or fetched for it */
	return 0;
}

/* Those of a gateway come through the byte cache. */
static int send_bytes(
	struct app *app, struct request *rq, struct reply *r, const struct title *t, struct fail *f)
{
	const struct quality as_it_is = {QUALITY_SOURCE, 0};
	struct object_ask ask;

	if (t->where == TITLE_FILE)
		return stream_file(rq, r, t, f);
	if (!object_ask_make(&ask, t->film.id, &as_it_is, 0, NULL))
		return fail_set(f, FAIL_MISSING, "There is no such film");
	if (cdn_object(app, rq, r, &ask, f) < 0)
		return -1;
	if (request_query(rq, "download"))
		put_name(r, &t->film);
	return 0;
}

/* From here: with an edge nobody can agree on a name. */
static bool is_kept(const struct app *app, struct request *rq)
{
	return request_query(rq, "download") && strcmp(app->conf->direct_play, "redirect") != 0;
}

int stream_bytes(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct title *t = arena_alloc(&rq->arena, sizeof(*t));
	const char *url = NULL;
	struct ident id;

	if (!t)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (find_ident(rq, &id, f) < 0 || title_find(t, app->conf, app->catalog, &id, f) < 0)
		return -1;
	if (is_kept(app, rq))
		return send_bytes(app, rq, r, t, f);
	switch (direct_from(app, rq, t, 0, &url)) {
	case DIRECT_BYTES:
		return send_bytes(app, rq, r, t, f);
	case DIRECT_EDGE:
		return direct_redirect(r, url, f);
	case DIRECT_NOT:
		break;
	}
	if (strcmp(app->conf->direct_play, "redirect") != 0)
		return send_bytes(app, rq, r, t, f);
	r->error_code = "not_direct";
	return fail_set(
		f, FAIL_CONFLICT, "This film is at a gateway and plays by its playlist alone");
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_quality(struct json_object *list, const struct app *app,
	const struct film_seen *film, const struct rendition *x, int64_t bandwidth)
{
	struct json_object *item = json_object_new_object();
	char name[RENDITION_NAME_BYTES];
	int width, height;

	rendition_print(x, name);
	rendition_size(x, &film->record, &width, &height);
	json_text(item, "name", name);
	json_object_object_add(item, "width", json_object_new_int(width));
	json_object_object_add(item, "height", json_object_new_int(height));
	json_object_object_add(item, "bandwidth", json_object_new_int64(bandwidth));
	json_url(item, "url", app->conf, "/api/hls/%s/%s.m3u8", film->title.film.id, name);
	json_object_array_add(list, item);
}

static struct json_object *qualities(
	const struct app *app, const struct film_seen *film, const struct ladder *l)
{
	struct json_object *list = json_object_new_array();
	struct rendition x = {.kind = RENDITION_SOURCE};

	if (vod_has(&film->record, l, &x))
		add_quality(list, app, film, &x, film->record.peak_bps);
	x.kind = RENDITION_VIDEO;
	for (size_t i = 0; i < l->count; i++) {
		x.rung = l->rungs[i];
		if (x.rung->height && vod_has(&film->record, l, &x))
			add_quality(list, app, film, &x, x.rung->total_kbps * 1000LL);
	}
	return list;
}

static void add_track(
	struct json_object *list, const char *name, const char *language, const char *title)
{
	struct json_object *item = json_object_new_object();

	json_text(item, "name", name);
	json_text(item, "language", language);
	json_text(item, "title", title);
	json_object_array_add(list, item);
}

static struct json_object *sounds(const struct record *r)
{
	struct json_object *list = json_object_new_array();
	char name[RENDITION_NAME_BYTES];

	for (unsigned i = 0; i < r->audio_count; i++) {
		rendition_print(&(struct rendition){.kind = RENDITION_AUDIO, .track = i}, name);
		add_track(list, name, r->audio[i].language, r->audio[i].title);
	}
	return list;
}

/* Its own, and those that lie beside it. */
static struct json_object *subtitles(struct request *rq, const struct film_seen *film)
{
	struct beside *files = arena_alloc(&rq->arena, BESIDE_MAX * sizeof(*files));
	size_t count = files ? beside_list(&film->title, files) : 0;
	struct json_object *list = json_object_new_array();
	const struct record *r = &film->record;
	char name[RENDITION_NAME_BYTES];

	for (unsigned i = 0; i < r->text_count; i++) {
		rendition_print(&(struct rendition){.kind = RENDITION_TEXT, .track = i}, name);
		add_track(list, name, r->text[i].language, r->text[i].title);
	}
	for (size_t i = 0; i < count; i++)
		add_track(list, files[i].text.name, files[i].text.language, files[i].text.title);
	return list;
}

static const char *container_name(const struct film_seen *film)
{
	static const char *const names[] = {[RECORD_MATROSKA] = "matroska",
		[RECORD_MP4] = "mp4",
		[RECORD_AVI] = "avi",
		[RECORD_FLV] = "flv",
		[RECORD_MPEG_TS] = "mpegts",
		[RECORD_OTHER] = "other"};

	if (film->record.container == RECORD_MATROSKA &&
		strcmp(film->title.film.suffix, "webm") == 0)
		return "webm";
	return names[film->record.container];
}

/* A film that is played as it is has an address for that, which redirects where it must. */
static void put_way(
	struct json_object *root, struct app *app, struct request *rq, const struct film_seen *film)
{
	const char *id = film->title.film.id, *plays = request_query(rq, "plays"), *edge;
	enum direct_way way = direct_plays(rq, film)
				      ? direct_from(app, rq, &film->title, EDGE_AGE_MS, &edge)
				      : DIRECT_NOT;
	struct buf rest;

	json_text(root, "mode", way == DIRECT_NOT ? "hls" : "direct");
	if (way != DIRECT_EDGE) {
		json_url(root, "url", app->conf, "/api/%s/%s%s",
			way == DIRECT_NOT ? "hls" : "stream", id,
			way == DIRECT_NOT ? "/master.m3u8" : "");
		return;
	}
	buf_init(&rest, 1024);
	if (plays && buf_puts(&rest, "?plays="))
		fetch_url_escape(plays, &rest);
	json_url(root, "url", app->conf, "/api/stream/vod/%s%s", id, buf_str(&rest));
	buf_release(&rest);
}

/* Where an episode belongs; null for a film. */
static void put_series(struct json_object *to, const struct app *app, const struct film *f)
{
	struct json_object *series = f->series[0] ? json_object_new_object() : NULL;

	if (series) {
		json_text(series, "id", f->series);
		json_number(series, "season", f->season);
		json_number(series, "episode", f->episode);
		json_url(series, "url", app->conf, "/api/series/%s", f->series);
	}
	json_object_object_add(to, "series", series);
}

/* For a page: what the source tells of it, and pictures for a seek bar. */
static void put_about(struct json_object *to, const struct app *app, const struct film_seen *film)
{
	const struct film *f = &film->title.film;

	json_object_object_add(to, "year", f->year ? json_object_new_int64(f->year) : NULL);
	json_art(to, "poster", app->conf, f->id, f->poster);
	json_text(to, "plot", f->plot);
	if (film->record.video.codec[0])
		json_url(to, "thumbnails", app->conf, "/api/hls/%s/%s/thumbnails.vtt", f->id,
			film->ver);
	else
		json_text(to, "thumbnails", NULL);
}

static void send_json(struct app *app, struct request *rq, struct reply *r,
	const struct film_seen *film, const struct ladder *l)
{
	struct json_object *root = json_object_new_object(), *codecs = json_object_new_array();
	const struct record *rec = &film->record;

	if (rec->video.codec[0])
		json_object_array_add(codecs, json_object_new_string(rec->video.codec));
	for (size_t i = 0; i < rec->audio_count; i++)
		json_object_array_add(codecs, json_object_new_string(rec->audio[i].codec));
	json_text(root, "id", film->title.film.id);
	json_text(root, "title", film->title.film.name);
	json_text(root, "container", container_name(film));
	json_object_object_add(root, "codecs", codecs);
	json_number(root, "duration", record_begin_us(rec, rec->segments) / 1000000);
	put_way(root, app, rq, film);
	json_object_object_add(root, "qualities", qualities(app, film, l));
	json_object_object_add(root, "subtitles", subtitles(rq, film));
	json_object_object_add(root, "audioTracks", sounds(rec));
	put_about(root, app, film);
	put_series(root, app, &film->title.film);
	json_send(r, 200, root);
	/* Whether an edge may be named depends on the page that asks. */
	reply_cache(
		r, film->title.where == TITLE_FILE ? "public, max-age=1" : "private, max-age=1");
}

/* --- what plays now --------------------------------------------------------------------------- */

static int redirect(struct request *rq, struct reply *r, const char *id, struct fail *f)
{
	const char *quality = request_query(rq, "quality");
	const char *to = arena_printf(&rq->arena, "/api/hls/%s/master.m3u8%s%s", id,
		quality ? "?quality=" : "", quality ? quality : "");

	return film_redirect(r, to, f);
}

/* A lower picture than the film's own has to be made. */
static bool is_wanted_lower(const struct asked_quality *quality, const struct film_seen *film)
{
	return quality->said && quality->first->height < record_lines(&film->record);
}

static int answer(struct app *app, struct request *rq, struct reply *r, struct film_seen *film,
	struct fail *f)
{
	int json = accept_weight(request_header(rq, "HTTP_ACCEPT"), "application/json");
	enum direct_way way = DIRECT_NOT;
	struct asked_quality quality;
	const char *edge = NULL;

	if (find_film_quality(app, rq, &quality, f) < 0)
		return -1;
	reply_vary(r, "Accept");
	if (json > 0 && json > accept_weight(request_header(rq, "HTTP_ACCEPT"), "video/mp4")) {
		if (quality.hinted)
			reply_vary(r, FIND_HINTS);
		send_json(app, rq, r, film, &quality.ladder);
		return 0;
	}
	if (!is_wanted_lower(&quality, film) && direct_plays(rq, film))
		way = direct_from(app, rq, &film->title, 0, &edge);
	switch (way) {
	case DIRECT_BYTES:
		return send_bytes(app, rq, r, &film->title, f);
	case DIRECT_EDGE:
		return direct_redirect(r, edge, f);
	case DIRECT_NOT:
		break;
	}
	return redirect(rq, r, film->title.film.id, f);
}

static int play(struct app *app, struct request *rq, struct reply *r, const struct ident *id,
	struct fail *f)
{
	struct film_seen *film = arena_alloc(&rq->arena, sizeof(*film));
	int result;

	if (!film)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	film->client = rq->client;
	result = film_open(film, app, id, WAIT_MS, f);
	if (result == 0)
		result = answer(app, rq, r, film, f);
	else if (f->kind == FAIL_BUSY)
		r->retry_after_s = 1;
	film_close(film);
	return result;
}

int stream_vod(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct ident id;

	if (!ident_parse(rq->args[0], IDENT_VOD, &id))
		return fail_set(f, FAIL_INPUT, "This is no id: letters, digits, '.', '_' and '-'");
	return play(app, rq, r, &id, f);
}

int stream_episode(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct ident id;

	return series_find_episode(app, rq, r, WAIT_MS, &id, f) < 0 ? -1 : play(app, rq, r, &id, f);
}
