/* fcgi-app/door/fcgi_file.h - a file as records of an answer.          FastCGI 1.0, section 3.3
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_DOOR_FCGI_FILE_H
#define SLUICE_DOOR_FCGI_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Sends `len` bytes of the file `fd` from `offset` on as FCGI_STDOUT of the request, from the
 * kernel's memory to the socket (sendfile(2)). False when they could not all go: a record may have
 * been begun then, so the connection is of no more use. */
bool fcgi_file_records(int socket, int request_id, int fd, int64_t offset, int64_t len);

#endif
