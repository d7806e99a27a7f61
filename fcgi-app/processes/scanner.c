/* fcgi-app/processes/scanner.c - watches the directories of films, and reads them anew.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/scanner.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/import.h"
#include "fcgi-app/processes/signals.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/watch.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source_files.h"

enum {
	TREES_MAX = 32,
	QUIET_MS = 500,	 /* so long nothing more is to happen, */
	MOST_MS = 5000,	 /* but no longer than so is waited for that */
	SHARE = 10,	 /* of the time goes to looking through, one part in so many */
	AGAIN_MS = 5000, /* after a failure */
	PERIOD_MS = 300000,
	LOOK_MS = 250,
	IMPORT_WAIT_MS = 2000
};

/* Whether the log says that it is watched. */
enum told { TOLD_NOTHING, TOLD_WHOLE, TOLD_IN_PART };

/* A directory. Times are monotonic; 0: never. */
struct tree {
	const struct conf_source *source;
	struct watch *watch; /* NULL: the kernel gives none */
	bool whole;	     /* all of it is watched */
	enum told told;
	struct watch_news news;
	int64_t first_ms, last_ms; /* of what has happened since it was looked through */
	int64_t ended_ms, took_ms; /* when it was last looked through */
	int64_t not_before_ms;
};

struct scanner {
	const struct conf *conf;
	struct tree trees[TREES_MAX];
	size_t count;
	int signal_fd;
	bool stop;
};

static bool is_directory(const struct conf_source *source)
{
	return strcmp(source->type, "files") == 0;
}

bool scanner_is_wanted(const struct conf *conf)
{
	for (size_t i = 0; i < conf->source_count; i++) {
		if (is_directory(&conf->sources[i]))
			return true;
	}
	return false;
}

static bool is_wanted(const char *name)
{
	return source_files_is_film(span_of(name));
}

static void note(struct tree *t)
{
	t->last_ms = clock_mono_ms();
	if (!t->first_ms)
		t->first_ms = t->last_ms;
}

/* --- watching --------------------------------------------------------------------------------- */

static void tell(struct tree *t, int64_t count, const struct fail *why)
{
	enum told now = t->whole ? TOLD_WHOLE : TOLD_IN_PART;

	if (t->told == now)
		return;
	t->told = now;
	if (t->whole)
		log_info("watched", LOG_STR("source", t->source->name), LOG_INT("dirs", count));
	else
		log_warn("not_watched_whole", LOG_STR("source", t->source->name),
			LOG_INT("dirs", count),
			LOG_STR("why", why->kind ? why->text
						 : "watch_dirs or fs.inotify.max_user_watches "
						   "allows no more of its directories"),
			LOG_INT("looked_through_every_s", PERIOD_MS / 1000));
}

/* Also what is new below it. */
static void watch(struct scanner *s, struct tree *t)
{
	struct fail why = {0};
	int64_t count = 0;

	t->whole = false;
	if (t->watch || watch_open(&t->watch, &why) == 0)
		count = watch_tree(t->watch, t->source->url, s->conf->watch_dirs, &t->whole, &why);
	if (count < 0)
		t->whole = false;
	tell(t, count < 0 ? 0 : count, &why);
}

/* --- looking through -------------------------------------------------------------------------- */

/* Most of a directory may vanish because somebody removed it; a disk that is not mounted removes
 * nothing. */
static void look_through(struct scanner *s, struct tree *t)
{
	struct import_how how = {
		.force = t->news.removed && !t->news.lost, .wait_ms = IMPORT_WAIT_MS};
	struct watch_news before = t->news;
	int64_t begun_ms = clock_mono_ms();
	struct fail f = {0};

	t->news = (struct watch_news){0};
	t->first_ms = t->last_ms = 0;
	/* The watches first: what happens from now on is for the next time. */
	watch(s, t);
	if (import_run(s->conf, t->source->name, &how, &f) < 0) {
		t->not_before_ms = clock_mono_ms() + AGAIN_MS;
		t->news = before;
		note(t);
	}
	t->ended_ms = clock_mono_ms();
	t->took_ms = t->ended_ms - begun_ms;
}

static bool is_due(const struct tree *t)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms < t->not_before_ms || (t->ended_ms && now_ms - t->ended_ms < SHARE * t->took_ms))
		return false;
	if (t->first_ms)
		return now_ms - t->last_ms >= QUIET_MS || now_ms - t->first_ms >= MOST_MS;
	return !t->whole && now_ms - t->ended_ms >= PERIOD_MS;
}

/* --- life ------------------------------------------------------------------------------------- */

/* One that was never imported is left to the import; any other may have changed since. */
static void begin(struct scanner *s)
{
	struct catalog *catalog = NULL;
	struct fail f = {0};

	catalog_open(&catalog, s->conf, &f);
	for (size_t i = 0; i < s->conf->source_count && s->count < TREES_MAX; i++) {
		const struct conf_source *source = &s->conf->sources[i];
		struct tree *t = &s->trees[s->count];

		if (!is_directory(source))
			continue;
		*t = (struct tree){.source = source, .ended_ms = clock_mono_ms()};
		s->count++;
		watch(s, t);
		if (catalog && catalog_imported_ms(catalog, source->name))
			note(t);
	}
	catalog_close(&catalog);
}

static void turn(struct scanner *s)
{
	struct pollfd wake[TREES_MAX + 1] = {{s->signal_fd, POLLIN, 0}};
	bool renew = false;

	for (size_t i = 0; i < s->count; i++)
		wake[i + 1] = (struct pollfd){
			s->trees[i].watch ? watch_fd(s->trees[i].watch) : -1, POLLIN, 0};
	poll(wake, s->count + 1, LOOK_MS);
	signals_take(s->signal_fd, &s->stop, &renew);
	for (size_t i = 0; i < s->count && !s->stop; i++) {
		struct tree *t = &s->trees[i];
		struct watch_news news = {0};

		if (wake[i + 1].revents)
			watch_take(t->watch, is_wanted, &news);
		t->news.removed = t->news.removed || news.removed;
		t->news.lost = t->news.lost || news.lost;
		if (news.changed)
			note(t);
		if (is_due(t))
			look_through(s, t);
	}
}

int scanner_run(const struct conf *conf, struct board *board)
{
	struct scanner *s = calloc(1, sizeof(*s));
	struct fail f = {0};

	(void)board;
	if (!s || signals_open(&s->signal_fd, &f) < 0) {
		log_error("scanner_not_started", LOG_STR("why", f.text));
		free(s);
		return 1;
	}
	s->conf = conf;
	begin(s);
	while (!s->stop)
		turn(s);
	for (size_t i = 0; i < s->count; i++)
		watch_close(&s->trees[i].watch);
	close(s->signal_fd);
	free(s);
	return 0;
}
