/* fcgi-app/processes/packager/packager.h - which parts of films are made now; they are handed out.
 * SPDX-License-Identifier: BSD-2-Clause
 * One a host. Workers ask by lib/svc/package.h; sluice-media does the work, one child for each
 * part. Whoever asks for what is being made waits for the same part; what nobody wants any more is
 * given up; a part whose child dies is begun once more. It keeps nothing that its death would lose:
 * who waited asks the next one. */
#ifndef SLUICE_PROCESSES_PACKAGER_PACKAGER_H
#define SLUICE_PROCESSES_PACKAGER_PACKAGER_H

struct board;
struct conf;

/* Body of a supervisor's child; ends on SIGTERM, and when it had nothing to do for a minute. Gives
 * its exit status. */
int packager_run(const struct conf *conf, struct board *board);

#endif
