/* fcgi-app/processes/packager/feeding.c - the packager's feeders.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/feeding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/packager/feeder.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/pass.h"

void feeding_init(struct feeding *f, const struct conf *conf, struct board *board)
{
	f->conf = conf;
	f->board = board;
	for (size_t i = 0; i < FEEDING_MAX; i++)
		f->films[i] = (struct feeding_film){.child = {0, -1}, .control = -1};
}

static void end_feeder(struct feeding_film *film)
{
	if (film->control >= 0)
		close(film->control);
	film->control = -1;
	film->known = false;
	if (film->child.pid) {
		child_kill(&film->child, SIGKILL);
		child_wait(&film->child, 1000, NULL);
	}
}

void feeding_close(struct feeding *f)
{
	for (size_t i = 0; i < FEEDING_MAX; i++)
		end_feeder(&f->films[i]);
}

static struct feeding_film *find(struct feeding *f, const char *id)
{
	for (size_t i = 0; i < FEEDING_MAX; i++) {
		if (strcmp(f->films[i].id, id) == 0)
			return &f->films[i];
	}
	return NULL;
}

static struct feeding_film *find_free(struct feeding *f)
{
	for (size_t i = 0; i < FEEDING_MAX; i++) {
		struct feeding_film *film = &f->films[i];

		if (film->control < 0 && film->until_us <= clock_mono_us())
			return film;
	}
	return NULL;
}

static int child_main(void *ctx)
{
	struct feeder_start *start = ctx;
	const struct conf *conf = start->conf;
	struct fail why;

	/* All that is not its own goes: the sockets of askers, jobs and other feeders, and the log,
	 * whose number another one may get; it is opened anew. */
	log_open(NULL, conf->log_level, &why);
	if (dup2(start->control, STDERR_FILENO + 1) < 0 ||
		close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
		return 1;
	start->control = STDERR_FILENO + 1;
	fcntl(start->control, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	log_open(*conf->log_file ? conf->log_file : NULL, conf->log_level, &why);
	return feeder_run(start);
}

static int begin(const struct feeding *f, struct feeding_film *film, const struct title *t,
	const struct feeding_want *want, struct fail *why)
{
	struct feeder_start *start = calloc(1, sizeof(*start));
	int pair[2], result;

	if (!start || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(start);
		return fail_set(why, FAIL_BUSY, "There is no room to fetch a film");
	}
	*start = (struct feeder_start){f->conf, f->board, *t, want->viewer, want->first, pair[1]};
	result = child_fork(child_main, start, "feeder", &film->child, why);
	close(pair[1]);
	free(start);
	if (result < 0) {
		close(pair[0]);
		return -1;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	snprintf(film->id, sizeof(film->id), "%s", t->film.id);
	film->source = t->source;
	film->control = pair[0];
	film->known = false;
	film->why = (struct fail){0};
	film->until_us = 0;
	return 0;
}

static enum feeding_result give_reader(
	struct feeding_film *film, const struct feeding_want *want, int *out, struct fail *why)
{
	char order = want->note ? FEEDER_NOTED_JOB : FEEDER_JOB;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		fail_errno(why, FAIL_BUSY, errno, "There is no socket to read a film by");
		return FEEDING_FAILED;
	}
	if (!pass_send(film->control, &order, 1, &pair[1], 1)) {
		close(pair[0]);
		close(pair[1]);
		end_feeder(film);
		return FEEDING_LATER;
	}
	close(pair[1]);
	*out = pair[0];
	return FEEDING_READY;
}

enum feeding_result feeding_read(struct feeding *f, const struct title *t,
	const struct feeding_want *want, int *socket, struct record_validator *now,
	struct fail *why)
{
	struct feeding_film *film = find(f, t->film.id);

	if (film && film->until_us > clock_mono_us() && film->turns)
		return FEEDING_LATER;
	if (film && film->until_us > clock_mono_us()) {
		*why = film->why;
		return FEEDING_FAILED;
	}
	if (film && film->control >= 0) {
		if (!film->known)
			return FEEDING_LATER;
		*now = film->film;
		return give_reader(film, want, socket, why);
	}
	film = film ? film : find_free(f);
	if (!film) {
		fail_set(why, FAIL_BUSY, "Too many films are being fetched at once");
		return FEEDING_FAILED;
	}
	return begin(f, film, t, want, why) < 0 ? FEEDING_FAILED : FEEDING_LATER;
}

void feeding_keep(struct feeding *f, const char *id)
{
	const struct feeding_film *film = find(f, id);
	char order = FEEDER_KEEP;

	if (film && film->known)
		pass_send(film->control, &order, 1, NULL, 0);
}

/* All connections of the source's accounts are in use: films that nobody reads from just now give
 * theirs up, and it is tried again. */
static void take_turn(struct feeding *f, struct feeding_film *film)
{
	char order = FEEDER_GIVE_WAY;

	film->turns++;
	film->until_us = clock_mono_us() + FEEDING_TURN_US;
	end_feeder(film);
	for (size_t i = 0; i < FEEDING_MAX; i++) {
		if (f->films[i].known && f->films[i].source == film->source)
			pass_send(f->films[i].control, &order, 1, NULL, 0);
	}
}

static void refuse(
	struct feeding *f, struct feeding_film *film, enum fail_kind kind, const char *text)
{
	if (kind == FAIL_BUSY && film->turns < FEEDING_TURNS) {
		take_turn(f, film);
		return;
	}
	fail_set(&film->why, kind, "%s", text);
	film->turns = 0;
	film->until_us = clock_mono_us() + FEEDING_REFUSAL_US;
	end_feeder(film);
}

void feeding_look(struct feeding *f)
{
	for (size_t i = 0; i < FEEDING_MAX; i++) {
		struct feeding_film *film = &f->films[i];
		struct feeder_news news;
		int fds[PASS_FDS_MAX];
		size_t count = 0;
		ssize_t n;

		if (film->control < 0)
			continue;
		n = pass_take(film->control, &news, sizeof(news), fds, &count);
		pass_close(fds, count);
		if (n == (ssize_t)sizeof(news) && news.kind != FAIL_NONE) {
			news.text[sizeof(news.text) - 1] = '\0';
			refuse(f, film, (enum fail_kind)news.kind, news.text);
		} else if (n == (ssize_t)sizeof(news)) {
			film->known = true;
			film->turns = 0;
			film->film = news.film;
		} else if (n >= 0 || errno != EAGAIN) {
			end_feeder(film);
		}
	}
}
