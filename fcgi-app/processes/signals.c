/* fcgi-app/processes/signals.c - what the loops that start processes are told by signals.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(int *fd, struct fail *f)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd < 0)
		return fail_set(f, FAIL_INTERNAL, "There is no descriptor for signals");
	return 0;
}

void signals_take(int fd, bool *stop, bool *renew)
{
	struct signalfd_siginfo got;

	while (read(fd, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		if (got.ssi_signo == SIGTERM || got.ssi_signo == SIGINT)
			*stop = true;
		if (got.ssi_signo == SIGHUP)
			*renew = true;
	}
}
