/* lib/svc/claim.h - which of several hosts makes a file, where they publish into one store.
 * SPDX-License-Identifier: BSD-2-Clause
 * An entry of memcached (family "lease", "seg:{store}:{name}") says who makes it now. It lives only
 * CLAIM_LIFE_S, because somebody who waits for the file gives up after 9 s; who makes the file
 * renews it meanwhile. Hosts whose disks are their own never meet: the store's name is in a file
 * ".store" at its root. Without memcached, or where that file cannot be made, everybody makes what
 * they want; the file's existence is the only truth, and nobody ever replaces it. */
#ifndef SLUICE_SVC_CLAIM_H
#define SLUICE_SVC_CLAIM_H

#include <stdbool.h>

struct conf;
struct mc;

enum { CLAIM_LIFE_S = 5, CLAIM_RENEW_MS = 1500, CLAIM_STORE_BYTES = 33, CLAIM_OWNER_BYTES = 320 };

/* For the one process of a host that makes such files. */
struct claims {
	struct mc *mc;
	char store[CLAIM_STORE_BYTES]; /* "": it has no name */
	char owner[CLAIM_OWNER_BYTES]; /* this host and its run_dir */
};

/* Borrows `mc`. `root` is the store's directory. */
void claims_open(struct claims *c, const struct conf *conf, struct mc *mc, int root);

/* False when another host makes the file just now. What this host left by dying is its own. */
bool claim_take(const struct claims *c, const char *name);

/* To be called every CLAIM_RENEW_MS while it is being made. */
void claim_renew(const struct claims *c, const char *name);

/* It is made, or given up: others may. */
void claim_drop(const struct claims *c, const char *name);

#endif
