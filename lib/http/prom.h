/* lib/http/prom.h - figures for Prometheus.   Prometheus text 0.0.4, OpenMetrics 1.0.0
 * SPDX-License-Identifier: BSD-2-Clause
 * prom_begin(), then for each metric prom_metric() and its samples, then prom_end(). */
#ifndef SLUICE_HTTP_PROM_H
#define SLUICE_HTTP_PROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define PROM_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define PROM_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum prom_type { PROM_COUNTER, PROM_GAUGE, PROM_HISTOGRAM };

struct prom {
	struct buf *to;
	bool open;     /* OpenMetrics, else text 0.0.4 */
	char name[96]; /* of the metric whose samples come */
	enum prom_type type;
	int64_t divisor;
};

struct prom_label {
	const char *name, *value; /* any text: it is escaped here */
};

/* Whether the value of an Accept field (or NULL) would rather have OpenMetrics than plain text. */
bool prom_wants_open(const char *accept);

/* `to` is borrowed until prom_end(). */
void prom_begin(struct prom *p, struct buf *to, bool open);

/* Begins the metric `name` of [a-z0-9_], in base units, without "_total", which is added to
 * counters. `help` is a sentence of ours. Samples are divided by `divisor`, a power of ten. */
void prom_metric(
	struct prom *p, const char *name, enum prom_type type, int64_t divisor, const char *help);

/* One sample of a counter or gauge; `value` before it is divided. */
void prom_sample(struct prom *p, const struct prom_label *labels, size_t count, int64_t value);

/* The samples of one histogram: `per_bucket`[i] fell in between bounds[i - 1] and bounds[i], both
 * as text such as "0.25"; the last one has no upper bound, so `bounds` has one entry less. `sum` is
 * divided. At most 4 labels. */
void prom_histogram(struct prom *p, const struct prom_label *labels, size_t count,
	const char *const *bounds, const int64_t *per_bucket, size_t buckets, int64_t sum);

void prom_end(struct prom *p);

#endif
