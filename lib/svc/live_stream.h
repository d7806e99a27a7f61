/* lib/svc/live_stream.h - the stream of a channel as its source sends it, for one viewer.
 * SPDX-License-Identifier: BSD-2-Clause
 * One programme with the source's own picture and sound, nothing encoded, on one timeline whatever
 * happens upstream (lib/hls/splice.h). However many viewers there are, the channel's process reads
 * its source once; they read its spool. The process may die: the next one's stream follows. */
#ifndef SLUICE_SVC_LIVE_STREAM_H
#define SLUICE_SVC_LIVE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/live_reason.h"

struct conf;
struct live_stream;

enum {
	LIVE_STREAM_AHEAD_MS = 2500,   /* that a viewer has in hand at once, if there is as much */
	LIVE_STREAM_SILENT_MS = 30000, /* without anything to send until the answer ends */
	LIVE_STREAM_BYTES = 188 * 340  /* what a read should have room for */
};

/* Takes one of the host's places (setting direct_max), says that the stream is wanted, and waits
 * for it at most `wait_ms`. `who` is the viewer (lib/svc/viewers.h). Fails: FAIL_BUSY with *reason
 * LIVE_WELL when all places are taken; else what the channel's viewers are told, or FAIL_BUSY with
 * LIVE_BEGINS when it is only late. */
int live_stream_open(struct live_stream **out, const struct conf *conf, const char *id,
	uint64_t who, int64_t wait_ms, enum live_reason *reason, struct fail *f);

/* The next packets into `to`, of LIVE_STREAM_BYTES. Waits a quarter of a second at most: 0 when
 * there are none yet, -1 when there will be none. Says meanwhile that somebody watches. */
int live_stream_read(struct live_stream *d, unsigned char *to, size_t *len);

void live_stream_close(struct live_stream **d); /* accepts NULL in it */

#endif
