/* lib/svc/object.h - an object of the byte cache: how it is asked for, and where it lies.
 * SPDX-License-Identifier: BSD-2-Clause
 * Below stream_dir: work/{name}.map says which blocks of work/{file} are there
 * (lib/io/block_map.h), and what is whole is linked as pub/{file}.{suffix}, seen as www/cdn/o.
 * {name} stands for what was asked for; several names may lead to one map. {file} stands for the
 * bytes: their object, size and validator; nobody guesses it. */
#ifndef SLUICE_SVC_OBJECT_H
#define SLUICE_SVC_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/http/ident.h"
#include "lib/http/quality.h"
#include "lib/io/block_map.h"
#include "lib/io/sign.h"

struct conf;

enum { OBJECT_NAME_BYTES = 33, OBJECT_FORMAT_BYTES = 16, OBJECT_ID_BYTES = 2 * IDENT_MAX };

/* What is asked for, as lib/svc/resolved.h means it. Goes over sockets as it is. */
struct object_ask {
	char id[OBJECT_ID_BYTES];
	char format[OBJECT_FORMAT_BYTES]; /* "" for any */
	int64_t kbps;			  /* hinted, for QUALITY_AUTO */
	int32_t quality, height;	  /* of struct quality */
};

/* An id of a title, a page or a source's own: letters, digits, '.', '_' and '-'. */
bool object_id_ok(const char *id);

/* False for what is no id, and for a format that is too long to be one. */
bool object_ask_make(struct object_ask *to, const char *id, const struct quality *quality,
	int64_t kbps, const char *format);
bool object_ask_ok(const struct object_ask *ask); /* of one that came from outside */
struct quality object_ask_quality(const struct object_ask *ask);

/* The {name} of what is asked for, and of an object as it is resolved (struct resolved). */
void object_name(const struct object_ask *ask, char to[OBJECT_NAME_BYTES]);
void object_name_resolved(const char *object, char to[OBJECT_NAME_BYTES]);

/* The {file} of the bytes that `object` has with that size and validator. Those without a validator
 * are never the same twice. */
void object_file(const char *object, const struct block_map_info *info,
	const unsigned char key[SIGN_SIZE], char to[OBJECT_NAME_BYTES]);

/* An upstream's validator as the map keeps it: as it is, or a digest of one that is long or odd. */
void object_validator(const char *text, char to[sizeof((struct block_map_info){0}.validator)]);

/* Paths. False when they are too long. `public`: below www_dir. */
bool object_map_path(const struct conf *conf, const char *name, char *to, size_t size);
bool object_work_path(const struct conf *conf, const char *file, char *to, size_t size);
bool object_pub_path(
	const struct conf *conf, const struct block_map_info *info, char *to, size_t size);
enum { OBJECT_PUBLIC_BYTES = 64 };
void object_public_name(const struct block_map_info *info, char to[OBJECT_PUBLIC_BYTES]);

/* Opens what has been asked for before, when it may be used. */
bool object_open(
	const struct conf *conf, const char *name, const char *boot, struct block_map **map);

#endif
