/* fcgi-app/processes/live/upstream.c - one address of a live stream, read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/io/conf.h"
#include "lib/svc/token.h"

enum {
	CONNECT_MS = 5000,
	STALL_MS = 6000,
	FOLLOW = 3, /* edges send viewers on to other edges */
	CLIP_BYTES = 1 << 28
};

enum kind { KIND_UNKNOWN, KIND_LIST, KIND_STREAM };

struct upstream {
	struct upstream_how how;
	struct segments_feed feed;
	struct segments *segments; /* NULL: it was never HLS */
	struct transfer *transfer;
	bool on;
	enum kind kind;
	bool said_list;	 /* its type says that it is a list */
	int64_t length;	 /* that the answer says it has; -1 */
	struct buf head; /* what has come while its kind was not known, or the list */
	struct upstream_end refused;
	struct fetch_request like;
	char url[TOKEN_URL_BYTES], answered[FETCH_URL_BYTES];
	char agent[TOKEN_AGENT_BYTES], referrer[TOKEN_REFERRER_BYTES];
};

struct upstream *upstream_open(const struct upstream_how *how, const struct segments_feed *feed)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->how = *how;
	u->feed = *feed;
	buf_init(&u->head, PLAYLIST_BYTES);
	return u;
}

void upstream_close(struct upstream **at)
{
	struct upstream *u = *at;

	if (!u)
		return;
	upstream_stop(u);
	segments_close(&u->segments);
	buf_release(&u->head);
	free(u);
	*at = NULL;
}

void upstream_feed(struct upstream *u, const struct segments_feed *feed)
{
	u->feed = *feed;
}

void upstream_stop(struct upstream *u)
{
	transfer_stop(&u->transfer);
	buf_release(&u->head);
	buf_init(&u->head, PLAYLIST_BYTES);
	if (u->segments)
		segments_stop(u->segments);
	u->on = false;
}

void upstream_forget(struct upstream *u)
{
	if (u->segments)
		segments_forget(u->segments);
}

static void end(struct upstream *u, const struct upstream_end *how)
{
	struct upstream_end copy = *how;

	upstream_stop(u);
	u->feed.on_end(u->feed.to.ctx, &copy);
}

/* --- what is passed on ------------------------------------------------------------------------ */

static bool pass_data(void *ctx, const void *bytes, size_t len)
{
	struct upstream *u = ctx;

	return u->feed.to.on_data(u->feed.to.ctx, bytes, len);
}

static void pass_seam(void *ctx, enum seam seam)
{
	struct upstream *u = ctx;

	u->feed.to.on_seam(u->feed.to.ctx, seam);
}

static void pass_end(void *ctx, const struct upstream_end *how)
{
	end(ctx, how);
}

/* --- the first answer ------------------------------------------------------------------------- */

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct upstream *u = ctx;
	struct upstream_end *how = &u->refused;

	span_copy(span_of(head->url), u->answered, sizeof(u->answered));
	u->said_list = playlist_is_type(head->content_type);
	u->length = head->length;
	if (head->status != 200 && head->status != 206) {
		how->status = head->status;
		fail_set(&how->why, FAIL_UPSTREAM, "The source answers with status %d",
			head->status);
	} else if (strncmp(head->content_type, "text/html", 9) == 0) {
		how->dead = true;
		fail_set(&how->why, FAIL_UPSTREAM, "The source sends a web page, not a stream");
	}
	return how->why.kind ? FETCH_STOP : FETCH_GO_ON;
}

/* It is a stream: from its first byte on. One that knows its end is none: gateways send clips to
 * accounts that have expired. (Some programs say an absurd length of true ones.) */
static enum fetch_verdict begin_stream(struct upstream *u)
{
	bool wanted;

