/* fcgi-app/door/reply.c - the answer: how a handler fills it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/http/mime.h"
#include "lib/svc/store.h"

void reply_open(struct reply *r, struct request *rq, const struct conf *conf)
{
	*r = (struct reply){.rq = rq, .conf = conf, .status = 200, .fd = -1, .x_cache = "MISS"};
	buf_init(&r->headers, REPLY_HEADERS_MAX);
	buf_init(&r->body, REPLY_BODY_MAX);
}

static void drop_rest(struct reply *r)
{
	if (r->rest.release)
		r->rest.release(r->rest.ctx);
	r->rest = (struct reply_rest){0};
}

static void close_file(struct reply *r)
{
	drop_rest(r);
	blocks_close(&r->blocks);
	if (r->stream.run)
		r->stream.release(r->stream.ctx);
	r->stream = (struct reply_stream){0};
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->file = NULL;
}

void reply_close(struct reply *r)
{
	close_file(r);
	if (r->waiting)
		atomic_fetch_sub(r->waiting, 1);
	buf_release(&r->headers);
	buf_release(&r->body);
}

void reply_drop(struct reply *r)
{
	close_file(r);
	buf_clear(&r->headers);
	buf_clear(&r->body);
	r->vary[0] = '\0';
	r->type = NULL;
	r->modified_s = 0;
	r->keep_ms = 0;
}

void reply_header(struct reply *r, const char *name, const char *value)
{
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return;
	}
	buf_puts(&r->headers, name);
	buf_puts(&r->headers, ": ");
	buf_puts(&r->headers, value);
	buf_puts(&r->headers, "\r\n");
}

void reply_cache(struct reply *r, const char *value)
{
	reply_header(r, "Cache-Control", value);
}

void reply_public(struct reply *r, int64_t max_age_s)
{
	char text[48];

	snprintf(text, sizeof(text), "public, max-age=%lld", (long long)max_age_s);
	reply_cache(r, text);
	r->keep_ms = max_age_s * 1000;
}

void reply_vary(struct reply *r, const char *names)
{
	size_t len = strlen(r->vary);

	snprintf(r->vary + len, sizeof(r->vary) - len, "%s%s", len ? ", " : "", names);
}

void reply_text(struct reply *r, int status, const char *type, struct span body)
{
	close_file(r);
	r->status = status;
	r->type = type;
	buf_clear(&r->body);
	buf_add(&r->body, body.ptr, body.len);
}

int reply_redirect(struct reply *r, int status, const char *location, struct fail *f)
{
	if (strlen(location) > REPLY_LOCATION_MAX)
		return fail_set(f, FAIL_INPUT, "The address is too long to be sent on");
	close_file(r);
	r->status = status;
	r->type = NULL;
	buf_clear(&r->body);
	reply_header(r, "Location", location);
	return 0;
}

int reply_file(struct reply *r, const struct publisher *p, enum publish_store store,
	const char *name, struct fail *f)
{
	struct stat st;
	int fd;

	if (!publish_name_ok(span_of(name)))
		return fail_set(f, FAIL_MISSING, "No file can have such a name");
	fd = store_open(publish_root(p, store), name, &st);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EISDIR))
		return fail_set(f, FAIL_MISSING, "There is no such file");
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be opened", name);
	reply_drop(r);
	r->fd = fd;
	r->file = arena_printf(&r->rq->arena, "%s%s", publish_prefix(store), name);
	if (!r->file)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a file's name");
	r->status = 200;
	r->type = mime_type(span_of(name));
	r->file_bytes = st.st_size;
	r->modified_s = st.st_mtim.tv_sec;
	return 0;
}

int reply_descriptor(struct reply *r, int fd, const char *type, int64_t modified_s, struct fail *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		close(fd);
		return fail_errno(f, FAIL_INTERNAL, errno, "A file cannot be looked at");
	}
	reply_drop(r);
	r->fd = fd;
	r->file = NULL;
	r->status = 200;
	r->type = type;
	r->file_bytes = st.st_size;
	r->modified_s = modified_s;
	/* It may be none that is yet to come (RFC 9110, section 8.8.2.1), and is to stay the same:
	 * since when it has that date. */
	if (modified_s > clock_real_ms() / 1000)
		r->modified_s = st.st_ctim.tv_sec;
	return 0;
}

void reply_object(struct reply *r, struct blocks *blocks)
{
	const struct block_map_info *info = blocks_info(blocks);
	char name[OBJECT_PUBLIC_BYTES];

	close_file(r);
	r->status = 200;
	r->type = info->type;
	r->modified_s = info->modified_s;
	r->blocks = blocks;
	object_public_name(info, name);
	if (!blocks_is_published(blocks))
		return;
	r->fd = blocks_descriptor(blocks);
	if (r->fd < 0)
		return; /* its bytes are read as those of others */
	r->file_bytes = info->size;
	r->file = arena_printf(&r->rq->arena, "%s", name);
	r->x_cache = blocks_x_cache(blocks, 0, info->size - 1);
}

void reply_later(struct reply *r, struct reply_rest rest)
{
	close_file(r);
	r->rest = rest;
}

int reply_make_rest(struct app *app, struct reply *r, struct fail *f)
{
	struct reply_rest rest = r->rest;
	int bad;

	if (!rest.make)
		return 0;
	r->rest = (struct reply_rest){0};
	bad = rest.make(app, r->rq, r, rest.ctx, f);
	if (rest.release)
		rest.release(rest.ctx);
	return bad;
}

void reply_stream(struct reply *r, const char *type, struct reply_stream stream)
{
	close_file(r);
	r->stream = stream;
	r->status = 200;
	r->type = type;
}
