/* t/unit/mc_faults.c - how little it matters what is wrong with memcached.
 * SPDX-License-Identifier: BSD-2-Clause
 * Dead, hung, full of nonsense, slow. Times are real ones: the best of three counts, because the
 * machine may be busy with other work. */
#include <errno.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/mc_server.h"
#include "t/unit/mc_calls.h"
#include "t/unit/memcached.h"
#include "t/unit/tap.h"

/* Milliseconds that a get took; *state is what it gave. */
static int64_t timed_get(struct mc *mc, const char *want, bool *same)
{
	int64_t start = real_ms();

	*same = strcmp(get(mc, "tok", "k"), want) == 0;
	return real_ms() - start;
}

struct caller {
	struct mc *mc;
	pthread_t thread;
	int64_t ms;
	bool away;
};

static void *call_once(void *ctx)
{
	struct caller *c = ctx;
	int64_t start = real_ms();
	struct buf b;

	buf_init(&b, 60);
	c->away = mc_get(c->mc, "tok", "k", &b, NULL) == MC_AWAY;
	c->ms = real_ms() - start;
	buf_release(&b);
	return NULL;
}

/* How many of 8 threads that ask at once are kept waiting. */
static int waiting_threads(struct mc *mc)
{
	struct caller callers[8];
	int waiting = 0;

	for (int i = 0; i < 8; i++) {
		callers[i] = (struct caller){.mc = mc};
		if (pthread_create(&callers[i].thread, NULL, call_once, &callers[i]) != 0)
			exit(1);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(callers[i].thread, NULL);
		waiting += callers[i].ms >= MC_ANSWER_MS - 20;
		if (!callers[i].away)
			waiting = 100;
	}
	return waiting;
}

static void hung(struct memcached *m, struct mc *mc, int clock)
{
	int64_t first = INT64_MAX, second = INT64_MAX, ms;
	struct mc_server_state state;
	bool away, again;

	set(mc, "tok", "k", "v");
	for (int i = 0; i < 3; i++) {
		memcached_stop(m);
		ms = timed_get(mc, "away", &away);
		first = ms < first ? ms : first;
		ms = timed_get(mc, "away", &again);
		second = ms < second ? ms : second;
		ok(away && again, "a hung memcached is away");
		kill(m->pid, SIGCONT);
		is_str(get(mc, "tok", "k"), "away", "for 3 s nobody asks whether it is back");
		move_clock(clock, MC_RETRY_MS);
		is_str(get(mc, "tok", "k"), "v", "then it is, with what it knew");
	}
	ok(first <= 250, "that costs at most 250 ms (%lld)", (long long)first);
	ok(second <= 5, "and the next call nothing (%lld ms)", (long long)second);

	memcached_stop(m);
	get(mc, "tok", "k");
	move_clock(clock, MC_RETRY_MS);
	is_int(waiting_threads(mc), 0, "when 3 s are over, nobody waits for it: one knocks");
	is_int(waiting_threads(mc), 0, "and if it still hangs, nobody does for the next 3 s");
	ok(mc_state(mc, &state) == 1 && state.away && state.outages == 4,
		"the state knows that it is away, for the 4th time");
	ok(state.away_ms >= MC_RETRY_MS && strstr(state.why, "does not answer"),
		"since when, and why: %s", state.why);
	char *big = calloc(1, 900000);
	move_clock(clock, MC_RETRY_MS);
	int64_t start = real_ms();
	is_int(mc_set(mc, "tok", "big", span_make(big, 900000), 60), MC_AWAY,
		"a large value does not get out");
	ok(real_ms() - start <= 500, "and costs no more (%lld ms)", (long long)(real_ms() - start));
	free(big);
	kill(m->pid, SIGCONT);
	move_clock(clock, MC_RETRY_MS);
	is_str(get(mc, "tok", "k"), "v", "what came too late is nobody's answer");
	ok(mc_state(mc, &state) == 1 && !state.away && !*state.why, "it is back");
}

/* What a process of this host waited for in vain, no other one waits for. */
static void shared(struct memcached *m, int clock)
{
	struct mc *one = open_mc(m->socket), *two = open_mc(m->socket);
	struct mc_server_state state;
	struct board *board = NULL;
	char path[256];
	struct fail f;
	int64_t ms;
	bool away;

	snprintf(path, sizeof(path), "%s.board", m->socket);
	is_int(board_open(&board, path, &f), 0, "two processes have a board");
	mc_report(one, board);
	mc_report(two, board);
	set(one, "tok", "k", "v");
	is_str(get(two, "tok", "k"), "v", "both use memcached");
	memcached_stop(m);
	is_str(get(one, "tok", "k"), "away", "one finds it hung");
	ms = timed_get(two, "away", &away);
	ok(away && ms < MC_ANSWER_MS, "the other does not wait for it (%lld ms)", (long long)ms);
	mc_state_of(two, 0, &state);
	ok(state.away && state.outages == 0, "and knows that it is away: %s", state.why);
	kill(m->pid, SIGCONT);
	move_clock(clock, MC_RETRY_MS);
	is_str(get(two, "tok", "k"), "v", "later both try it again");
	is_str(get(one, "tok", "k"), "v", "and have it back");
	is_int(row_get(board_row(board, ROW_SERVER, m->socket), SERVER_OUTAGES), 1,
		"which was one outage");
	is_int(row_get(board_row(board, ROW_FAMILY, "tok"), FAMILY_AWAY), 2,
		"in which two questions were not answered");
	mc_close(&one);
	mc_close(&two);
	board_close(&board);
	unlink(path);
}

