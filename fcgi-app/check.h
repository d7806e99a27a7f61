/* fcgi-app/check.h - `sluice check`: whether this host can run what the configuration says.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_CHECK_H
#define SLUICE_CHECK_H

#include <stdbool.h>
#include <stdio.h>

struct conf;

/* Looks and tells, one line a finding, to `to`: "error: …" for what keeps the service from working,
 * "warning: …" for what makes it worse. Makes the directories that are missing, nothing else.
 * `running_dir` (may be NULL) is the run_dir of a service that is about to reload: another one now
 * is an error. True when there was no error. */
bool check_host(const struct conf *conf, const char *running_dir, FILE *to);

#endif
