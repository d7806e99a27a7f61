/* fcgi-app/processes/meter.c - the meter: follows the front server's access log and sums it up.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/meter.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/http/access_line.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/tail.h"
#include "lib/svc/traffic.h"

enum {
	LOOK_MS = 500,	       /* how often it looks for new lines */
	BATCH_BYTES = 4 << 20, /* that are summed up before they are committed, at most */
	UPSTREAM_MS = 60 * 1000,
	TIDY_MS = 3600 * 1000,
	PATIENCE_MS = 60000, /* the front server may begin its log after us */
	NICE = 5	     /* viewers come first, also after hours without it */
};

struct meter {
	const struct conf *conf;
	struct board *board;
	struct traffic *traffic;
	struct tail *tail;
	struct tail_place here;	      /* behind what has been added */
	int64_t lines, bad, bytes;    /* added, and not yet committed */
	int64_t losses;		      /* as last said in the log */
	int64_t upstream_ms, tidy_ms; /* when these were last done; monotonic */
	int64_t missing_ms;	      /* since when there is no log; monotonic, 0: there is one */
	bool failing;		      /* it has been said */
};

bool meter_is_wanted(const struct conf *conf)
{
	return *conf->access_log != '\0';
}

static void say_failure(struct meter *m, const struct fail *f)
{
	int64_t now_ms = clock_mono_ms();

	if (f->kind == FAIL_MISSING) {
		m->missing_ms = m->missing_ms ? m->missing_ms : now_ms;
		if (now_ms - m->missing_ms < PATIENCE_MS)
			return;
	}
	if (!m->failing)
		log_warn("meter_fails", LOG_STR("why", f->text));
	m->failing = true;
}

static int open_all(struct meter *m, struct fail *f)
{
	if (!m->traffic && traffic_open(&m->traffic, m->conf, f) < 0)
		return -1;
	if (!m->tail) {
		traffic_show(m->traffic, m->board);
		m->here = *traffic_place(m->traffic);
		return tail_open(&m->tail, m->conf->access_log, &m->here, f);
	}
	return 0;
}

static int commit(struct meter *m, struct fail *f)
{
	if (traffic_commit(m->traffic, &m->here, f) < 0)
		return -1;
	traffic_show(m->traffic, m->board);
	board_add(m->board, BOARD_ACCESS_LINES, m->lines);
	board_add(m->board, BOARD_ACCESS_BAD, m->bad);
	m->lines = m->bad = m->bytes = 0;
	return 0;
}

static void add_line(struct meter *m, struct span text)
{
	struct access_line line;

	m->lines++;
	if (access_line_parse(text, &line))
		traffic_add(m->traffic, &line);
	else
		m->bad++;
}

static void add_lines(struct meter *m, struct span lines)
{
	struct span line;

	m->bytes += (int64_t)lines.len;
	while (lines.len && span_next(&lines, '\n', &line) && lines.ptr)
		add_line(m, line);
	tail_here(m->tail, &m->here);
}

static void note_losses(struct meter *m)
{
	int64_t losses = tail_losses(m->tail);

	if (losses != m->losses)
		log_warn("access_log_lost", LOG_STR("path", m->conf->access_log),
			LOG_INT("times", losses - m->losses));
	board_add(m->board, BOARD_ACCESS_LOSSES, losses - m->losses);
	m->losses = losses;
}

static bool is_news(const struct meter *m)
{
	const struct tail_place *known = traffic_place(m->traffic);

	return m->bytes || m->here.inode != known->inode || m->here.offset != known->offset;
}

/* What is there now, in batches. -1 with *f set: again later; nothing of it is lost. */
static int read_log(struct meter *m, struct fail *f)
{
	struct span lines;

	for (;;) {
		/* A batch that could not be committed before comes first: there is no room for
		 * more. */
		if ((m->bytes >= BATCH_BYTES || traffic_is_full(m->traffic)) && commit(m, f) < 0)
			return -1;
		switch (tail_next(m->tail, &lines, f)) {
		case TAIL_LINES:
			add_lines(m, lines);
			continue;
		case TAIL_FAILED:
			return -1;
		case TAIL_WAIT:
			tail_here(m->tail, &m->here); /* of another file, maybe */
			return is_news(m) ? commit(m, f) : 0;
		}
	}
}

static bool is_due(int64_t *last_ms, int64_t every_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (*last_ms && now_ms >= *last_ms && now_ms - *last_ms < every_ms)
		return false;
	*last_ms = now_ms;
	return true;
}

static void look(struct meter *m)
{
	struct fail f = {0};
	bool good = open_all(m, &f) == 0 && read_log(m, &f) == 0;

	if (m->tail)
		note_losses(m);
	if (m->traffic && is_due(&m->upstream_ms, UPSTREAM_MS))
		good = traffic_note_upstream(m->traffic, m->board, &f) == 0 && good;
	if (m->traffic && is_due(&m->tidy_ms, TIDY_MS))
		good = traffic_tidy(m->traffic, &f) == 0 && good;
	if (!good) {
		say_failure(m, &f);
		return;
	}
	if (m->failing)
		log_info("meter_works", LOG_STR("path", m->conf->access_log));
	m->failing = false;
	m->missing_ms = 0;
	board_set(m->board, BOARD_ACCESS_READ_MS, clock_real_ms());
}

int meter_run(const struct conf *conf, struct board *board)
{
	struct timespec wait = {0, LOOK_MS * 1000000L};
	struct meter m = {.conf = conf, .board = board};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (nice(NICE) < 0)
		log_debug("meter_is_not_nice", LOG_INT("pid", getpid()));
	do {
		look(&m);
	} while (sigtimedwait(&stop, NULL, &wait) < 0);
	tail_close(&m.tail);
	traffic_close(&m.traffic);
	return 0;
}
