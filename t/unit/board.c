/* t/unit/board.c - what all our processes tell each other.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/board.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

static int count(const struct board *b)
{
	size_t at = 0;
	int n = 0;

	while (board_each(b, &at))
		n++;
	return n;
}

/* A process that enters as a child of ours and ends without leaving. */
static pid_t enter_and_die(struct board *b)
{
	pid_t pid = fork();

	if (pid == 0) {
		atomic_store(&board_enter(b, "live", "live-8")->requests, 7);
		_exit(0);
	}
	return pid;
}

static void slots(const char *path)
{
	struct board *b = NULL, *other = NULL;
	struct board_slot *mine;
	pid_t dead;
	struct fail f;

	is_int(board_open(&b, path, &f), 0, "a board is made");
	is_int(board_open(&other, path, &f), 0, "and opened by another");
	is_int(count(b), 0, "it is empty");
	mine = board_enter(b, "api", NULL);
	is_str(mine->role, "api", "who enters has a role");
	ok(board_enter(b, "relay", "x") == mine, "who enters again keeps the slot");
	is_str(board_find(other, getpid())->role, "relay", "others see it");
	dead = enter_and_die(b);
	waitid(P_PID, (id_t)dead, NULL, WEXITED | WNOWAIT);
	is_int(count(b), 2, "a child after a fork has its own");
	is_str(board_find(b, dead)->name, "live-8", "with its name");
	ok(mine == board_enter(b, "api", NULL), "and leaves ours alone");
	ok(board_enter(other, "api", NULL) && count(b) == 2,
		"the same process has one, however often it opens the board");
	waitpid(dead, NULL, 0);
	is_int(count(b), 1, "who is dead is seen no more");
	waitpid(enter_and_die(b), NULL, 0);
	is_int(mine->requests, 0, "and its slot is taken by the next");
	is_int(mine->state, BOARD_STARTING, "at first it starts");
	board_ready(b);
	is_int(mine->state, BOARD_READY, "then it is ready");
	board_request_begin(b);
	is_int(mine->busy, 1, "a request at work is counted");
	board_request_end(b);
	ok(mine->busy == 0 && mine->requests == 1, "and when it is done");
	is_int(board_get(other, BOARD_REQUESTS), 1, "in the sum of all too");
	board_leave(b);
	is_int(count(b), 0, "who leaves is gone");
	board_enter(b, "api", NULL);
	board_forget(b, getpid());
	is_int(count(b), 0, "who is forgotten too");
	board_close(&other);
	board_close(&b);
	ok(!b, "closing takes the pointer");
}

static void full(const char *path)
{
	struct board *b = NULL;
	struct board_slot *slot = NULL;
	struct fail f;

	board_open(&b, path, &f);
	for (int i = 0; i < BOARD_SLOTS; i++)
		waitid(P_PID, (id_t)enter_and_die(b), NULL, WEXITED | WNOWAIT);
	is_int(count(b), BOARD_SLOTS, "all slots can be taken");
	slot = board_enter(b, "api", NULL);
	ok(slot != NULL, "one more gets a slot all the same");
	atomic_store(&slot->requests, 1);
	is_int(count(b), BOARD_SLOTS, "that nobody sees");
	board_forget(b, 0);
	is_int(count(b), 0, "all can be forgotten at once");
	while (wait(NULL) > 0)
		;
	board_close(&b);
}

static void totals(const char *path)
{
	struct board *b = NULL;
	struct fail f;

	board_open(&b, path, &f);
	is_int(board_add(b, BOARD_PUBLISHED_BYTES, 5), 5, "a total is counted");
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			for (int n = 0; n < 1000; n++)
				board_add(b, BOARD_PUBLISHED_BYTES, 1);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 4005, "by several processes at once");
	board_close(&b);
	board_open(&b, path, &f);
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 4005, "and outlives them");
	board_set(b, BOARD_PUBLISHED_BYTES, 1);
	is_int(board_get(b, BOARD_PUBLISHED_BYTES), 1, "it can be corrected");
	for (int t = 0; t < BOARD_TOTALS; t++)
		ok(*board_total_info((enum board_total)t)->name, "total %d has a name: %s", t,
			board_total_info((enum board_total)t)->name);
	board_close(&b);
}

/* Many processes come first at once, as under a front server that starts them on demand. */
static void first_at_once(const char *path)
{
	enum { MANY = 20 };
	struct board *b = NULL;
	struct fail f;
	int start[2];

	unlink(path);
	is_int(pipe(start), 0, "a starting shot");
	for (int i = 0; i < MANY; i++) {
		if (fork() == 0) {
			close(start[1]);
			if (read(start[0], &f, 1) == 0 && board_open(&b, path, &f) == 0)
				board_add(b, BOARD_REQUESTS, 1);
			_exit(0);
		}
	}
	close(start[0]);
	close(start[1]);
	while (wait(NULL) > 0)
		;
	is_int(board_open(&b, path, &f), 0, "a board is there");
	is_int(board_get(b, BOARD_REQUESTS), MANY, "and it is the same one for all");
	board_close(&b);
}

