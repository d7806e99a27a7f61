/* fcgi-app/endpoints/track.c - a music file of our own, as it is or as it is wished.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/track.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/svc/music.h"
#include "lib/svc/setback.h"

enum { WAIT_MS = 20000, PAUSE_NS = 20000000, TELL_MS = 500 };

static int name_of(struct app *app, const struct title *t, const struct music *m,
	char to[MUSIC_NAME_MAX], struct fail *f)
{
	struct record_validator now;
	int fd;

	if (title_open(t, &fd, &now, f) < 0)
		return -1;
	close(fd);
	return music_name(app->conf, t, &now, m, to, f);
}

static bool send_made(
	struct app *app, struct reply *r, const char *name, const struct music *m, struct fail *f)
{
	if (reply_file(r, app->publisher, PUBLISH_WWW, name, f) < 0)
		return false;
	reply_header(r, "X-Quality", m->quality);
	reply_cache(r, "private, no-cache"); /* the file may be another one tomorrow */
	return true;
}

static int await(struct app *app, struct reply *r, const char *name, const char *line,
	const struct music *m, struct fail *f)
{
	int64_t now_ms = clock_mono_ms(), until_ms = now_ms + WAIT_MS, told_ms = 0, retry_s;
	struct timespec pause = {0, PAUSE_NS};
	char setback[JOBS_LINE_MAX];

	music_setback(name, setback);
	for (bool first = true;; first = false) {
		if (send_made(app, r, name, m, f)) {
			r->x_cache = first ? "HIT" : "MISS";
			return 1;
		}
		if (f->kind != FAIL_MISSING)
			return -1;
		if (setback_holds(app->conf, NULL, setback, f, &retry_s)) {
			r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
			return -1;
		}
		now_ms = clock_mono_ms();
		if (now_ms >= until_ms)
			return fail_set(f, FAIL_BUSY, "It is being made; try again in a moment");
		if ((!told_ms || now_ms - told_ms >= TELL_MS) && jobs_tell(app->conf, line))
			told_ms = now_ms;
		nanosleep(&pause, NULL);
	}
}

int track_send(struct app *app, struct request *rq, struct reply *r, const struct title *t,
	const struct object_ask *ask, struct fail *f)
{
	const struct quality quality = object_ask_quality(ask);
	char name[MUSIC_NAME_MAX], line[JOBS_LINE_MAX];
	struct music m;

	(void)rq;
	if (!music_choose(
		    app->conf, t, &quality, ask->kbps ? ask->kbps : INT64_MAX, ask->format, &m))
		return 0;
	if (name_of(app, t, &m, name, f) < 0)
		return -1;
	music_line(t, &m, line);
	return await(app, r, name, line, &m, f);
}
