/* lib/io/sock.h - unix sockets that are there whole or not at all.                       unix(7)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_SOCK_H
#define SLUICE_IO_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/fail.h"

enum { SOCK_NO_GROUP = -1 };

/* Makes a listening stream socket at `path`, mode 0660, of `group` unless SOCK_NO_GROUP. It takes
 * the place of what stands there at once (bound beside it, then renamed), so that a client finds
 * the old one or the new one. Fails: FAIL_INPUT for a path that is too long, FAIL_INTERNAL. */
int sock_listen(const char *path, gid_t group, int *fd, struct fail *f);

/* The same for connections that keep messages apart (SOCK_SEQPACKET); accepting never blocks. */
int sock_listen_packets(const char *path, gid_t group, int *fd, struct fail *f);

/* The same for datagrams; it never blocks. */
int sock_datagram(const char *path, gid_t group, int *fd, struct fail *f);

/* Connects to the stream socket at `path`; -1 with errno when nobody listens there (yet). */
int sock_connect(const char *path);

/* The same where messages are kept apart; neither this nor the socket ever blocks. */
int sock_connect_packets(const char *path);

/* Takes one who waits at `listen_fd`, which does not block, as the new descriptor does not. -1 when
 * nobody can be taken; *rest says whether somebody waits all the same, for want of descriptors or
 * memory: who polls leaves the door alone for a moment then, or it would be asked without end. */
int sock_accept(int listen_fd, bool *rest);

/* Whether `fd` is a socket that accepts connections. */
bool sock_is_listening(int fd);

/* Whether somebody has connected whom nobody has accepted yet. */
bool sock_is_awaited(int listen_fd);

/* Whether a path fits into a socket's address, temporary name included. */
bool sock_path_fits(const char *path);

#endif
