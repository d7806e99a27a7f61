/* lib/svc/title.h - a film or an episode: from an id to where its bytes are, and to its version.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_TITLE_H
#define SLUICE_SVC_TITLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/io/sign.h"
#include "lib/svc/catalog.h"

struct buf;
struct conf;
struct conf_account;
struct conf_source;

enum { TITLE_VER_BYTES = 33 };

enum title_where {
	TITLE_FILE, /* film.url is its path below the source's directory */
	TITLE_HTTP  /* at a gateway, or film.url is its address */
};

struct title {
	struct film film;
	const struct conf_source *source; /* of the configuration */
	enum title_where where;
};

/* Fails: FAIL_MISSING for an unknown id, FAIL_BUSY when the catalogue cannot be read. */
int title_find(struct title *out, const struct conf *conf, struct catalog *catalog,
	const struct ident *id, struct fail *f);

/* Opens a TITLE_FILE for reading, which the caller closes, and says what it is now. It cannot lead
 * out of the source's directory, by whatever links. Fails: FAIL_MISSING when it is gone,
 * FAIL_UPSTREAM when it cannot be read. */
int title_open(const struct title *t, int *fd, struct record_validator *now, struct fail *f);

/* Opens what lies at `path` below the directory of a TITLE_FILE's source, as open(2) does, and
 * never anything outside of it. -1 with errno. */
int title_open_at(const struct title *t, const char *path, int flags);

/* Adds the address of a TITLE_HTTP to `url`, that of its source with `account`. A secret. Fails:
 * FAIL_INPUT for a source that has none. */
int title_url(
	const struct title *t, const struct conf_account *account, struct buf *url, struct fail *f);

/* The server's key, that versions and runs are made with; made at the first use.
 * Fails: FAIL_INTERNAL. */
int title_key(const struct conf *conf, unsigned char key[SIGN_SIZE], struct fail *f);

/* The {ver} of the title while its bytes are those: 32 hexadecimal digits that nobody can guess.
 * Another size, time, ladder or source means another one. */
void title_version(const struct title *t, const struct record_validator *bytes, const char *ladder,
	const unsigned char key[SIGN_SIZE], char ver[TITLE_VER_BYTES]);

#endif
