/* lib/io/feed.h - bytes of a file that lies elsewhere, asked for over a socket.
 * SPDX-License-Identifier: BSD-2-Clause
 * One struct feed_request goes out; back comes a number of bytes (4, the machine's order: 0 at the
 * end, -1 when they cannot be had) and so many bytes. One at a time. */
#ifndef SLUICE_IO_FEED_H
#define SLUICE_IO_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEED_MAX_BYTES = 262144 };

struct feed_request {
	uint64_t offset;
	uint32_t length; /* 1 to FEED_MAX_BYTES */
	uint32_t unused;
};

/* Reads up to `n` bytes from `offset` on. How many; 0 at the end; -1 with errno. Uses nothing but
 * read() and write(). */
int feed_read(int socket, uint64_t offset, void *to, size_t n);

/* The other end: sends `len` bytes as an answer; `len` -1: they cannot be had. False when the
 * client is gone, or does not read within the socket's time limit. */
bool feed_answer(int socket, const void *bytes, int32_t len);

#endif
