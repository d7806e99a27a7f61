/* fcgi-app/processes/live/outlet.h - who wants a channel, and its stream as it is.
 * SPDX-License-Identifier: BSD-2-Clause
 * Viewers of its playlists touch live/work/{id}/asked, those of its stream live/work/{id}/direct
 * (lib/svc/live.h). The stream stands in a spool (lib/io/spool.h) as long as somebody wants it. */
#ifndef SLUICE_PROCESSES_LIVE_OUTLET_H
#define SLUICE_PROCESSES_LIVE_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/io/spool.h"

struct conf;

struct outlet {
	const struct conf *conf;
	const char *id;
	int64_t begun_ms;    /* this process: real */
	struct spool *spool; /* NULL: nobody wants it, or there is no room */
	bool lists, stream;  /* what is wanted, as outlet_step() found it */
	bool told;	     /* that there is no room */
};

/* Removes what a process before us left. Borrows both. */
void outlet_open(struct outlet *o, const struct conf *conf, const char *id);

/* Looks who wants what, and makes or drops the spool. Playlists that nobody has asked for in
 * `idle_ms` are not wanted. */
void outlet_step(struct outlet *o, int64_t idle_ms);

/* Whether nobody has wanted anything for `idle_ms`. */
bool outlet_is_idle(const struct outlet *o, int64_t idle_ms);

void outlet_close(struct outlet *o);

#endif
