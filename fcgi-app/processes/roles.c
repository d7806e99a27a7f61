/* fcgi-app/processes/roles.c - what the supervisor runs. A process is added here, with its body.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/roles.h"

#include <stddef.h>

#include "fcgi-app/import.h"
#include "fcgi-app/processes/filler/filler.h"
#include "fcgi-app/processes/janitor.h"
#include "fcgi-app/processes/jobs/jobs.h"
#include "fcgi-app/processes/live/live.h"
#include "fcgi-app/processes/meter.h"
#include "fcgi-app/processes/packager/packager.h"
#include "fcgi-app/processes/scanner.h"
#include "lib/svc/edge.h"
#include "lib/svc/episodes.h"
#include "lib/svc/fill.h"
#include "lib/svc/jobs.h"
#include "lib/svc/package.h"
#include "lib/svc/token.h"

static int run_janitor(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return janitor_run(conf, board);
}

static int run_meter(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return meter_run(conf, board);
}

static int run_live(const struct conf *conf, struct board *board, const char *id)
{
	return live_run(conf, id, board);
}

static int run_token(const struct conf *conf, struct board *board, const char *id)
{
	return token_run(conf, board, id, false);
}

static int run_refresh(const struct conf *conf, struct board *board, const char *id)
{
	return token_run(conf, board, id, true);
}

static int run_import(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return import_due_run(conf, board);
}

static int run_packager(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return packager_run(conf, board);
}

static int run_jobs(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return jobs_run(conf, board);
}

static int run_filler(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return filler_run(conf, board);
}

static int run_scanner(const struct conf *conf, struct board *board, const char *id)
{
	(void)id;
	return scanner_run(conf, board);
}

const struct role roles[] = {
	{"janitor", NULL, run_janitor, AGAIN_ALWAYS, .most = 1},
	{"meter", NULL, run_meter, AGAIN_ALWAYS, .due = meter_is_wanted, .most = 1},
	{"scanner", NULL, run_scanner, AGAIN_ALWAYS, .due = scanner_is_wanted, .most = 1},
	{"live", "watch", run_live, AGAIN_WHILE_ASKED, .most = 400, .refused = true},
	{"token", "token", run_token, AGAIN_NEVER, .most = 32},
	{"refresh", "refresh", run_refresh, AGAIN_NEVER, .most = 32},
	{"edge", EDGE_VERB, edge_run, AGAIN_NEVER, .most = 8},
	{"episodes", EPISODES_VERB, episodes_run, AGAIN_NEVER, .most = 4},
	{"filler", FILL_VERB, run_filler, AGAIN_NEVER, .most = 1, .renews = true},
	{"packager", PACKAGE_VERB, run_packager, AGAIN_NEVER, .most = 1, .renews = true},
	{"jobs", JOBS_VERB, run_jobs, AGAIN_NEVER, .most = 1, .renews = true},
	{"import", NULL, run_import, AGAIN_NEVER, .due = import_is_due, .most = 1},
};
const int role_count = sizeof(roles) / sizeof(roles[0]);
