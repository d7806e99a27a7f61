/* fcgi-app/media/media.c - sluice-media: reads and encodes films for the packager.
 * SPDX-License-Identifier: BSD-2-Clause
 * The only program that is linked with libav*. It is started by the packager, which leaves a socket
 * as descriptor MEDIA_SOCKET; it takes no arguments. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "fcgi-app/media/work.h"
#include "fcgi-app/media/zygote.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { KEPT_BYTES = 16 << 20 };

/* A job's memory is had once and given back at its end, with the process. */
static void set_memory(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
	int type = 0;
	socklen_t size = sizeof(type);

	(void)argv;
	if (argc > 1 || getsockopt(MEDIA_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
		type != SOCK_SEQPACKET) {
		fputs("sluice-media is started by sluice, not by hand.\n", stderr);
		return 2;
	}
	clock_init();
	log_role("media");
	signal(SIGPIPE, SIG_IGN);
	set_memory();
	work_begin();
	return zygote_run(MEDIA_SOCKET, work_do);
}
