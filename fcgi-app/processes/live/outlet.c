/* fcgi-app/processes/live/outlet.c - who wants a channel, and its stream as it is.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/outlet.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/live.h"

enum { STREAM_MS = 10000 /* its viewers say every second that they are there */ };

/* When somebody has said so last. */
static int64_t said_ms(const struct outlet *o, const char *name)
{
	char path[LIVE_PATH_BYTES];

	live_path(o->conf, o->id, name, path);
	return file_mtime_ms(path);
}

void outlet_open(struct outlet *o, const struct conf *conf, const char *id)
{
	char path[LIVE_PATH_BYTES];

	*o = (struct outlet){.conf = conf, .id = id, .begun_ms = clock_real_ms()};
	live_path(conf, id, LIVE_SPOOL, path);
	unlink(path);
}

static void make_spool(struct outlet *o)
{
	char path[LIVE_PATH_BYTES];
	struct fail f = {0};

	live_path(o->conf, o->id, LIVE_SPOOL, path);
	if (spool_create(&o->spool, path, &f) == 0)
		log_info("stream_wanted", LOG_STR("channel", o->id));
	else if (!o->told)
		log_warn("no_stream", LOG_STR("channel", o->id), LOG_STR("why", f.text));
	o->told = !o->spool;
}

/* Who asks for the stream says so before there is a process. Where nobody has said anything, who
 * asked for the channel could not: a file may not be made on a full disk. */
static bool is_for_lists(const struct outlet *o, int64_t direct_ms)
{
	return direct_ms < o->begun_ms - STREAM_MS;
}

void outlet_step(struct outlet *o, int64_t idle_ms)
{
	int64_t now_ms = clock_real_ms(), asked_ms = said_ms(o, "asked");
	int64_t direct_ms = said_ms(o, "direct");

	if (asked_ms < o->begun_ms && is_for_lists(o, direct_ms))
		asked_ms = o->begun_ms;
	o->lists = now_ms - asked_ms <= idle_ms;
	o->stream = now_ms - direct_ms <= STREAM_MS;
	if (o->stream && !o->spool)
		make_spool(o);
	else if (!o->stream)
		spool_close(&o->spool);
}

bool outlet_is_idle(const struct outlet *o, int64_t idle_ms)
{
	int64_t asked_ms = said_ms(o, "asked"), stream_ms = said_ms(o, "direct");

	if (asked_ms < o->begun_ms)
		asked_ms = o->begun_ms;
	return clock_real_ms() - (asked_ms > stream_ms ? asked_ms : stream_ms) > idle_ms;
}

void outlet_close(struct outlet *o)
{
	spool_close(&o->spool);
}
