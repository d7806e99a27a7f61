/* lib/svc/source_xtream.h - an Xtream Codes gateway as a source.
 * SPDX-License-Identifier: BSD-2-Clause
 * player_api.php as gateways really answer it: numbers as text and back, null, [] for {}, {} for
 * [], a web page instead of JSON. What cannot be read is left out; a row without key or name
 * too. */
#ifndef SLUICE_SVC_SOURCE_XTREAM_H
#define SLUICE_SVC_SOURCE_XTREAM_H

#include "lib/svc/source.h"

extern const struct source_type source_xtream;

/* The pure part, for tests: what one reply says, to `sink`.
 * Fails: FAIL_UPSTREAM for what is no JSON, or what the sink failed with. */
int source_xtream_categories(struct span json, const struct source_sink *sink, struct fail *f);
int source_xtream_channels(struct span json, const struct source_sink *sink, struct fail *f);
int source_xtream_films(struct span json, const struct source_sink *sink, struct fail *f);
int source_xtream_series(struct span json, const struct source_sink *sink, struct fail *f);

/* The reply to get_series_info of series `series`, to sink->episode. Fails, too: FAIL_FORBIDDEN
 * where it refuses the account instead. */
int source_xtream_episodes(
	struct span json, struct span series, const struct source_sink *sink, struct fail *f);

/* Reads the reply to a login. Fails: FAIL_FORBIDDEN when the account is refused, has ended or is
 * not active; FAIL_UPSTREAM for what is no JSON. */
int source_xtream_login(struct span json, struct fail *f);

#endif
