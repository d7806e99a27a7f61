/* lib/io/lease.h - who does a piece of work, when one process of all hosts should.
 * SPDX-License-Identifier: BSD-2-Clause
 * First among the processes of this host, by flock() on a file, which the kernel gives back when
 * the owner dies; then among the hosts, by an entry in memcached (family "lease") that lives 15 s
 * and is renewed every 4 s. While memcached is away each host decides for itself, so two hosts may
 * do the same work: that must cost something, never corrupt something. The same holds for some
 * seconds after memcached was flushed.
 *
 * A lease belongs to the process that took it. Children that call execve() do not keep it; one that
 * goes on without (child_fork) keeps the host's file locked for as long as it lives or until it
 * calls lease_drop(), which only forgets the lease there. */
#ifndef SLUICE_IO_LEASE_H
#define SLUICE_IO_LEASE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/io/mc.h"

enum {
	LEASE_LIFE_S = 15, /* of the entry in memcached */
	LEASE_RENEW_MS = 4000,
	LEASE_LOST_MS = 10000, /* without a confirmed renewal the owner stops by itself */
	LEASE_NAME_MAX = 200,  /* bytes */
	LEASE_VALUE_MAX = 1000 /* bytes */
};

struct board;
struct lease;

/* Borrowed for as long as a lease taken with it is held. */
struct lease_env {
	const char *dir; /* run_dir "/lease": on a file system of this host; made when missing */
	struct mc *mc;	 /* NULL: this host alone */
	const char *owner_host; /* this host's name, unique among those that share a memcached */
	struct board *board;	/* counts what is taken and lost; may be NULL */
};

enum lease_result { LEASE_MINE, LEASE_TAKEN, LEASE_ERROR };

/* Takes the lease `name` (any text without control bytes) without waiting for its owner.
 * LEASE_MINE   *out is owned by the caller, until lease_drop().
 * LEASE_TAKEN  `other` (may be NULL) is cleared and gets the owner's `value`: the text it tells
 *              others, such as its base URL. Empty when the owner took or gave it just now.
 * LEASE_ERROR  *f says why: FAIL_INPUT for a name, value or host that is too long or has control
 *              bytes, FAIL_INTERNAL when the file cannot be made or locked.
 * What an owner on this host left in memcached by dying is taken over at once. */
enum lease_result lease_take(const struct lease_env *env, const char *name, const char *value,
	struct lease **out, struct buf *other, struct fail *f);

/* To be called at least every second while the work goes on; asks memcached every 4 s, which may
 * take 250 ms when it is hung. While memcached is away the answer is true.
 * False, from then on: the lease is lost. Another host has it; or nothing confirmed it for 10 s,
 * because memcached said neither yes nor no or because this process was stopped that long and
 * memcached is away now; or the file is gone. Stop the work, then drop it. */
bool lease_renew(struct lease *lease);

/* Gives it back, so that anybody may take it at once, and sets *lease to NULL. Accepts NULL
 * there. */
void lease_drop(struct lease **lease);

#endif
