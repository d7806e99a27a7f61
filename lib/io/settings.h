/* lib/io/settings.h - the table of all settings.
 * SPDX-License-Identifier: BSD-2-Clause
 * It feeds the parser, the SLUICE_<NAME> variables, `sluice check`, the example and the man
 * page. */
#ifndef SLUICE_IO_SETTINGS_H
#define SLUICE_IO_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_TEXT,	/* const char * */
	SETTING_SECRET, /* the same, never printed */
	SETTING_PATH,	/* the same; a relative one is below the directory of the file */
	SETTING_NUMBER, /* int64_t */
	SETTING_BYTES,	/* int64_t; with k, M, G or T for powers of 1024 */
	SETTING_TIME,	/* int64_t seconds; with s, min, h or d */
	SETTING_FACTOR, /* int64_t thousandths: "0.5" is 500 */
	SETTING_CHOICE, /* const char *, one of `words` */
	SETTING_WORD	/* an enum: the place of the word in `words` */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;	     /* in struct conf */
	const char *usual;   /* the default, as it would be written */
	int64_t least, most; /* of a number, of bytes, of seconds */
	const char *words;   /* of SETTING_WORD, by blanks; of a number: the word for 0 */
	const char *help;    /* one or two sentences */
};

extern const struct setting settings[];
extern const size_t setting_count;

#endif
