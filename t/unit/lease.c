/* t/unit/lease.c - who does the work: among processes, among hosts, and when memcached fails.
 * SPDX-License-Identifier: BSD-2-Clause
 * A host is a name and a lease directory; all hosts share the memcached. */
#include "lib/io/lease.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/mc_server.h"
#include "t/unit/mc_calls.h"
#include "t/unit/memcached.h"
#include "t/unit/tap.h"

struct world {
	struct memcached m;
	struct mc *mc;
	struct lease_env a, b; /* two hosts */
	char dir_a[100], dir_b[100];
	int clock;
};

static void open_world(struct world *w)
{
	struct fail f;

	w->clock = moved_clock_open();
	clock_init();
	log_open(NULL, LOG_ERROR, &f);
	memcached_open(&w->m);
	w->mc = open_mc(w->m.socket);
	snprintf(w->dir_a, sizeof(w->dir_a), "%s/a/lease", w->m.dir);
	snprintf(w->dir_b, sizeof(w->dir_b), "%s/b", w->m.dir);
	w->a = (struct lease_env){w->dir_a, w->mc, "host-a", NULL};
	w->b = (struct lease_env){w->dir_b, w->mc, "host-b", NULL};
}

static void close_world(struct world *w)
{
	char command[200];

	mc_close(&w->mc);
	memcached_kill(&w->m);
	snprintf(command, sizeof(command), "rm -r %s", w->m.dir);
	if (system(command) != 0)
		ok(false, "the directory is removed");
	moved_clock_close(w->clock);
}

/* "mine", or "taken by VALUE", or "error"; good until the next call. */
static const char *take(const struct lease_env *env, const char *name, struct lease **out)
{
	static char text[200];
	struct fail f = {0};
	struct buf other;

	buf_init(&other, 100);
	buf_puts(&other, "old");
	switch (lease_take(env, name, env->owner_host, out, &other, &f)) {
	case LEASE_MINE:
		snprintf(text, sizeof(text), "mine");
		break;
	case LEASE_TAKEN:
		snprintf(text, sizeof(text), "taken by %s", buf_str(&other));
		break;
	case LEASE_ERROR:
		snprintf(text, sizeof(text), "error");
		break;
	}
	buf_release(&other);
	return text;
}

/* How many seconds its entry in memcached still has; -1 when there is none. */
static int64_t life_left(struct world *w, const char *name)
{
	char command[200];
	const char *answer;

	snprintf(command, sizeof(command), "mg %s t\r\n", wire_key("lease", name));
	answer = memcached_ask(&w->m, command, "\r\n");
	return strncmp(answer, "HD t", 4) == 0 ? atoll(answer + 4) : -1;
}

static void end_life(struct world *w, const char *name)
{
	char command[200];

	snprintf(command, sizeof(command), "touch %s -1\r\n", wire_key("lease", name));
	memcached_ask(&w->m, command, "\r\n");
}

static bool renew_later(struct world *w, struct lease *l)
{
	move_clock(w->clock, LEASE_RENEW_MS);
	return lease_renew(l);
}

static void taking(struct world *w)
{
	struct lease *one = NULL, *two = NULL;

	is_str(take(&w->a, "live:8", &one), "mine", "what nobody has is mine");
	is_str(take(&w->a, "live:8", &two), "taken by host-a", "once on this host");
	is_str(take(&w->b, "live:8", &two), "taken by host-a", "and once among the hosts");
	is_str(take(&w->b, "live:9", &two), "mine", "another name is another lease");
	lease_drop(&two);
	ok(two == NULL, "a dropped lease is NULL");
	lease_drop(&two);
	ok(life_left(w, "live:8") > 10 && life_left(w, "live:8") <= LEASE_LIFE_S,
		"in memcached it lives 15 s at most");
	lease_drop(&one);
	ok(life_left(w, "live:8") <= 1, "given back it lives 1 s");
	is_str(take(&w->b, "live:8", &two), "mine", "and another host may have it at once");
	is_str(take(&w->a, "live:8", &one), "taken by host-b", "so that it is taken again");
	lease_drop(&two);
}

static void renewing(struct world *w)
{
	struct lease *l = NULL;

	take(&w->a, "renew", &l);
	memcached_ask(&w->m, "flush_all\r\n", "OK\r\n");
	ok(lease_renew(l) && life_left(w, "renew") == -1, "before 4 s nobody is asked");
	ok(renew_later(w, l) && life_left(w, "renew") > 10, "after a flush it is there again");
	char command[200];
	snprintf(command, sizeof(command), "touch %s 5\r\n", wire_key("lease", "renew"));
	memcached_ask(&w->m, command, "\r\n");
	ok(renew_later(w, l) && life_left(w, "renew") > 10, "renewing gives it 15 s again");
	move_clock(w->clock, 3600 * 1000);
	ok(lease_renew(l), "an owner that slept goes on when nobody took it");
	move_clock(w->clock, -3600 * 1000);
	ok(lease_renew(l), "and when the clock goes back");
	lease_drop(&l);
}

