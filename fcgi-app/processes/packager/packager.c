/* fcgi-app/processes/packager/packager.c - which parts of films are made now; they are handed out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/packager.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/processes/packager/askers.h"
#include "fcgi-app/processes/packager/making.h"
#include "fcgi-app/processes/media_link.h"
#include "fcgi-app/processes/packager/parts.h"
#include "fcgi-app/processes/packager/preparing.h"
#include "fcgi-app/processes/packager/refusals.h"
#include "fcgi-app/processes/signals.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/sock.h"

enum {
	TRIES = 2, /* of one part */
	IDLE_MS = 60000,
	LOOK_MS = 200,
	STEP_MS = 10,	   /* between looks for what a part waits for, */
	ELSEWHERE_MS = 50, /* and for one that another host makes */
	NEXT_MS = 40	   /* in which a viewer who is near asks for what comes next */
};

struct packager {
	struct making making;
	struct media_link media;
	struct parts parts;
	struct askers askers;
	struct refusals refusals;
	int listen_fd, signal_fd, heavy_max;
	uint32_t ahead;
	int64_t typical_us; /* that a heavy part took lately */
	int64_t needed_ms;  /* monotonic */
	bool stop, door_rests;
};

/* --- answers --------------------------------------------------------------------------------- */

static void drop(struct packager *p, struct part *part)
{
	making_close_output(&p->making, part);
	making_unclaim(&p->making, part);
	parts_drop(part);
}

/* To all who wait for the part, which is forgotten then. */
static void answer_all(
	struct packager *p, struct part *part, const struct fail *why, bool changed, bool hand_over)
{
	for (size_t i = 0; i < ASKERS_MAX; i++) {
		struct asker *a = &p->askers.list[i];

		if (a->fd >= 0 && a->part == part->id)
			asker_answer(a, why, changed, !why && hand_over ? part->output : -1);
	}
	drop(p, part);
}

static void refuse(struct packager *p, struct part *part, const struct fail *why, bool changed)
{
	if (!changed && (why->kind == FAIL_UPSTREAM || why->kind == FAIL_MISSING))
		refusals_note(&p->refusals, &part->rq, why);
	if (part->priority == 0)
		log_info("part_not_made", LOG_STR("id", part->rq.id),
			LOG_STR("rendition", part->rq.rendition), LOG_INT("n", part->rq.n),
			LOG_STR("why", why->text));
	answer_all(p, part, why, changed, false);
}

/* --- parts ----------------------------------------------------------------------------------- */

/* Begun once more, unless that was tried already. Its output may have been the trouble. */
static void begin_again(struct packager *p, struct part *part, const char *text)
{
	struct fail why;

	making_close_output(&p->making, part);
	part->in_memory = true;
	part->state = PART_QUEUED;
	if (part->tries < TRIES)
		return;
	fail_set(&why, FAIL_UPSTREAM, "%s", text);
	refuse(p, part, &why, false);
}

/* The segments after the one that somebody waits for. */
static void look_ahead(struct packager *p, const struct package_request *rq, uint32_t segments)
{
	struct package_request next = *rq;

	for (uint32_t i = 1; i <= p->ahead && rq->n + i < segments; i++) {
		next.n = rq->n + i;
		if (!making_is_there(&p->making, &next))
			parts_ask(&p->parts, &next, (int)i);
	}
}

static void media_is_lost(struct packager *p)
{
	media_link_lost(&p->media, clock_mono_us());
	for (size_t i = 0; i < PARTS_MAX; i++) {
		if (p->parts.list[i].state == PART_RUNNING)
			begin_again(
				p, &p->parts.list[i], "What reads films has died over this one");
	}
}

/* The part waits for the film's index. */
static void await_index(struct packager *p, struct part *part)
{
	struct package_request rq = {.version = PACKAGE_VERSION, .part = PACKAGE_INDEX};
	const struct fail *refused;

	rq.viewer = part->rq.viewer;
	rq.client = part->rq.client;
	memcpy(rq.id, part->rq.id, sizeof(rq.id));
	refused = refusals_find(&p->refusals, &rq);
	part->due_us = clock_mono_us() + STEP_MS * 1000;
	if (refused)
		refuse(p, part, refused, false);
	else
		parts_ask(&p->parts, &rq, 0);
}

