/* lib/io/mc_server.c - one memcached server: its links and its breaker.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/io/board.h"
#include "lib/io/mc_knock.h"

enum {
	IDLE_MAX = 64,	  /* links kept for the next question: a process has no more threads */
	PATIENT_EVERY = 8 /* of the knocks one waits longer: the server may be far away */
};

/* The lock guards all below it and is held for moments only. */
struct mc_server {
	struct mc_server_name name;
	struct mc_address address; /* borrows from the name */
	pthread_mutex_t lock;
	pid_t pid;	    /* whose links these are */
	bool away, probing; /* probing: one thread is asking whether it is back */
	int64_t away_since_ms, tried_ms;
	unsigned knocks; /* in this outage */
	int64_t outages;
	char why[MC_WHY_MAX];
	struct mc_link *idle[IDLE_MAX];
	size_t idle_count;
	struct row *row; /* counts on the board; may be NULL */
};

struct mc_server *mc_server_open(
	const struct mc_server_name *name, const char *user, const char *password)
{
	struct mc_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = *name;
	s->address = (struct mc_address){s->name.host, s->name.port, user, password};
	s->pid = getpid();
	if (!*s->name.host)
		snprintf(s->why, sizeof(s->why), "its name has no address");
	must(pthread_mutex_init(&s->lock, NULL) == 0);
	return s;
}

static void drop_idle(struct mc_server *s)
{
	while (s->idle_count > 0)
		mc_link_close(&s->idle[--s->idle_count]);
}

/* Closing the links of the parent would say goodbye in its name. */
static void forget_parent(struct mc_server *s)
{
	if (s->pid == getpid())
		return;
	s->idle_count = 0;
	s->probing = false;
	s->pid = getpid();
}

