/* fcgi-app/processes/standin.c - a supervisor that runs without a master.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/standin.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"
#include "lib/io/proc.h"

enum { PATIENCE_MS = 10000 };

static pid_t find(const struct conf *conf)
{
	char path[PATH_MAX];

	file_path(path, sizeof(path), "%s/supervisor.lock", conf->run_dir);
	return lock_holder(path);
}

static bool is_on_demand(const struct conf *conf, pid_t pid)
{
	const struct board_slot *slot;
	struct board *board = NULL;
	char path[PATH_MAX];
	struct fail f;
	bool found;

	file_path(path, sizeof(path), "%s/board", conf->run_dir);
	if (board_open(&board, path, &f) < 0)
		return false;
	slot = board_find(board, pid);
	found = slot && strcmp(slot->name, STANDIN_NAME) == 0;
	board_close(&board);
	return found;
}

pid_t standin_end(const struct conf *conf, struct fail *f)
{
	pid_t pid = find(conf);

	return pid == 0 || proc_end(pid, PATIENCE_MS, f) == 0 ? pid : -1;
}

int standin_dismiss(const struct conf *conf, struct fail *f)
{
	pid_t pid = find(conf);

	if (pid == 0 || !is_on_demand(conf, pid))
		return 0;
	return standin_end(conf, f) < 0 ? -1 : 0;
}
