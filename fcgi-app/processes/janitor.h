/* fcgi-app/processes/janitor.h - ends lives, keeps quota and free space, clears what the dead left.
 * SPDX-License-Identifier: BSD-2-Clause
 * It may die at any instant: what it was about to remove is still listed in lives/ or made/. A
 * start looks at nothing but live/work, so a million published files cost nothing then; they are
 * counted afterwards, a little at a time, where the counters were lost, and once a day.
 *
 * Lives are by the real clock. When that goes back, files stay for longer; when it jumps forward,
 * they go early, which costs making them again. A file that is renewed keeps the later end. */
#ifndef SLUICE_PROCESSES_JANITOR_H
#define SLUICE_PROCESSES_JANITOR_H

struct board;
struct conf;

/* Body of the janitor process, which must have a single thread; ends with 0 on SIGTERM, with 1
 * (said in the log) when the directories cannot be used. */
int janitor_run(const struct conf *conf, struct board *board);

#endif
