/* fcgi-app/app.c - what is made once in a worker process and lent to every request.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/app.h"

#include "fcgi-app/door/rate.h"
#include "fcgi-app/door/request.h"
#include "fcgi-app/door/shelf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/mc.h"
#include "lib/svc/catalog.h"
#include "lib/svc/publish.h"
#include "lib/svc/site.h"
#include "lib/svc/summon.h"

enum { UPKEEP_LOOK_MS = 60000 };

int app_open(struct app *app, const struct conf *conf, struct board *board, int wait_limit,
	struct fail *f)
{
	struct mc_config mc = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};

	*app = (struct app){.conf = conf,
		.board = board,
		.wait_limit = wait_limit,
		.site_lock = PTHREAD_MUTEX_INITIALIZER};
	crowd_init(&app->waiters, wait_limit);
	crowd_init(&app->readers, conf->stream_max);
	if (ladder_parse(
		    conf->all_rungs, conf->max_quality, conf->default_quality, &app->ladder, f) < 0)
		return -1;
	if (shelf_open(&app->shelf, f) < 0 || mc_open(&app->mc, &mc, f) < 0 ||
		rate_open(&app->rate, conf, app->mc, f) < 0 ||
		catalog_open(&app->catalog, conf, f) < 0 ||
		publish_open(&app->publisher, conf, board, f) < 0) {
		app_close(app);
		return -1;
	}
	mc_report(app->mc, board);
	block_map_boot(app->boot);
	return 0;
}

void app_close(struct app *app)
{
	shelf_close(&app->shelf);
	rate_close(&app->rate);
	site_close(&app->site);
	publish_close(&app->publisher);
	catalog_close(&app->catalog);
	mc_close(&app->mc);
}

struct site *app_site(struct app *app, struct fail *f)
{
	const struct conf *c = app->conf;
	struct site_look look = {c->site_name, c->site_logo, c->site_colour};
	struct site *site;

	pthread_mutex_lock(&app->site_lock);
	if (!app->site)
		site_open(&app->site, c->web_dir, &look, app->publisher, f);
	site = app->site;
	pthread_mutex_unlock(&app->site_lock);
	return site;
}

void app_upkeep(struct app *app)
{
	int64_t now_ms = clock_mono_ms(), looked_ms = atomic_load(&app->upkeep_ms);

	if (!app->conf->program || (looked_ms && now_ms - looked_ms < UPKEEP_LOOK_MS))
		return;
	if (atomic_compare_exchange_strong(&app->upkeep_ms, &looked_ms, now_ms))
		summon_for_upkeep(app->conf);
}

struct resolved_at app_resolved_at(const struct app *app, const struct request *rq)
{
	return (struct resolved_at){app->conf, app->mc, app->catalog, app->board, rq->client};
}

bool app_wait_begin(struct app *app, uint64_t client, struct fail *f)
{
	if (!crowd_enter(&app->waiters, client, f))
		return false;
	if (atomic_fetch_add(&app->waiting, 1) < app->wait_limit)
		return true;
	app_wait_end(app, client);
	fail_set(f, FAIL_BUSY, "Too many viewers wait for a start; try again in a moment");
	return false;
}

void app_wait_end(struct app *app, uint64_t client)
{
	atomic_fetch_sub(&app->waiting, 1);
	crowd_leave(&app->waiters, client);
}
