/* lib/io/walk.h - paths that are walked part by part.      openat(2), path_resolution(7).
 * SPDX-License-Identifier: BSD-2-Clause
 * Root that makes something below a directory of another user must not be led elsewhere: a part of
 * the path may be replaced by a symbolic link at any moment. So each is opened where the one before
 * it was found, and no link is followed that root has not made. */
#ifndef SLUICE_IO_WALK_H
#define SLUICE_IO_WALK_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/fail.h"

/* Opens the directory `path` (O_PATH) as *out, for the caller to close. What is missing of it is
 * made with `mode` under the umask, or with 0 is a failure. `wary`: only root's own links are
 * followed. Fails: FAIL_FORBIDDEN for another link then, FAIL_INTERNAL, both naming the
 * directory. */
int walk_open(const char *path, mode_t mode, bool wary, int *out, struct fail *f);

#endif
