/* lib/io/lease.c - who does a piece of work, when one process of all hosts should.
 * SPDX-License-Identifier: BSD-2-Clause
 * The entry in memcached is "OWNER\nID\nVALUE". OWNER names the host and its lease directory: who
 * holds a file's lock there knows that any other entry of the same OWNER is a dead process's. ID is
 * random and names the one lease. A lease that was given back has no OWNER. */
#include "lib/io/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/board.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"

enum {
	HOST_MAX = 255,
	ENTRY_MAX = HOST_MAX + 64 + 2 * 16 + LEASE_VALUE_MAX + 8,
	RELEASED_LIFE_S = 1,
	CLAIM_TRIES = 4 /* others may come between reading and writing that often */
};

static const char family[] = "lease";

struct lease {
	struct mc *mc;
	struct board *board;
	pid_t pid;
	int fd; /* holds the flock */
	char path[PATH_MAX];
	char name[LEASE_NAME_MAX + 1];
	char owner[HOST_MAX + 64];
	char id[2 * 16 + 1];
	char value[LEASE_VALUE_MAX + 1];
	int64_t tried_ms, confirmed_ms;
	bool lost;
};

/* The parts of an entry; they borrow from it. */
struct entry {
	struct span owner, id, value;
};

static void entry_print(struct buf *to, const char *owner, const char *id, const char *value)
{
	buf_init(to, ENTRY_MAX);
	buf_printf(to, "%s\n%s\n%s", owner, id, value);
}

static struct entry entry_parse(struct span text)
{
	struct entry e = {0};

	span_next(&text, '\n', &e.owner);
	span_next(&text, '\n', &e.id);
	e.value = text;
	return e;
}

enum claim {
	CLAIM_MINE,
	CLAIM_TAKEN,
	CLAIM_AWAY,  /* memcached keeps nothing for us now */
	CLAIM_UNSURE /* it changed each time we looked */
};

static void tell(struct buf *other, struct span value)
{
	if (!other)
		return;
	buf_clear(other);
	buf_add(other, value.ptr, value.len);
}

/* Whether what is there may be replaced by us, who hold the file's lock. */
static bool may_replace(const struct lease *l, const struct entry *e)
{
	return e->owner.len == 0 || span_is(e->owner, l->owner);
}

static enum claim claim_once(
	struct lease *l, struct span mine, struct buf *found, struct buf *other)
{
	enum mc_result result;
	struct entry e;
	uint64_t cas;

	result = mc_get(l->mc, family, l->name, found, &cas);
	if (result == MC_OK) {
		e = entry_parse(buf_span(found));
		if (!may_replace(l, &e)) {
			tell(other, e.value);
			return CLAIM_TAKEN;
		}
		result = mc_cas(l->mc, family, l->name, mine, LEASE_LIFE_S, cas);
	} else if (result == MC_MISS) {
		result = mc_add(l->mc, family, l->name, mine, LEASE_LIFE_S);
	}
	if (result == MC_AWAY)
		return CLAIM_AWAY;
	return result == MC_OK ? CLAIM_MINE : CLAIM_UNSURE;
}

/* Makes the entry ours, for another LEASE_LIFE_S, unless it is another host's. */
static enum claim claim(struct lease *l, struct buf *other)
{
	enum claim answer = CLAIM_UNSURE;
	bool readable = false;
	struct buf found, mine;

	entry_print(&mine, l->owner, l->id, l->value);
	buf_init(&found, ENTRY_MAX);
	for (int i = 0; i < CLAIM_TRIES && answer == CLAIM_UNSURE; i++) {
		buf_clear(&found);
		answer = claim_once(l, buf_span(&mine), &found, other);
		readable = readable || found.len > 0;
	}
	if (answer == CLAIM_UNSURE && !readable) {
		/* Nothing of ours is there and nothing can be added: it is foreign, or memcached
		 * takes nothing. */
		answer = mc_set(l->mc, family, l->name, buf_span(&mine), LEASE_LIFE_S) == MC_OK
				 ? CLAIM_MINE
				 : CLAIM_AWAY;
	}
	buf_release(&found);
	buf_release(&mine);
	return answer;
}

/* The value of the owner on this host; nothing while it writes it. */
static void tell_local(int fd, struct buf *other)
{
	char text[LEASE_VALUE_MAX + 1];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	tell(other, span_make(text, n > 0 && text[n - 1] == '\n' ? (size_t)n - 1 : 0));
}

/* The lock is what counts: on a full disk others are told nothing, that is all. */
static void write_local(int fd, const char *value)
{
	char text[LEASE_VALUE_MAX + 2];
	int len = snprintf(text, sizeof(text), "%s\n", value);

	must(len > 0 && (size_t)len < sizeof(text));
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		log_debug("lease_untold", LOG_STR("why", strerror(errno)));
}

/* Whether the file that is locked is still the one that others find. */
static bool is_in_place(const struct lease *l)
{
	struct stat here, there;

	return fstat(l->fd, &here) == 0 && stat(l->path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int open_lock(const char *dir, const char *path, struct fail *f)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT) {
		if (file_mkdirs(dir, 0700, f) < 0)
			return -1;
		fd = open(path, flags, 0600);
	}
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The lease %s cannot be opened", path);
	return fd;
}

static enum lease_result lock(
	struct lease *l, const struct lease_env *env, struct buf *other, struct fail *f)
{
	struct stat dir;

