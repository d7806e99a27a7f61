/* fcgi-app/processes/packager/feeder.c - a film at a gateway, fetched for all jobs that read it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/feeder.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/packager/hoard.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/http/range.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/feed.h"
#include "lib/io/fetch.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/pass.h"
#include "lib/io/sign.h"
#include "lib/svc/live.h"
#include "lib/svc/origin.h"
#include "lib/svc/slot.h"
#include "lib/svc/viewers.h"

enum {
	AHEAD_MAX = 8, /* blocks of one request, reached by reading on and on */
	JOBS_MAX = 64,
	TRIES = 3,	/* of one part */
	PAUSE_MS = 300, /* a gateway may count the last connection for a moment yet */
	CONNECT_MS = 5000,
	STALL_MS = 6000,
	TOTAL_MS = 30000,
	SEND_S = 5,
	LOOK_MS = 1000
};

struct job {
	int socket;
	bool noted; /* what it reads is */
};

struct feeder {
	const struct feeder_start *start;
	struct mc *mc;
	struct lease_env lease_env;
	struct lease *lease;
	char lease_dir[PATH_MAX];
	struct buf url; /* a secret */
	struct row *row;
	char validator[HOARD_VALIDATOR_BYTES];
	int64_t size; /* of the film; -1 until it is known */
	bool changed; /* it is another one now */
	struct hoard hoard;
	int64_t next; /* the block after the last one that was fetched */
	int ahead;
	struct job jobs[JOBS_MAX];
	size_t job_count;
	int64_t needed_ms; /* monotonic */
};

static size_t block_size(const struct feeder *f, int64_t n)
{
	int64_t left = f->size < 0 ? HOARD_BLOCK_BYTES : f->size - n * HOARD_BLOCK_BYTES;

	return (size_t)(left < HOARD_BLOCK_BYTES ? left : HOARD_BLOCK_BYTES);
}

/* --- fetching --------------------------------------------------------------------------------- */

/* One request, while it comes in. */
struct pull {
	struct feeder *feeder;
	int64_t at, end; /* bytes of the film: the next one that comes, and that after the last */
	struct fail why; /* what is wrong with the answer */
	bool again;	 /* it may be right the next time */
};

static void refuse_status(struct pull *p, int status)
{
	static const int limits[] = {406, 429, 458, 459, 461, 462, 463, 509, 512, 513, 884};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (status != limits[i])
			continue;
		p->again = true;
		fail_set(&p->why, FAIL_BUSY,
			"The account's limit of connections is reached (status %d)", status);
		return;
	}
	p->again = status >= 500;
	if (status == 404)
		fail_set(&p->why, FAIL_UPSTREAM, "The gateway does not have this film (404)");
	else if (status == 200)
		fail_set(&p->why, FAIL_UPSTREAM, "The gateway does not send parts of this film");
	else
		fail_set(&p->why, FAIL_UPSTREAM, "The gateway refuses this film (status %d)",
			status);
}

static int say_changed(struct pull *p)
{
	p->feeder->changed = true;
	return fail_set(&p->why, FAIL_UPSTREAM, "The film has changed at its source");
}

