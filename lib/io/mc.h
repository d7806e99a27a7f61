/* lib/io/mc.h - what all processes and hosts remember for a while: memcached.
 * SPDX-License-Identifier: BSD-2-Clause
 * Nothing may depend on it: whatever is wrong with a server, a call says MC_AWAY (or MC_MISS) and
 * the caller goes on without. A server that is dead, hung or refuses costs those calls at most 250
 * ms that are under way when that is found out; then all threads hear MC_AWAY at once. Every 3 s
 * one of a process tries it again, for 40 ms where it still hangs. Other servers are not touched by
 * that.
 *
 * The key on the wire is prefix + family + ':' + 32 hexadecimal digits of SHA-256(key), so no
 * outside text gets there. A value carries a format version, its family and its whole key, which
 * are verified on the way back (lib/io/mc_value.h): what another program or version wrote is a
 * miss.
 *
 * All calls may be made by any thread, and with `mc` NULL (always MC_AWAY). Connections are made
 * when first needed; a process made by fork() makes its own and leaves its parent's alone. */
#ifndef SLUICE_IO_MC_H
#define SLUICE_IO_MC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

enum {
	MC_VALUE_MAX =
		1000 * 1000, /* bytes of value, key and family; a little below memcached's MiB */
	MC_KEY_MAX = 8192,   /* bytes */
	MC_SERVERS_MAX = 32
};

enum mc_result {
	MC_OK,
	MC_MISS, /* not there, or not stored: add and cas came second, or it is too large */
	MC_AWAY	 /* no answer: act without it */
};

struct board;
struct mc;

/* All borrowed for the call of mc_open(). */
struct mc_config {
	const char *servers; /* "host[:port]" (11211) or "/path.sock", by blanks; "": none */
	const char *prefix;  /* of every key: at most 64 bytes, no blanks; "" is fine */
	const char *user, *password; /* "": no SASL */
};

/* Several servers share the keys by consistent hashing (ketama) over their names as written here:
 * every host must write the same names. Host names are looked up now, once, which may take as long
 * as the resolver does; one without an address is away until mc is opened again. No connection is
 * made, and a server that is away is no failure. User and password need memcached -S and a
 * libmemcached with SASL.
 * Fails: FAIL_INPUT, with a sentence that names the server or setting. */
int mc_open(struct mc **out, const struct mc_config *config, struct fail *f);

/* Not while other threads use it. */
void mc_close(struct mc **mc);

/* Counts every call on `board` from now on, which stays open as long as `mc` is: by family, and
 * what servers fail at (lib/io/rows.h). Either may be NULL. Not while other threads use it. */
void mc_report(struct mc *mc, struct board *board);

/* `family` is one of ours: at most 32 of [a-z0-9:-]. A key is any text, at most MC_KEY_MAX bytes;
 * nothing is kept for a longer one (MC_MISS).
 * mc_get adds the value to `value`, untouched unless MC_OK; one that does not fit there is a miss.
 * `cas` (may be NULL) gets what mc_cas() wants. */
enum mc_result mc_get(
	struct mc *mc, const char *family, const char *key, struct buf *value, uint64_t *cas);

/* What is kept, for `ttl_s` seconds (more than 30 days work too; for 0 or less nothing is kept:
 * MC_MISS) or until memcached needs the room. mc_add only when nothing is there; mc_cas only while
 * what mc_get read still is. After a connection broke they are sent once more: MC_MISS may then
 * mean that the first one worked. */
enum mc_result mc_set(
	struct mc *mc, const char *family, const char *key, struct span value, int64_t ttl_s);
enum mc_result mc_add(
	struct mc *mc, const char *family, const char *key, struct span value, int64_t ttl_s);
enum mc_result mc_cas(struct mc *mc, const char *family, const char *key, struct span value,
	int64_t ttl_s, uint64_t cas);
enum mc_result mc_delete(struct mc *mc, const char *family, const char *key);

/* Adds `n`, 1 to INT32_MAX, to a counter that began `ttl_s` ago at most: *count is what it is then.
 * A window is never made longer by being counted. What stands there and is no counter is replaced.
 * A counter cannot be read by mc_get(), and is no lease: it may be off by one after an outage. */
enum mc_result mc_count_up(struct mc *mc, const char *family, const char *key, int64_t n,
	int64_t ttl_s, int64_t *count);

struct mc_server_state {
	const char *name; /* as configured; lives as long as the mc */
	bool away;
	int64_t away_ms; /* how long so far, 0 when it answers */
	int64_t outages; /* how often it went away, as this process saw it */
	char why[96];	 /* while away: what is wrong with it; else "" */
};

/* How many servers are configured; 0 for NULL. */
size_t mc_count(const struct mc *mc);

/* Asks every server that is not known to be away whether it is there, with the time limits above,
 * and fills out[0..mc_count()). Gives mc_count(), which is at most MC_SERVERS_MAX. */
size_t mc_state(struct mc *mc, struct mc_server_state *out);

/* The same of server `i`, as it is known: nothing is asked. */
void mc_state_of(struct mc *mc, size_t i, struct mc_server_state *out);

/* The statistics `what` of server `i` ("": the general ones, "slabs", "items", …), a line at a
 * time. A server that is away is not asked; one that does not answer costs at most 250 ms and is
 * away then: MC_AWAY, and mc_state_of() says why. Some lines may have come before that. */
enum mc_result mc_stats(struct mc *mc, size_t i, const char *what,
	void (*each)(void *ctx, struct span name, struct span value), void *ctx);

#endif
