/* fcgi-app/processes/roles.h - what the supervisor runs: one line of a table a kind of process.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_ROLES_H
#define SLUICE_PROCESSES_ROLES_H

#include <stdbool.h>

struct board;
struct conf;

/* When one that has ended is started again. WHILE_ASKED: after a crash, as long as somebody still
 * asks. */
enum again { AGAIN_NEVER, AGAIN_ALWAYS, AGAIN_WHILE_ASKED };

struct role {
	const char *name; /* on the board and in the log, at most 15 bytes */
	const char *verb; /* of the message that asks for it, or NULL */
	/* Its body, in a process of its own, which stands on the board. Ends on SIGTERM. Returns
	 * the exit status: 0 after a good end. `id` is "" for what has none. */
	int (*run)(const struct conf *conf, struct board *board, const char *id);
	/* AGAIN_ALWAYS: there is one from the start, without an id, if it is due */
	enum again again;
	bool (*due)(const struct conf *conf); /* NULL, or looked at now and then: true starts one */
	int most;			      /* at once */
	bool refused; /* above `most`; otherwise one more waits for its turn */
	bool renews;  /* a reload ends it; it begins anew when somebody asks */
};

extern const struct role roles[];
extern const int role_count;

#endif
