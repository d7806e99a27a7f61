/* lib/io/block_map.c - which blocks of a sparse file are there, in memory that processes share.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/block_map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/file.h"

enum { LAYOUT = 1, HEAD_BYTES = 4096, TICK_MS = 250, TICKS = 1 << 24, RENEW_TICKS = 4 };

/* A block's state: what it is in the highest two bits, an owner's slot in the next six, and the
 * deadline, in ticks of the monotonic clock, which wraps after 48 days. */
enum { EMPTY = 0, FILLING = 1, PRESENT = 2 };

/* What `published` in the head says. */
enum { NOT_WHOLE = 0, PUBLISHED = 1, SETTLED = 2 };
#define STATE(kind, slot, tick) ((uint32_t)(kind) << 30 | (uint32_t)(slot) << 24 | (uint32_t)(tick))
#define KIND(word) ((word) >> 30)
#define SLOT(word) ((word) >> 24 & 63)
#define TICK(word) ((word) & (TICKS - 1))

struct block {
	_Atomic uint32_t state;
	_Atomic uint32_t have; /* bytes; those who wait sleep on it */
};

struct head {
	char magic[12];
	uint32_t layout, block_bytes, blocks;
	char boot[BLOCK_MAP_BOOT_BYTES];
	struct block_map_info info;
	_Atomic uint32_t published, gone;
	_Atomic int64_t used_ms;
};
_Static_assert(sizeof(struct head) <= HEAD_BYTES, "the head has its room");

struct block_map {
	struct head *head;
	struct block *block;
	size_t mapped;
	int fd, slot; /* slot -1: no owner */
	int64_t count;
	struct block_map_info info; /* a copy: nobody changes it while it is looked at */
};

static const char magic[12] = "sluice-map";

void block_map_boot(char to[BLOCK_MAP_BOOT_BYTES])
{
	struct buf text;

	buf_init(&text, BLOCK_MAP_BOOT_BYTES - 1);
	file_read("/proc/sys/kernel/random/boot_id", &text, NULL);
	span_copy(span_trim(buf_span(&text)), to, BLOCK_MAP_BOOT_BYTES);
	buf_release(&text);
}

/* --- what a head may say ---------------------------------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	for (const char *c = text; end && c < end; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return false;
	}
	return end != NULL;
}

static bool is_of(const char *text, size_t size, const char *alphabet)
{
	return is_text(text, size) && strspn(text, alphabet) == strlen(text);
}

static bool info_ok(const struct block_map_info *i)
{
	const int64_t most_s = INT64_MAX / 1000000;

	return i->size >= 0 && (i->passed == 0 || i->passed == 1) &&
	       (i->passed || i->size <= (int64_t)BLOCK_MAP_BLOCKS_MAX * BLOCK_BYTES) &&
	       i->modified_s > 0 && i->modified_s < most_s && i->expires_s >= 0 &&
	       i->expires_s < most_s && i->life_s > 0 && i->life_s < most_s &&
	       is_of(i->file, sizeof(i->file), "0123456789abcdef") && i->file[0] &&
	       is_of(i->suffix, sizeof(i->suffix), "0123456789abcdefghijklmnopqrstuvwxyz") &&
	       is_text(i->type, sizeof(i->type)) && is_text(i->validator, sizeof(i->validator)) &&
	       is_text(i->given, sizeof(i->given));
}

static int64_t count_blocks(const struct block_map_info *i)
{
	return i->passed ? 0 : (i->size + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static size_t map_bytes(int64_t blocks)
{
	return HEAD_BYTES + (size_t)blocks * sizeof(struct block);
}

/* --- making and opening ----------------------------------------------------------------------- */

static bool write_map(int fd, const struct block_map_info *info, const char *boot)
{
	struct head head = {.layout = LAYOUT,
		.block_bytes = BLOCK_BYTES,
		.blocks = (uint32_t)count_blocks(info),
		.info = *info,
		.used_ms = clock_real_ms()};

	memcpy(head.magic, magic, sizeof(magic));
	span_copy(span_of(boot), head.boot, sizeof(head.boot));
	/* A hole would be SIGBUS on a full disk, for whoever writes into it first. */
	errno = posix_fallocate(fd, 0, (off_t)map_bytes(head.blocks));
	return errno == 0 && fchmod(fd, 0640) == 0 &&
	       pwrite(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head);
}

int block_map_make(const char *path, const struct block_map_info *info, const char *boot,
	bool replace, struct fail *f)
{
	char temporary[PATH_MAX];
	bool made, full;
	int fd, err;

	if (!info_ok(info))
		return fail_set(f, FAIL_INPUT, "This object has a size or a name that cannot be");
	if (!file_path(temporary, sizeof(temporary), "%s.XXXXXX", path))
		return fail_set(f, FAIL_INTERNAL, "The path %s is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fail_errno(f, errno == ENOSPC ? FAIL_BUSY : FAIL_INTERNAL, errno,
			"The map %s cannot be made", path);
	made = write_map(fd, info, boot) &&
	       (replace ? rename(temporary, path) == 0
			: link(temporary, path) == 0 || errno == EEXIST);
	err = errno;
	full = err == ENOSPC || err == EDQUOT || err == EFBIG || err == EIO;
	if (!replace || !made)
		unlink(temporary);
	close(fd);
	return made ? 0
		    : fail_errno(f, full ? FAIL_BUSY : FAIL_INTERNAL, err,
			      "The map %s cannot be made", path);
}

