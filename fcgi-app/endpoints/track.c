/* fcgi-app/endpoints/track.c - a music file of our own, as it is or as it is wished.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/track.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "lib/base/clock.h"
#include "lib/http/mime.h"
#include "lib/http/range.h"
#include "lib/io/conf.h"
#include "lib/svc/music.h"
#include "lib/svc/setback.h"
#include "lib/svc/store.h"

enum {
	WAIT_MS = 20000,
	PAUSE_NS = 20000000,
	PAUSE_MS = 20,
	TELL_MS = 500,
	PIECE = 32768,
	OPEN_BYTES = 262144
};

static bool send_made(
	struct app *app, struct reply *r, const char *name, const struct music *m, struct fail *f)
{
	if (reply_file(r, app->publisher, PUBLISH_WWW, name, f) < 0)
		return false;
	reply_header(r, "X-Quality", m->quality);
	reply_cache(r, "private, no-cache"); /* the file may be another one tomorrow */
	return true;
}

/* --- while it is made ------------------------------------------------------------------------- */

struct growing {
	struct app *app;
	int fd;
	struct range part; /* last -1: up to its end, wherever that will be */
	char name[MUSIC_NAME_MAX];
};

static void release(void *ctx)
{
	struct growing *g = ctx;

	close(g->fd);
}

/* Whether its maker has published it; it may also have died. */
static bool is_whole(const struct growing *g)
{
	struct stat here, there;

	return fstat(g->fd, &here) == 0 &&
	       store_stat(publish_root(g->app->publisher, PUBLISH_WWW), g->name, &there) == 0 &&
	       here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static bool is_being_made(const struct growing *g)
{
	if (flock(g->fd, LOCK_SH | LOCK_NB) < 0)
		return true;
	flock(g->fd, LOCK_UN);
	return false;
}

/* Sends what is there, waits for more, and ends when no more will come. */
static int run(struct reply *r, void *ctx)
{
	struct growing *g = ctx;
	struct pollfd gone = {fcgi_socket(r->rq->x), POLLRDHUP, 0};
	bool done = false;
	char piece[PIECE];

	for (off_t at = g->part.first; at != g->part.last + 1 || g->part.last < 0;) {
		off_t left = g->part.last < 0 ? PIECE : g->part.last + 1 - at;
		ssize_t n = pread(g->fd, piece, (size_t)(left < PIECE ? left : PIECE), at);

		if (n > 0 && fcgi_write(r->rq->x, piece, (size_t)n) < 0)
			return -1;
		if (n > 0) {
			at += n;
			r->sent_bytes += n;
			continue;
		}
		if (n < 0 || done)
			return n < 0 || !is_whole(g) ? -1 : 0;
		done = !is_being_made(g); /* what it wrote last is read then */
		if (!done && poll(&gone, 1, PAUSE_MS) > 0)
			return -1;
	}
	return 0;
}

/* What is wanted of it. False for what its end has to be known for. What is open at its end and
 * does not begin at the beginning is answered with some of it: how much there will be nobody
 * knows. */
static bool choose_part(const struct request *rq, struct range *part)
{
	const char *header = request_header(rq, "HTTP_RANGE");

	*part = (struct range){0, -1};
	if (request_header(rq, "HTTP_IF_MATCH") || request_header(rq, "HTTP_IF_NONE_MATCH"))
		return false; /* is decided where all bodies are sent; dates it has none of yet */
	/* There is no date yet that If-Range could name: all of it (RFC 9110, section 13.1.5). */
	if (request_header(rq, "HTTP_IF_RANGE") || range_parse(header, INT64_MAX, part) != RANGE_OK)
		return true;
	if (part->last < INT64_MAX - 1)
		return true;
	if (part->first == 0)
		part->last = -1;
	else if (part->first < INT64_MAX / 2)
		part->last = part->first + OPEN_BYTES - 1;
	return part->last < INT64_MAX - 1;
}

/* A part, all of which is there; its whole length is not known (RFC 9110, section 14.4). */
static void say_part(struct reply *r, const struct range *part)
{
	char text[64];

	r->status = 206;
	snprintf(text, sizeof(text), "bytes %lld-%lld/*", (long long)part->first,
		(long long)part->last);
	reply_header(r, "Content-Range", text);
	snprintf(text, sizeof(text), "%lld", (long long)(part->last - part->first + 1));
	reply_header(r, "Content-Length", text);
}

/* Opens what is being made; false when nothing is, or not enough of it. */
static bool open_growing(struct growing *g, const char *path)
{
	struct stat st;

	g->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (g->fd < 0)
		return false;
	if (fstat(g->fd, &st) == 0 && st.st_size > g->part.last && st.st_size > 0 &&
		is_being_made(g))
		return true;
	close(g->fd);
	return false;
}

static bool send_part(struct request *rq, struct reply *r, const struct growing *from)
{
	struct growing *g = arena_alloc(&rq->arena, sizeof(*g));

	if (!g) {
		close(from->fd);
		return false;
	}
	*g = *from;
	reply_stream(r, mime_type(span_of(g->name)), (struct reply_stream){run, release, g, true});
	if (g->part.last >= 0)
		say_part(r, &g->part);
	reply_cache(r, "private, no-store");
	return true;
}

/* False when what is wanted is not there yet. A head is to say how long all of it is: it does
 * without that only where it cannot wait any more. */
static bool send_growing(
	struct app *app, struct request *rq, struct reply *r, const char *name, bool late)
{
	struct growing g = {.app = app, .part = {0, -1}};
	char path[PATH_MAX];

	if (rq->method == METHOD_HEAD ? !late : !choose_part(rq, &g.part))
		return false;
	return span_copy(span_of(name), g.name, sizeof(g.name)) &&
	       music_work_path(app->conf, name, path, sizeof(path)) && open_growing(&g, path) &&
	       send_part(rq, r, &g);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int await(struct app *app, struct request *rq, struct reply *r, const char *name,
	const char *line, const struct music *m, struct fail *f)
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
		now_ms = clock_mono_ms();
		if (send_growing(app, rq, r, name, now_ms >= until_ms)) {
			reply_header(r, "X-Quality", m->quality);
			r->x_cache = first ? "COALESCED" : "MISS";
			return 1;
		}
		if (setback_holds(app->conf, NULL, setback, f, &retry_s)) {
			r->retry_after_s = (int)(retry_s < INT_MAX ? retry_s : INT_MAX);
			return -1;
		}
		if (now_ms >= until_ms)
			return fail_set(f, FAIL_BUSY, "It is being made; try again in a moment");
		if ((!told_ms || now_ms - told_ms >= TELL_MS) &&
			jobs_tell(app->conf, rq->client, line))
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

	if (!music_choose(
		    app->conf, t, &quality, ask->kbps ? ask->kbps : INT64_MAX, ask->format, &m))
		return 0;
	if (music_name_now(app->conf, t, &m, name, f) < 0)
		return -1;
	music_line(t, &m, line);
	return await(app, rq, r, name, line, &m, f);
}
