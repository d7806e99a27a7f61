/* lib/svc/package.h - asks this host's packager to make a part of a film, and waits for it.
 * SPDX-License-Identifier: BSD-2-Clause
 * The packager (fcgi-app/processes/packager/packager.h) listens at run_dir "/packager.sock"; the
 * supervisor starts it when somebody asks. What it makes is published; only what could not be kept
 * comes along as a descriptor. Over the stream socket goes one struct package_request, and one
 * struct package_answer comes back; a client that closes before that wants it no more. */
#ifndef SLUICE_SVC_PACKAGE_H
#define SLUICE_SVC_PACKAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/http/ident.h"

struct conf;

enum { PACKAGE_VERSION = 1, PACKAGE_VER_BYTES = 33, PACKAGE_RENDITION_BYTES = 16 };

enum package_part {
	PACKAGE_INDEX,	 /* of the film as it is now; its record comes along */
	PACKAGE_INIT,	 /* {ver}/{rendition}/init.mp4 */
	PACKAGE_SEGMENT, /* {ver}/{rendition}/{n}.{suffix} */
	PACKAGE_PARTS
};

struct package_request {
	uint32_t version, part;
	uint64_t viewer; /* a number for who asks: lib/svc/viewers.h */
	uint64_t client; /* and for their address alone; 0: not known, or this host */
	uint32_t n;
	char id[IDENT_MAX];
	char ver[PACKAGE_VER_BYTES]; /* "" for the index */
	char rendition[PACKAGE_RENDITION_BYTES];
	char suffix[8];
};

struct package_answer {
	uint32_t version;
	uint32_t kind;	  /* enum fail_kind: FAIL_NONE when it is there */
	uint32_t changed; /* with FAIL_MISSING: the film is another one now */
	char text[200];
};

/* Where a part is published, below www: "api/hls/vod-7/{ver}/720p/12.m4s". */
enum { PACKAGE_NAME_BYTES = 200 };
void package_name(const struct package_request *rq, char to[PACKAGE_NAME_BYTES]);

struct package_reply {
	int fd;	      /* its bytes where it could not be kept, and for the index; else -1 */
	bool changed; /* a failure, because the film has another {ver} now */
};

/* Waits at most `wait_ms` of real time, and no longer than `gone_fd` (-1: not looked at), a
 * client's connection, is open. The caller closes out->fd. Fails: FAIL_BUSY when it is not ready by
 * then (what was begun may go on); FAIL_GONE; or what the packager says: FAIL_MISSING for what the
 * film has not, FAIL_UPSTREAM for one that cannot be read, FAIL_TIMEOUT. */
int package_ask(const struct conf *conf, const struct package_request *rq, int64_t wait_ms,
	int gone_fd, struct package_reply *out, struct fail *f);

/* The socket's path, and what the supervisor is asked with. */
bool package_socket(const struct conf *conf, char *to, size_t size);
#define PACKAGE_VERB "package"
#define PACKAGE_ID "vod-all"

#endif
