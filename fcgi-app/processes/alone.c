/* fcgi-app/processes/alone.c - `sluice fcgi`: a worker that a front server starts itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/alone.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fcgi-app/processes/places.h"
#include "fcgi-app/processes/worker.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sock.h"

bool alone_is_cgi(void)
{
	return !sock_is_listening(STDIN_FILENO) && getenv("GATEWAY_INTERFACE") != NULL;
}

static int open_places(const struct conf *conf, struct board **board, struct fail *f)
{
	struct places_owner owner;
	char path[PATH_MAX];

	file_path(path, sizeof(path), "%s/board", conf->run_dir);
	if (places_owner(conf, &owner, f) < 0 || places_make(conf, &owner, f) < 0 ||
		places_become(conf, &owner, f) < 0)
		return -1;
	return board_open(board, path, f);
}

int alone_run(const struct conf *conf, const char *pool, struct fail *f)
{
	struct board *board = NULL;
	int result;

	if (!sock_is_listening(STDIN_FILENO) && !alone_is_cgi())
		return fail_set(f, FAIL_INPUT,
			"Standard input is no listening socket, and there is no CGI request: a "
			"front server starts this");
	if (open_places(conf, &board, f) < 0)
		return -1;
	if (alone_is_cgi()) {
		board_enter(board, "cgi", NULL);
		result = worker_cgi(conf, board, f);
	} else {
		board_enter(board, pool, NULL);
		result = worker_run(conf, pool, STDIN_FILENO, board);
		if (result)
			fail_set(f, FAIL_INTERNAL, "The %s pool ended; the log says why", pool);
	}
	board_close(&board);
	return result ? -1 : 0;
}

void alone_refuse(void)
{
	fputs("Status: 503 Service Unavailable\r\n"
	      "Content-Type: application/json\r\n"
	      "Cache-Control: no-store\r\n"
	      "Retry-After: 5\r\n\r\n"
	      "{\"error\":{\"code\":\"busy\",\"message\":\"The service cannot start; its log says "
	      "why\",\"retryAfter\":5}}",
		stdout);
}