/* The job goes to sluice-media, which is started where it does not run. */
static void send_job(struct packager *p, struct part *part, const struct media_job *job,
	const int fds[MEDIA_FDS])
{
	struct fail f;

	if (media_link_start(&p->media, clock_mono_us(), &f) < 0) {
		refuse(p, part, &f, false);
		return;
	}
	part->tries++;
	part->begun_us = clock_mono_us();
	part->state = PART_RUNNING;
	if (!media_link_send(&p->media, job, fds))
		media_is_lost(p);
}

/* Whether it is to be made here and now. Where another host makes it, it will be there soon, or
 * will be ours when that host is gone; what nobody waits for is left to it. */
static bool is_ours(struct packager *p, struct part *part)
{
	bool ours = making_claim(&p->making, part);

	if (part->heavy && making_is_there(&p->making, &part->rq))
		answer_all(p, part, NULL, false, false);
	else if (!ours && part->priority > 0 && part->waiters == 0)
		drop(p, part);
	else if (!ours)
		part->due_us = clock_mono_us() + ELSEWHERE_MS * 1000;
	else
		return true;
	return false;
}

static void begin_part(struct packager *p, struct part *part)
{
	struct package_request rq = part->rq;
	bool plays = part->heavy && part->priority == 0 && !part_is_passed_by(part);
	int fds[MEDIA_FDS];
	struct media_job job;
	uint32_t segments;
	struct fail f = {0};

	if (media_link_pauses(&p->media, clock_mono_us())) {
		part->due_us = p->media.due_us;
		return;
	}
	if (!is_ours(p, part))
		return;
	switch (making_begin(&p->making, part, &job, fds, &segments, &f)) {
	case MAKING_UNKNOWN:
		await_index(p, part);
		break;
	case MAKING_LATER:
		part->due_us = clock_mono_us() + STEP_MS * 1000;
		break;
	case MAKING_READY:
		answer_all(p, part, NULL, false, true);
		break;
	case MAKING_CHANGED:
		refuse(p, part, &f, true);
		break;
	case MAKING_FAILED:
		refuse(p, part, &f, false);
		break;
	case MAKING_JOB:
		part->segments = segments;
		send_job(p, part, &job, fds);
		close(fds[MEDIA_SOURCE]);
		if (plays)
			look_ahead(p, &rq, segments);
		break;
	}
}

static void end_part(struct packager *p, struct part *part)
{
	int64_t took_us = clock_mono_us() - part->begun_us;
	struct package_request rq = part->rq;
	bool hand_over = false;
	struct fail f = {0};

	if (part->heavy)
		p->typical_us = p->typical_us ? (3 * p->typical_us + took_us) / 4 : took_us;
	log_debug("part_made", LOG_STR("id", part->rq.id), LOG_STR("rendition", part->rq.rendition),
		LOG_INT("part", part->rq.part), LOG_INT("n", part->rq.n),
		LOG_INT("ahead", part->priority), LOG_INT("ms", took_us / 1000));
	if (making_end(&p->making, part, &hand_over, &f) < 0) {
		refuse(p, part, &f, false);
		return;
	}
	/* A viewer who is near asks for the next one at once, and has all processors make it. */
	if (part->heavy && part->priority == 0)
		parts_hold_ahead(&p->parts, &rq, clock_mono_us() + NEXT_MS * 1000);
	answer_all(p, part, NULL, false, hand_over);
	if (rq.part == PACKAGE_INDEX) {
		making_keep_index(&p->making, rq.id);
		preparing_begin(&p->making, &p->parts, rq.id);
	}
}

