/* lib/io/pass.h - messages between our own processes, with descriptors.   unix(7), cmsg(3).
 * SPDX-License-Identifier: BSD-2-Clause
 * Over connected unix sockets. One call is one message where the socket keeps them apart
 * (SOCK_SEQPACKET). Nothing here blocks longer than the socket itself does. */
#ifndef SLUICE_IO_PASS_H
#define SLUICE_IO_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PASS_FDS_MAX = 4 };

/* Sends `len` bytes and `count` descriptors (at most PASS_FDS_MAX), which stay the caller's too.
 * False with errno when they could not go whole. */
bool pass_send(int socket, const void *bytes, size_t len, const int *fds, size_t count);

/* Takes one message of at most `size` bytes. Its descriptors are the caller's, close-on-exec, in
 * fds[0..*count); room for PASS_FDS_MAX. The bytes that came; 0: the other end is gone; -1 with
 * errno (EMSGSIZE for one that is longer, or brings more descriptors than fit: those are
 * closed). */
ssize_t pass_take(int socket, void *to, size_t size, int fds[PASS_FDS_MAX], size_t *count);

/* Closes them. */
void pass_close(const int *fds, size_t count);

#endif
