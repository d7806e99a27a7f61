/* lib/svc/music.h - music files of our own in another quality or format, made once.
 * SPDX-License-Identifier: BSD-2-Clause
 * What is made is published as cdn/m/{ver}.{ext}; {ver} is made of the file as it is now and what
 * was asked for, so another file has another name. */
#ifndef SLUICE_SVC_MUSIC_H
#define SLUICE_SVC_MUSIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/http/quality.h"
#include "lib/svc/jobs.h"
#include "lib/svc/title.h"

enum { MUSIC_NAME_MAX = 64 };

/* What is to be made of a file of sound. */
struct music {
	const char *format;  /* "mp3", "aac", "opus" or "flac"; also its file's ending */
	const char *quality; /* "low", "medium" or "high" */
	int kbps;	     /* 0 for "flac" */
};

/* Whether a title is a file of sound by its ending. */
bool music_is(const struct title *t);

/* What has to be made of `t` for a wish; false when it can be sent as it is. `quality` is resolved
 * by the settings where it was not said; `format` is "" or "auto" for any. */
bool music_choose(const struct conf *conf, const struct title *t, const struct quality *quality,
	int64_t hinted_kbps, const char *format, struct music *out);

/* Where it is published, in www. `now` is what the file is (title_open()). Fails: FAIL_INTERNAL. */
int music_name(const struct conf *conf, const struct title *t, const struct record_validator *now,
	const struct music *m, char to[MUSIC_NAME_MAX], struct fail *f);

/* The same of the file that is there now. Fails: as title_open() and music_name(). */
int music_name_now(const struct conf *conf, const struct title *t, const struct music *m,
	char to[MUSIC_NAME_MAX], struct fail *f);

/* Where it lies while it is made: who makes it holds it locked (flock), and it grows from its
 * beginning to its end. False when the path is too long. */
bool music_work_path(const struct conf *conf, const char *name, char *to, size_t size);

/* What the jobs process is asked with, and whether a line is one. */
void music_line(const struct title *t, const struct music *m, char to[JOBS_LINE_MAX]);
bool music_read(const char *line, struct ident *id, struct music *out);

/* Under which key it is left alone when it fails (lib/svc/setback.h). */
void music_setback(const char *name, char to[JOBS_LINE_MAX]);

#endif
