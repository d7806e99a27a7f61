/* lib/svc/source_xtream_inside.h - what the files of source_xtream.h share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_SOURCE_XTREAM_INSIDE_H
#define SLUICE_SVC_SOURCE_XTREAM_INSIDE_H

#include "lib/svc/source_xtream.h"

struct json_object;

/* Reads JSON; the caller puts it back. NULL: FAIL_UPSTREAM. */
struct json_object *xtream_parse(struct span text, struct fail *f);

/* A member as text: a string, or a number as it was written; "" for anything else. */
struct span xtream_text(struct json_object *o, const char *name);

/* A member as a number of 0 or more; 0 for anything else. */
int64_t xtream_number(struct json_object *o, const char *name);

/* The ending of a title's file; "" for none that could be one. */
struct span xtream_suffix(struct json_object *item);

/* The address of player_api.php for `action` ("" to log in), which may bring parameters, into
 * `url`. A secret. */
int xtream_action(const struct conf_source *s, const char *action, struct buf *url, struct fail *f);

/* Whether an answer of that status is one. */
int xtream_status(int status, struct fail *f);

/* For the table of the type. */
int source_xtream_fetch_episodes(const struct conf_source *s, const char *key,
	const struct source_sink *sink, struct fail *f);

#endif
