/* fcgi-app/app.h - what is made once in a worker process and lent to every request.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_APP_H
#define SLUICE_APP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/door/crowd.h"
#include "lib/base/fail.h"
#include "lib/hls/ladder.h"
#include "lib/io/block_map.h"
#include "lib/svc/resolved.h"

struct board;
struct catalog;
struct conf;
struct mc;
struct publisher;
struct rate;
struct request;
struct shelf;
struct site;

struct app {
	const struct conf *conf;
	struct board *board; /* what all processes tell of themselves */
	struct mc *mc;
	struct catalog *catalog;
	struct publisher *publisher;
	struct shelf *shelf; /* answers that may be sent again */
	struct rate *rate;   /* how often clients asked */
	struct site *site;   /* the pages; see app_site() */
	pthread_mutex_t site_lock;
	struct ladder ladder; /* of the configuration, its default first */
	char boot[BLOCK_MAP_BOOT_BYTES];
	int wait_limit; /* threads that may wait at once for anything but memcached or SQLite */
	atomic_int waiting;
	/* threads of their own that wait for streams and send them: stream_max */
	atomic_int sending;
	struct crowd waiters, readers; /* whose they are */
	_Atomic int64_t upkeep_ms;     /* when it was last looked whether any is due; monotonic */
};

/* Makes what requests need from `conf` and `board`, which stay the caller's.
 * Fails: FAIL_INTERNAL, only for what no request could do without. */
int app_open(struct app *app, const struct conf *conf, struct board *board, int wait_limit,
	struct fail *f);
void app_close(struct app *app);

/* The pages, read and published by the first call: who never sends one, as the relay pool and a
 * process for one request, never reads them. NULL: FAIL_INTERNAL. */
struct site *app_site(struct app *app, struct fail *f);

/* Between two requests: looks now and then whether somebody should tidy up (summon.h). */
void app_upkeep(struct app *app);

/* What looking for a resolved stream needs of all this. */
struct resolved_at app_resolved_at(const struct app *app, const struct request *rq);

/* Asks for leave to wait, for `client` (door/rate.h). False, with *f set to FAIL_BUSY, when too
 * many wait already, or this client waits for too much; otherwise app_wait_end() must follow. */
bool app_wait_begin(struct app *app, uint64_t client, struct fail *f);
void app_wait_end(struct app *app, uint64_t client);

#endif
