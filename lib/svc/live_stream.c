/* lib/svc/live_stream.c - the stream of a channel as its source sends it, for one viewer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/live_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/http/ident.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/seat.h"
#include "lib/io/spool.h"
#include "lib/svc/live.h"
#include "lib/svc/viewers.h"

enum {
	ASK_MS = 1000,
	LOOK_MS = 20,
	READ_MS = 250,
	REFUSED_MS = 3000 /* the first attempt may fail where the second succeeds */
};

struct live_stream {
	const struct conf *conf;
	char id[IDENT_MAX], path[LIVE_PATH_BYTES]; /* of its spool */
	uint64_t who;
	int seat;
	struct spool_reader reader;
	int64_t asked_ms, heard_ms; /* monotonic */
};

static void ask(struct live_stream *d)
{
	int64_t now_ms = clock_mono_ms();

	if (d->asked_ms && now_ms - d->asked_ms < ASK_MS && now_ms >= d->asked_ms)
		return;
	d->asked_ms = now_ms;
	viewers_note(d->conf, d->id, d->who);
	live_ask_stream(d->conf, d->id);
}

/* What keeps the stream from coming, if its process says so. */
static int say_why(const struct live_stream *d, enum live_reason *reason, struct fail *f)
{
	struct ladder ladder;
	struct live_state state;

	*reason = LIVE_BEGINS;
	fail_set(f, FAIL_BUSY, "The channel is starting; try again in a moment");
	if (ladder_parse(d->conf->all_rungs, NULL, NULL, &ladder, NULL) < 0)
		return -1;
	live_look(d->conf, &ladder, d->id, &state);
	if (state.status == LIVE_OFF || state.why.kind == FAIL_NONE)
		return -1;
	*reason = state.reason;
	*f = state.why;
	return -1;
}

static int await_stream(
	struct live_stream *d, int64_t wait_ms, enum live_reason *reason, struct fail *f)
{
	const struct timespec pause = {0, LOOK_MS * 1000000L};
	int64_t begun_ms = clock_mono_ms(), waited_ms = 0;

	while (waited_ms < wait_ms) {
		ask(d);
		if (spool_join(&d->reader, d->path, LIVE_STREAM_AHEAD_MS))
			return 0;
		nanosleep(&pause, NULL);
		waited_ms = clock_mono_ms() - begun_ms;
		if (waited_ms > REFUSED_MS && say_why(d, reason, f) < 0 && *reason != LIVE_BEGINS)
			return -1;
	}
	return say_why(d, reason, f);
}

int live_stream_open(struct live_stream **out, const struct conf *conf, const char *id,
	uint64_t who, int64_t wait_ms, enum live_reason *reason, struct fail *f)
{
	struct live_stream *d = calloc(1, sizeof(*d));
	char path[LIVE_PATH_BYTES];

	*reason = LIVE_WELL;
	if (!d || !file_path(path, sizeof(path), "%s/direct", conf->run_dir)) {
		free(d);
		return fail_set(f, FAIL_BUSY, "There is no memory for the stream");
	}
	d->conf = conf;
	d->who = who;
	d->heard_ms = clock_mono_ms();
	snprintf(d->id, sizeof(d->id), "%s", id);
	live_path(conf, id, LIVE_SPOOL, d->path);
	d->seat = seat_take(path, conf->direct_max, f);
	if (d->seat < 0 || await_stream(d, wait_ms, reason, f) < 0) {
		live_stream_close(&d);
		return -1;
	}
	*out = d;
	return 0;
}

int live_stream_read(struct live_stream *d, unsigned char *to, size_t *len)
{
	int64_t now_ms;

	ask(d);
	switch (spool_read(&d->reader, to, LIVE_STREAM_BYTES, READ_MS, len)) {
	case SPOOL_DATA:
		d->heard_ms = clock_mono_ms();
		return 1;
	case SPOOL_NOTHING:
		if (!spool_is_other(&d->reader, d->path))
			break;
		__attribute__((fallthrough));
	case SPOOL_ENDED: /* by a process that was asked to; there may be another one soon */
		if (!spool_join(&d->reader, d->path, LIVE_STREAM_AHEAD_MS))
			nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
		break;
	}
	now_ms = clock_mono_ms();
	return now_ms - d->heard_ms > LIVE_STREAM_SILENT_MS || now_ms < d->heard_ms ? -1 : 0;
}

void live_stream_close(struct live_stream **at)
{
	struct live_stream *d = *at;

	if (!d)
		return;
	spool_leave(&d->reader);
	if (d->seat >= 0)
		close(d->seat);
	free(d);
	*at = NULL;
}