void mc_server_close(struct mc_server **server)
{
	struct mc_server *s = *server;

	if (!s)
		return;
	*server = NULL;
	forget_parent(s);
	drop_idle(s);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void mc_server_report(struct mc_server *s, struct board *board)
{
	s->row = board_row(board, ROW_SERVER, s->name.text);
}

/* For the other processes of this host. */
static void tell_hung(struct mc_server *s, int64_t at_ms)
{
	if (s->row)
		atomic_store(&s->row->cell[SERVER_HUNG_MS], at_ms);
}

/* Whether another process waited or knocked in vain not long ago: it would have done so again. */
static bool hangs_elsewhere(const struct mc_server *s, int64_t now)
{
	int64_t at = s->row ? row_get(s->row, SERVER_HUNG_MS) : 0;

	return at > 0 && at <= now && now - at < 2 * MC_RETRY_MS;
}

/* From now on, for a reason that is known to be told. */
static void set_away(struct mc_server *s, const char *why, int64_t now)
{
	s->tried_ms = now;
	snprintf(s->why, sizeof(s->why), "%s", why);
	drop_idle(s);
	if (s->away)
		return;
	s->away = true;
	s->knocks = 0;
	s->away_since_ms = now;
}

/* What to do with a question. */
enum turn {
	TURN_NONE, /* the server is away, and somebody else tries it, or nobody yet */
	TURN_ASK,
	TURN_TRY /* knock, then ask */
};

/* *link is one that was used before, or NULL. */
static enum turn enter(struct mc_server *s, struct mc_link **link)
{
	int64_t now = clock_mono_ms();
	enum turn turn = *s->name.host ? TURN_ASK : TURN_NONE;

	pthread_mutex_lock(&s->lock);
	forget_parent(s);
	if (turn && !s->away && hangs_elsewhere(s, now))
		set_away(s, "it does not answer another process", now);
	if (turn && s->away) {
		turn = !s->probing && (now < s->tried_ms || now - s->tried_ms >= MC_RETRY_MS)
			       ? TURN_TRY
			       : TURN_NONE;
		s->probing = s->probing || turn == TURN_TRY;
	}
	*link = turn && s->idle_count > 0 ? s->idle[--s->idle_count] : NULL;
	pthread_mutex_unlock(&s->lock);
	return turn;
}

static void went_away(struct mc_server *s, bool late, const char *why)
{
	int64_t now = clock_mono_ms();
	bool news = !s->away;

	s->probing = false;
	set_away(s, why, now);
	row_add(s->row, SERVER_FAILURES, 1);
	if (late)
		tell_hung(s, now);
	if (!news)
		return;
	s->outages++;
	row_add(s->row, SERVER_OUTAGES, 1);
	log_warn("memcached_away", LOG_STR("server", s->name.text), LOG_STR("why", why));
}

/* Our turn to try a server that is away. False when it still hangs. */
static bool knock(struct mc_server *s)
{
	int wait_ms = ++s->knocks % PATIENT_EVERY == 0 ? MC_ANSWER_MS : MC_KNOCK_MS;
	bool heard = mc_knock(&s->address, wait_ms);

	if (heard)
		return true;
	pthread_mutex_lock(&s->lock);
	s->probing = false;
	s->tried_ms = clock_mono_ms();
	tell_hung(s, s->tried_ms);
	pthread_mutex_unlock(&s->lock);
	return false;
}

static void answered(struct mc_server *s, struct mc_link **link)
{
	if (s->probing) {
		s->probing = s->away = false;
		tell_hung(s, 0);
		s->why[0] = '\0';
		log_info("memcached_back", LOG_STR("server", s->name.text),
			LOG_INT("away_ms", clock_mono_ms() - s->away_since_ms));
	}
	if (*link && s->idle_count < IDLE_MAX) {
		s->idle[s->idle_count++] = *link;
		*link = NULL;
	}
}

/* Says how it went and gives the link back. */
static void leave(
	struct mc_server *s, struct mc_link **link, enum mc_link_result result, const char *why)
{
	if (result == MC_LINK_OK || result == MC_LINK_MISS)
		mc_link_rest(*link);
	else
		mc_link_close(link);
	pthread_mutex_lock(&s->lock);
	if (result == MC_LINK_BROKEN || result == MC_LINK_LATE)
		went_away(s, result == MC_LINK_LATE, why);
	else
		answered(s, link);
	pthread_mutex_unlock(&s->lock);
	mc_link_close(link);
}

/* Asks over a link that was used before, if there is one. A server that was restarted has closed
 * it, which is no reason to do without the server: then over a new one. */
static enum mc_link_result ask_over(struct mc_server *s, struct mc_link **link,
	const struct mc_question *question, struct mc_answer *answer, char *why)
{
	enum mc_link_result result;

	if (*link) {
		result = mc_link_ask(*link, question, answer, why);
		if (result != MC_LINK_BROKEN)
			return result;
		mc_link_close(link);
		pthread_mutex_lock(&s->lock);
		drop_idle(s);
		pthread_mutex_unlock(&s->lock);
	}
	*link = mc_link_open(&s->address);
	if (!*link) {
		snprintf(why, MC_WHY_MAX, "there is no memory for a connection");
		return MC_LINK_BROKEN;
	}
	return mc_link_ask(*link, question, answer, why);
}

enum mc_link_result mc_server_ask(struct mc_server *s, const struct mc_question *question,
	struct mc_answer *answer, bool (*accept)(void *ctx, struct span value), void *ctx)
{
	char why[MC_WHY_MAX] = "";
	enum mc_link_result result;
	struct mc_link *link;
	enum turn turn = enter(s, &link);

	if (turn == TURN_NONE || (turn == TURN_TRY && !knock(s))) {
		mc_link_close(&link);
		return MC_LINK_LATE;
	}
	result = ask_over(s, &link, question, answer, why);
	if (result == MC_LINK_OK && accept && !accept(ctx, answer->value))
		result = MC_LINK_MISS;
	leave(s, &link, result, why);
	return result;
}

void mc_server_state(struct mc_server *s, struct mc_server_state *out)
{
	pthread_mutex_lock(&s->lock);
	*out = (struct mc_server_state){.name = s->name.text,
		.away = s->away || !*s->name.host,
		.away_ms = s->away ? clock_mono_ms() - s->away_since_ms : 0,
		.outages = s->outages};
	snprintf(out->why, sizeof(out->why), "%s", s->why);
	pthread_mutex_unlock(&s->lock);
}
