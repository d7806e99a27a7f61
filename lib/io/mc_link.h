/* lib/io/mc_link.h - one connection to one memcached, and which of several servers keeps a key.
 * SPDX-License-Identifier: BSD-2-Clause
 * The only module that knows libmemcached; lib/io/mc.h is what everybody else uses. A link is for
 * one thread at a time and one process. */
#ifndef SLUICE_IO_MC_LINK_H
#define SLUICE_IO_MC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

enum {
	MC_CONNECT_MS = 80, /* a connection and an answer together stay below 250 ms */
	MC_ANSWER_MS = 140,
	MC_WHY_MAX = 96
};

struct mc_address {
	const char *host;	     /* an address in digits, or the path of a socket */
	uint16_t port;		     /* 0 for a path */
	const char *user, *password; /* "": no SASL */
};

enum mc_verb {
	MC_VERB_GET,
	MC_VERB_SET,
	MC_VERB_ADD,
	MC_VERB_CAS,
	MC_VERB_DELETE,
	MC_VERB_INCR,
	MC_VERB_STATS
};

struct mc_question {
	enum mc_verb verb;
	struct span key;   /* as on the wire: printable, no blanks, at most 250 bytes; a string
			    * that names the statistics, or "", for stats */
	struct span value; /* for set, add and cas */
	int64_t expires_s; /* in memcached's way: up to 30 days from now, else since the epoch */
	uint64_t cas;
	uint64_t delta;						      /* for incr */
	void (*stat)(void *ctx, struct span name, struct span value); /* for each line of stats */
	void *ctx;
};

struct mc_answer {
	struct span value; /* of get; good until the link rests, asks again or ends */
	uint64_t cas;	   /* of get */
	uint64_t count;	   /* of incr */
};

enum mc_link_result {
	MC_LINK_OK,
	MC_LINK_MISS,	 /* not there, or not stored */
	MC_LINK_FOREIGN, /* incr: what is there is no number */
	MC_LINK_BROKEN,	 /* refused, closed or nonsense: a new connection may do better */
	MC_LINK_LATE	 /* no answer in time */
};

struct mc_link;

/* Makes a link without connecting it; NULL without memory. `address` is copied. */
struct mc_link *mc_link_open(const struct mc_address *address);

/* Asks and waits for the answer. Whatever is neither OK nor MISS is followed by mc_link_close(),
 * because a late answer would be taken for the next one's; `why`, of MC_WHY_MAX bytes, is then a
 * sentence that says what went wrong. */
enum mc_link_result mc_link_ask(struct mc_link *link, const struct mc_question *question,
	struct mc_answer *answer, char *why);

/* Gives back what a large value took. The answer's value ends here. */
void mc_link_rest(struct mc_link *link);

void mc_link_close(struct mc_link **link);

/* Whether the library that is installed can say who we are. */
bool mc_link_has_users(void);

/* The servers that share the keys, by the names that all hosts write alike. Never connected. */
struct mc_ring;

struct mc_ring *mc_ring_open(void);
bool mc_ring_add(struct mc_ring *ring, const char *host, uint16_t port); /* false: no memory */
size_t mc_ring_pick(const struct mc_ring *ring, struct span key); /* in the order of adding */
void mc_ring_close(struct mc_ring **ring);

#endif
