/* fcgi-app/processes/live/errand.c - one thing that a playlist names, fetched whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/errand.h"

#include <string.h>

#include "lib/base/must.h"

enum {
	SEGMENT_MAX = 64 << 20,
	MAP_MAX = 1 << 20,
	KEY_MAX = 1024,
	TOTAL_MS = 15000 /* for anything but a segment, however slowly it comes */
};

static const size_t most[] = {0, PLAYLIST_BYTES, KEY_MAX, MAP_MAX, SEGMENT_MAX};

const char *errand_name(enum errand_what what)
{
	static const char *const names[] = {
		"answer", "playlist", "key", "initialization section", "segment"};

	return names[what];
}

void errand_init(struct errand *e, struct fetcher *fetcher)
{
	*e = (struct errand){.fetcher = fetcher};
	buf_init(&e->url, FETCH_URL_BYTES - 1);
}

void errand_stop(struct errand *e)
{
	transfer_stop(&e->transfer);
	buf_release(&e->body);
	e->what = ERRAND_NONE;
}

void errand_release(struct errand *e)
{
	errand_stop(e);
	buf_release(&e->url);
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct errand *e = ctx;
	struct upstream_end *how = &e->end;

	span_copy(span_of(head->url), e->answered, sizeof(e->answered));
	if (head->status != 200 && head->status != 206) {
		how->status = head->status;
		fail_set(&how->why, FAIL_UPSTREAM, "The source's %s is answered with status %d",
			errand_name(e->what), head->status);
	} else if (strncmp(head->content_type, "text/html", 9) == 0) {
		how->dead = true;
		fail_set(&how->why, FAIL_UPSTREAM, "The source sends a web page, not its %s",
			errand_name(e->what));
	}
	return how->why.kind ? FETCH_STOP : FETCH_GO_ON;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct errand *e = ctx;

	if (buf_add(&e->body, bytes, len))
		return FETCH_GO_ON;
	fail_set(&e->end.why, FAIL_UPSTREAM, "The source's %s is too large", errand_name(e->what));
	return FETCH_STOP;
}

static void on_done(void *ctx, const struct fail *f)
{
	struct errand *e = ctx;

	e->transfer = NULL;
	if (!e->end.why.kind)
		e->end.why = *f;
	e->on_done(e->ctx, &e->end);
}

int errand_start(struct errand *e, enum errand_what what, const struct playlist_part *part,
	const char *base, struct fail *f)
{
	struct fetch_request rq = e->like;

	must(!e->transfer);
	buf_clear(&e->url);
	if (!part)
		buf_puts(&e->url, base);
	else if (fetch_url_join(base, part->uri, &e->url, f) < 0)
		return -1;
	rq.url = buf_str(&e->url);
	rq.offset = part ? part->offset : 0;
	rq.length = part ? part->length : 0;
	rq.max_bytes = (int64_t)most[what];
	rq.total_ms = what == ERRAND_SEGMENT ? 0 : TOTAL_MS;
	rq.compressed = what == ERRAND_LIST;
	rq.on_head = on_head;
	rq.on_data = on_data;
	rq.on_done = on_done;
	rq.ctx = e;
	buf_release(&e->body);
	buf_init(&e->body, most[what]);
	e->what = what;
	e->end = (struct upstream_end){0};
	return fetcher_start(e->fetcher, &rq, &e->transfer, f);
}

bool errand_cut(struct errand *e, const struct playlist_part *part)
{
	size_t offset = (size_t)part->offset, length = (size_t)part->length;

	if (!length || e->body.len == length)
		return true;
	if (e->body.len < length || e->body.len - length < offset)
		return false;
	buf_drop(&e->body, offset);
	e->body.len = length;
	return true;
}