/* Whether the mapped file is a map of ours that may be used. */
static bool head_ok(struct block_map *m, const char *boot)
{
	const struct head *h = m->head;

	m->info = h->info;
	if (memcmp(h->magic, magic, sizeof(magic)) != 0 || h->layout != LAYOUT ||
		h->block_bytes != BLOCK_BYTES || !info_ok(&m->info))
		return false;
	m->count = count_blocks(&m->info);
	if ((int64_t)h->blocks != m->count || m->mapped != map_bytes(m->count))
		return false;
	return atomic_load(&h->published) == SETTLED ||
	       (*boot && strncmp(h->boot, boot, sizeof(h->boot)) == 0);
}

int block_map_open_fd(struct block_map **out, int fd, const char *boot, struct fail *f)
{
	struct block_map *m = calloc(1, sizeof(*m));
	struct stat st;

	if (!m) {
		close(fd);
		return fail_set(f, FAIL_INTERNAL, "There is no memory for a map");
	}
	m->fd = fd;
	m->slot = -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= HEAD_BYTES &&
		st.st_size <= (off_t)map_bytes(BLOCK_MAP_BLOCKS_MAX)) {
		m->mapped = (size_t)st.st_size;
		m->head = mmap(NULL, m->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (m->head == MAP_FAILED)
			m->head = NULL;
	}
	if (m->head && head_ok(m, boot)) {
		m->block = (struct block *)((char *)m->head + HEAD_BYTES);
		*out = m;
		return 0;
	}
	block_map_close(&m);
	return fail_set(f, FAIL_MISSING, "This is no map, or one from before the machine started");
}

int block_map_open(struct block_map **out, const char *path, const char *boot, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return fail_errno(f, errno == ENOENT ? FAIL_MISSING : FAIL_INTERNAL, errno,
			"The map %s cannot be opened", path);
	return block_map_open_fd(out, fd, boot, f);
}

void block_map_close(struct block_map **m)
{
	if (!*m)
		return;
	if ((*m)->head)
		munmap((*m)->head, (*m)->mapped);
	close((*m)->fd); /* which gives its slot back */
	free(*m);
	*m = NULL;
}

const struct block_map_info *block_map_info(const struct block_map *m)
{
	return &m->info;
}

int64_t block_map_count(const struct block_map *m)
{
	return m->count;
}

uint32_t block_map_length(const struct block_map *m, int64_t n)
{
	int64_t left = m->info.size - n * BLOCK_BYTES;

	must(n >= 0 && n < m->count);
	return left < BLOCK_BYTES ? (uint32_t)left : BLOCK_BYTES;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_present(const struct block_map *m, int64_t n)
{
	return KIND(atomic_load_explicit(&m->block[n].state, memory_order_acquire)) == PRESENT;
}

uint32_t block_map_have(const struct block_map *m, int64_t n)
{
	uint32_t length = block_map_length(m, n), have;

	if (is_present(m, n))
		return length;
	have = atomic_load_explicit(&m->block[n].have, memory_order_acquire);
	return have <= length ? have : 0;
}

int64_t block_map_missing(const struct block_map *m, int64_t n)
{
	must(n >= 0);
	while (n < m->count && is_present(m, n))
		n++;
	return n;
}

static void futex_wake_all(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t block_map_wait(struct block_map *m, int64_t n, uint32_t have, int wait_ms)
{
	/* Loaded first: whoever changes it after we have looked keeps us from falling asleep. */
	uint32_t word = atomic_load_explicit(&m->block[n].have, memory_order_acquire);
	uint32_t seen = block_map_have(m, n);
	struct timespec most;

	if (seen > have || wait_ms <= 0)
		return seen;
	wait_ms = wait_ms < BLOCK_MAP_WAIT_MS ? wait_ms : BLOCK_MAP_WAIT_MS;
	most = (struct timespec){0, wait_ms * 1000000L};
	syscall(SYS_futex, &m->block[n].have, FUTEX_WAIT, word, &most, NULL, 0);
	return block_map_have(m, n);
}

void block_map_touch(struct block_map *m, int64_t now_ms)
{
	atomic_store_explicit(&m->head->used_ms, now_ms, memory_order_relaxed);
}

int64_t block_map_used_ms(const struct block_map *m)
{
	return atomic_load_explicit(&m->head->used_ms, memory_order_relaxed);
}

bool block_map_is_published(const struct block_map *m)
{
	return atomic_load(&m->head->published) != NOT_WHOLE;
}

bool block_map_is_settled(const struct block_map *m)
{
	return atomic_load(&m->head->published) == SETTLED;
}

bool block_map_is_gone(const struct block_map *m)
{
	return atomic_load(&m->head->gone) != 0;
}

/* --- owners ----------------------------------------------------------------------------------- */

/* The lock bytes lie where no block's words can be. */
static struct flock slot_lock(int slot, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)1 << 40 | slot, .l_len = 1};
}

