/* lib/svc/traffic_report.h - what was sent to viewers, in a period: sums for those who ask.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SVC_TRAFFIC_REPORT_H
#define SLUICE_SVC_TRAFFIC_REPORT_H

#include <stddef.h>

#include "lib/svc/traffic.h"

enum { TRAFFIC_TOP = 100 };

/* A title or a rendition; a day's is empty. */
struct traffic_line {
	char name[IDENT_MAX];
	int64_t day; /* since the epoch */
	struct traffic_sum sent;
	int64_t upstream; /* bytes; of days alone */
};

struct traffic_report {
	struct traffic_sum all, streams; /* the latter: segments and whole objects */
	int64_t upstream;		 /* bytes that sources sent to us */
	size_t day_count, title_count, rendition_count;
	/* those on which anything was, the first first */
	struct traffic_line days[TRAFFIC_DAYS + 1];
	struct traffic_line titles[TRAFFIC_TOP]; /* those with the most bytes */
	struct traffic_line renditions[TRAFFIC_TOP];
};

/* Sums up the days from `first` to `last`, since the epoch, both inclusive. All is 0 where nothing
 * has been counted yet. Fails: FAIL_BUSY when the sums cannot be read now. */
int traffic_report(const struct conf *conf, int64_t first, int64_t last, struct traffic_report *out,
	struct fail *f);

#endif
