/* fcgi-app/door/reply_fail.c - failures in words: JSON, or a page for people.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-app/door/reply.h"
#include "lib/http/accept.h"
#include "lib/http/html.h"
#include "lib/io/conf.h"

enum { PAGE_MAX = 16384 };

/* What a failure of each kind is in HTTP, and for people. Retry-After 0: none is sent. */
static const struct outcome {
	int status;
	const char *code;
	int retry_after_s;
	const char *title, *advice;
} outcomes[] = {
	[FAIL_NONE] = {500, "internal", 0, "Something went wrong here",
		"This is a mistake of ours. Whoever runs this service finds it in the log."},
	[FAIL_INPUT] = {400, "bad_input", 0, "This address makes no sense",
		"Check how it is written, or choose from the list of channels."},
	[FAIL_FORBIDDEN] = {403, "forbidden", 0, "You may not see this",
		"Ask whoever runs this service."},
	[FAIL_MISSING] = {404, "not_found", 0, "There is nothing here",
		"Check how the address is written, or choose from the list of channels."},
	[FAIL_CONFLICT] = {409, "conflict", 0, "This cannot be done now",
		"Go back, and look at how things are."},
	[FAIL_RANGE] = {416, "range", 0, "There is no such part", "Ask for the whole of it."},
	[FAIL_BUSY] = {503, "busy", 2, "Too much is asked of us at once",
		"This page tries again by itself in a moment."},
	[FAIL_UPSTREAM] = {502, "upstream_refused", 5, "The source does not play along",
		"This page tries again by itself in a moment."},
	[FAIL_TIMEOUT] = {504, "upstream_timeout", 3, "The source does not answer",
		"This page tries again by itself in a moment."},
	[FAIL_GONE] = {499, "client_gone", 0, "You left", ""},
	[FAIL_INTERNAL] = {500, "internal", 0, "Something went wrong here",
		"This is a mistake of ours. Whoever runs this service finds it in the log."},
	[FAIL_LIMITED] = {429, "rate_limited", 0, "You ask too often",
		"This page tries again by itself in a moment."},
};

/* Whether people open what lies there: all but what programs ask for. */
static bool is_page(const struct request *rq)
{
	static const char *const others[] = {"api", "cdn", "g", "health", "metrics", "prefetch",
		"proxy", "tv", "web", "-api", "-relay", "-file"};
	const char *target = fcgi_param(rq->x, "REQUEST_URI");
	struct span path = rq->path.raw.len ? rq->path.raw : span_of(target), first;

	if (!span_starts(path, "/"))
		return false;
	first = span_make(path.ptr + 1, 0);
	while (first.len < path.len - 1 && !strchr("/?#", first.ptr[first.len]))
		first.len++;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (span_is(first, others[i]))
			return false;
	}
	return true;
}

static bool wants_page(const struct request *rq)
{
	const char *accept = request_header(rq, "HTTP_ACCEPT");
	int html = accept_weight(accept, "text/html");

	return html > 0 && html > accept_weight(accept, "application/json");
}

static void put_json(struct reply *r, const char *code, const char *message, int retry_after_s)
{
	struct json_object *root = json_object_new_object(), *error = json_object_new_object();

	json_object_object_add(error, "code", json_object_new_string(code));
	json_object_object_add(error, "message", json_object_new_string(message));
	if (r->reason)
		json_object_object_add(error, "reason", json_object_new_string(r->reason));
	if (retry_after_s)
		json_object_object_add(error, "retryAfter", json_object_new_int(retry_after_s));
	json_object_object_add(error, "requestId", json_object_new_string(r->rq->id));
	json_object_object_add(root, "error", error);
	reply_text(r, r->status, "application/json",
		span_of(json_object_to_json_string_ext(
			root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(root);
}

static void put_page(
	struct reply *r, const struct outcome *o, const char *message, int retry_after_s)
{
	static const char style[] =
		"body{margin:0;min-height:100vh;display:grid;place-content:center;padding:1rem;"
		"box-sizing:border-box;background:#101216;color:#e8eaed;"
		"font:1rem/1.5 system-ui,sans-serif}main{max-width:34rem}h1{line-height:1.2}"
		"a{color:inherit}small{opacity:.7}";
	struct buf html;

	buf_init(&html, PAGE_MAX);
	buf_puts(&html, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
	if (retry_after_s)
		buf_printf(&html, "<meta http-equiv=\"refresh\" content=\"%d\">", retry_after_s);
	buf_puts(&html, "<meta name=\"viewport\" content=\"width=device-width\"><title>");
	buf_printf(&html, "%s - ", o->title);
	html_escape(&html, r->conf->site_name);
	buf_printf(&html, "</title><style>%s</style></head><body><main><h1>%s</h1><p>", style,
		o->title);
	html_escape(&html, message);
	buf_printf(&html, ".</p><p>%s</p><p><a href=\"/\">", o->advice);
	html_escape(&html, r->conf->site_name);
	buf_printf(&html, "</a></p><small>%d, request %s</small></main></body></html>\n", r->status,
		r->rq->id);
	reply_text(r, r->status, "text/html; charset=utf-8", buf_span(&html));
	buf_release(&html);
	reply_header(r, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'self'");
	reply_header(r, "X-Content-Type-Options", "nosniff");
}

void reply_fail(struct reply *r, const struct fail *f)
{
	const struct outcome *o = &outcomes[f->kind];
	int retry_after_s = r->retry_after_s ? r->retry_after_s : o->retry_after_s;
	bool page = is_page(r->rq);
	char allow[80] = "", seconds[16];

	/* What the handler had begun to say is dropped, but not what may be asked instead. */
	if (r->status == 405)
		span_copy(buf_span(&r->headers), allow, sizeof(allow));
	reply_drop(r);
	buf_puts(&r->headers, allow);
	r->status = r->status == 405 ? 405 : o->status;
	if (retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%d", retry_after_s);
		reply_header(r, "Retry-After", seconds);
	}
	reply_cache(r, "no-store");
	if (page)
		reply_vary(r, "Accept");
	if (page && wants_page(r->rq))
		put_page(r, o, f->text, retry_after_s);
	else
		put_json(r, r->error_code ? r->error_code : o->code, f->text, retry_after_s);
}
