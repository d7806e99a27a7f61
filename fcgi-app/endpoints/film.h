/* fcgi-app/endpoints/film.h - a film, looked up: where it is, what is in it, its version.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_ENDPOINTS_FILM_H
#define SLUICE_ENDPOINTS_FILM_H

#include "fcgi-app/door/reply.h"
#include "fcgi-app/door/request.h"
#include "lib/base/fail.h"
#include "lib/hls/record.h"
#include "lib/svc/title.h"

struct app;

struct film_seen {
	uint64_t viewer; /* who wants it (lib/svc/viewers.h), where its index must be made; 0: not
			    known */
	uint64_t client; /* and who waits for it (request.h) */
	struct title title;
	struct record record;
	char ver[TITLE_VER_BYTES];
	struct buf bytes; /* that the record points into */
	struct arena arena;
};

/* Looks the film up, as it is now. Waits up to `wait_ms` for its index where that must be made.
 * What it holds is given back by film_close(), also after a failure. Fails: FAIL_MISSING,
 * FAIL_BUSY, FAIL_UPSTREAM for a film that cannot be read. */
int film_open(struct film_seen *film, struct app *app, const struct ident *id, int64_t wait_ms,
	struct fail *f);
void film_close(struct film_seen *film);

/* Whether the film is likely to stay as it is: its file was not written to within the last hour.
 * Of one at a gateway that is not known, and taken for granted. */
bool film_is_settled(const struct film_seen *film);

/* To the address of the film as it is now, which the next request may find elsewhere. `to` is NULL
 * where the arena had no room for it. Fails: FAIL_INPUT for that, and as reply_redirect(). */
int film_redirect(struct reply *r, const char *to, struct fail *f);

#endif