static void stolen(struct world *w)
{
	struct lease *a = NULL, *b = NULL;

	take(&w->a, "steal", &a);
	end_life(w, "steal");
	is_str(take(&w->b, "steal", &b), "mine", "what was not renewed for 15 s may be taken");
	ok(lease_renew(a), "the old owner does not know yet");
	ok(!renew_later(w, a), "when it renews it learns that it has lost it");
	ok(!lease_renew(a), "and that stays so");
	ok(lease_renew(b) && renew_later(w, b), "the new owner goes on");
	lease_drop(&a);
	ok(life_left(w, "steal") > 10, "dropping what was lost takes nothing from the new owner");
	is_str(take(&w->a, "steal", &a), "taken by host-b", "whose it is");
	lease_drop(&b);
}

/* A process that takes a lease, says so, and waits to be killed. */
static pid_t start_owner(const struct lease_env *env, const char *name)
{
	struct lease *l = NULL;
	char word = 0;
	int said[2];
	pid_t pid;

	if (pipe(said) < 0)
		exit(1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		word = *take(env, name, &l);
		if (write(said[1], &word, 1) == 1)
			pause();
		_exit(0);
	}
	if (read(said[0], &word, 1) != 1 || word != 'm')
		ok(false, "the other process took it");
	close(said[0]);
	close(said[1]);
	return pid;
}

static void crashes(struct world *w)
{
	struct lease *l = NULL;
	pid_t owner = start_owner(&w->a, "crash");

	is_str(take(&w->a, "crash", &l), "taken by host-a", "another process on this host has it");
	is_str(take(&w->b, "crash", &l), "taken by host-a", "and so other hosts do not");
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	ok(life_left(w, "crash") > 10, "a killed owner leaves its entry in memcached");
	is_str(take(&w->b, "crash", &l), "taken by host-a", "which other hosts respect");
	is_str(take(&w->a, "crash", &l), "mine", "and its own host takes over at once");
	ok(renew_later(w, l), "for good");
	lease_drop(&l);
}

