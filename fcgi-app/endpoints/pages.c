/* fcgi-app/endpoints/pages.c - the pages that people open.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/pages.h"

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "lib/io/conf.h"
#include "lib/svc/site.h"

/* Nothing from elsewhere runs in our pages; pictures may come from where the channels' logos are,
 * hls.js makes its worker and its media from blobs. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http: "
	"data:; "
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/* What a page is filled with. */
struct filling {
	enum site_page page;
	const char *title, *id;
};

static int send_page(
	struct app *app, struct reply *r, int status, const struct filling *with, struct fail *f)
{
	const struct site *site = app_site(app, f);
	struct buf html;

	if (!site)
		return -1;
	buf_init(&html, 256 * 1024);
	site_print(site, with->page, with->title, with->id, &html);
	reply_text(r, status, "text/html; charset=utf-8", buf_span(&html));
	buf_release(&html);
	reply_cache(r, "no-cache");
	reply_header(r, "Content-Security-Policy", policy);
	reply_header(r, "X-Content-Type-Options", "nosniff");
	reply_header(r, "Referrer-Policy", "same-origin");
	reply_header(r, "Accept-CH", "Save-Data, ECT, Downlink");
	return 0;
}

int pages_index(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct filling with = {SITE_INDEX, app->conf->site_name, ""};

	(void)rq;
	return send_page(app, r, 200, &with, f);
}

int pages_status(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct filling with = {SITE_STATUS, app->conf->site_name, ""};

	(void)rq;
	return send_page(app, r, 200, &with, f);
}

/* The page itself says in words what is wrong with an unknown channel: it asks the API. Only what
 * can be no id at all is refused here. */
int pages_watch(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct filling with = {SITE_WATCH, app->conf->site_name, ""};
	struct channel channel;
	char text[IDENT_MAX];
	struct ident id;
	int status = 200;

	if (find_ident(rq, &id, f) < 0)
		return -1;
	ident_print(&id, text, sizeof(text));
	with.id = text;
	if (find_channel(app, &id, &channel, f) == 0)
		with.title = channel.name;
	else
		status = f->kind == FAIL_MISSING ? 404 : 503;
	return send_page(app, r, status, &with, f);
}

/* What to go by for the form of an asset: what the front server has chosen, or what the client
 * takes. A part of a coded form would be of no use beside parts of another. */
static const char *choose_coding(const struct request *rq, const struct reply *r)
{
	const char *chosen = fcgi_param(rq->x, "SLUICE_CODING");

	if (chosen)
		return chosen;
	return reply_may_code(r) && !request_header(rq, "HTTP_RANGE")
		       ? request_header(rq, "HTTP_ACCEPT_ENCODING")
		       : NULL;
}

int pages_asset(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const char *accept = choose_coding(rq, r);
	const struct site *site = app_site(app, f);
	struct site_asset asset;
	struct buf body;
	int result;

	if (!site)
		return -1;
	if (!site_find(site, rq->args[0], rq->args[1], accept, &asset))
		return fail_set(f, FAIL_MISSING,
			"The pages have no such part, or none of this version; load the page anew");
	site_publish(site, rq->args[1], app->publisher);
	if (reply_file(r, app->publisher, PUBLISH_WWW, asset.name, f) < 0) {
		/* There is no room to keep it. */
		result = site_read(site, &asset, &body, f);
		if (result == 0)
			reply_text(r, 200, asset.type, buf_span(&body));
		buf_release(&body);
		if (result < 0)
			return -1;
	}
	r->type = asset.type;
	if (asset.coding)
		reply_header(r, "Content-Encoding", asset.coding);
	if (asset.varies)
		reply_vary(r, "Accept-Encoding");
	reply_cache(r, "public, max-age=31536000, immutable");
	reply_header(r, "X-Content-Type-Options", "nosniff");
	return 0;
}