	l->fd = open_lock(env->dir, l->path, f);
	if (l->fd < 0)
		return LEASE_ERROR;
	if (flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK) {
			fail_errno(
				f, FAIL_INTERNAL, errno, "The lease %s cannot be locked", l->path);
			return LEASE_ERROR;
		}
		tell_local(l->fd, other);
		return LEASE_TAKEN;
	}
	if (!is_in_place(l)) {
		tell(other, span_of(""));
		return LEASE_TAKEN;
	}
	if (stat(env->dir, &dir) < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "The directory %s cannot be read", env->dir);
		return LEASE_ERROR;
	}
	snprintf(l->owner, sizeof(l->owner), "%s %llx:%llx", env->owner_host,
		(unsigned long long)dir.st_dev, (unsigned long long)dir.st_ino);
	return LEASE_MINE;
}

static enum lease_result share(struct lease *l, struct buf *other)
{
	enum claim answer = mc_count(l->mc) > 0 ? claim(l, other) : CLAIM_AWAY;

	if (answer == CLAIM_UNSURE)
		tell(other, span_of(""));
	if (answer == CLAIM_TAKEN || answer == CLAIM_UNSURE)
		return LEASE_TAKEN;
	write_local(l->fd, l->value);
	l->tried_ms = l->confirmed_ms = clock_mono_ms();
	return LEASE_MINE;
}

static bool is_text(struct span text, size_t max)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return text.len <= max;
}

static struct lease *new_lease(
	const struct lease_env *env, const char *name, const char *value, struct fail *f)
{
	unsigned char bytes[SIGN_SIZE];
	struct lease *l;
	char hex[33];

	if (!*name || !is_text(span_of(name), LEASE_NAME_MAX) ||
		!is_text(span_of(value), LEASE_VALUE_MAX) ||
		!is_text(span_of(env->owner_host), HOST_MAX)) {
		fail_set(f, FAIL_INPUT, "The name, host or text of a lease cannot be used");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		fail_set(f, FAIL_INTERNAL, "There is no memory for a lease");
		return NULL;
	}
	l->fd = -1;
	l->mc = env->mc;
	l->board = env->board;
	l->pid = getpid();
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->value, sizeof(l->value), "%s", value);
	sign_random(bytes, 16);
	num_print_hex(bytes, 16, l->id);
	sign_sha256(span_of(name), bytes);
	num_print_hex(bytes, 16, hex);
	if (!file_path(l->path, sizeof(l->path), "%s/%s", env->dir, hex)) {
		fail_set(f, FAIL_INPUT, "The path of the lease directory is too long");
		free(l);
		return NULL;
	}
	return l;
}

static void tell_board(const struct lease *l, enum board_total total)
{
	if (l->board)
		board_add(l->board, total, 1);
}

enum lease_result lease_take(const struct lease_env *env, const char *name, const char *value,
	struct lease **out, struct buf *other, struct fail *f)
{
	struct lease *l = new_lease(env, name, value, f);
	enum lease_result result;

	if (!l)
		return LEASE_ERROR;
	result = lock(l, env, other, f);
	if (result == LEASE_MINE)
		result = share(l, other);
	if (result == LEASE_MINE) {
		tell_board(l, BOARD_LEASES_TAKEN);
		*out = l;
		return LEASE_MINE;
	}
	if (l->fd >= 0)
		close(l->fd);
	free(l);
	return result;
}

/* Whether it is still ours. */
static bool renew(struct lease *l)
{
	int64_t now = clock_mono_ms();
	enum claim answer;

	if (now >= l->tried_ms && now - l->tried_ms < LEASE_RENEW_MS)
		return true;
	l->tried_ms = now;
	l->lost = !is_in_place(l);
	if (l->lost || mc_count(l->mc) == 0)
		return !l->lost;
	answer = claim(l, NULL);
	/* Away is fine for an owner whose entry others still saw a moment ago. One that slept too
	 * long may have been replaced before memcached went. */
	l->lost = answer == CLAIM_TAKEN ||
		  (answer != CLAIM_MINE && now - l->confirmed_ms >= LEASE_LOST_MS);
	if (answer != CLAIM_UNSURE)
		l->confirmed_ms = now;
	return !l->lost;
}

bool lease_renew(struct lease *l)
{
	if (l->lost || l->pid != getpid())
		return false;
	if (!renew(l))
		tell_board(l, BOARD_LEASES_LOST);
	return !l->lost;
}

/* Leaves an entry without owner, which anybody may replace, if it is still ours. */
static void unshare(struct lease *l)
{
	struct buf found, released;
	uint64_t cas;

	entry_print(&released, "", l->id, "");
	buf_init(&found, ENTRY_MAX);
	if (mc_get(l->mc, family, l->name, &found, &cas) == MC_OK &&
		span_is(entry_parse(buf_span(&found)).id, l->id))
		mc_cas(l->mc, family, l->name, buf_span(&released), RELEASED_LIFE_S, cas);
	buf_release(&found);
	buf_release(&released);
}

void lease_drop(struct lease **lease)
{
	struct lease *l = *lease;

	if (!l)
		return;
	*lease = NULL;
	if (l->pid == getpid()) {
		unshare(l);
		/* Emptied while it is still locked; the file stays, so that its lock has one
		 * place. */
		(void)!ftruncate(l->fd, 0);
	}
	close(l->fd);
	free(l);
}
