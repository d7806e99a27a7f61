/* lib/svc/origin.h - from where a channel can be had, in the order of trying.
 * SPDX-License-Identifier: BSD-2-Clause
 * A channel of one source has an origin for each account there. Sources of one group mirror each
 * other: what they call by the same guide id, or by the same name, is one channel with the origins
 * of all. An origin's name stands in records, logs and answers, and holds no secret. */
#ifndef SLUICE_SVC_ORIGIN_H
#define SLUICE_SVC_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/http/ident.h"

struct catalog;
struct conf;
struct conf_account;
struct conf_source;

enum { ORIGINS_MAX = 16, ORIGIN_NAME_BYTES = 80, ORIGIN_ACCOUNT_BYTES = 33 };

struct origin {
	char name[ORIGIN_NAME_BYTES]; /* "star", "star/second", "list#2" */
	const struct conf_source *source;
	const struct conf_account *account;
	char key[IDENT_KEY_MAX]; /* the source's own for the channel */
	int64_t entry;		 /* 0, or which of several of that key in a list */
};

struct origins {
	struct origin list[ORIGINS_MAX];
	size_t count;
};

/* All origins of channel `id`, at least one. Borrows from `conf`. Fails: as catalog_channel(). */
int origins_find(struct origins *out, const struct conf *conf, struct catalog *catalog,
	const char *id, struct fail *f);

/* The one of that name, or NULL. */
const struct origin *origins_named(const struct origins *o, const char *name);

/* What tells accounts apart, whichever sections of the configuration name them: 32 hexadecimal
 * digits of a hash of address and user. */
void origin_account(const struct origin *o, char to[ORIGIN_ACCOUNT_BYTES]);

#endif