/* A disk that is full, or a feeder that is gone, are worth another try; the film itself is not. */
static void take_failure(struct packager *p, struct part *part, const struct media_answer *a)
{
	bool no_room = a->kind == FAIL_BUSY && !part->in_memory;
	struct fail f;

	if ((no_room || (part->fed && a->kind == FAIL_UPSTREAM)) && part->tries < TRIES) {
		begin_again(p, part, a->text);
		return;
	}
	/* That a film cannot be read is no fault of the request, and none of ours. */
	fail_set(&f,
		a->kind == FAIL_BUSY || a->kind == FAIL_MISSING ? (enum fail_kind)a->kind
								: FAIL_UPSTREAM,
		"%s", a->text);
	refuse(p, part, &f, false);
}

static void take_answer(struct packager *p, const struct media_answer *a)
{
	struct part *part = parts_find(&p->parts, a->id);

	if (!part || part->state != PART_RUNNING)
		return;
	switch ((enum media_outcome)a->outcome) {
	case MEDIA_DONE:
		end_part(p, part);
		break;
	case MEDIA_FAILED:
		take_failure(p, part, a);
		break;
	case MEDIA_DIED:
		log_warn("part_died", LOG_STR("id", part->rq.id),
			LOG_STR("rendition", part->rq.rendition), LOG_INT("n", part->rq.n),
			LOG_STR("why", a->text));
		begin_again(p, part, a->text);
		break;
	}
}

static void take_answers(struct packager *p)
{
	struct media_answer a;
	bool some = true;

	while (p->media.socket >= 0 && some) {
		if (!media_link_take(&p->media, &a, &some)) {
			media_is_lost(p);
			return;
		}
		if (some)
			take_answer(p, &a);
	}
}

/* Half of what it takes has been done already. */
static bool is_half_done(const struct packager *p, const struct part *part)
{
	return p->typical_us && clock_mono_us() - part->begun_us > p->typical_us / 2;
}

/* False when sluice-media is gone. */
static bool stop_job(struct packager *p, const struct part *part)
{
	struct media_job job = {.version = MEDIA_VERSION, .kind = MEDIA_CANCEL, .id = part->id};

	if (media_link_send(&p->media, &job, NULL))
		return true;
	media_is_lost(p);
	return false;
}

/* What viewers have passed by makes room for what they want now, and is made afterwards. */
static void make_way(struct packager *p)
{
	struct part *part = parts_in_the_way(&p->parts, p->heavy_max, clock_mono_us());

	if (!part || is_half_done(p, part) || !stop_job(p, part))
		return;
	making_close_output(&p->making, part);
	part->tries = 0;
	part->state = PART_QUEUED;
	making_unclaim(&p->making, part);
}

static void begin_parts(struct packager *p)
{
	struct part *part;

	make_way(p);
	while ((part = parts_next(&p->parts, p->heavy_max, clock_mono_us())))
		begin_part(p, part);
}

/* --- askers ----------------------------------------------------------------------------------- */

/* Nobody waits for the part any more. What is nearly done is finished: it may be wanted again; so
 * is the index, which costs the source most. */
static void give_up(struct packager *p, struct part *part)
{
	if (part->rq.part == PACKAGE_INDEX)
		return;
	if (part->state == PART_RUNNING &&
		(!part->heavy || is_half_done(p, part) || !stop_job(p, part)))
		return;
	drop(p, part);
}

static void leave(struct packager *p, struct asker *a)
{
	struct part *part = parts_find(&p->parts, a->part);

	if (part) {
		part->waiters--;
		part->passed -= a->passed;
	}
	asker_forget(a);
	if (part && part->waiters == 0)
		give_up(p, part);
}

static void take_request(struct packager *p, struct asker *a)
{
	struct part *part, *unwanted;
	const struct fail *refused;
	struct fail f;

	if (making_is_there(&p->making, &a->rq)) {
		asker_answer(a, NULL, false, -1);
		return;
	}
	refused = refusals_find(&p->refusals, &a->rq);
	if (refused) {
		asker_answer(a, refused, false, -1);
		return;
	}
	if (part_is_heavy(&a->rq)) {
		unwanted = askers_pass_by(&p->askers, &p->parts, &a->rq);
		if (unwanted)
			give_up(p, unwanted);
		parts_forget_ahead(&p->parts, &a->rq, p->ahead);
	}
	part = parts_ask(&p->parts, &a->rq, part_priority(&a->rq));
	if (!part) {
		fail_set(&f, FAIL_BUSY, "Too many parts of films are asked for; try again soon");
		asker_answer(a, &f, false, -1);
		return;
	}
	/* It was begun ahead: its viewer is there now. */
	if (part->state == PART_RUNNING && part->waiters == 0 && part->heavy)
		look_ahead(p, &a->rq, part->segments);
	part->waiters++;
	a->part = part->id;
}

