/* fcgi-app/endpoints/live_direct.c - a channel's stream as its source sends it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/live_direct.h"

#include <stdlib.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/hls.h"
#include "lib/hls/ladder.h"
#include "lib/io/conf.h"
#include "lib/svc/live_stream.h"
#include "lib/svc/live.h"

enum { WAIT_MS = 9000, RETRY_S = 5 };

/* Sends until the viewer goes, or there is nothing to send for too long. */
static int stream(struct reply *r, void *ctx)
{
	struct live_stream *d = ctx;
	unsigned char *packets = malloc(LIVE_STREAM_BYTES);
	int more = packets ? 0 : -1;
	size_t len;

	while (more >= 0 && !fcgi_is_over(r->rq->x)) {
		more = live_stream_read(d, packets, &len);
		if (more <= 0)
			continue;
		if (fcgi_write(r->rq->x, packets, len) < 0 || fcgi_flush(r->rq->x) < 0)
			break;
		r->sent_bytes += (int64_t)len;
	}
	free(packets);
	return more > 0 ? -1 : 0;
}

static void leave(void *ctx)
{
	struct live_stream *d = ctx;

	live_stream_close(&d);
}

static int open_stream(struct app *app, struct request *rq, struct reply *r,
	const struct channel *channel, struct fail *f)
{
	enum live_reason reason;
	struct live_stream *d;
	int result;

	if (!app_wait_begin(app, rq->client, f)) {
		r->retry_after_s = 1;
		return -1;
	}
	result = live_stream_open(&d, app->conf, channel->id, find_viewer(rq), WAIT_MS, &reason, f);
	app_wait_end(app, rq->client);
	if (result == 0) {
		reply_stream(r, "video/mp2t", (struct reply_stream){stream, leave, d, false});
		return 0;
	}
	if (reason != LIVE_WELL) {
		r->reason = live_reason_name(reason);
		return -1;
	}
	if (f->kind != FAIL_BUSY)
		return -1;
	r->retry_after_s = RETRY_S;
	r->error_code = "direct_full";
	return fail_set(f, FAIL_BUSY,
		"This host sends as many direct streams as it may (direct_max = %lld); "
		"/api/hls/%s/master.m3u8 plays the channel too",
		(long long)app->conf->direct_max, channel->stream_id);
}

int live_direct(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct live_state state;
	struct channel channel;

	if (find_asked_channel(app, rq, &channel, f) < 0)
		return -1;
	live_look(app->conf, &app->ladder, channel.id, &state);
	if (state.status == LIVE_ELSEWHERE)
		return hls_send_there(rq, r, state.base, f);
	reply_cache(r, "no-store");
	reply_header(r, "X-Accel-Buffering", "no"); /* nginx, which would keep it from the viewer */
	if (rq->method == METHOD_HEAD) {
		r->status = 200;
		r->type = "video/mp2t";
		return 0;
	}
	return open_stream(app, rq, r, &channel, f);
}
