/* fcgi-app/processes/live.h - the process of a channel that somebody watches.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_LIVE_H
#define SLUICE_PROCESSES_LIVE_H

struct board;
struct conf;

/* Keeps channel `id` on until nobody has asked for its playlists for live_idle, or SIGTERM. Ends
 * with 0 then, and when another process or host has the channel; with 1 when it could not work. */
int live_run(const struct conf *conf, const char *id, struct board *board);

#endif
