/* fcgi-app/processes/scanner.h - watches the directories of films, and reads them anew.
 * SPDX-License-Identifier: BSD-2-Clause
 * What is new, changed, moved or gone there is in the catalogue a second or two later: the
 * directory is looked through as `sluice scan` does, when it has been quiet for a moment, and no
 * more often than takes a tenth of the time. One that cannot be watched whole (watch_dirs, or the
 * kernel's limit) is looked through from time to time; the log says so. */
#ifndef SLUICE_PROCESSES_SCANNER_H
#define SLUICE_PROCESSES_SCANNER_H

#include <stdbool.h>

struct board;
struct conf;

/* Whether a directory is configured. */
bool scanner_is_wanted(const struct conf *conf);

/* Body of a supervisor's child; ends on SIGTERM. Gives its exit status. */
int scanner_run(const struct conf *conf, struct board *board);

#endif
