/* fcgi-app/processes/standin.c - a supervisor that runs without a master.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/standin.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/lock.h"

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
	struct pollfd gone = {-1, POLLIN, 0};
	pid_t pid = find(conf);
	bool ended;

	if (pid == 0)
		return 0;
	gone.fd = pidfd_open(pid, 0); /* before the signal, so that it is this process */
	if (kill(pid, SIGTERM) < 0 && gone.fd >= 0) {
		close(gone.fd);
		return fail_set(f, FAIL_FORBIDDEN,
			"Process %d cannot be told: it belongs to another user", (int)pid);
	}
	ended = gone.fd < 0 || poll(&gone, 1, PATIENCE_MS) > 0;
	if (gone.fd >= 0)
		close(gone.fd);
	if (!ended)
		return fail_set(f, FAIL_TIMEOUT, "Process %d has not stopped within %d s", (int)pid,
			PATIENCE_MS / 1000);
	return pid;
}

int standin_dismiss(const struct conf *conf, struct fail *f)
{
	pid_t pid = find(conf);

	if (pid == 0 || !is_on_demand(conf, pid))
		return 0;
	return standin_end(conf, f) < 0 ? -1 : 0;
}
