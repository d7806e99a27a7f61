/* fcgi-app/processes/janitor.h - ends lives, keeps quota and free space, clears what the dead left.
 * SPDX-License-Identifier: BSD-2-Clause
 * It may die at any instant: what it was about to remove is still listed in lives/ or made/. It
 * scans nothing but live/work at its start, so a million published files cost nothing then. */
#ifndef SLUICE_PROCESSES_JANITOR_H
#define SLUICE_PROCESSES_JANITOR_H

struct board;
struct conf;

/* Body of the janitor process; ends with 0 on SIGTERM. */
int janitor_run(const struct conf *conf, struct board *board);

#endif
