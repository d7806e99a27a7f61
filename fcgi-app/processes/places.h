/* fcgi-app/processes/places.h - the directories the service lives in, and whom it runs as.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PLACES_H
#define SLUICE_PROCESSES_PLACES_H

#include <sys/types.h>

#include "lib/base/fail.h"

struct conf;

/* The ids behind the settings `user` and `group`; -1 where one is not set or not needed. */
struct places_owner {
	uid_t user;
	gid_t group;
};

enum { PLACES_UMASK = 027 };

/* Looks the names up. Fails: FAIL_INPUT for an unknown one. */
int places_owner(const struct conf *conf, struct places_owner *out, struct fail *f);

/* The same for a command beside the service. Where `user` is not set, as under systemd, root acts
 * for the user whom state_dir belongs to: what it makes there would be of no use to the service. */
int places_owner_beside(const struct conf *conf, struct places_owner *out, struct fail *f);

/* Makes all directories that are missing, and www/tv, the link to what live channels publish.
 * Those that a front server reads get the group of `owner`, and what is made in them inherits it.
 * Fails: FAIL_INTERNAL, naming the directory; FAIL_FORBIDDEN for a symbolic link on root's way that
 * is not root's own. */
int places_make(const struct conf *conf, const struct places_owner *owner, struct fail *f);

/* Becomes the user for good, when there is one and we are root. Fails: FAIL_INTERNAL. */
int places_become(const struct conf *conf, const struct places_owner *owner, struct fail *f);

/* Calls each(ctx, work, public) for every store: segments and the like are made in `work` and then
 * linked to `public`, so both must lie on one file system. */
void places_stores(const struct conf *conf,
	void (*each)(void *ctx, const char *work, const char *public_half), void *ctx);

#endif
