/* lib/svc/art.h - logos of channels, posters of films and series, thumbnails of pages, by size.
 * SPDX-License-Identifier: BSD-2-Clause
 * Each size is fetched and scaled once by the jobs process of this host and published as a file. It
 * is looked for anew when it is older than art_ttl; what is there is sent meanwhile. */
#ifndef SLUICE_SVC_ART_H
#define SLUICE_SVC_ART_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/svc/jobs.h"
#include "lib/svc/resolved.h"

enum {
	ART_SIZE_MAX = 2048,
	ART_URL_MAX = 4096,
	ART_NAME_MAX = 200,
	ART_KEEP_S = 7 * 86400 /* after it was made or looked for last */
};

/* The next of 64, 128, 256, 512, 1024, 2048 at or above a size of 1 to 2048; 512 for the empty
 * text. False for anything else. */
bool art_size(struct span text, int64_t *size);

struct art {
	const struct conf_source *source; /* its allow list holds */
	char url[ART_URL_MAX];		  /* may hold secrets */
};

/* Where the picture of `id` is. RESOLVED_FAILED: FAIL_INPUT for what is no id, FAIL_MISSING for an
 * unknown one or one without a picture, or what the source said. RESOLVED_WAIT: a program has to be
 * asked, which is waited for at most `wait_ms`. */
enum resolved_result art_find(const struct resolved_at *at, const char *id, int64_t wait_ms,
	struct art *out, int64_t *retry_s, struct fail *f);

struct art_known {
	char name[ART_NAME_MAX]; /* as published in www */
	bool fresh;		 /* younger than art_ttl */
};

/* What was made of it; the file may be gone. False: nothing. */
bool art_look(const struct conf *conf, const char *id, int64_t size, struct art_known *out);
void art_keep(const struct conf *conf, const char *id, int64_t size, const char *name);

/* What the jobs process is asked with, and whether a line is one. */
void art_line(const char *id, int64_t size, char to[JOBS_LINE_MAX]);
bool art_read(const char *line, char id[JOBS_LINE_MAX], int64_t *size);

/* Under which key it is left alone when it fails (lib/svc/setback.h). */
void art_setback(const char *id, char to[JOBS_LINE_MAX]);

#endif
