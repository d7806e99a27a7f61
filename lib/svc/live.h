/* lib/svc/live.h - what API workers and a channel's live process share: files and questions.
 * SPDX-License-Identifier: BSD-2-Clause
 * A worker never encodes and never waits for an upstream: it says that somebody watches, and reads
 * what the live process wrote into live/work/{id}/. Ids are public ids ("live-8"), already
 * checked. */
#ifndef SLUICE_SVC_LIVE_H
#define SLUICE_SVC_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"
#include "lib/hls/ladder.h"
#include "lib/hls/window.h"
#include "lib/svc/live_reason.h"
#include "lib/svc/token.h"

struct conf;
struct mc;

enum { LIVE_STALE_MS = 10000, LIVE_PATH_BYTES = 512, LIVE_RUN_BYTES = 33, LIVE_BASE_BYTES = 256 };

enum live_status {
	LIVE_OFF,      /* nobody works on it */
	LIVE_STARTING, /* a process does, nothing can be played yet */
	LIVE_ON,       /* its playlists can be played */
	LIVE_ELSEWHERE /* another host encodes it: `base` says where */
};

/* The record live/work/{id}/state. It is renewed at least every 2 s; one that was not for
 * LIVE_STALE_MS counts as LIVE_OFF. */
struct live_state {
	enum live_status status;
	char run[LIVE_RUN_BYTES];	/* 32 hexadecimal digits; "" before the first segment */
	char base[LIVE_BASE_BYTES];	/* LIVE_ELSEWHERE: public_url of the owner; may be "" */
	struct fail why;		/* what keeps it from going on; kind FAIL_NONE: nothing */
	char origin[ORIGIN_NAME_BYTES]; /* from where it comes (lib/svc/origin.h); "": not yet */
	int64_t origin_ms;		/* since when */
	enum live_reason reason;	/* the same in a word */
	int64_t updated_ms;
	bool slate;		  /* what is listed last only says why there is nothing else */
	bool encodes[LADDER_MAX]; /* by rung of `ladder`: is there such a rendition? */
	bool has_audio;
	int width, height;  /* of the source's picture at its own aspect; 0: not known yet */
	int64_t rate_milli; /* frames in 1000 s; 0: not known */
	struct window window;
};

/* "off", "starting", "on" as JSON says it ("on" for LIVE_ELSEWHERE, "starting" for a slate). */
const char *live_status_name(const struct live_state *s);

/* {live_dir}/work/{id}/{name} into `to`; `name` NULL: the directory itself. */
void live_path(const struct conf *conf, const char *id, const char *name, char to[LIVE_PATH_BYTES]);

/* The record as text, and back; rungs are named in it, so that another ladder reads it rightly. */
void live_state_print(const struct live_state *s, const struct ladder *l, struct buf *to);
bool live_state_parse(struct span text, const struct ladder *l, struct live_state *out);

/* The ladder that channel `id` is encoded at: its own, its category's or the usual one. A channel
 * that the catalogue does not know has no category. Fails: FAIL_INPUT. */
int live_ladder(const struct conf *conf, const char *id, struct ladder *out, struct fail *f);

/* Reads the record; a missing, stale or broken one gives a zeroed *s (LIVE_OFF). */
void live_look(
	const struct conf *conf, const struct ladder *l, const char *id, struct live_state *s);

/* Somebody wants to see `id`: marks it as watched and has the supervisor start it when it is not
 * running. Cheap enough for every playlist request; never waits. False when no supervisor has heard
 * it (summon.h). */
bool live_ask(const struct conf *conf, const char *id);

/* Somebody wants the stream of `id` as it is, which then stands in live/work/{id}/spool: to be said
 * every second. The same otherwise. */
#define LIVE_SPOOL "spool"
bool live_ask_stream(const struct conf *conf, const char *id);

/* Has the supervisor end the process of `id` in favour of another channel. Never waits. */
void live_ask_leave(const struct conf *conf, const char *id);

/* Has the supervisor resolve the channel's token; `refresh`: though there is one. Never waits.
 * False when no supervisor has heard it. */
bool live_ask_token(const struct conf *conf, const char *id, bool refresh);

enum live_answer {
	LIVE_READY,   /* *to is the playlist */
	LIVE_NOT_YET, /* ask again soon */
	LIVE_AT,      /* ask the host at s->base */
	LIVE_NO_SUCH, /* the channel has no such rendition: 404 */
	LIVE_FAILED   /* *f says why nothing can be shown: 502, 503 or 504 */
};

/* Of what live_look() has found with the same ladder: writes the master of what is encoded
 * (variants "720p.m3u8", relative to the master's own URL) where rendition.len is 0, or else the
 * media playlist of `rendition`. */
enum live_answer live_tell(const struct ladder *l, const char *id, struct span rendition,
	const struct live_state *s, struct buf *to, struct fail *f);

/* live_ask(), then live_look() and live_tell() until the answer is not LIVE_NOT_YET, at most
 * `wait_ms`. A refusal of the source is answered only when nothing came in that time: the first
 * attempt may fail where the second succeeds. */
enum live_answer live_await(const struct conf *conf, const struct ladder *l, const char *id,
	struct span rendition, int64_t wait_ms, struct live_state *s, struct buf *to,
	struct fail *f);

/* The channel's token, asked for and waited for at most `wait_ms` when it is not there, or when
 * `refresh` and the last answer is older than 5 s. *asked says whether this call caused (or joined)
 * a resolution. 0: *t is good. -1: FAIL_TIMEOUT, or what the gateway said. */
int live_await_token(const struct conf *conf, struct mc *mc, const char *id, bool refresh,
	int64_t wait_ms, struct token *t, bool *asked, struct fail *f);

#endif
