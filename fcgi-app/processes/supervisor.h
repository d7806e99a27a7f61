/* fcgi-app/processes/supervisor.h - starts and ends the processes that are no workers.
 * SPDX-License-Identifier: BSD-2-Clause
 * It is asked by datagrams to run_dir "/supervisor.sock", one message "VERB ID" each and without an
 * answer: a verb of the table in roles.c wants such a process for that id, "watch live-8"; "leave
 * live-8" ends the channel's, because another channel needs its connection.
 * IDs are public ids (lib/http/ident.h). What it does not understand it ignores. */
#ifndef SLUICE_PROCESSES_SUPERVISOR_H
#define SLUICE_PROCESSES_SUPERVISOR_H

#include <stdbool.h>

#include "fcgi-app/processes/handover.h"

struct board;
struct conf;

/* Runs until SIGTERM, or, `on_demand` (summon.h), until nothing but the janitor has been needed for
 * 60 s; ends its children and returns 0 then. SIGHUP makes it a newer image of
 * itself, whose children go on. One at a time in a run_dir. `given` as for master_run().
 * Fails: FAIL_CONFLICT when another one runs, FAIL_INTERNAL. */
int supervisor_run(const struct conf *conf, struct board *board, const struct program *self,
	bool on_demand, const struct handover *given, struct fail *f);

#endif