	if (u->length >= 0 && u->length < CLIP_BYTES) {
		u->refused.dead = true;
		fail_set(&u->refused.why, FAIL_UPSTREAM,
			"The source sends a clip of %lld bytes, not a live stream",
			(long long)u->length);
		return FETCH_STOP;
	}
	u->kind = KIND_STREAM;
	if (u->segments)
		segments_flush(u->segments);
	pass_seam(u, SEAM_JOIN);
	wanted = pass_data(u, u->head.ptr, u->head.len);
	buf_release(&u->head);
	buf_init(&u->head, PLAYLIST_BYTES);
	return wanted ? FETCH_GO_ON : FETCH_STOP;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct upstream *u = ctx;
	bool sure, is_list;

	if (u->kind == KIND_STREAM)
		return pass_data(u, bytes, len) ? FETCH_GO_ON : FETCH_STOP;
	if (!buf_add(&u->head, bytes, len)) {
		fail_set(&u->refused.why, FAIL_UPSTREAM, "The source's playlist is too large");
		return FETCH_STOP;
	}
	if (u->kind == KIND_LIST)
		return FETCH_GO_ON;
	is_list = playlist_begins(buf_span(&u->head), &sure);
	if (is_list) {
		u->kind = KIND_LIST;
	} else if (sure && u->said_list) {
		fail_set(&u->refused.why, FAIL_UPSTREAM, "The source's playlist is none");
		return FETCH_STOP;
	} else if (sure) {
		return begin_stream(u);
	}
	return FETCH_GO_ON;
}

static void begin_segments(struct upstream *u)
{
	static const struct upstream_end no_memory = {
		.why = {FAIL_INTERNAL, "There is no memory for the source's playlist"}};
	const struct segments_feed feed = {{u, pass_data, pass_seam}, pass_end};

	if (!u->segments)
		u->segments = segments_open(
			u->how.fetcher, u->how.id, u->how.height, u->how.languages, &feed);
	if (u->segments)
		segments_begin(u->segments, &u->like, u->url, u->answered, buf_span(&u->head));
	else
		end(u, &no_memory);
	buf_release(&u->head);
	buf_init(&u->head, PLAYLIST_BYTES);
}

static void on_done(void *ctx, const struct fail *f)
{
	struct upstream *u = ctx;

	u->transfer = NULL;
	if (!u->refused.why.kind)
		u->refused.why = *f;
	if (!u->refused.why.kind && u->kind == KIND_LIST)
		begin_segments(u);
	else
		end(u, &u->refused);
}

int upstream_start(struct upstream *u, const struct conf_source *source, const struct token *token,
	struct row *row, struct fail *f)
{
	struct fetch_request rq;

	must(!u->on);
	span_copy(span_of(token->url), u->url, sizeof(u->url));
	span_copy(span_of(token->agent), u->agent, sizeof(u->agent));
	span_copy(span_of(token->referrer), u->referrer, sizeof(u->referrer));
	u->like = (struct fetch_request){
		.policy = {source->allow, source->allow_count},
		.user_agent = *u->agent ? u->agent : NULL,
		.egress = *source->egress ? source->egress : NULL,
		.referrer = *u->referrer ? u->referrer : NULL,
		.follow = FOLLOW,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.row = row,
	};
	rq = u->like;
	rq.url = u->url;
	rq.on_head = on_head;
	rq.on_data = on_data;
	rq.on_done = on_done;
	rq.ctx = u;
	u->kind = KIND_UNKNOWN;
	u->refused = (struct upstream_end){0};
	u->answered[0] = '\0';
	u->on = fetcher_start(u->how.fetcher, &rq, &u->transfer, f) == 0;
	return u->on ? 0 : -1;
}

int upstream_step(struct upstream *u, int most_ms)
{
	return u->segments ? segments_step(u->segments, most_ms) : most_ms;
}

bool upstream_waits(const struct upstream *u)
{
	return u->segments && segments_waits(u->segments);
}

void upstream_flush(struct upstream *u)
{
	if (u->segments)
		segments_flush(u->segments);
}

bool upstream_is_on(const struct upstream *u)
{
	return u->on;
}

bool upstream_is_proven(const struct upstream *u)
{
	return u->kind == KIND_STREAM || (u->segments && segments_is_proven(u->segments));
}

const char *upstream_kind(const struct upstream *u)
{
	return u->kind == KIND_LIST ? "hls" : "ts";
}
