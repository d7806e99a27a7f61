/* fcgi-app/processes/filler/filler.c - fills the byte cache.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/filler/filler.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi-app/processes/filler/fill_object.h"
#include "fcgi-app/processes/filler/fill_pull.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/mc.h"
#include "lib/io/sock.h"
#include "lib/svc/catalog.h"
#include "lib/svc/objects.h"
#include "lib/svc/title.h"

enum {
	READERS_MAX = 2048,
	STEP_MS = 20,
	LOOK_MS = 250,
	IDLE_MS = 60000,
	OBJECT_IDLE_MS = 10000,
	EVENTS = 64
};

struct filler {
	struct fill_env env;
	struct mc *mc;
	struct catalog *catalog;
	char lease_dir[PATH_MAX];
	int listen_fd, signal_fd, epoll_fd;
	int64_t needed_ms; /* monotonic */
	bool stop, door_rests;
	struct fill_reader reader[READERS_MAX];
};

/* --- readers ---------------------------------------------------------------------------------- */

static void drop_reader(struct fill_reader *r)
{
	fill_object_leave(r);
	close(r->fd);
	*r = (struct fill_reader){.fd = -1};
}

static bool watch(const struct filler *f, int fd, void *who, uint32_t events)
{
	struct epoll_event e = {events, {.ptr = who}};

	return epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

static void take_readers(struct filler *f)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		struct fill_reader *r = &f->reader[i];

		if (r->fd >= 0)
			continue;
		r->fd = sock_accept(f->listen_fd, &f->door_rests);
		if (r->fd < 0)
			return;
		if (!watch(f, r->fd, r, EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET))
			drop_reader(r);
	}
	f->door_rests = true;
}

static bool take_want(struct filler *f, struct fill_reader *r, const struct fill_want *want)
{
	struct fill_object *o;

	if (want->version != FILL_VERSION || want->first < 0 || want->last < -1)
		return false;
	if (r->object && want->again) {
		if (!r->pull && (!r->object->passed || want->first > r->first))
			r->first = want->first;
		r->last = want->last;
		return true;
	}
	if (r->object || !object_ask_ok(&want->ask))
		return false;
	o = fill_object_get(&f->env, &want->ask);
	if (!o)
		return false;
	r->first = want->first;
	r->last = want->last;
	fill_object_join(o, r);
	return true;
}

/* False when it is gone, or no reader of ours. */
static bool hear(struct filler *f, struct fill_reader *r)
{
	struct fill_want want;
	ssize_t n;

	while ((n = recv(r->fd, &want, sizeof(want), MSG_DONTWAIT | MSG_TRUNC)) ==
		(ssize_t)sizeof(want)) {
		if (!take_want(f, r, &want))
			return false;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void take_events(struct filler *f)
{
	struct epoll_event events[EVENTS];
	int n;

	do {
		n = epoll_wait(f->epoll_fd, events, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			struct fill_reader *r = events[i].data.ptr;

			if (!r) {
				take_readers(f);
				continue;
			}
			if (events[i].events & EPOLLOUT)
				r->full = false;
			if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) &&
				r->fd >= 0 && !hear(f, r))
				drop_reader(r);
		}
	} while (n == EVENTS);
	if (f->door_rests) /* which is told of once for each who comes */
		take_readers(f);
}

/* --- life ------------------------------------------------------------------------------------- */

static void take_signals(struct filler *f)
{
	struct signalfd_siginfo got;

	while (read(f->signal_fd, &got, sizeof(got)) == (ssize_t)sizeof(got))
		f->stop = true;
}

/* How long nothing is due. */
static int step_objects(struct filler *f)
{
	struct fill_object *next;
	int wait_ms = LOOK_MS;

	for (struct fill_object *o = f->env.objects; o; o = next) {
		next = o->next;
		fill_object_step(o);
		if (o->readers || o->pulls) {
			f->needed_ms = clock_mono_ms();
			if (!o->pulls && !fill_plan_rests(o))
				wait_ms = STEP_MS;
		} else if (clock_mono_ms() - o->needed_ms > OBJECT_IDLE_MS) {
			fill_object_free(o);
		}
	}
	return wait_ms;
}

static void live(struct filler *f)
{
	f->needed_ms = clock_mono_ms();
	while (!f->stop && clock_mono_ms() - f->needed_ms < IDLE_MS) {
		struct pollfd own[] = {{f->signal_fd, POLLIN, 0}, {f->epoll_fd, POLLIN, 0}};

		fetcher_poll(f->env.fetcher, own, 2, step_objects(f));
		take_signals(f);
		take_events(f);
	}
}

static int open_door(struct filler *f, struct fail *why)
{
	char path[PATH_MAX];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	f->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!file_path(path, sizeof(path), "%s/filler.sock", f->env.conf->run_dir) ||
		sock_listen_packets(path, (gid_t)SOCK_NO_GROUP, &f->listen_fd, why) < 0)
		return -1;
	return watch(f, f->listen_fd, NULL, EPOLLIN | EPOLLET)
		       ? 0
		       : fail_errno(why, FAIL_INTERNAL, errno, "The filler cannot watch its door");
}

static int open_filler(
	struct filler *f, const struct conf *conf, struct board *board, struct fail *why)
{
	struct mc_config mc = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};

	f->env = (struct fill_env){.conf = conf, .board = board};
	f->listen_fd = f->signal_fd = f->epoll_fd = -1;
	for (size_t i = 0; i < READERS_MAX; i++)
		f->reader[i].fd = -1;
	block_map_boot(f->env.boot);
	file_path(f->lease_dir, sizeof(f->lease_dir), "%s/lease", conf->run_dir);
	if (mc_open(&f->mc, &mc, why) < 0 || catalog_open(&f->catalog, conf, why) < 0 ||
		title_key(conf, f->env.key, why) < 0 || fetcher_open(&f->env.fetcher, why) < 0)
		return -1;
	f->env.at = (struct resolved_at){conf, f->mc, f->catalog, board, 0};
	f->env.lease = (struct lease_env){f->lease_dir, f->mc, conf->host_name, board};
	objects_sweep(conf, board, f->env.boot, conf->stream_quota);
	return open_door(f, why);
}

static void close_filler(struct filler *f)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (f->reader[i].fd >= 0)
			drop_reader(&f->reader[i]);
	}
	while (f->env.objects)
		fill_object_free(f->env.objects);
	fetcher_close(&f->env.fetcher);
	catalog_close(&f->catalog);
	mc_close(&f->mc);
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	if (f->epoll_fd >= 0)
		close(f->epoll_fd);
}

int filler_run(const struct conf *conf, struct board *board)
{
	struct filler *f = calloc(1, sizeof(*f));
	struct fail why = {0};
	char path[PATH_MAX];
	int lock = -1, result;

	if (!f || !file_path(path, sizeof(path), "%s/filler.lock", conf->run_dir) ||
		lock_take(path, &lock, &why) < 0) {
		log_error("filler_not_started", LOG_STR("why", why.text));
		free(f);
		return 1;
	}
	file_raise_limit(); /* a reader and a transfer hold a descriptor each */
	result = open_filler(f, conf, board, &why);
	if (result < 0)
		log_error("filler_not_started", LOG_STR("why", why.text));
	else
		live(f);
	close_filler(f);
	lock_drop(path, &lock);
	free(f);
	return result < 0;
}
