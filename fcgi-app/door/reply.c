/* fcgi-app/door/reply.c - the answer: status, headers and body.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/reply.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum { HEADERS_MAX = 3500, BODY_MAX = 8 * 1024 * 1024 };

/* What a failure of each kind is in HTTP. Retry-After 0: none is sent. */
static const struct outcome {
	int status;
	const char *code;
	int retry_after_s;
} outcomes[] = {
	[FAIL_NONE] = {500, "internal", 0},
	[FAIL_INPUT] = {400, "bad_input", 0},
	[FAIL_FORBIDDEN] = {403, "forbidden", 0},
	[FAIL_MISSING] = {404, "not_found", 0},
	[FAIL_CONFLICT] = {409, "conflict", 0},
	[FAIL_RANGE] = {416, "range", 0},
	[FAIL_BUSY] = {503, "busy", 2},
	[FAIL_UPSTREAM] = {502, "upstream_refused", 5},
	[FAIL_TIMEOUT] = {504, "upstream_timeout", 3},
	[FAIL_GONE] = {499, "client_gone", 0},
	[FAIL_INTERNAL] = {500, "internal", 0},
};

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{204, "No Content"},
		{302, "Found"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{416, "Range Not Satisfiable"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Status";
}

void reply_open(struct reply *r, struct request *rq)
{
	*r = (struct reply){.rq = rq, .status = 200};
	buf_init(&r->headers, HEADERS_MAX);
	buf_init(&r->body, BODY_MAX);
}

void reply_close(struct reply *r)
{
	buf_release(&r->headers);
	buf_release(&r->body);
}

void reply_header(struct reply *r, const char *name, const char *value)
{
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return;
	}
	buf_printf(&r->headers, "%s: %s\r\n", name, value);
}

void reply_cache(struct reply *r, const char *value)
{
	reply_header(r, "Cache-Control", value);
}

void reply_text(struct reply *r, int status, const char *type, struct span body)
{
	r->status = status;
	reply_header(r, "Content-Type", type);
	buf_clear(&r->body);
	buf_add(&r->body, body.ptr, body.len);
}

void reply_redirect(struct reply *r, int status, const char *location)
{
	r->status = status;
	buf_clear(&r->body);
	reply_header(r, "Location", location);
}

static void put_error(struct reply *r, const char *code, const char *message, int retry_after_s)
{
	struct json_object *root = json_object_new_object(), *error = json_object_new_object();

	json_object_object_add(error, "code", json_object_new_string(code));
	json_object_object_add(error, "message", json_object_new_string(message));
	if (retry_after_s)
		json_object_object_add(error, "retryAfter", json_object_new_int(retry_after_s));
	json_object_object_add(error, "requestId", json_object_new_string(r->rq->id));
	json_object_object_add(root, "error", error);
	reply_text(r, r->status, "application/json",
		span_of(json_object_to_json_string_ext(
			root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(root);
}

void reply_fail(struct reply *r, const struct fail *f)
{
	const struct outcome *o = &outcomes[f->kind];
	const char *code = r->error_code ? r->error_code : o->code;
	int retry_after_s = r->retry_after_s ? r->retry_after_s : o->retry_after_s;
	char seconds[16];

	/* What the handler had begun to say is dropped, but not who may try again with what. */
	if (r->status != 405)
		buf_clear(&r->headers);
	r->status = r->status == 405 ? 405 : o->status;
	if (retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
		reply_header(r, "Retry-After", seconds);
	}
	reply_cache(r, "no-store");
	put_error(r, code, f->text, retry_after_s);
}

static void put_cors(struct reply *r, const char *origin)
{
	if (r->private_cors || !*origin)
		return;
	reply_header(r, "Access-Control-Allow-Origin", origin);
	if (strcmp(origin, "*") != 0)
		reply_header(r, "Vary", "Origin");
	reply_header(r, "Access-Control-Expose-Headers",
		"Content-Length, Content-Range, X-Cache, X-Request-Id, Retry-After");
	if (r->rq->method != METHOD_OPTIONS)
		return;
	reply_header(r, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
	reply_header(r, "Access-Control-Allow-Headers",
		"Range, Authorization, X-Sluice-Token, Content-Type, CMCD-Object, CMCD-Request, "
		"CMCD-Session, CMCD-Status");
	reply_header(r, "Access-Control-Max-Age", "86400");
}

int reply_send(struct reply *r, const char *cors_origin)
{
	struct buf head;
	int sent;

	put_cors(r, cors_origin);
	reply_header(r, "X-Request-Id", r->rq->id);
	if (r->headers.failed || r->body.failed) {
		struct fail f;
		fail_set(&f, FAIL_INTERNAL, "The answer grew past its limit");
		r->status = 200;
		buf_clear(&r->headers);
		buf_clear(&r->body);
		reply_fail(r, &f);
	}
	buf_init(&head, HEADERS_MAX + 200);
	buf_printf(&head, "Status: %d %s\r\n", r->status, reason(r->status));
	buf_add(&head, r->headers.ptr, r->headers.len);
	if (r->status != 204 && r->status != 304)
		buf_printf(&head, "Content-Length: %zu\r\n", r->body.len);
	buf_puts(&head, "\r\n");
	sent = fcgi_write(r->rq->x, head.ptr, head.len);
	buf_release(&head);
	if (sent == 0 && r->rq->method != METHOD_HEAD && r->body.len)
		sent = fcgi_write(r->rq->x, r->body.ptr, r->body.len);
	return sent;
}