/* The head of the board's file is a word, the number of its layout, and what it has room for. */
static void set_layout(const char *path, uint32_t layout)
{
	FILE *file = fopen(path, "r+");

	ok(file && fseek(file, 12, SEEK_SET) == 0 && fwrite(&layout, sizeof(layout), 1, file) == 1,
		"a board has the layout %u", layout);
	if (file)
		fclose(file);
}

/* An upgrade brings another layout: the new program starts its counters anew, and who still runs
 * the old one goes on with what it has. */
static void upgrade(const char *path)
{
	struct board *old = NULL, *new = NULL;
	struct fail f;

	board_open(&old, path, &f);
	board_set(old, BOARD_RESPAWNS, 7);
	row_add(board_row(old, ROW_ROUTE, "live_list"), ROUTE_2XX, 5);
	set_layout(path, 1);
	is_int(board_open(&new, path, &f), 0, "one of another layout is replaced");
	is_int(board_get(new, BOARD_RESPAWNS), 0, "its counters start again");
	is_int(row_get(board_row(new, ROW_ROUTE, "live_list"), ROUTE_2XX), 0, "all of them");
	board_add(new, BOARD_RESPAWNS, 1);
	is_int(board_add(old, BOARD_RESPAWNS, 1), 8, "who has the old one keeps it");
	board_close(&old);
	board_close(&new);
	board_open(&new, path, &f);
	is_int(board_get(new, BOARD_RESPAWNS), 1, "the new one stays");
	board_close(&new);
}

static void rows(const char *path)
{
	struct board *b = NULL;
	struct fail f;

	ok(board_row(NULL, ROW_ROUTE, "x") == NULL, "without a board nothing is counted");
	board_open(&b, path, &f);
	row_add(board_row(b, ROW_SOURCE, "demo"), SOURCE_BYTES, 3);
	if (fork() == 0) {
		row_add(board_row(b, ROW_SOURCE, "demo"), SOURCE_BYTES, 4);
		kill(getpid(), SIGKILL);
	}
	wait(NULL);
	is_int(row_get(board_row(b, ROW_SOURCE, "demo"), SOURCE_BYTES), 7,
		"what a killed process counted stays");
	board_close(&b);
	board_open(&b, path, &f);
	is_int(row_get(board_row(b, ROW_SOURCE, "demo"), SOURCE_BYTES), 7, "after a restart, too");
	board_close(&b);
}

static void minutes(const char *path, const char *dir)
{
	static const struct {
		int64_t after_ms, requests, errors;
	} cases[] = {{0, 3, 1}, {4 * 60000, 3, 1}, {6 * 60000, 0, 0}, {8 * 60000, 0, 0}};
	int64_t *moved, requests, errors;
	char clock[200];
	struct board *b = NULL;
	struct fail f;

	file_path(clock, sizeof(clock), "%s/clock", dir);
	file_replace(clock, span_make("\0\0\0\0\0\0\0", 8), 0600, &f);
	setenv("SLUICE_CLOCK", clock, 1);
	clock_init();
	int fd = open(clock, O_RDWR);
	moved = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	board_open(&b, path, &f);
	board_minute_add(b, false);
	board_minute_add(b, true);
	board_minute_add(b, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*moved = cases[i].after_ms;
		board_minutes(b, 5, &requests, &errors);
		is_int(requests, cases[i].requests, "requests of the last 5 min, %d min later",
			(int)(cases[i].after_ms / 60000));
		is_int(errors, cases[i].errors, "and errors");
	}
	board_minute_add(b, false);
	board_minutes(b, 5, &requests, &errors);
	ok(requests == 1 && errors == 0, "a minute's place is used again 8 minutes later");
	*moved = 0;
	board_close(&b);
}

static void other_layouts(const char *path, const char *dir)
{
	struct board *b = NULL;
	char wrong[200];
	struct stat st;
	struct fail f;

	file_replace(path, span_of("short"), 0640, &f);
	is_int(board_open(&b, path, &f), 0, "a file that is no board is replaced");
	ok(stat(path, &st) == 0 && (int64_t)st.st_blocks * 512 >= st.st_size,
		"and has no hole that a full disk could turn into a signal");
	board_close(&b);
	file_path(wrong, sizeof(wrong), "%s/missing/board", dir);
	is_int(board_open(&b, wrong, &f), -1, "not in a directory that is missing");
	ok(strstr(f.text, wrong) != NULL, "and the sentence names it: %s", f.text);
}

int main(void)
{
	char dir[] = "/tmp/sluice-board-XXXXXX", path[200], command[100];

	if (!mkdtemp(dir))
		return 99;
	file_path(path, sizeof(path), "%s/board", dir);
	slots(path);
	full(path);
	totals(path);
	upgrade(path);
	rows(path);
	minutes(path, dir);
	first_at_once(path);
	other_layouts(path, dir);
	file_path(command, sizeof(command), "rm -rf '%s'", dir);
	is_int(system(command), 0, "tidied up");
	return tap_done();
}