/* Nothing is used of an answer that is not exactly what was asked for. */
static int check_head(struct pull *p, const struct fetch_head *head)
{
	struct feeder *f = p->feeder;
	struct range part;
	int64_t size;

	if (head->status != 206) {
		refuse_status(p, head->status);
		return -1;
	}
	if (!range_of_content(head->content_range, &part, &size) || part.first != p->at)
		return fail_set(&p->why, FAIL_UPSTREAM,
			"The gateway sends another part of the film than it was asked for");
	if (f->size >= 0 && (size != f->size || strcmp(head->validator, f->validator) != 0))
		return say_changed(p);
	if (f->size < 0) {
		f->size = size;
		snprintf(f->validator, sizeof(f->validator), "%s", head->validator);
	}
	/* Less than was asked for is a shorter part; more is cut off. */
	if (part.last + 1 < p->end)
		p->end = part.last + 1;
	return 0;
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	return check_head(ctx, head) == 0 ? FETCH_GO_ON : FETCH_STOP;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct pull *p = ctx;
	const char *from = bytes;

	if (p->feeder->lease && !lease_renew(p->feeder->lease)) {
		fail_set(&p->why, FAIL_BUSY, "The account's connection was lost to another");
		return FETCH_STOP;
	}
	while (len && p->at < p->end) {
		int64_t n = p->at / HOARD_BLOCK_BYTES;
		size_t in = (size_t)(p->at % HOARD_BLOCK_BYTES),
		       take = HOARD_BLOCK_BYTES - in < len ? HOARD_BLOCK_BYTES - in : len;
		struct hoard_block *b =
			in ? hoard_find(&p->feeder->hoard, n) : hoard_new(&p->feeder->hoard, n);

		if (!b || b->len != in) {
			fail_set(&p->why, FAIL_BUSY, "There is no memory for the film's bytes");
			return FETCH_STOP;
		}
		if ((int64_t)take > p->end - p->at)
			take = (size_t)(p->end - p->at);
		memcpy(b->bytes + in, from, take);
		b->len += take;
		p->at += (int64_t)take;
		from += take;
		len -= take;
	}
	return p->at < p->end ? FETCH_GO_ON : FETCH_STOP;
}

/* Fetches so many blocks from `n` on. 0: at least the first is there whole. */
static int pull_once(struct feeder *f, int64_t n, int count, struct pull *p)
{
	const struct conf_source *s = f->start->title.source;
	struct fetch_request rq = {.url = buf_str(&f->url),
		.policy = {s->allow, s->allow_count},
		.user_agent = *s->user_agent ? s->user_agent : NULL,
		.egress = *s->egress ? s->egress : NULL,
		.offset = n * HOARD_BLOCK_BYTES,
		.follow = 5,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.total_ms = TOTAL_MS,
		.row = f->row,
		.on_head = on_head,
		.on_data = on_data,
		.ctx = p};
	struct fail why = {0};
	const struct hoard_block *b;

	*p = (struct pull){
		.feeder = f, .at = n * HOARD_BLOCK_BYTES, .end = (n + count) * HOARD_BLOCK_BYTES};
	if (f->size >= 0 && p->end > f->size)
		p->end = f->size;
	rq.length = p->end - p->at;
	if (fetch_run(&rq, &why) < 0 && why.kind != FAIL_GONE) {
		p->why = why;
		p->again = why.kind != FAIL_FORBIDDEN && why.kind != FAIL_INPUT;
	}
	b = hoard_find(&f->hoard, n);
	if (b && b->len == block_size(f, n) && !f->changed) {
		p->why.kind = FAIL_NONE;
		return 0;
	}
	if (!p->why.kind) {
		p->again = true;
		fail_set(&p->why, FAIL_UPSTREAM, "The film's bytes end in the middle");
	}
	return -1;
}

static int pull(struct feeder *f, int64_t n, struct fail *why)
{
	struct pull p = {0};
	int result = -1, count;

	f->ahead = n == f->next ? f->ahead * 2 : 1;
	f->ahead = f->ahead > AHEAD_MAX ? AHEAD_MAX : f->ahead;
	for (count = 1; count < f->ahead && !hoard_find(&f->hoard, n + count); count++)
		;
	for (int i = 0; i < TRIES && result < 0; i++) {
		if (i && !p.again)
			break;
		if (i)
			poll(NULL, 0, PAUSE_MS * i);
		result = pull_once(f, n, count, &p);
	}
	f->next = n + count;
	if (result < 0)
		*why = p.why;
	return result;
}

/* The block of the film, fetched where it is not at hand. */
static struct hoard_block *get_block(struct feeder *f, int64_t n, struct fail *why)
{
	struct hoard_block *b = hoard_find(&f->hoard, n);

