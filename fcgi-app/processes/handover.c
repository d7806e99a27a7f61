/* fcgi-app/processes/handover.c - a process becomes a newer image of itself and keeps what it has.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/base/span.h"

static const char variable[] = "SLUICE_HANDOVER";

enum { TEXT_MAX = 100000 }; /* below the kernel's limit for one variable */

static bool read_number(struct span *rest, int64_t least, int64_t *out)
{
	struct span word;

	return span_next(rest, ' ', &word) && num_parse(word, least, INT32_MAX, out);
}

/* "pid/role/id" */
static bool read_child(struct span text, struct handover_child *to)
{
	struct span pid, role;
	int64_t number;

	if (!span_next(&text, '/', &pid) || !span_next(&text, '/', &role) ||
		!num_parse(pid, 2, INT32_MAX, &number))
		return false;
	to->pid = (pid_t)number;
	return span_copy(role, to->role, sizeof(to->role)) &&
	       span_copy(text, to->id, sizeof(to->id));
}

static bool read_all(struct span rest, struct handover *to)
{
	struct span word;
	int64_t number;

	if (!read_number(&rest, 1, &number) || number != getpid())
		return false;
	for (int i = 0; i < HANDOVER_FDS; i++) {
		if (!read_number(&rest, -1, &number))
			return false;
		to->fd[i] = (int)number;
		if (number >= 0 && fcntl(to->fd[i], F_SETFD, FD_CLOEXEC) < 0)
			return false;
	}
	while (span_next(&rest, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (to->count == HANDOVER_CHILDREN || !read_child(word, &to->child[to->count]))
			return false;
		to->count++;
	}
	return true;
}

bool handover_take(struct handover *out)
{
	const char *text = getenv(variable);
	bool good;

	*out = (struct handover){.fd = {-1, -1, -1}};
	if (!text)
		return false;
	good = read_all(span_of(text), out);
	unsetenv(variable);
	return good;
}

bool handover_waits(void)
{
	return getenv(variable) != NULL;
}

void handover_add(struct handover *h, pid_t pid, const char *role, const char *id)
{
	struct handover_child *c = &h->child[h->count];

	if (pid <= 1 || h->count == HANDOVER_CHILDREN)
		return;
	c->pid = pid;
	span_copy(span_of(role), c->role, sizeof(c->role));
	span_copy(span_of(id), c->id, sizeof(c->id));
	h->count++;
}

static void print_all(const struct handover *h, struct buf *to)
{
	buf_printf(to, "%d", (int)getpid());
	for (int i = 0; i < HANDOVER_FDS; i++)
		buf_printf(to, " %d", h->fd[i]);
	for (size_t i = 0; i < h->count; i++)
		buf_printf(to, " %d/%s/%s", (int)h->child[i].pid, h->child[i].role, h->child[i].id);
}

static void keep_fds(const struct handover *h, int flag)
{
	for (int i = 0; i < HANDOVER_FDS; i++) {
		if (h->fd[i] >= 0)
			fcntl(h->fd[i], F_SETFD, flag);
	}
}

int handover_exec(const struct handover *h, const struct program *self, const char *command,
	const char *word, struct fail *f)
{
	char *const argv[] = {(char *)self->path, (char *)"-c", (char *)self->conf_path,
		(char *)command, (char *)word, NULL};
	struct buf text;
	int err;

	buf_init(&text, TEXT_MAX);
	print_all(h, &text);
	if (text.failed || setenv(variable, buf_str(&text), 1) < 0) {
		buf_release(&text);
		return fail_set(f, FAIL_INTERNAL, "There is no room to hand over what runs");
	}
	keep_fds(h, 0);
	execv(self->path, argv);
	err = errno;
	keep_fds(h, FD_CLOEXEC);
	unsetenv(variable);
	buf_release(&text);
	return fail_errno(f, FAIL_INTERNAL, err, "%s cannot be executed", self->path);
}
