/* lib/io/proc.c - what the system tells of a process.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/proc.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/io/file.h"

enum { STATM_FIELDS = 6, TEXT_MAX = 4096 };

static bool read_file(pid_t pid, const char *name, struct buf *to)
{
	char path[64];

	buf_init(to, TEXT_MAX);
	return file_path(path, sizeof(path), "/proc/%d/%s", (int)pid, name) &&
	       file_read(path, to, NULL) == 0;
}

/* Fields of statm in pages: size, resident, shared, text, lib, data. */
static void read_statm(pid_t pid, struct proc_memory *out)
{
	int64_t page = sysconf(_SC_PAGESIZE), field[STATM_FIELDS] = {0};
	struct span rest, part;
	struct buf text;

	if (read_file(pid, "statm", &text)) {
		rest = buf_span(&text);
		for (int i = 0; i < STATM_FIELDS && span_next(&rest, ' ', &part); i++)
			num_parse(part, 0, INT64_MAX / page, &field[i]);
	}
	buf_release(&text);
	out->resident = field[1] * page;
	out->own = (field[1] - field[2]) * page;
	out->data = field[5] * page;
}

/* The line "Pss:            1234 kB" of smaps_rollup. */
static int64_t read_pss(pid_t pid)
{
	struct span rest, line, word;
	int64_t kib, pss = -1;
	struct buf text;

	if (read_file(pid, "smaps_rollup", &text)) {
		rest = buf_span(&text);
		while (pss < 0 && span_next(&rest, '\n', &line)) {
			if (!span_starts(line, "Pss:"))
				continue;
			line = span_trim(span_make(line.ptr + 4, line.len - 4));
			if (span_next(&line, ' ', &word) &&
				num_parse(word, 0, INT64_MAX / 1024, &kib))
				pss = kib * 1024;
		}
	}
	buf_release(&text);
	return pss;
}

void proc_memory(pid_t pid, bool with_pss, struct proc_memory *out)
{
	*out = (struct proc_memory){.proportional = -1};
	read_statm(pid, out);
	if (with_pss)
		out->proportional = read_pss(pid);
}

int64_t proc_descriptors(pid_t pid)
{
	char path[64];
	struct dirent *e;
	int64_t count = 0;
	DIR *d;

	if (!file_path(path, sizeof(path), "/proc/%d/fd", (int)pid))
		return -1;
	d = opendir(path);
	if (!d)
		return -1;
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	/* Looking needed one, too. */
	if (pid == getpid())
		count--;
	closedir(d);
	return count;
}

/* Fields 14 and 15 of stat, in ticks; the second is a name in brackets that may hold anything. */
int64_t proc_cpu_ms(pid_t pid)
{
	int64_t ticks = sysconf(_SC_CLK_TCK), user = 0, system = 0;
	struct span rest, part;
	struct buf text;

	if (read_file(pid, "stat", &text)) {
		const char *name_end = memrchr(text.ptr, ')', text.len);
		size_t at = name_end ? (size_t)(name_end - text.ptr) + 2 : text.len;

		rest = span_make(text.ptr + (at < text.len ? at : text.len),
			at < text.len ? text.len - at : 0);
		for (int i = 3; i <= 15 && span_next(&rest, ' ', &part); i++) {
			if (i == 14)
				num_parse(part, 0, INT64_MAX / 1000, &user);
			if (i == 15)
				num_parse(part, 0, INT64_MAX / 1000, &system);
		}
	}
	buf_release(&text);
	return ticks > 0 ? (user + system) * 1000 / ticks : 0;
}

int proc_end(pid_t pid, int wait_ms, struct fail *f)
{
	struct pollfd gone = {pidfd_open(pid, 0), POLLIN, 0}; /* before the signal: this process */
	int told = kill(pid, SIGTERM), err = errno;
	bool ended = told < 0 || gone.fd < 0 || poll(&gone, 1, wait_ms) > 0;

	if (gone.fd >= 0)
		close(gone.fd);
	if (told < 0 && err != ESRCH)
		return fail_set(f, FAIL_FORBIDDEN,
			"Process %d cannot be told: it belongs to another user", (int)pid);
	if (!ended)
		return fail_set(f, FAIL_TIMEOUT, "Process %d has not stopped within %d s", (int)pid,
			wait_ms / 1000);
	return 0;
}
