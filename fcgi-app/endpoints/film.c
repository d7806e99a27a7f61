/* fcgi-app/endpoints/film.c - a film, looked up: where it is, what is in it, its version.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/endpoints/film.h"

#include <stdio.h>
#include <unistd.h>

#include "fcgi-app/app.h"
#include "lib/base/clock.h"
#include "lib/io/conf.h"
#include "lib/svc/index.h"
#include "lib/svc/package.h"

enum { ARENA_MAX = 4 << 20, SETTLED_MS = 3600 * 1000 };

/* Whether the record that is kept tells of the film as it is now. */
static bool is_current(const struct film_seen *film, const struct conf *conf)
{
	struct record_validator now;
	struct fail why;
	int fd;

	if (film->title.where != TITLE_FILE)
		return index_is_fresh(conf, film->title.film.id);
	if (title_open(&film->title, &fd, &now, &why) < 0)
		return false;
	close(fd);
	return now.size == film->record.source.size && now.stamp == film->record.source.stamp;
}

static bool look_up(struct film_seen *film, struct app *app)
{
	struct fail why;

	return index_load(app->conf, app->mc, film->title.film.id, &film->bytes) &&
	       record_decode(buf_span(&film->bytes), &film->arena, &film->record, &why) == 0 &&
	       is_current(film, app->conf);
}

static int read_reply(struct film_seen *film, int fd, struct fail *f)
{
	char piece[16384];
	off_t at = 0;
	ssize_t n;

	buf_clear(&film->bytes);
	arena_reset(&film->arena);
	while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
		buf_add(&film->bytes, piece, (size_t)n);
		at += n;
	}
	if (n < 0 || film->bytes.failed)
		return fail_set(f, FAIL_BUSY, "The film's index cannot be read");
	return record_decode(buf_span(&film->bytes), &film->arena, &film->record, f);
}

static int have_made(struct film_seen *film, struct app *app, int64_t wait_ms, struct fail *f)
{
	struct package_request rq = {.version = PACKAGE_VERSION,
		.part = PACKAGE_INDEX,
		.viewer = film->viewer,
		.client = film->client};
	struct package_reply reply;
	int result;

	snprintf(rq.id, sizeof(rq.id), "%s", film->title.film.id);
	if (!app_wait_begin(app, film->client, f))
		return -1;
	result = package_ask(app->conf, &rq, wait_ms, -1, &reply, f);
	app_wait_end(app, film->client);
	if (result == 0)
		result = read_reply(film, reply.fd, f);
	if (reply.fd >= 0)
		close(reply.fd);
	return result;
}

int film_open(struct film_seen *film, struct app *app, const struct ident *id, int64_t wait_ms,
	struct fail *f)
{
	unsigned char key[SIGN_SIZE];

	buf_init(&film->bytes, RECORD_MAX_BYTES);
	arena_init(&film->arena, ARENA_MAX);
	if (title_find(&film->title, app->conf, app->catalog, id, f) < 0 ||
		title_key(app->conf, key, f) < 0)
		return -1;
	if (!look_up(film, app) && have_made(film, app, wait_ms, f) < 0)
		return -1;
	title_version(&film->title, &film->record.source, app->conf->film_ladder, key, film->ver);
	return 0;
}

void film_close(struct film_seen *film)
{
	buf_release(&film->bytes);
	arena_release(&film->arena);
}

bool film_is_settled(const struct film_seen *film)
{
	int64_t written_ms = (int64_t)(film->record.source.stamp / 1000000);

	return film->title.where != TITLE_FILE || written_ms < clock_real_ms() - SETTLED_MS;
}

int film_redirect(struct reply *r, const char *to, struct fail *f)
{
	if (!to)
		return fail_set(f, FAIL_INPUT, "The request is too large");
	if (reply_redirect(r, 302, to, f) < 0)
		return -1;
	reply_cache(r, "no-cache");
	return 0;
}
