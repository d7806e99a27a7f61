/* fcgi-app/endpoints/video_info.c - POST /api/video-info: what a web page offers to play.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/video_info.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/admin.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/io/conf.h"
#include "lib/svc/info.h"
#include "lib/svc/page.h"
#include "lib/svc/wanted.h"

enum { BODY_MAX = 8192, DEPTH_MAX = 4, WAIT_MAX_MS = 35000 };

/* --- the question ----------------------------------------------------------------------------- */

/* With all of its bytes: what follows a NUL must not go unseen. */
static struct span copy_text(struct request *rq, struct json_object *text)
{
	size_t len = (size_t)json_object_get_string_len(text);
	char *copy = arena_copy(&rq->arena, span_make(json_object_get_string(text), len));

	return span_make(copy, copy ? len : 0);
}

/* The member `url` of the body, in the request's arena. */
static int read_url(struct request *rq, struct buf *body, struct span *url, struct fail *f)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL, *member = NULL;
	int result = 0;

	if (tokener && body->len)
		root = json_tokener_parse_ex(tokener, body->ptr, (int)body->len);
	if (tokener)
		json_tokener_free(tokener);
	if (!json_object_is_type(root, json_type_object) ||
		!json_object_object_get_ex(root, "url", &member) ||
		!json_object_is_type(member, json_type_string))
		result = fail_set(f, FAIL_INPUT, "The body is JSON: {\"url\":\"https://…\"}");
	else
		*url = copy_text(rq, member);
	json_object_put(root);
	return result;
}

static int take_url(struct app *app, struct request *rq, struct span *url, struct fail *f)
{
	struct buf body;
	int result;

	if (!admin_or_user(rq, app->conf))
		return fail_set(f, FAIL_FORBIDDEN,
			"Only a user or the admin may name an address: log in, or send "
			"admin_token");
	buf_init(&body, BODY_MAX);
	result = request_body(rq, &body, f) < 0 ? -1 : read_url(rq, &body, url, f);
	buf_release(&body);
	return result;
}

/* --- the answer ------------------------------------------------------------------------------- */

static struct json_object *format_of(const struct offer_format *n)
{
	static const char *const kinds[] = {"audio", "video", "both"};
	struct json_object *to = json_object_new_object();

	json_text(to, "id", n->id);
	json_text(to, "kind", kinds[n->kind]);
	json_text(to, "quality", n->kind == OFFER_PICTURE ? NULL : offer_quality(n));
	json_text(to, "ext", n->ext);
	json_text(to, "codecs", n->codecs);
	json_object_object_add(to, "height", n->height ? json_object_new_int64(n->height) : NULL);
	json_object_object_add(to, "kbps", n->kbps ? json_object_new_int64(n->kbps) : NULL);
	json_object_object_add(to, "bytes", n->bytes ? json_object_new_int64(n->bytes) : NULL);
	return to;
}

static void send_offer(
	struct app *app, struct request *rq, struct reply *r, const char *id, const struct offer *o)
{
	struct json_object *root = json_object_new_object(), *formats = json_object_new_array();

	json_text(root, "id", id);
	json_text(root, "title", o->title);
	json_object_object_add(
		root, "duration", o->duration_s ? json_object_new_int64(o->duration_s) : NULL);
	json_art(root, "thumbnail", app->conf, id, o->thumbnail);
	for (size_t i = 0; i < o->count; i++)
		json_object_array_add(formats, format_of(&o->formats[i]));
	json_object_object_add(root, "formats", formats);
	json_text(root, "url",
		arena_printf(&rq->arena, "%s/cdn/stream/%s", app->conf->public_url, id));
	json_send(r, 200, root);
	reply_cache(r, "private, no-store");
}

/* What is known needs no waiting, for which there is not always room. */
static int look_or_wait(struct app *app, struct request *rq, struct reply *r,
	const struct resolve *what, struct offer *o, struct fail *f)
{
	const struct resolved_at at = app_resolved_at(app, rq);
	int64_t wait_ms = app->conf->resolve_timeout_s * 1000 + 2000, retry_s = 0;
	enum resolved_result result = info_await(&at, what, 0, &rq->arena, o, &retry_s, f);

	r->x_cache = result == RESOLVED_FOUND ? "HIT" : "MISS";
	if (result == RESOLVED_WAIT) {
		if (!app_wait_begin(app, rq->client, f))
			return -1;
		wait_ms = wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
		result = info_await(&at, what, wait_ms, &rq->arena, o, &retry_s, f);
		app_wait_end(app, rq->client);
	}
	if (result == RESOLVED_FOUND)
		return 0;
	r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
	return -1;
}

static int answer(struct app *app, struct request *rq, struct reply *r, const struct resolve *what,
	const char *id, struct fail *f)
{
	struct offer *o = arena_alloc(&rq->arena, sizeof(*o));

	if (!o)
		return fail_set(f, FAIL_BUSY, "There is no memory for this answer");
	if (look_or_wait(app, rq, r, what, o, f) < 0)
		return -1;
	send_offer(app, rq, r, id, o);
	return 0;
}

int video_info(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	char key[PAGE_KEY_BYTES], id[WANTED_ID_MAX];
	struct resolve what = {.page = true, .key = key, .quality = ""};
	struct wanted page;
	struct span url;

	if (take_url(app, rq, &url, f) < 0 || page_keep(app->conf, app->mc, url, key, f) < 0)
		return -1;
	snprintf(id, sizeof(id), "url-%s", key);
	if (wanted_parse(app->conf, id, &page, f) < 0) {
		r->error_code = "no_resolver";
		return fail_set(f, FAIL_CONFLICT,
			"No source of type command is configured, which could look at pages");
	}
	what.source = page.source;
	if (resolve_by_quality(page.source))
		what.quality = app->conf->default_quality;
	return answer(app, rq, r, &what, id, f);
}