static void dead(struct memcached *m, struct mc *mc, int clock)
{
	int64_t best = INT64_MAX, ms;
	struct mc_server_state state;
	bool away;

	set(mc, "tok", "k", "v");
	memcached_kill(m);
	memcached_start(m);
	is_str(get(mc, "tok", "k"), "miss", "a memcached that was restarted has forgotten");
	is_int(set(mc, "tok", "k", "v"), MC_OK, "and is used at once");

	memcached_kill(m);
	for (int i = 0; i < 3; i++) {
		ms = timed_get(mc, "away", &away);
		best = ms < best ? ms : best;
		ok(away, "a dead memcached is away");
		move_clock(clock, MC_RETRY_MS);
	}
	ok(best <= 20, "which is noticed at once (%lld ms)", (long long)best);
	ok(mc_state(mc, &state) == 1 && state.away && *state.why, "the state says why: %s",
		state.why);
	memcached_start(m);
	move_clock(clock, -MC_RETRY_MS * 100);
	is_str(get(mc, "tok", "k"), "miss", "a clock that went back does not keep it away");

	/* A socket that nobody accepts from: connections wait until the queue is full. */
	memcached_kill(m);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", m->socket);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 0) < 0)
		exit(1);
	best = INT64_MAX;
	for (int i = 0; i < 4; i++) {
		ms = timed_get(mc, "away", &away);
		best = ms < best ? ms : best;
		ok(away, "a socket that nobody answers on is away (%lld ms)", (long long)ms);
		move_clock(clock, MC_RETRY_MS);
	}
	ok(best <= 250, "after 250 ms at most (%lld)", (long long)best);
	close(fd);
	unlink(m->socket);
	memcached_start(m);
	move_clock(clock, MC_RETRY_MS);
}

/* A child that answers whatever it is asked with the same text. */
static pid_t answer_always(int fd, const char *text)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char line[500];
		int client = accept(fd, NULL, NULL);

		if (read(client, line, sizeof(line)) > 0 && write(client, text, strlen(text)) < 0)
			_exit(1);
		close(client);
	}
}

static void liar(struct memcached *m, struct mc *mc, int clock)
{
	static const struct {
		const char *answer, *want;
	} cases[] = {
		{"VALUE x 0 99999999999\r\n", "miss"}, /* which must not take 100 GB */
		{"VALUE x 0 3000000000\r\n", "miss"},
		{"VALUE x 0 1\r\nv\r\nEND\r\n", "away"},
		{"HTTP/1.1 400 Bad\r\n\r\n", "away"},
		{"\r\n", "away"},
		{"VALUE", "away"},
		{"SERVER_ERROR out of everything\r\n", "away"},
		{"STORED\r\n", "miss"},
		{"7\r\n", "away"},
		{"", "away"},
	};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int64_t start;
	pid_t pid;
	int fd;

	memcached_kill(m);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", m->socket);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 20) < 0)
		exit(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid = answer_always(fd, cases[i].answer);
		start = real_ms();
		is_str(get(mc, "tok", "k"), cases[i].want, "nonsense is no value (%zu)", i);
		ok(real_ms() - start <= 600, "and costs no long wait");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		move_clock(clock, MC_RETRY_MS);
	}
	pid = answer_always(fd, "ERROR Too many open connections\r\n");
	is_int(set(mc, "tok", "k", "v"), MC_AWAY, "a server that has no place for us is away");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
	unlink(m->socket);
	memcached_start(m);
	move_clock(clock, MC_RETRY_MS);
	set(mc, "tok", "k", "v");
	is_str(get(mc, "tok", "k"), "v", "a real one is believed again");
}

/* Users need -S; without accounts it refuses them all, and without -S it does not know them. */
static void users(bool sasl)
{
	struct mc_config config = {.prefix = "t:", .user = "sluice", .password = "secret"};
	struct mc_server_state state;
	struct memcached m;
	struct mc *mc;
	struct fail f;

	memcached_open_tcp(&m, sasl);
	config.servers = m.socket;
	is_int(mc_open(&mc, &config, &f), 0, "mc opens with a user");
	is_str(get(mc, "tok", "k"), "away", "a memcached that does not take our user is away");
	ok(mc_state(mc, &state) == 1 && state.away && !strstr(state.why, "secret"),
		"and the state says: %s", state.why);
	mc_close(&mc);
	memcached_close(&m);
}