static void children(struct world *w)
{
	struct lease *l = NULL, *two = NULL;
	int status = 1;
	pid_t pid;

	take(&w->a, "fork", &l);
	pid = fork();
	if (pid == 0) {
		bool good = !lease_renew(l);

		lease_drop(&l);
		_exit(good && l == NULL ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "a child has no lease, and may drop what it inherited");
	is_str(take(&w->a, "fork", &two), "taken by host-a", "which leaves it to its parent");
	ok(renew_later(w, l), "who goes on");
	lease_drop(&l);
}

static void away(struct world *w)
{
	struct lease *a = NULL, *b = NULL, *c = NULL, *other = NULL;
	bool good = true;

	take(&w->a, "before", &a);
	memcached_kill(&w->m);
	for (int i = 0; i < 20; i++)
		good = renew_later(w, a) && good;
	ok(good, "an owner goes on while memcached is away");
	is_str(take(&w->a, "before", &other), "taken by host-a", "alone on its host");
	is_str(take(&w->a, "during", &b), "mine", "a lease is taken without memcached");
	is_str(take(&w->a, "during", &other), "taken by host-a", "once on this host");
	is_str(take(&w->b, "during", &c), "mine", "but each host decides for itself");

	memcached_start(&w->m);
	ok(renew_later(w, a) && life_left(w, "before") > 10, "when it is back, it is told");
	ok(lease_renew(b) && !lease_renew(c), "and of two hosts the first keeps the work");
	is_str(take(&w->b, "before", &other), "taken by host-a", "others respect that again");
	lease_drop(&c);

	memcached_kill(&w->m);
	move_clock(w->clock, LEASE_LOST_MS);
	ok(!lease_renew(a), "who slept for 10 s while memcached went may have been replaced: lost");
	lease_drop(&a);
	is_str(take(&w->a, "before", &a), "mine", "and takes it again if nobody has it here");
	memcached_start(&w->m);
	move_clock(w->clock, MC_RETRY_MS);
	lease_drop(&a);
	lease_drop(&b);
}

static void hung(struct world *w)
{
	struct lease *l = NULL;
	int64_t start;

	memcached_stop(&w->m);
	start = real_ms();
	is_str(take(&w->a, "hung", &l), "mine", "a lease is taken while memcached hangs");
	ok(lease_renew(l), "and kept");
	lease_drop(&l);
	ok(real_ms() - start <= 500, "all of it in one time-out (%lld ms)",
		(long long)(real_ms() - start));
	kill(w->m.pid, SIGCONT);
	move_clock(w->clock, MC_RETRY_MS);
}

static void foreign(struct world *w)
{
	struct lease *l = NULL;
	char command[200];

	snprintf(command, sizeof(command), "set %s 0 0 5\r\nworld\r\n", wire_key("lease", "odd"));
	memcached_ask(&w->m, command, "STORED\r\n");
	is_str(take(&w->a, "odd", &l), "mine", "a foreign value does not hold a lease");
	memcached_ask(&w->m, command, "STORED\r\n");
	ok(renew_later(w, l) && life_left(w, "odd") > 10, "nor does one take it away");
	lease_drop(&l);
	mc_set(w->mc, "lease", "odd", span_of("no lines"), 60);
	is_str(take(&w->a, "odd", &l), "taken by ", "an unknown owner is somebody");
}

static void alone(struct world *w)
{
	struct lease_env env = {w->dir_a, NULL, "host-a", NULL};
	struct lease *l = NULL, *two = NULL;
	pid_t owner;

	is_str(take(&env, "alone", &l), "mine", "without any memcached a host has its leases");
	is_str(take(&env, "alone", &two), "taken by host-a", "each once");
	move_clock(w->clock, 3600 * 1000);
	ok(lease_renew(l), "and nothing can take them away");
	lease_drop(&l);
	owner = start_owner(&env, "alone");
	is_str(take(&env, "alone", &two), "taken by host-a", "other processes know them");
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	is_str(take(&env, "alone", &two), "mine", "and a dead one has none");
	lease_drop(&two);
}

static void files(struct world *w)
{
	struct lease_env nowhere = {"/dev/null/lease", w->mc, "host-a", NULL};
	char command[200], longest[LEASE_NAME_MAX + 2];
	struct lease *l = NULL;
	struct fail f = {0};
	struct stat st;

	ok(stat(w->dir_a, &st) == 0 && (st.st_mode & 0777) == 0700,
		"the directory was made, for its owner alone");
	is_int(lease_take(&nowhere, "x", "", &l, NULL, &f), LEASE_ERROR, "refused: %s", f.text);
	is_int(lease_take(&w->a, "x\ny", "", &l, NULL, &f), LEASE_ERROR, "refused: %s", f.text);
	is_int(lease_take(&w->a, "", "", &l, NULL, &f), LEASE_ERROR, "an empty name is refused");
	memset(longest, '/', sizeof(longest) - 1);
	longest[LEASE_NAME_MAX + 1] = '\0';
	is_int(lease_take(&w->a, longest, "", &l, NULL, &f), LEASE_ERROR, "a long one too");
	longest[LEASE_NAME_MAX] = '\0';
	is_int(lease_take(&w->a, longest, "", &l, NULL, &f), LEASE_MINE,
		"the longest is taken, whatever it is made of");
	lease_drop(&l);

	take(&w->a, "gone", &l);
	snprintf(command, sizeof(command), "rm -r %s", w->dir_a);
	is_int(system(command), 0, "the directory is removed");
	ok(!renew_later(w, l),
		"without its file a lease is lost, since others would make a new one");
	lease_drop(&l);
	is_str(take(&w->a, "gone", &l), "mine", "which they can");
	lease_drop(&l);
}

/* Many processes of two hosts want the same lease at the same moment. */
static void race(struct world *w)
{
	enum { RUNNERS = 8, ROUNDS = 10 };
	int wrong = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int start[2], done[2], winners = 0;
		pid_t pids[RUNNERS];
		char name[20];

		if (pipe(start) < 0 || pipe(done) < 0)
			exit(1);
		snprintf(name, sizeof(name), "race:%d", round);
		for (int i = 0; i < RUNNERS; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct lease *l = NULL;
				char word;

				close(start[1]);
				if (read(start[0], &word, 1) != 0)
					_exit(1);
				word = *take(i % 2 ? &w->a : &w->b, name, &l);
				if (write(done[1], &word, 1) == 1)
					pause();
				_exit(0);
			}
		}
		close(start[1]);
		for (int i = 0; i < RUNNERS; i++) {
			char word = 0;

			winners += read(done[0], &word, 1) == 1 && word == 'm';
		}
		for (int i = 0; i < RUNNERS; i++) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
		close(start[0]);
		close(done[0]);
		close(done[1]);
		wrong += winners != 1;
	}
	is_int(wrong, 0, "of many processes on two hosts that want a lease at once, one gets it");
}

int main(void)
{
	struct world w;

	memcached_or_skip();
	open_world(&w);
	taking(&w);
	renewing(&w);
	stolen(&w);
	crashes(&w);
	children(&w);
	foreign(&w);
	race(&w);
	away(&w);
	hung(&w);
	alone(&w);
	files(&w);
	close_world(&w);
	return tap_done();
}
