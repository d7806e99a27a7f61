/* fcgi-app/door/tally.c - counts every answer on the board.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/tally.h"

#include "lib/io/board.h"

const char *const tally_bounds[ROUTE_BUCKETS - 1] = {"0.0005", "0.001", "0.0025", "0.005", "0.01",
	"0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "3.0", "10.0"};

static int bucket(int64_t us)
{
	static const int64_t bounds_us[ROUTE_BUCKETS - 1] = {500, 1000, 2500, 5000, 10000, 25000,
		50000, 100000, 250000, 500000, 1000000, 3000000, 10000000};
	int i = 0;

	while (i < ROUTE_BUCKETS - 1 && us > bounds_us[i])
		i++;
	return i;
}

static int class_of(int status)
{
	int class = status / 100 - 1;

	return class < 0 || class > 4 ? ROUTE_5XX : ROUTE_1XX + class;
}

void tally_request(struct board *b, const char *route, const struct reply *r, bool busy, int64_t us)
{
	struct row *row = board_row(b, ROW_ROUTE, route);
	bool error = r->status >= 500 && !busy;

	if (us < 0)
		us = 0;
	row_add(row, class_of(r->status), 1);
	row_add(row, ROUTE_BYTES, r->sent_bytes);
	row_add(row, ROUTE_MICROSECONDS, us);
	row_add(row, ROUTE_BUCKET + bucket(us), 1);
	if (error)
		board_add(b, BOARD_ERRORS, 1);
	if (busy)
		board_add(b, BOARD_BUSY, 1);
	board_minute_add(b, error);
}
