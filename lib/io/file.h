/* lib/io/file.h - small files, whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_FILE_H
#define SLUICE_IO_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/span.h"

/* Adds the whole of a file to `to`. Fails: FAIL_MISSING when there is none, FAIL_INTERNAL when it
 * cannot be read or does not fit into to->max; what was added then is undefined. */
int file_read(const char *path, struct buf *to, struct fail *f);

/* Makes `path` have exactly these bytes and this mode: readers see the old file or the new one,
 * never a part (temporary name in the same directory, then rename). Root leaves it to the owner and
 * group that it had. Not synced to the disk.
 * Fails: FAIL_INTERNAL; the old file is untouched then and nothing is left over. */
int file_replace(const char *path, struct span bytes, mode_t mode, struct fail *f);

/* The same, but where a full disk leaves no room for a new file, what is there is overwritten: with
 * as many bytes at most as its blocks hold, this works on a full disk too. Readers may then see the
 * beginning of the new bytes with the end of the old ones, for a moment. */
int file_renew(const char *path, struct span bytes, mode_t mode, struct fail *f);

/* Makes the directory and those above it that are missing, each with `mode` under the umask.
 * One that is there is fine and keeps its mode. Fails: FAIL_INTERNAL. */
int file_mkdirs(const char *path, mode_t mode, struct fail *f);

/* Sets the modification time to clock_real_ms(), making the file (0640) when it is missing.
 * False when it cannot. */
bool file_touch(const char *path);

/* When the file was last changed, in milliseconds since the epoch; -1 when there is none. */
int64_t file_mtime_ms(const char *path);

/* Prints a path into `to`, of `size` bytes. False, with `to` empty, when it does not fit. */
bool file_path(char *to, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Lets the process hold as many descriptors as the host allows it. */
void file_raise_limit(void);

#endif
