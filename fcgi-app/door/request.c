/* fcgi-app/door/request.c - a request: decoded once, refused here or trusted afterwards.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/request.h"

#include <string.h>
#include <sys/random.h>

#include "lib/base/num.h"

enum { ARENA_MAX = 256 * 1024, HEADER_MAX = 8192 };

static const char *const names[] = {
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE",
	[METHOD_OPTIONS] = "OPTIONS",
	[METHOD_OTHER] = "OTHER",
};

const char *method_name(enum method m)
{
	return names[m];
}

static enum method method_read(const char *text)
{
	for (int m = METHOD_GET; text && m < METHOD_OTHER; m++) {
		if (strcmp(text, names[m]) == 0)
			return (enum method)m;
	}
	return METHOD_OTHER;
}

int request_open(struct request *rq, struct fcgi_exchange *x, struct fail *f)
{
	const char *target = fcgi_param(x, "REQUEST_URI");
	unsigned char random[8] = {0};

	rq->x = x;
	rq->query.count = 0;
	rq->path = (struct path){0};
	memset(rq->args, 0, sizeof(rq->args));
	arena_init(&rq->arena, ARENA_MAX);
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		memcpy(random, &rq, sizeof(random)); /* an id need not be secret */
	num_print_hex(random, sizeof(random), rq->id);
	rq->method = method_read(fcgi_param(x, "REQUEST_METHOD"));
	if (!target)
		return fail_set(f, FAIL_INPUT, "The front server sent no REQUEST_URI");
	if (path_parse(&rq->path, target, &rq->arena, f) < 0)
		return -1;
	return query_parse(&rq->query, rq->path.query, &rq->arena, f);
}

void request_close(struct request *rq)
{
	arena_release(&rq->arena);
}

const char *request_header(const struct request *rq, const char *name)
{
	const char *value = fcgi_param(rq->x, name);

	if (!value || strnlen(value, HEADER_MAX + 1) > HEADER_MAX)
		return NULL;
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 && *c != '\t')
			return NULL;
	}
	return value;
}

const char *request_query(struct request *rq, const char *name)
{
	struct span value;

	/* Decoded text lives in the arena with a NUL after it (path_decode). */
	return query_get(&rq->query, name, &value) ? (value.len ? value.ptr : "") : NULL;
}

int request_body(struct request *rq, struct buf *to, struct fail *f)
{
	char piece[4096];
	ssize_t n;

	while ((n = fcgi_read(rq->x, piece, sizeof(piece))) > 0) {
		if (!buf_add(to, piece, (size_t)n))
			return fail_set(f, FAIL_INPUT,
				"The request's body is larger than %zu bytes", to->max);
	}
	return n < 0 ? fail_set(f, FAIL_GONE, "The client is gone") : 0;
}