static void over_tcp(int clock)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int64_t best = INT64_MAX, ms;
	int port, fd, fill[3];
	struct memcached m;
	char server[40];
	struct mc *mc;
	bool away;

	memcached_open_tcp(&m, false);
	mc = open_mc(m.socket);
	is_int(set(mc, "tok", "k", "v"), MC_OK, "a value goes over TCP");
	is_str(get(mc, "tok", "k"), "v", "and comes back");
	memcached_kill(&m);
	is_str(get(mc, "tok", "k"), "away", "a port that refuses is away");
	memcached_start(&m);
	move_clock(clock, MC_RETRY_MS);
	is_str(get(mc, "tok", "k"), "miss", "and back when it does not");
	mc_close(&mc);
	memcached_close(&m);

	/* A full queue drops what asks for a connection, as a host that is gone does. */
	fd = loopback_socket(&port);
	if (listen(fd, 0) < 0)
		exit(1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	for (int i = 0; i < 3; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(fill[i], (struct sockaddr *)&to, sizeof(to)) < 0 &&
			errno != EINPROGRESS)
			exit(1);
	}
	snprintf(server, sizeof(server), "127.0.0.1:%d", port);
	mc = open_mc(server);
	for (int i = 0; i < 3; i++) {
		ms = timed_get(mc, "away", &away);
		best = ms < best ? ms : best;
		ok(away, "a host that does not answer is away");
		move_clock(clock, MC_RETRY_MS);
	}
	ok(best <= 250, "after 250 ms at most (%lld)", (long long)best);
	mc_close(&mc);
	for (int i = 0; i < 3; i++)
		close(fill[i]);
	close(fd);
}

static void several(struct memcached *one, int clock)
{
	enum { KEYS = 200 };
	int before[2] = {0, 0}, after[2] = {0, 0}, wrong = 0;
	struct mc_server_state state[MC_SERVERS_MAX];
	char servers[200], key[20];
	bool on_two[KEYS];
	struct memcached two;
	struct mc *mc;

	memcached_open(&two);
	snprintf(servers, sizeof(servers), "%s %s", one->socket, two.socket);
	mc = open_mc(servers);
	memcached_ask(one, "flush_all\r\n", "OK\r\n");
	for (int i = 0; i < KEYS; i++) {
		char command[200];

		snprintf(key, sizeof(key), "key-%d", i);
		set(mc, "url", key, key);
		snprintf(command, sizeof(command), "mg %s s\r\n", wire_key("url", key));
		on_two[i] = strncmp(memcached_ask(&two, command, "\r\n"), "HD", 2) == 0;
		before[on_two[i]]++;
		wrong += strcmp(get(mc, "url", key), key) != 0;
	}
	is_int(wrong, 0, "two servers keep what one would");
	ok(before[0] > KEYS / 5 && before[1] > KEYS / 5, "and share the keys (%d and %d)",
		before[0], before[1]);

	memcached_kill(&two);
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		const char *want = on_two[i] ? "away" : key;
		after[on_two[i]] += strcmp(get(mc, "url", key), want) == 0;
	}
	is_int(after[0], before[0], "when one is dead the keys of the other go on");
	is_int(after[1], before[1], "and its own are away: no other server takes them");
	ok(mc_state(mc, state) == 2 && !state[0].away && state[1].away, "the state knows which");
	is_str(state[1].name, two.socket, "by the name that was configured");
	memcached_start(&two);
	move_clock(clock, MC_RETRY_MS);
	wrong = 0;
	for (int i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		wrong += strcmp(get(mc, "url", key), on_two[i] ? "miss" : key) != 0;
	}
	is_int(wrong, 0, "when it is back it keeps the same keys as before");
	mc_close(&mc);
	memcached_close(&two);
}

/* With threads in it, while memcached comes and goes. */
static void threads_and_faults(struct memcached *m, struct mc *mc, int clock)
{
	pthread_t ids[4];

	for (int i = 0; i < 4; i++) {
		if (pthread_create(&ids[i], NULL, work, mc) != 0)
			exit(1);
	}
	for (int i = 0; i < 3; i++) {
		usleep(3000);
		memcached_kill(m);
		memcached_start(m);
		move_clock(clock, MC_RETRY_MS);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	move_clock(clock, MC_RETRY_MS);
	is_int(set(mc, "tok", "k", "v"), MC_OK, "restarts under load end well");
	is_str(get(mc, "tok", "k"), "v", "and nothing is mixed up");
}

int main(void)
{
	struct memcached m;
	struct mc *mc;
	struct fail f;
	int clock;

	memcached_or_skip();
	clock = moved_clock_open();
	clock_init();
	log_open(NULL, LOG_ERROR, &f); /* outages are what this is about */
	memcached_open(&m);
	mc = open_mc(m.socket);
	hung(&m, mc, clock);
	shared(&m, clock);
	dead(&m, mc, clock);
	liar(&m, mc, clock);
	several(&m, clock);
	over_tcp(clock);
	users(false);
	users(true);
	threads_and_faults(&m, mc, clock);
	mc_close(&mc);
	memcached_close(&m);
	moved_clock_close(clock);
	return tap_done();
}
