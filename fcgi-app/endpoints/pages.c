/* fcgi-app/endpoints/pages.c - the pages that people open.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/pages.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-app/app.h"
#include "fcgi-app/endpoints/find.h"
#include "fcgi-app/endpoints/json.h"
#include "lib/http/authority.h"
#include "lib/http/mime.h"
#include "lib/io/conf.h"
#include "lib/svc/site.h"

enum { POLICY_BYTES = 1024 };

/* What a page is filled with. */
struct filling {
	enum site_page page;
	const char *title, *id;
};

/* The scheme and host of the site's own logo, where it is none of our paths; or nothing. */
static struct span logo_origin(const char *logo)
{
	struct span host;

	if (!authority_host(span_of(logo), &host))
		return span_of("");
	host.ptr += host.len;
	return span_make(logo, (size_t)(host.ptr - logo) + strcspn(host.ptr, "/?#"));
}

/* Nothing from elsewhere runs or is shown in our pages, but for the site's own logo, and for a film
 * that is played as it is from a gateway's edge. hls.js makes its worker and its media from blobs,
 * and subtitles upon an empty list of its own. */
static void print_policy(const struct conf *conf, bool is_film, char to[POLICY_BYTES])
{
	struct span logo = logo_origin(conf->site_logo);

	snprintf(to, POLICY_BYTES,
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
		"data:%s%.*s; "
		"media-src 'self' blob:%s; connect-src 'self'; worker-src 'self' blob:; "
		"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
		logo.len ? " " : "", (int)logo.len, logo.ptr, is_film ? " data: https: http:" : "");
}

static int send_page(
	struct app *app, struct reply *r, int status, const struct filling *with, struct fail *f)
{
	const struct site *site = app_site(app, f);
	char policy[POLICY_BYTES];
	struct buf html;

	if (!site)
		return -1;
	print_policy(app->conf, with->page == SITE_FILM, policy);
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

int pages_offline(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct filling with = {SITE_OFFLINE, app->conf->site_name, ""};

	(void)rq;
	return send_page(app, r, 200, &with, f);
}

/* The name of what is played, or NULL and why not. */
static const char *find_name(
	struct app *app, struct request *rq, const struct ident *id, struct fail *f)
{
	struct channel channel;
	struct film *film;

	if (id->kind == IDENT_LIVE)
		return find_channel(app, id, &channel, f) < 0
			       ? NULL
			       : arena_printf(&rq->arena, "%s", channel.name);
	film = arena_alloc(&rq->arena, sizeof(*film));
	if (!film || catalog_film(app->catalog, id, film, f) < 0)
		return NULL;
	return film->name;
}

/* The page itself says in words what is wrong with an unknown id: it asks the API. Only what can be
 * no id at all is refused here. */
int pages_watch(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	struct filling with = {SITE_WATCH, "", ""};
	char text[IDENT_MAX];
	const char *name;
	struct ident id;

	if (find_ident(rq, &id, f) < 0)
		return -1;
	ident_print(&id, text, sizeof(text));
	with.id = with.title = text;
	if (id.kind != IDENT_LIVE)
		with.page = SITE_FILM;
	f->kind = FAIL_NONE;
	name = find_name(app, rq, &id, f);
	if (name)
		with.title = name;
	return send_page(app, r, name ? 200 : f->kind == FAIL_MISSING ? 404 : 503, &with, f);
}

/* --- what lets a browser install the pages ---------------------------------------------------- */

static void add_icon(struct json_object *list, const struct site *site, const char *file,
	const char *sizes, const char *purpose)
{
	struct json_object *icon = json_object_new_object();
	char src[64];

	snprintf(src, sizeof(src), "/web/%s/%s", site_version(site), file);
	json_text(icon, "src", src);
	json_text(icon, "sizes", sizes);
	json_text(icon, "type", mime_type(span_of(file)));
	json_text(icon, "purpose", purpose);
	json_object_array_add(list, icon);
}

int pages_manifest(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const struct site *site = app_site(app, f);
	struct json_object *root, *icons;

	(void)rq;
	if (!site)
		return -1;
	root = json_object_new_object();
	icons = json_object_new_array();
	json_text(root, "id", "/");
	json_text(root, "name", app->conf->site_name);
	json_text(root, "short_name", app->conf->site_name);
	json_text(root, "start_url", "/");
	json_text(root, "scope", "/");
	json_text(root, "display", "standalone");
	json_text(root, "background_color", "#0b0d12"); /* --ground of base.css */
	json_text(root, "theme_color", app->conf->site_colour);
	add_icon(icons, site, "icon.svg", "any", "any");
	add_icon(icons, site, "icon-192.png", "192x192", "any");
	add_icon(icons, site, "icon-512.png", "512x512", "any");
	add_icon(icons, site, "icon-maskable.png", "512x512", "maskable");
	json_object_object_add(root, "icons", icons);
	json_send(r, 200, root);
	r->type = "application/manifest+json";
	reply_cache(r, "no-cache");
	return 0;
}

struct shell {
	const struct site *site;
	struct json_object *list;
};

static void add_part(void *ctx, const char *file)
{
	struct shell *shell = ctx;
	char path[300];

	snprintf(path, sizeof(path), "/web/%s/%s", site_version(shell->site), file);
	json_object_array_add(shell->list, json_object_new_string(path));
}

int pages_worker(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	const struct site *site = app_site(app, f);
	struct shell shell = {site, NULL};
	struct buf text;

	(void)rq;
	if (!site)
		return -1;
	shell.list = json_object_new_array();
	site_each(site, add_part, &shell);
	buf_init(&text, 64 * 1024);
	buf_printf(&text, "self.shell = %s;\nimportScripts(\"/web/%s/worker.js\");\n",
		json_object_to_json_string_ext(
			shell.list, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		site_version(site));
	json_object_put(shell.list);
	reply_text(r, 200, "text/javascript; charset=utf-8", buf_span(&text));
	buf_release(&text);
	reply_cache(r, "no-cache");
	reply_header(r, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; connect-src 'self'");
	reply_header(r, "X-Content-Type-Options", "nosniff");
	return 0;
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
