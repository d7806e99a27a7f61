/* lib/svc/summon.h - asks the supervisor for work, and starts one where no master does.
 * SPDX-License-Identifier: BSD-2-Clause
 * The supervisor takes datagrams (fcgi-app/processes/supervisor.h). Where conf->program is set and
 * none runs, the first process that needs one locks run_dir "/supervisor.lock", makes its socket,
 * and leaves both to a supervisor that is nobody's child: however many ask at once, one starts, and
 * what was asked meanwhile waits in the socket. It ends by itself when nobody asks any more. */
#ifndef SLUICE_SVC_SUMMON_H
#define SLUICE_SVC_SUMMON_H

#include <stdbool.h>

struct conf;

/* Where a supervisor that was started so finds its lock and its socket. */
enum { SUMMON_LOCK_FD = 3, SUMMON_SOCKET_FD = 4 };

/* Says "verb id" to the supervisor. False when nobody has heard it: one is just starting or ending,
 * or there is none; ask again soon. Never waits. From any thread. */
bool summon_ask(const struct conf *conf, const char *verb, const char *id);

/* Where there is no master: has a supervisor come by when none has been there for a quarter of an
 * hour, because lives end and lists grow old though nobody asks for a child. Never waits. */
void summon_for_upkeep(const struct conf *conf);

/* Takes note that a supervisor is or was here now; by itself, as it starts and as it ends. */
void summon_note_upkeep(const struct conf *conf);

#endif