	if (!b || b->len != block_size(f, n)) {
		if (b)
			b->n = -1;
		b = hoard_recall(&f->hoard, n);
	}
	if (!b) {
		if (pull(f, n, why) < 0)
			return NULL;
		b = hoard_find(&f->hoard, n);
	}
	hoard_use(&f->hoard, b);
	return b;
}

/* --- the account ------------------------------------------------------------------------------ */

static int address(struct feeder *f, const struct conf_account *account, struct fail *why)
{
	buf_clear(&f->url);
	return title_url(&f->start->title, account, &f->url, why);
}

/* A channel that holds the connection ends when nobody watches it any more, and when its only
 * viewer is the one who wants the film. */
static void ask_to_leave(const struct feeder *f, const struct slot_holders *holders)
{
	const struct conf *conf = f->start->conf;
	int64_t now_ms = clock_real_ms();
	struct viewer old[VIEWERS_MAX], new = {f->start->viewer, now_ms, now_ms};

	for (size_t i = 0; i < holders->count; i++) {
		const char *id = holders->ids[i];
		struct ident ident;

		if (!ident_parse(span_of(id), IDENT_NONE, &ident) || ident.kind != IDENT_LIVE ||
			!viewers_give_way(old, viewers_read(conf, id, old), &new, 1, now_ms))
			continue;
		log_info("takes_over", LOG_STR("film", f->start->title.film.id),
			LOG_STR("from", id));
		live_ask_leave(conf, id);
		return;
	}
}

/* One of the accounts has a connection for us. */
static int take_slot(struct feeder *f, struct fail *why)
{
	const struct title *t = &f->start->title;
	struct origin o = {.source = t->source};
	struct slot_holders holders;

	for (size_t i = 0; i < t->source->account_count; i++) {
		o.account = &t->source->accounts[i];
		switch (slot_take(
			&f->lease_env, &o, t->film.id, SLOT_READER, &f->lease, &holders, why)) {
		case SLOT_MINE:
		case SLOT_SHARED:
			return address(f, o.account, why);
		case SLOT_FULL:
			fail_set(why, FAIL_BUSY, SLOT_FULL_TEXT, t->source->name);
			ask_to_leave(f, &holders);
			break;
		case SLOT_ERROR:
			break;
		}
	}
	return -1;
}

/* --- life ------------------------------------------------------------------------------------- */

static void tell(const struct feeder *f, const struct fail *why)
{
	struct feeder_news news = {.film.size = (uint64_t)(f->size > 0 ? f->size : 0)};
	unsigned char digest[SIGN_SIZE];

	if (*f->validator) {
		sign_sha256(span_of(f->validator), digest);
		memcpy(&news.film.stamp, digest, sizeof(news.film.stamp));
	}
	if (why) {
		news.kind = (uint32_t)why->kind;
		snprintf(news.text, sizeof(news.text), "%.199s", why->text);
	}
	pass_send(f->start->control, &news, sizeof(news), NULL, 0);
}

static void drop_job(struct feeder *f, size_t i)
{
	close(f->jobs[i].socket);
	f->jobs[i] = f->jobs[--f->job_count];
}

/* False when the job is gone. */
static bool serve(struct feeder *f, const struct job *job)
{
	struct feed_request rq;
	struct fail why = {0};
	struct hoard_block *b;
	size_t in, len;

	if (recv(job->socket, &rq, sizeof(rq), MSG_WAITALL) != (ssize_t)sizeof(rq))
		return false;
	if (rq.offset >= (uint64_t)f->size || rq.length == 0)
		return feed_answer(job->socket, NULL, 0);
	b = get_block(f, (int64_t)(rq.offset / HOARD_BLOCK_BYTES), &why);
	if (!b) {
		log_warn("film_not_read", LOG_STR("id", f->start->title.film.id),
			LOG_STR("why", why.text));
		return feed_answer(job->socket, NULL, -1);
	}
	if (job->noted)
		hoard_note(&f->hoard, b->n);
	in = (size_t)(rq.offset % HOARD_BLOCK_BYTES);
	len = b->len - in < rq.length ? b->len - in : rq.length;
	return feed_answer(job->socket, b->bytes + in, (int32_t)len);
}

