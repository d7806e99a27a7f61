/* fcgi-app/processes/live/live.h - a channel that somebody watches, from source to playlists.
 * SPDX-License-Identifier: BSD-2-Clause
 * Fetches the source's MPEG-TS, feeds it to ffmpeg, publishes each finished segment and lists it in
 * the record that workers answer playlists from (lib/svc/live.h). Goes on through whatever happens
 * upstream, in ffmpeg, in memcached or on the disk, until nobody has asked for live_idle_s. */
#ifndef SLUICE_PROCESSES_LIVE_LIVE_H
#define SLUICE_PROCESSES_LIVE_LIVE_H

struct board;
struct conf;

/* Body of the process of channel `id`, a public id that exists. Returns its exit status:
 * 0  it ended because nobody watches, SIGTERM came, or another process or host has the channel;
 * 1  it cannot work, which has been logged. */
int live_run(const struct conf *conf, const char *id, struct board *board);

#endif
