/* lib/base/log.h - one line per event: time, level, process, event, then key=value fields.
 * SPDX-License-Identifier: BSD-2-Clause
 *   2026-11-21T01:09:41.123Z info live[4711] started channel=live-8 run=6f0c… n=880123
 * Values with blanks, quotes, '=' or control characters are quoted and escaped, and so is what is
 * no UTF-8, so that no value can forge a line or give orders to a terminal. Callers pass no secret
 * and no full upstream URL (see fetch_redact). Each line is one write(2) to standard error or to
 * the log file, so that processes never mix within a line. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_field {
	const char *key;  /* NULL ends the list */
	const char *text; /* NULL: print `number` */
	int64_t number;
};

static inline struct log_field log_field_text(const char *key, const char *value)
{
	return (struct log_field){key, value ? value : "-", 0};
}

#define LOG_STR(key_, value_) log_field_text((key_), (value_))
#define LOG_INT(key_, value_) ((struct log_field){(key_), 0, (int64_t)(value_)})

/* log_info("started", LOG_STR("channel", id), LOG_INT("n", n)); at least one field. */
#define log_at(level_, event_, ...)                                                                \
	log_write((level_), (event_), (const struct log_field[]){__VA_ARGS__, {0}})
#define log_error(event_, ...) log_at(LOG_ERROR, event_, __VA_ARGS__)
#define log_warn(event_, ...) log_at(LOG_WARN, event_, __VA_ARGS__)
#define log_info(event_, ...) log_at(LOG_INFO, event_, __VA_ARGS__)
#define log_debug(event_, ...) log_at(LOG_DEBUG, event_, __VA_ARGS__)

/* Sends lines to `path` (appended; NULL: standard error) and drops those below `level`.
 * Not to be called while other threads log. Fails: the file cannot be opened. */
int log_open(const char *path, enum log_level level, struct fail *f);

/* The word that stands for this process in its lines, at most 15 bytes: "api", "live", … */
void log_role(const char *role);

void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* "error", "warn", "info" or "debug" into *out; false for another word. */
bool log_level_parse(const char *word, enum log_level *out);

#endif
