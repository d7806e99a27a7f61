/* lib/svc/viewers.h - who has asked for a channel's playlists lately, and whose wish goes first.
 * SPDX-License-Identifier: BSD-2-Clause
 * A viewer is an address and a program: two people with the same player behind one address count as
 * one. Kept in live/work/{id}/viewers, a table of VIEWERS_MAX; a channel with more has many, which
 * is all that anybody wants to know. */
#ifndef SLUICE_SVC_VIEWERS_H
#define SLUICE_SVC_VIEWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/span.h"

struct conf;

enum {
	VIEWERS_MAX = 64,
	VIEWER_SPELL_MS = 10000, /* a pause as long ends a spell of viewing */
	VIEWER_GONE_MS = 3000	 /* players ask every 2 s */
};

struct viewer {
	uint64_t who;
	int64_t since_ms; /* when this spell began, since the epoch */
	int64_t last_ms;  /* when they last asked */
};

/* A number for who asks; never 0. */
uint64_t viewer_who(struct span address, struct span program);

/* `who` has asked for channel `id`. Cheap enough for every playlist request; failures pass. */
void viewers_note(const struct conf *conf, const char *id, uint64_t who);

/* Those who asked within VIEWER_SPELL_MS into `to`; gives how many. */
size_t viewers_read(const struct conf *conf, const char *id, struct viewer to[VIEWERS_MAX]);

/* When an account allows no more: whether the channel watched by `old` ends in favour of the one
 * that `new` wait for. It does when nobody asks for it any more, and when its only viewer is one of
 * those who wait: one who has begun with the new channel later than with the old one, or has not
 * asked for the old one for VIEWER_GONE_MS. So whoever changes channel gets it at once, and of two
 * players of one viewer the newer one wins, for good. */
bool viewers_give_way(const struct viewer *old, size_t old_count, const struct viewer *new,
	size_t new_count, int64_t now_ms);

#endif