static struct hoard_film film_of(const struct feeder *f)
{
	return (struct hoard_film){f->start->conf, f->start->title.film.id, f->validator, f->size};
}

static void add_job(struct feeder *f, int socket, bool noted)
{
	struct timeval patience = {SEND_S, 0};

	setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	f->jobs[f->job_count++] = (struct job){socket, noted};
}

/* False when the packager is gone, or another film wants the connection and nobody reads this
 * one. */
static bool take_order(struct feeder *f)
{
	struct pollfd more = {f->start->control, POLLIN, 0};
	const struct hoard_film film = film_of(f);
	int fds[PASS_FDS_MAX];
	size_t count = 0;
	char order;

	if (pass_take(f->start->control, &order, 1, fds, &count) <= 0)
		return false;
	if (order == FEEDER_KEEP)
		hoard_keep(&f->hoard, &film, f->start->board);
	else if (order == FEEDER_GIVE_WAY)
		return f->job_count > 0 || poll(&more, 1, 0) > 0;
	else if (count == 1 && f->job_count < JOBS_MAX) {
		add_job(f, fds[0], order == FEEDER_NOTED_JOB);
		return true;
	}
	pass_close(fds, count);
	return true;
}

static void live(struct feeder *f)
{
	bool wanted = true;

	f->needed_ms = clock_mono_ms();
	while (wanted && !f->changed && (!f->lease || lease_renew(f->lease))) {
		struct pollfd wake[JOBS_MAX + 1] = {{f->start->control, POLLIN, 0}};

		for (size_t i = 0; i < f->job_count; i++)
			wake[i + 1] = (struct pollfd){f->jobs[i].socket, POLLIN, 0};
		poll(wake, f->job_count + 1, LOOK_MS);
		for (size_t i = f->job_count; i > 0; i--) {
			if (wake[i].revents && !serve(f, &f->jobs[i - 1]))
				drop_job(f, i - 1);
		}
		if (wake[0].revents)
			wanted = take_order(f);
		if (f->job_count)
			f->needed_ms = clock_mono_ms();
		else if (clock_mono_ms() - f->needed_ms > FEEDER_IDLE_MS)
			wanted = false;
	}
}

/* What the film is, by the answer to the first request for it: for the part that will be asked for
 * first, or for the film's beginning where it has no such part any more. */
static int find_film(struct feeder *f, struct fail *why)
{
	int64_t first = (int64_t)(f->start->first / HOARD_BLOCK_BYTES);
	struct hoard_film film;

	if (pull(f, first, why) < 0 &&
		(first == 0 || why->kind == FAIL_BUSY || pull(f, 0, why) < 0))
		return -1;
	film = film_of(f);
	hoard_open(&f->hoard, &film);
	return 0;
}

int feeder_run(const struct feeder_start *start)
{
	const struct conf *conf = start->conf;
	struct mc_config mc = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct feeder *f = calloc(1, sizeof(*f));
	struct fail why = {0};
	bool good;
	int status;

	if (!f)
		return 1;
	board_enter(start->board, "feeder", start->title.film.id);
	board_ready(start->board);
	f->start = start;
	f->size = f->next = -1;
	hoard_init(&f->hoard);
	buf_init(&f->url, 8192);
	f->row = board_row(start->board, ROW_SOURCE, start->title.source->name);
	file_path(f->lease_dir, sizeof(f->lease_dir), "%s/lease", conf->run_dir);
	good = mc_open(&f->mc, &mc, &why) == 0;
	f->lease_env = (struct lease_env){f->lease_dir, f->mc, conf->host_name, start->board};
	good = good && take_slot(f, &why) == 0 && find_film(f, &why) == 0;
	tell(f, good ? NULL : &why);
	if (good)
		live(f);
	status = f->changed ? FEEDER_CHANGED : 0;
	lease_drop(&f->lease);
	board_leave(start->board);
	mc_close(&f->mc);
	hoard_release(&f->hoard);
	free(f);
	return status;
}