static void read_asker(struct packager *p, struct asker *a)
{
	switch (asker_read(a)) {
	case ASKER_NOTHING:
		break;
	case ASKER_WISH:
		take_request(p, a);
		break;
	case ASKER_GONE:
		leave(p, a);
		break;
	}
}

/* --- life ------------------------------------------------------------------------------------ */

static bool is_idle(struct packager *p)
{
	int64_t now_ms = clock_mono_ms();

	if (parts_count(&p->parts, PART_FREE) < PARTS_MAX)
		p->needed_ms = now_ms;
	return now_ms - p->needed_ms >= IDLE_MS;
}

static void poll_once(struct packager *p)
{
	struct pollfd wake[ASKERS_MAX + 3];
	struct asker *who[ASKERS_MAX + 3], *new;
	nfds_t count = 3;
	bool renew;

	wake[0] = (struct pollfd){p->signal_fd, POLLIN, 0};
	wake[1] = (struct pollfd){p->door_rests ? -1 : p->listen_fd, POLLIN, 0};
	wake[2] = (struct pollfd){p->media.socket, POLLIN, 0};
	count += askers_watch(&p->askers, wake + count, who + count);
	poll(wake, count, parts_count(&p->parts, PART_QUEUED) ? STEP_MS : LOOK_MS);
	signals_take(p->signal_fd, &p->stop, &renew);
	take_answers(p);
	feeding_look(&p->making.feeding);
	making_renew_claims(&p->making, &p->parts);
	for (nfds_t i = 3; i < count; i++) {
		if (wake[i].revents && who[i]->fd == wake[i].fd)
			read_asker(p, who[i]);
	}
	while ((new = askers_accept(&p->askers, p->listen_fd, &p->door_rests)))
		read_asker(p, new);
}

static int open_packager(
	struct packager *p, const struct conf *conf, struct board *board, struct fail *f)
{
	char path[PATH_MAX];

	askers_init(&p->askers);
	media_link_init(&p->media, conf->media_program);
	if (signals_open(&p->signal_fd, f) < 0 || making_open(&p->making, conf, board, f) < 0)
		return -1;
	p->heavy_max = conf->film_jobs ? (int)conf->film_jobs : p->making.processors;
	p->ahead = (uint32_t)conf->look_ahead;
	p->needed_ms = clock_mono_ms();
	if (!package_socket(conf, path, sizeof(path)) ||
		sock_listen(path, (gid_t)SOCK_NO_GROUP, &p->listen_fd, f) < 0)
		return -1;
	fcntl(p->listen_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

int packager_run(const struct conf *conf, struct board *board)
{
	struct packager *p = calloc(1, sizeof(*p));
	char path[PATH_MAX];
	struct fail f = {0};
	int lock = -1, result;

	if (!p || !file_path(path, sizeof(path), "%s/packager.lock", conf->run_dir) ||
		lock_take(path, &lock, &f) < 0) {
		log_error("packager_not_started", LOG_STR("why", f.text));
		free(p);
		return 1;
	}
	p->signal_fd = p->listen_fd = -1;
	result = open_packager(p, conf, board, &f);
	if (result < 0)
		log_error("packager_not_started", LOG_STR("why", f.text));
	while (result == 0 && !p->stop && !is_idle(p)) {
		begin_parts(p);
		poll_once(p);
	}
	if (p->listen_fd >= 0)
		close(p->listen_fd);
	media_link_close(&p->media);
	making_close(&p->making);
	lock_drop(path, &lock);
	free(p);
	return result < 0;
}
