/* t/unit/claim.c - which of several hosts makes a part of a film.
 * SPDX-License-Identifier: BSD-2-Clause
 * Hosts share a memcached, and a store or not. */
#include "lib/svc/claim.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "t/unit/mc_calls.h"
#include "t/unit/memcached.h"
#include "t/unit/tap.h"

static const char part[] = "api/hls/vod-7/0123/720p/12.m4s";

struct host {
	char run_dir[100];
	struct conf conf;
	struct claims claims;
};

static int open_below(const struct memcached *m, const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	mkdir(path, 0755);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void open_host(
	struct host *h, const char *name, const struct memcached *m, struct mc *mc, int store)
{
	*h = (struct host){.run_dir = ""};
	snprintf(h->run_dir, sizeof(h->run_dir), "%s/%s", m->dir, name);
	mkdir(h->run_dir, 0755);
	h->conf.run_dir = h->run_dir;
	h->conf.host_name = "host"; /* the same for all: cloned machines may be called so */
	claims_open(&h->claims, &h->conf, mc, store);
}

int main(void)
{
	struct host a, b, other, lone, again;
	struct memcached m;
	struct fail f;
	struct mc *mc;
	char command[200];
	int shared, own;

	memcached_or_skip();
	clock_init();
	log_open(NULL, LOG_ERROR, &f);
	memcached_open(&m);
	mc = open_mc(m.socket);
	shared = open_below(&m, "shared");
	own = open_below(&m, "own");
	open_host(&a, "a", &m, mc, shared);
	open_host(&b, "b", &m, mc, shared);
	open_host(&other, "c", &m, mc, own);
	open_host(&lone, "d", &m, NULL, shared);
	is_str(a.claims.store, b.claims.store, "hosts of one store know it by one name");
	is_int((int64_t)strlen(a.claims.store), 32, "which it has");
	ok(strcmp(a.claims.store, other.claims.store) != 0, "another store has another one");

	ok(claim_take(&a.claims, part), "a host claims a part");
	ok(!claim_take(&b.claims, part), "the other one does not get it");
	ok(claim_take(&b.claims, "api/hls/vod-7/0123/720p/13.m4s"), "but the next one");
	ok(claim_take(&other.claims, part), "a host with a disk of its own makes its own");
	ok(claim_take(&lone.claims, part), "so does one without memcached");
	open_host(&again, "a", &m, mc, shared);
	ok(claim_take(&again.claims, part), "what a host left by dying is its own again");
	ok(!claim_take(&b.claims, part), "and nobody else's");
	claim_drop(&b.claims, part);
	ok(!claim_take(&b.claims, part), "who has it not cannot give it back");
	claim_drop(&a.claims, part);
	ok(claim_take(&b.claims, part), "given back, it is free");

	memcached_ask(&m, "flush_all\r\n", "OK");
	claim_renew(&b.claims, part);
	ok(!claim_take(&a.claims, part), "a renewal outlives a memcached that has lost all");
	memcached_kill(&m);
	ok(claim_take(&a.claims, part) && claim_take(&b.claims, part),
		"without memcached everybody goes on");
	mc_close(&mc);
	snprintf(command, sizeof(command), "rm -r %s", m.dir);
	ok(system(command) == 0, "the directory is removed");
	return tap_done();
}
