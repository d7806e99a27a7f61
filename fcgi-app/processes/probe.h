/* fcgi-app/processes/probe.h - whether an origin that comes first is well again, while another one
 * plays. SPDX-License-Identifier: BSD-2-Clause A second connection, on an account's connection of
 * its own, is read beside the first. When media has come for two seconds it can be taken over, from
 * its first byte on: viewers never see the attempt. */
#ifndef SLUICE_PROCESSES_PROBE_H
#define SLUICE_PROCESSES_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-app/processes/supply.h"
#include "lib/base/buf.h"
#include "lib/hls/ts.h"
#include "lib/io/fetch.h"

struct probe;

/* Who gets a transfer's bytes; it outlives the attempt when the transfer is taken over. */
struct probe_feed {
	struct probe *probe; /* NULL: taken over, by `to` */
	void *to;
	enum fetch_verdict (*on_data)(void *to, const void *bytes, size_t len);
	void (*on_done)(void *to, const struct fail *f);
};

struct probe {
	struct supply *supply;
	struct fetcher *fetcher;
	const struct origin *origin; /* that is tried; NULL: none */
	struct token token;
	struct lease *slot;
	struct transfer *transfer;
	struct probe_feed feeds[2]; /* one may be in use by a transfer that was taken over */
	int at;
	struct ts ts;
	struct buf bytes; /* all that has come */
	struct fail why;  /* of an attempt that failed */
	int64_t began_ms, asked_ms, flowing_ms, next_ms;
};

void probe_init(struct probe *p, struct supply *supply);
void probe_pause(struct probe *p); /* gives an attempt up: nothing plays that it is better than */
void probe_stop(struct probe *p);  /* for good; accepts a zeroed one */

/* Does what is due, while a later origin plays; `fetcher` runs its transfers. True when the attempt
 * has succeeded: p->origin, p->token, p->slot, p->transfer and p->bytes are there to be taken by
 * probe_take(). */
bool probe_step(struct probe *p, struct fetcher *fetcher);

/* Hands the transfer over: its bytes and its end go to `feed` from here on. The caller takes slot
 * and transfer; p->bytes stays until the next step. */
struct transfer *probe_take(struct probe *p, const struct probe_feed *feed);

#endif
