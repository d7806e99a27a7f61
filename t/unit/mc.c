/* t/unit/mc.c - what is remembered in memcached.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

#include "lib/io/mc_value.h"
#include "t/unit/mc_calls.h"
#include "t/unit/memcached.h"
#include "t/unit/tap.h"

static void raw_set(struct memcached *m, const char *key, struct span value)
{
	char command[2048];
	int len = snprintf(command, sizeof(command), "set %s 0 0 %zu\r\n", key, value.len);

	memcpy(command + len, value.ptr, value.len);
	snprintf(command + len + (int)value.len, 3, "\r\n");
	if (write(m->fd, command, (size_t)len + value.len + 2) < 0)
		ok(false, "raw set");
	memcached_ask(m, "", "STORED\r\n");
}

static void refusals(void)
{
	static const struct {
		struct mc_config config;
		const char *says;
	} cases[] = {
		{{"a:0", "", "", ""}, "\"a:0\""},
		{{"a", "with blank", "", ""}, "memcached_prefix"},
		{{"a", "with\r\nline", "", ""}, "memcached_prefix"},
		{{"a", "12345678901234567890123456789012345678901234567890123456789012345", "", ""},
			"memcached_prefix"},
		{{"a", "", "", "secret"}, "memcached_user"},
		{{"127.0.0.1 /x", "", "user", "secret"}, "/x"},
	};
	struct fail f;
	struct mc *mc = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = (struct fail){0};
		is_int(mc_open(&mc, &cases[i].config, &f), -1, "refused: %s", f.text);
		ok(f.kind == FAIL_INPUT && strstr(f.text, cases[i].says) &&
				!strstr(f.text, "secret"),
			"in a sentence that names the setting and no secret");
	}
	ok(mc == NULL, "and nothing was opened");
}

static void without(void)
{
	struct mc_server_state state;
	struct mc *mc = open_mc("");
	int64_t count = 7;

	is_str(get(NULL, "tok", "k"), "away", "without an mc a get is away");
	is_int(mc_count_up(NULL, "rate", "k", 1, 60, &count), MC_AWAY, "and so is a count");
	is_str(get(mc, "tok", "k"), "away", "without servers a get is away");
	is_int(set(mc, "tok", "k", "v"), MC_AWAY, "and so is a set");
	is_int(mc_delete(mc, "tok", "k"), MC_AWAY, "and a delete");
	is_int(mc_state(mc, &state), 0, "there is nothing to tell about");
	is_int(count, 7, "what was not counted is untouched");
	mc_close(&mc);
	ok(mc == NULL, "a closed mc is NULL");
	mc_close(&mc);

	mc = open_mc("a-name-without-an-address-because-it-is-longer-than-any-label-may-be");
	is_str(get(mc, "tok", "k"), "away", "a server whose name has no address is away");
	ok(mc_state(mc, &state) == 1 && state.away && strstr(state.why, "no address"),
		"and the state says why: %s", state.why);
	mc_close(&mc);
}

static void basics(struct memcached *m, struct mc *mc)
{
	struct buf b;
	uint64_t cas = 0;

	is_str(get(mc, "tok", "live-8"), "miss", "what was never set is a miss");
	is_int(set(mc, "tok", "live-8", "one"), MC_OK, "a value is set");
	is_str(get(mc, "tok", "live-8"), "one", "and got");
	is_str(get(mc, "url", "live-8"), "miss", "another family has its own");
	is_int(mc_add(mc, "tok", "live-8", span_of("two"), 60), MC_MISS, "add comes second");
	is_str(get(mc, "tok", "live-8"), "one", "and changes nothing");
	is_int(mc_delete(mc, "tok", "live-8"), MC_OK, "it is deleted");
	is_int(mc_delete(mc, "tok", "live-8"), MC_MISS, "once");
	is_int(mc_add(mc, "tok", "live-8", span_of("two"), 60), MC_OK, "add comes first");

	buf_init(&b, 100);
	buf_puts(&b, "before ");
	is_int(mc_get(mc, "tok", "live-8", &b, &cas), MC_OK, "it is got with a cas");
	is_str(buf_str(&b), "before two", "and added to what was there");
	is_int(mc_cas(mc, "tok", "live-8", span_of("three"), 60, cas), MC_OK, "cas wins");
	is_int(mc_cas(mc, "tok", "live-8", span_of("four"), 60, cas), MC_MISS, "but not twice");
	is_int(mc_cas(mc, "tok", "live-8", span_of("four"), 60, 0), MC_MISS, "and 0 is no cas");
	is_str(get(mc, "tok", "live-8"), "three", "the first stays");
	is_int(mc_delete(mc, "tok", "live-8"), MC_OK, "deleted again");
	is_int(mc_cas(mc, "tok", "live-8", span_of("five"), 60, cas), MC_MISS,
		"cas does not make what is gone");
	buf_release(&b);

	is_int(set(mc, "tok", "empty", ""), MC_OK, "an empty value is set");
	is_str(get(mc, "tok", "empty"), "", "and is a value");
	is_int(set(mc, "tok", "empty", "x"), MC_OK, "a value is set");
	is_int(mc_set(mc, "tok", "empty", span_of("y"), 0), MC_MISS, "a life of 0 s keeps nothing");
	is_int(mc_set(mc, "tok", "empty", span_of("y"), -5), MC_MISS, "nor does one below");
	memcached_ask(m, "flush_all\r\n", "OK\r\n");
	is_str(get(mc, "tok", "empty"), "miss", "after a flush it is a miss");
}

static void wire(struct memcached *m, struct mc *mc)
{
	const char *nasty = "x\r\nflush_all\r\n\x01 y";
	char command[200], longest[MC_KEY_MAX + 2];

	set(mc, "tok", "safe", "here");
	is_int(set(mc, "tok", nasty, "v"), MC_OK, "a key with line ends and blanks is a key");
	is_str(get(mc, "tok", nasty), "v", "and found again");
	is_str(get(mc, "tok", "safe"), "here", "it was no command");
	snprintf(command, sizeof(command), "mg %s s\r\n", wire_key("tok", nasty));
	ok(strncmp(memcached_ask(m, command, "\r\n"), "HD", 2) == 0,
		"on the wire it is prefix, family and 32 hexadecimal digits");

	memset(longest, 'k', sizeof(longest));
	longest[MC_KEY_MAX + 1] = '\0';
	is_int(set(mc, "tok", longest, "v"), MC_MISS,
		"nothing is kept under a key that is too long");
	longest[MC_KEY_MAX] = '\0';
	is_int(set(mc, "tok", longest, "v"), MC_OK, "the longest key works");
	is_str(get(mc, "tok", longest), "v", "and is found again");
}

static void foreign(struct memcached *m, struct mc *mc)
{
	struct buf b;
	int64_t count = 0;

	raw_set(m, wire_key("tok", "k"), span_of("somebody else's"));
	is_str(get(mc, "tok", "k"), "miss", "a foreign value is a miss");
	raw_set(m, wire_key("tok", "k"), span_of(""));
	is_str(get(mc, "tok", "k"), "miss", "an empty one too");
	buf_init(&b, 1000);
	mc_value_pack(&b, span_of("tok"), span_of("k"), span_of("ours"));
	raw_set(m, wire_key("tok", "k"), buf_span(&b));
	is_str(get(mc, "tok", "k"), "ours", "ours is ours, whoever put it there");
	raw_set(m, wire_key("tok", "other"), buf_span(&b));
	is_str(get(mc, "tok", "other"), "miss", "not under another key");
	b.ptr[3]++;
	raw_set(m, wire_key("tok", "k"), buf_span(&b));
	is_str(get(mc, "tok", "k"), "miss", "one of another version is a miss");
	is_int(mc_add(mc, "tok", "k", span_of("new"), 60), MC_MISS, "which add does not replace");
	is_int(set(mc, "tok", "k", "new"), MC_OK, "but set does");
	is_str(get(mc, "tok", "k"), "new", "and then it is ours");
	buf_release(&b);

	raw_set(m, wire_key("rate", "k"), span_of("no number"));
	is_int(mc_count_up(mc, "rate", "k", 1, 60, &count), MC_OK,
		"what is no counter is replaced");
	is_int(count, 1, "by a new one");
	is_str(get(mc, "rate", "k"), "miss", "a counter is no value");
}

static void counters(struct memcached *m, struct mc *mc)
{
	char command[200];
	int64_t count = 0;

	for (int i = 1; i <= 3; i++) {
		is_int(mc_count_up(mc, "rate", "10.0.0.1", 1, 1000 * i, &count), MC_OK, "counted");
		is_int(count, i, "%d", i);
	}
	snprintf(command, sizeof(command), "mg %s t\r\n", wire_key("rate", "10.0.0.1"));
	int64_t left = atoll(memcached_ask(m, command, "\r\n") + 4);
	ok(left > 900 && left <= 1000, "counting does not make a window longer (%lld s left)",
		(long long)left);
	is_int(mc_count_up(mc, "rate", "10.0.0.1", 1, 0, &count), MC_MISS,
		"a window of 0 s is none");
	raw_set(m, wire_key("rate", "10.0.0.1"), span_of("18446744073709551615"));
	is_int(mc_count_up(mc, "rate", "10.0.0.1", 1, 60, &count), MC_OK,
		"the largest count goes on");
	ok(count >= 0, "and is never below 0");
}

static void lives(struct memcached *m, struct mc *mc)
{
	static const struct {
		int64_t ttl_s, least_s, most_s;
	} cases[] = {
		{60, 50, 60},
		{30 * 86400, 30 * 86400 - 10, 30 * 86400},
		{30 * 86400 + 1, 30 * 86400 - 10, 30 * 86400 + 2},
		{365 * 86400, 365 * 86400 - 10, 365 * 86400 + 1},
		{100LL * 365 * 86400, 30 * 86400 - 10, 30 * 86400},
		{INT64_MAX, 30 * 86400 - 10, 30 * 86400},
	};
	char command[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mc_set(mc, "tok", "life", span_of("v"), cases[i].ttl_s);
		snprintf(command, sizeof(command), "mg %s t\r\n", wire_key("tok", "life"));
		const char *answer = memcached_ask(m, command, "\r\n");
		int64_t left = strncmp(answer, "HD t", 4) == 0 ? atoll(answer + 4) : -9;
		ok(left >= cases[i].least_s && left <= cases[i].most_s,
			"asked for %lld s it lives %lld s", (long long)cases[i].ttl_s,
			(long long)left);
	}
}

static void sizes(struct mc *mc)
{
	size_t most = MC_VALUE_MAX - MC_VALUE_HEAD - strlen("tok") - strlen("big");
	char *bytes = malloc(most + 1);
	struct buf b;

	for (size_t i = 0; i <= most; i++)
		bytes[i] = (char)(i * 31 + i / 256);
	is_int(mc_set(mc, "tok", "big", span_make(bytes, most), 60), MC_OK,
		"the largest value fits into memcached");
	buf_init(&b, most);
	is_int(mc_get(mc, "tok", "big", &b, NULL), MC_OK, "and is got");
	ok(span_eq(buf_span(&b), span_make(bytes, most)), "byte for byte");
	is_int(mc_get(mc, "tok", "big", &b, NULL), MC_MISS, "where it does not fit it is a miss");
	ok(b.len == most && !b.failed, "and nothing is added");
	is_int(mc_set(mc, "tok", "big", span_make(bytes, most + 1), 60), MC_MISS,
		"one byte more is not kept");
	buf_release(&b);
	free(bytes);
}

static void descriptors(struct mc *mc)
{
	int sockets = 0, kept = 0;
	struct dirent *e;
	struct stat st;
	DIR *dir = opendir("/proc/self/fd");

	get(mc, "tok", "k");
	while (dir && (e = readdir(dir))) {
		int fd = atoi(e->d_name);
		if (fd > 2 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode)) {
			sockets++;
			kept += !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		}
	}
	closedir(dir);
	ok(sockets >= 2, "there is a connection");
	is_int(kept, 0, "no connection is handed to programs that are started");
}

static int64_t connections(struct memcached *m)
{
	const char *found = strstr(memcached_ask(m, "stats\r\n", "END\r\n"), "curr_connections ");

	return found ? atoll(found + strlen("curr_connections ")) : -1;
}

static void forks(struct memcached *m, struct mc *mc)
{
	int64_t before;
	int status = -1;
	pid_t pid;

	set(mc, "tok", "fork", "parent");
	before = connections(m);
	pid = fork();
	if (pid == 0) {
		bool good = strcmp(get(mc, "tok", "fork"), "parent") == 0 &&
			    connections(m) == before + 1;
		for (int i = 0; i < 50; i++)
			good = good && set(mc, "tok", "child", "c") == MC_OK;
		mc_close(&mc);
		_exit(good ? 0 : 1);
	}
	for (int i = 0; i < 50; i++) {
		if (strcmp(get(mc, "tok", "fork"), "parent") != 0)
			ok(false, "the parent reads on");
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "a child makes a connection of its own");
	is_str(get(mc, "tok", "fork"), "parent", "and its end leaves its parent's alone");
	is_int(connections(m), before, "which is still the same one");
}

static void threads(struct mc *mc)
{
	pthread_t ids[8];
	int64_t bad = 0, count = 0;
	void *result;

	mc_delete(mc, "rate", "threads");
	for (int i = 0; i < 8; i++) {
		if (pthread_create(&ids[i], NULL, work, mc) != 0)
			exit(1);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(ids[i], &result);
		bad += (intptr_t)result;
	}
	is_int(bad, 0, "8 threads get what each of them set");
	mc_count_up(mc, "rate", "threads", 1, 60, &count);
	is_int(count, 8 * 200 + 1, "and count together without a loss");
}

int main(void)
{
	struct memcached m;
	struct mc *mc;

	memcached_or_skip();
	refusals();
	without();
	memcached_open(&m);
	mc = open_mc(m.socket);
	basics(&m, mc);
	wire(&m, mc);
	foreign(&m, mc);
	counters(&m, mc);
	lives(&m, mc);
	sizes(mc);
	descriptors(mc);
	forks(&m, mc);
	threads(mc);
	mc_close(&mc);
	memcached_close(&m);
	return tap_done();
}
