/* lib/io/fetch_get.c - whole answers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "lib/io/fetch.h"

struct whole {
	struct fetch_result *res;
	bool head_only, head_came;
};

static enum fetch_verdict keep_head(void *ctx, const struct fetch_head *head)
{
	struct whole *w = ctx;
	struct fetch_result *res = w->res;

	w->head_came = true;
	res->head.status = head->status;
	snprintf(res->content_type, sizeof(res->content_type), "%s", head->content_type);
	/* A cut address would be another one. */
	snprintf(res->redirect_url, sizeof(res->redirect_url), "%s",
		strlen(head->redirect_url) < sizeof(res->redirect_url) ? head->redirect_url : "");
	return w->head_only ? FETCH_STOP : FETCH_GO_ON;
}

static enum fetch_verdict keep_body(void *ctx, const void *bytes, size_t len)
{
	struct whole *w = ctx;

	return buf_add(&w->res->body, bytes, len) ? FETCH_GO_ON : FETCH_STOP;
}

int fetch_get(
	const struct fetch_request *rq, bool head_only, struct fetch_result *res, struct fail *f)
{
	struct whole w = {res, head_only, false};
	struct fetch_request own = *rq;
	struct fail why = {0};

	buf_init(&res->body, rq->max_bytes ? (size_t)rq->max_bytes : (size_t)16 << 20);
	res->content_type[0] = res->redirect_url[0] = '\0';
	res->head =
		(struct fetch_head){0, res->content_type, "", res->redirect_url, "", "", "", -1};
	own.on_head = keep_head;
	own.on_data = keep_body;
	own.ctx = &w;
	if (fetch_run(&own, &why) == 0 || (why.kind == FAIL_GONE && head_only && w.head_came))
		return 0;
	*f = why;
	return -1;
}
