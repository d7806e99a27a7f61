/* t/unit/tally.c - every answer is counted, once, where it belongs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "fcgi-app/door/tally.h"
#include "lib/io/board.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

static const struct {
	int status;
	bool busy;
	int64_t us;
	int class, bucket; /* columns from ROUTE_1XX and from ROUTE_BUCKET */
	int errors, refused;
} cases[] = {
	{200, false, 0, 1, 0, 0, 0},
	{204, false, 500, 1, 0, 0, 0},
	{206, false, 501, 1, 1, 0, 0},
	{302, false, 1000, 2, 1, 0, 0},
	{304, false, 90000, 2, 7, 0, 0},
	{404, false, 250000, 3, 8, 0, 0},
	{416, false, 3000000, 3, 11, 0, 0},
	{499, false, 10000000, 3, 12, 0, 0},
	{500, false, 10000001, 4, 13, 1, 0},
	{502, false, INT64_MAX, 4, 13, 1, 0},
	{503, false, 1, 4, 0, 1, 0},
	{503, true, 1, 4, 0, 0, 1},
	/* what no handler should say is an error of ours */
	{0, false, -5, 4, 0, 0, 0},
	{700, false, 1, 4, 0, 1, 0},
};

int main(void)
{
	char dir[] = "/tmp/sluice-tally-XXXXXX", path[200], name[20];
	struct board *b = NULL;
	struct fail f;

	if (!mkdtemp(dir))
		return 99;
	file_path(path, sizeof(path), "%s/board", dir);
	is_int(board_open(&b, path, &f), 0, "there is a board");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = {.status = cases[i].status, .sent_bytes = 7};
		int64_t errors = board_get(b, BOARD_ERRORS), busy = board_get(b, BOARD_BUSY),
			sum = 0;
		struct row *row;

		snprintf(name, sizeof(name), "route %zu", i);
		tally_request(b, name, &r, cases[i].busy, cases[i].us);
		row = board_row(b, ROW_ROUTE, name);
		is_int(row_get(row, ROUTE_1XX + cases[i].class), 1, "%d is of its class",
			cases[i].status);
		is_int(row_get(row, ROUTE_BUCKET + cases[i].bucket), 1, "%lld us of their bucket",
			(long long)cases[i].us);
		for (int c = 0; c < ROW_CELLS; c++)
			sum += c == ROUTE_BYTES || c == ROUTE_MICROSECONDS ? 0 : row_get(row, c);
		is_int(sum, 2, "and of no other");
		is_int(row_get(row, ROUTE_BYTES), 7, "its bytes are counted");
		is_int(row_get(row, ROUTE_MICROSECONDS), cases[i].us < 0 ? 0 : cases[i].us,
			"its time");
		is_int(board_get(b, BOARD_ERRORS) - errors, cases[i].errors, "as an error or not");
		is_int(board_get(b, BOARD_BUSY) - busy, cases[i].refused, "as a refusal or not");
	}
	board_close(&b);
	unlink(path);
	is_int(rmdir(dir), 0, "tidied up");
	return tap_done();
}
