/* fcgi-app/door/reply_send.c - the answer on its way: conditions, parts, who sends a file.
 * SPDX-License-Identifier: BSD-2-Clause
 * RFC 9110, sections 13.1 (conditions), 13.2 (their order) and 14 (ranges). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fcgi-app/door/reply.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/http/date.h"
#include "lib/http/range.h"
#include "lib/io/conf.h"

enum {
	LINE_BYTES = 120,
	RANGE_DIGITS = 15, /* more make some front servers think that it is none */
	PATH_BYTES = 1000, /* of www_dir: with a name as long there is room for other headers */
};

static const char octets[] = "application/octet-stream";

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{204, "No Content"},
		{206, "Partial Content"},
		{302, "Found"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{412, "Precondition Failed"},
		{416, "Range Not Satisfiable"},
		{429, "Too Many Requests"},
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

/* --- conditions and parts --------------------------------------------------------------------- */

/* The status that the conditions of the request ask for; 200 when they are met. Our only validator
 * is the date, so no entity tag ever matches, and an asterisk always does (13.1.1, 13.1.2). */
static int condition(const struct request *rq, int64_t modified_s)
{
	const char *match = request_header(rq, "HTTP_IF_MATCH");
	const char *none = request_header(rq, "HTTP_IF_NONE_MATCH");
	int64_t s, now_s = clock_real_ms() / 1000;

	if (match) {
		if (!span_is(span_trim(span_of(match)), "*"))
			return 412;
	} else if (date_parse(request_header(rq, "HTTP_IF_UNMODIFIED_SINCE"), now_s, &s) &&
		   modified_s > s) {
		return 412;
	}
	if (none)
		return span_is(span_trim(span_of(none)), "*") ? 304 : 200;
	if (date_parse(request_header(rq, "HTTP_IF_MODIFIED_SINCE"), now_s, &s) && modified_s <= s)
		return 304;
	return 200;
}

/* Whether Range counts: If-Range must be the very date (13.1.5). */
static bool is_same(const struct request *rq, int64_t modified_s)
{
	const char *if_range = request_header(rq, "HTTP_IF_RANGE");
	int64_t s;

	return !if_range || (date_parse(if_range, clock_real_ms() / 1000, &s) && s == modified_s);
}

static int64_t body_size(const struct reply *r)
{
	if (r->blocks)
		return blocks_info(r->blocks)->size;
	return r->fd >= 0 ? r->file_bytes : (int64_t)r->body.len;
}

static void refuse(struct reply *r, int status)
{
	long long size = body_size(r);
	char text[40];
	struct fail f;

	if (status == 416) {
		fail_set(&f, FAIL_RANGE, "None of these bytes are there: it has %lld", size);
	} else {
		r->error_code = "precondition_failed";
		fail_set(&f, FAIL_CONFLICT, "It is not what it was on that date");
	}
	reply_fail(r, &f);
	r->status = status;
	snprintf(text, sizeof(text), "bytes */%lld", size);
	if (status == 416)
		reply_header(r, "Content-Range", text);
}

/* Which bytes of the body to send. The status becomes 206, 304, 412 or 416 where it should. */
static void choose_part(struct reply *r, struct range *part)
{
	const struct request *rq = r->rq;
	enum range_result asked = RANGE_NONE;
	int status = condition(rq, r->modified_s);

	if (status == 200 && rq->method == METHOD_GET && is_same(rq, r->modified_s))
		asked = range_parse(request_header(rq, "HTTP_RANGE"), body_size(r), part);
	if (asked == RANGE_UNSATISFIABLE)
		status = 416;
	if (status == 412 || status == 416)
		refuse(r, status);
	else if (status == 304)
		r->status = 304;
	else if (asked == RANGE_OK)
		r->status = 206;
}

/* --- who sends a file ------------------------------------------------------------------------- */

bool reply_may_code(const struct reply *r)
{
	const char *dialect = fcgi_param(r->rq->x, "SLUICE_SEND_FILE");

	return !dialect || strcasecmp(dialect, "X-Sendfile") != 0;
}

static bool is_plain_path(const char *path)
{
	if (strlen(path) > PATH_BYTES)
		return false;
	for (; *path; path++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-",
			    *path))
			return false;
	}
	return true;
}

/* One part in the plainest words: "bytes=0-99", "bytes=0-", "bytes=-99". */
static bool is_plain_range(const char *range)
{
	static const char unit[] = "bytes=", digits[] = "0123456789";
	size_t first, last;

	if (strncmp(range, unit, strlen(unit)) != 0)
		return false;
	range += strlen(unit);
	first = strspn(range, digits);
	if (range[first] != '-')
		return false;
	last = strspn(range + first + 1, digits);
	return !range[first + 1 + last] && first + last > 0 && first <= RANGE_DIGITS &&
	       last <= RANGE_DIGITS;
}

