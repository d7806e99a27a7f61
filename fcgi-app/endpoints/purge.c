/* fcgi-app/endpoints/purge.c - POST /api/cache/purge: drops what is kept of a title or a stream.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/purge.h"

#include <json-c/json.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/admin.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/base/log.h"
#include "lib/svc/purge.h"
#include "lib/svc/wanted.h"

enum { BODY_MAX = 1024, DEPTH_MAX = 2 };

/* The member `id` of the body, in the request's arena. */
static int read_id(struct request *rq, struct buf *body, const char **id, struct fail *f)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL, *member = NULL;

	if (tokener && body->len)
		root = json_tokener_parse_ex(tokener, body->ptr, (int)body->len);
	if (tokener)
		json_tokener_free(tokener);
	*id = NULL;
	if (json_object_is_type(root, json_type_object) &&
		json_object_object_get_ex(root, "id", &member) &&
		json_object_is_type(member, json_type_string))
		*id = arena_copy(&rq->arena, span_of(json_object_get_string(member)));
	json_object_put(root);
	return *id ? 0 : fail_set(f, FAIL_INPUT, "The body is JSON: {\"id\":\"vod-7\"}");
}

int purge_post(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct json_object *root;
	struct wanted wanted;
	struct purged done;
	struct buf body;
	const char *id;
	int bad;

	if (admin_require(rq, r, f) < 0)
		return -1;
	buf_init(&body, BODY_MAX);
	bad = request_body(rq, &body, f) < 0 || read_id(rq, &body, &id, f) < 0;
	buf_release(&body);
	if (bad || wanted_parse(app->conf, id, &wanted, f) < 0 ||
		!app_wait_begin(app, rq->client, f))
		return -1;
	purge(app->conf, app->mc, app->publisher, app->boot, id, &done);
	app_wait_end(app, rq->client);
	log_info("purged", LOG_STR("id", id), LOG_INT("files", done.files),
		LOG_INT("bytes", done.bytes), LOG_INT("streams", done.streams));
	root = json_object_new_object();
	json_text(root, "id", id);
	json_number(root, "files", done.files);
	json_number(root, "bytes", done.bytes);
	json_number(root, "streams", done.streams);
	json_send(r, 200, root);
	reply_cache(r, "private, no-store");
	return 0;
}