bool block_map_enter(struct block_map *m)
{
	for (int slot = 0; slot < BLOCK_MAP_SLOTS && m->slot < 0; slot++) {
		struct flock lock = slot_lock(slot, F_WRLCK);

		if (fcntl(m->fd, F_OFD_SETLK, &lock) == 0)
			m->slot = slot;
	}
	return m->slot >= 0;
}

/* Somebody else has the slot. A test that cannot be made says yes: the deadline decides then. */
static bool is_alive(const struct block_map *m, int slot, int count)
{
	struct flock lock = slot_lock(slot, F_WRLCK);

	lock.l_len = count;
	return fcntl(m->fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

bool block_map_is_owned(const struct block_map *m)
{
	return m->slot >= 0 || is_alive(m, 0, BLOCK_MAP_SLOTS);
}

static uint32_t tick_in(int64_t ms)
{
	return (uint32_t)((clock_mono_ms() + ms) / TICK_MS) % TICKS;
}

/* How far the deadline of a word lies ahead, in ticks; negative when it has passed. */
static int32_t ticks_left(uint32_t word)
{
	uint32_t ahead = (TICK(word) - tick_in(0)) & (TICKS - 1);

	return ahead < TICKS / 2 ? (int32_t)ahead : (int32_t)ahead - TICKS;
}

enum block_take block_map_take(struct block_map *m, int64_t n)
{
	_Atomic uint32_t *state = &m->block[n].state;
	uint32_t word = atomic_load_explicit(state, memory_order_acquire), mine;

	must(m->slot >= 0 && n >= 0 && n < m->count);
	for (;;) {
		/* A word that no version of ours wrote counts as empty. */
		if (KIND(word) == PRESENT)
			return BLOCK_PRESENT;
		if (KIND(word) == FILLING && (int)SLOT(word) != m->slot && ticks_left(word) > 0 &&
			ticks_left(word) <= BLOCK_MAP_LATE_MS / TICK_MS + 1 &&
			is_alive(m, (int)SLOT(word), 1))
			return BLOCK_OTHERS;
		mine = STATE(FILLING, m->slot, tick_in(BLOCK_MAP_LATE_MS));
		if (atomic_compare_exchange_strong(state, &word, mine))
			return BLOCK_MINE;
	}
}

/* The bytes only grow, whoever of two owners writes them. */
static void raise_have(struct block *b, uint32_t length, uint32_t have)
{
	uint32_t was = atomic_load_explicit(&b->have, memory_order_relaxed);

	while ((was < have || was > length) &&
		!atomic_compare_exchange_weak_explicit(
			&b->have, &was, have, memory_order_release, memory_order_relaxed))
		;
}

bool block_map_extend(struct block_map *m, int64_t n, uint32_t have)
{
	struct block *b = &m->block[n];
	uint32_t length = block_map_length(m, n), word;
	bool mine = true;

	must(m->slot >= 0 && have <= length);
	raise_have(b, length, have);
	word = atomic_load_explicit(&b->state, memory_order_acquire);
	while (have == length && KIND(word) != PRESENT &&
		!atomic_compare_exchange_strong(&b->state, &word, STATE(PRESENT, 0, 0)))
		;
	if (have == length) {
		block_map_wake(m, n);
	} else {
		uint32_t until = STATE(FILLING, m->slot, tick_in(BLOCK_MAP_LATE_MS));

		mine = KIND(word) == FILLING && (int)SLOT(word) == m->slot;
		if (mine && ((TICK(until) - TICK(word)) & (TICKS - 1)) >= RENEW_TICKS)
			mine = atomic_compare_exchange_strong(&b->state, &word, until);
	}
	return mine;
}

void block_map_drop(struct block_map *m, int64_t n)
{
	uint32_t word = atomic_load(&m->block[n].state);

	while (KIND(word) == FILLING && (int)SLOT(word) == m->slot &&
		!atomic_compare_exchange_strong(&m->block[n].state, &word, STATE(EMPTY, 0, 0)))
		;
}

void block_map_wake(struct block_map *m, int64_t n)
{
	must(n >= 0 && n < m->count);
	futex_wake_all(&m->block[n].have);
}

void block_map_publish(struct block_map *m)
{
	atomic_store(&m->head->published, PUBLISHED);
}

bool block_map_settle(struct block_map *m, int fd)
{
	must(block_map_is_published(m));
	if (fdatasync(fd) < 0 || fdatasync(m->fd) < 0)
		return false;
	atomic_store(&m->head->published, SETTLED);
	return true;
}

void block_map_end(struct block_map *m)
{
	atomic_store(&m->head->gone, 1);
	for (int64_t n = 0; n < m->count; n++) {
		if (!is_present(m, n))
			futex_wake_all(&m->block[n].have);
	}
}