/* Whether the front server would make the same of the request as we did. It looks at conditions and
 * parts anew, and each in its own way where they are odd. */
static bool front_agrees(const struct reply *r)
{
	static const char *const odd[] = {
		"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE"};
	const char *range = request_header(r->rq, "HTTP_RANGE");

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (fcgi_param(r->rq->x, odd[i]))
			return false;
	}
	return range ? r->status == 206 && is_plain_range(range)
		     : r->status == 200 && !fcgi_param(r->rq->x, "HTTP_RANGE");
}

static bool is_nginx(const struct reply *r)
{
	const char *dialect = fcgi_param(r->rq->x, "SLUICE_SEND_FILE");

	return dialect && strcasecmp(dialect, "X-Accel-Redirect") == 0;
}

/* Leaves the file to the front server if that can be told where it is: lighttpd undoes percent
 * escapes in the path and Apache does not, so only a plain one means the same to both. */
static bool leave_file(struct reply *r)
{
	const char *dialect = fcgi_param(r->rq->x, "SLUICE_SEND_FILE");

	if (!dialect || r->fd < 0 || !r->file)
		return false;
	if (is_nginx(r))
		return buf_printf(&r->headers, "X-Accel-Redirect: /-file/%s\r\n", r->file);
	if (strcasecmp(dialect, "X-Sendfile") == 0 && is_plain_path(r->conf->www_dir))
		return buf_printf(&r->headers, "X-Sendfile: %s/%s\r\n", r->conf->www_dir, r->file);
	return false;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void put_cors(struct reply *r)
{
	const char *origin = r->conf->cors_origin;

	if (r->private_cors || !*origin)
		return;
	reply_header(r, "Access-Control-Allow-Origin", origin);
	if (strcmp(origin, "*") != 0)
		reply_vary(r, "Origin");
	reply_header(r, "Access-Control-Expose-Headers",
		"Content-Length, Content-Range, X-Cache, X-Quality, X-Request-Id, Retry-After");
	if (r->rq->method != METHOD_OPTIONS)
		return;
	reply_header(r, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
	reply_header(r, "Access-Control-Allow-Headers",
		"Range, Authorization, X-Sluice-Token, Content-Type, CMCD-Object, CMCD-Request, "
		"CMCD-Session, CMCD-Status");
	reply_header(r, "Access-Control-Max-Age", "86400");
}

static void put_number(struct reply *r, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	reply_header(r, name, text);
}

/* What every answer says, and what follows from its members. Of a file that is left to it nginx
 * offers parts by itself, and would do so twice. */
static void put_common(struct reply *r, bool left)
{
	char date[DATE_BYTES];

	put_cors(r);
	if (r->rate_limit) {
		put_number(r, "RateLimit-Limit", r->rate_limit);
		put_number(r, "RateLimit-Remaining", r->rate_remaining);
		put_number(r, "RateLimit-Reset", r->rate_reset_s);
	}
	if (*r->vary)
		reply_header(r, "Vary", r->vary);
	if (r->type && r->status != 304)
		reply_header(r, "Content-Type", r->type);
	/* Else a browser runs it, where a page asks for it as a script. */
	if (r->type && r->status != 304 && strcmp(r->type, octets) == 0)
		reply_header(r, "X-Content-Type-Options", "nosniff");
	if (r->modified_s) {
		date_print(r->modified_s, date);
		reply_header(r, "Last-Modified", date);
		if (!left || !is_nginx(r))
			reply_header(r, "Accept-Ranges", "bytes");
	}
	reply_header(r, "X-Cache", r->x_cache);
	reply_header(r, "X-Request-Id", r->rq->id);
}

/* The length has been said: the client sees where a part of it is missing. */
static int send_file(struct reply *r, int fd, struct range part)
{
	int64_t len = part.last - part.first + 1;

	if (len <= 0)
		return 0;
	if (fcgi_send_file(r->rq->x, fd, part.first, len) < 0)
		return -1;
	r->sent_bytes += len;
	return 0;
}

/* --- an object that is not whole yet ---------------------------------------------------------- */

/* Waits for the first byte of the part. Where there will be none the reply says why. Where the
 * object has just become another one, it is that one's part. */
static void await_piece(struct reply *r, struct range *part, struct blocks_piece *piece)
{
	struct fail f = {0};
	int64_t retry_s = 0;

	for (int i = 0; i < 2; i++) {
		r->x_cache = blocks_x_cache(r->blocks, part->first, part->last);
		if (blocks_next(r->blocks, part->first, part->last, piece, &retry_s, &f) == 0)
			return;
		if (f.kind != FAIL_CONFLICT)
			break;
		r->status = 200;
		r->modified_s = blocks_info(r->blocks)->modified_s;
		*part = (struct range){0, body_size(r) - 1};
		choose_part(r, part);
		if ((r->status != 200 && r->status != 206) || part->first > part->last)
			return; /* with nothing to send */
	}
	r->retry_after_s = (int)retry_s;
	reply_fail(r, &f);
}

/* The length has been said: the client sees where it ends too early. */
static int send_object(struct reply *r, struct range part, struct blocks_piece piece)
{
	struct fail f = {0};
	int64_t retry_s;

	for (;;) {
		const struct range in = {piece.offset, piece.offset + (int64_t)piece.len - 1};

		if (piece.fd >= 0 && send_file(r, piece.fd, in) < 0)
			return -1;
		if (piece.fd < 0 && fcgi_write(r->rq->x, piece.bytes, piece.len) < 0)
			return -1;
		if (piece.fd < 0)
			r->sent_bytes += (int64_t)piece.len;
		part.first += (int64_t)piece.len;
		if (part.first > part.last)
			return 0;
		if (blocks_next(r->blocks, part.first, part.last, &piece, &retry_s, &f) < 0) {
			if (f.kind != FAIL_GONE)
				log_warn("stream_cut", LOG_STR("id", r->rq->id),
					LOG_STR("why", f.text));
			return -1;
		}
	}
}

static int send_bytes(struct reply *r, struct range part)
{
	size_t len = (size_t)(part.last - part.first + 1);

	if (len == 0)
		return 0;
	if (fcgi_write(r->rq->x, r->body.ptr + part.first, len) < 0)
		return -1;
	r->sent_bytes = (int64_t)len;
	return 0;
}

static int put_line(const struct reply *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int put_line(const struct reply *r, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	must(len > 0 && len < LINE_BYTES);
	return fcgi_write(r->rq->x, line, (size_t)len);
}

static int send_head(const struct reply *r, struct range part, bool left)
{
	long long first = part.first, last = part.last, size = body_size(r);

	if (put_line(r, "Status: %d %s\r\n", r->status, reason(r->status)) < 0 ||
		fcgi_write(r->rq->x, buf_str(&r->headers), r->headers.len) < 0)
		return -1;
	if (r->status == 206 && !r->stream.run &&
		put_line(r, "Content-Range: bytes %lld-%lld/%lld\r\n", first, last, size) < 0)
		return -1;
	if (left || r->stream.run || r->status == 204 || r->status == 304)
		return put_line(r, "\r\n");
	return put_line(r, "Content-Length: %lld\r\n\r\n", last - first + 1);
}

/* An answer that does not fit becomes one that says so. */
static bool is_too_large(struct reply *r)
{
	struct fail f;

	if (!r->headers.failed && !r->body.failed)
		return false;
	fail_set(&f, FAIL_INTERNAL, "The answer grew past its limit");
	r->status = 200;
	reply_fail(r, &f);
	put_common(r, false);
	return true;
}

/* Whether a body follows that comes from the byte cache. */
static bool has_pieces(const struct reply *r, bool left, const struct range *part)
{
	return r->blocks && !left && r->rq->method == METHOD_GET &&
	       (r->status == 200 || r->status == 206) && part->first <= part->last;
}

int reply_send(struct reply *r)
{
	enum method method = r->rq->method;
	struct range part = {0, body_size(r) - 1};
	struct blocks_piece piece = {.fd = -1};
	bool left;

	if (r->modified_s && r->status == 200 && (method == METHOD_GET || method == METHOD_HEAD))
		choose_part(r, &part);
	/* The front server looks for the part by itself, in an answer of 200. */
	left = front_agrees(r) && leave_file(r);
	if (left)
		r->status = 200;
	if (has_pieces(r, left, &part))
		await_piece(r, &part, &piece);
	put_common(r, left);
	if (is_too_large(r))
		left = false;
	if (r->status >= 300)
		part = (struct range){0, body_size(r) - 1};
	if (send_head(r, part, left) < 0)
		return -1;
	if (left || method == METHOD_HEAD || r->status == 204 || r->status == 304)
		return 0;
	if (r->stream.run)
		return r->stream.run(r, r->stream.ctx);
	if (piece.len)
		return send_object(r, part, piece);
	return r->fd >= 0 ? send_file(r, r->fd, part) : send_bytes(r, part);
}
