/* lib/io/spool.c - the last seconds of a live stream, for any number of readers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/spool.h"

#include <errno.h>
#include <fcntl.h>
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

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/file.h"

enum {
	PACKETS = 1 << 16,	      /* 12 MB: 12 s of 8 Mb/s */
	LATE = PACKETS - PACKETS / 8, /* so far behind is lost */
	BATCH = 256,		      /* packets for which room is claimed at once */
	ENTRIES = 64,
	TELL_MS = 100,	 /* each reader wakes up, for some 50 KB of 4 Mb/s */
	STALE_MS = 3000, /* nobody writes any more, or nothing comes */
	ENTRY_MS = 250,	 /* between two that are noted: sound alone has one in every packet */
	HEAD_BYTES = 4096,
	PATH_BYTES = 600
};

#define MAGIC 0x31304c4f4f505331ULL /* changes with the layout */

struct entry {
	_Atomic uint64_t at; /* of the tables before it */
	_Atomic int64_t ms;  /* when it came, monotonic */
};

struct spool_map {
	_Atomic uint64_t magic;	  /* last of all: now it can be read */
	_Atomic uint64_t claimed; /* what was before this less PACKETS may be overwritten */
	_Atomic uint64_t end;	  /* packets that can be read, ever */
	_Atomic uint64_t entries; /* ever; the last ENTRIES of them stand below */
	_Atomic int64_t told_ms;  /* when the last one came, monotonic */
	_Atomic uint32_t news;	  /* the futex: changes with every spool_tell() */
	_Atomic uint32_t ended;
	struct entry list[ENTRIES];
};

_Static_assert(sizeof(struct spool_map) <= HEAD_BYTES, "the head has a page of its own");

struct spool {
	struct spool_map *map;
	uint64_t end;	 /* what will be told */
	uint64_t tables; /* where the last ones began; `has_tables` */
	bool has_tables;
	int64_t entry_ms, told_ms;
	char path[PATH_BYTES];
};

static const size_t map_bytes = HEAD_BYTES + (size_t)PACKETS * TS_PACKET;

/* --- the writer ------------------------------------------------------------------------------- */

/* A mapping of a new file at `path`. Every block of it is there: a full disk later hurts nobody. */
static struct spool_map *make(const char *path, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;
	void *map = MAP_FAILED;

	if (fd < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be made", path);
		return NULL;
	}
	err = posix_fallocate(fd, 0, (off_t)map_bytes);
	if (err) {
		fail_errno(f, FAIL_BUSY, err, "There is no room for the stream");
	} else {
		map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fail_errno(f, FAIL_BUSY, errno, "There is no memory for the stream");
	}
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

int spool_create(struct spool **out, const char *path, struct fail *f)
{
	struct spool *s = calloc(1, sizeof(*s));
	char aside[PATH_BYTES];

	if (!s || !file_path(s->path, sizeof(s->path), "%s", path) ||
		!file_path(aside, sizeof(aside), "%s.new", path)) {
		free(s);
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the stream");
	}
	s->map = make(aside, f);
	if (s->map) {
		atomic_store(&s->map->magic, MAGIC);
		if (rename(aside, path) == 0) {
			*out = s;
			return 0;
		}
		fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be renamed", aside);
		munmap(s->map, map_bytes);
	}
	unlink(aside);
	free(s);
	return -1;
}

static uint8_t *packet_at(struct spool_map *m, uint64_t at)
{
	return (uint8_t *)m + HEAD_BYTES + at % PACKETS * TS_PACKET;
}

static void note_entry(struct spool *s)
{
	int64_t now_ms = clock_mono_ms();
	uint64_t n = atomic_load_explicit(&s->map->entries, memory_order_relaxed);
	struct entry *e = &s->map->list[n % ENTRIES];

	if (!s->has_tables || (n && now_ms - s->entry_ms < ENTRY_MS && now_ms >= s->entry_ms))
		return;
	s->entry_ms = now_ms;
	atomic_store_explicit(&e->at, s->tables, memory_order_relaxed);
	atomic_store_explicit(&e->ms, now_ms, memory_order_relaxed);
	atomic_store_explicit(&s->map->entries, n + 1, memory_order_release);
}

void spool_put(struct spool *s, const uint8_t packet[TS_PACKET], bool entry)
{
	struct spool_map *m = s->map;

	/* Readers must know that a packet may change before it does. */
	if (s->end >= atomic_load_explicit(&m->claimed, memory_order_relaxed)) {
		atomic_store_explicit(&m->claimed, s->end + BATCH, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
	}
	memcpy(packet_at(m, s->end), packet, TS_PACKET);
	if ((packet[1] & 0x1f) == 0 && packet[2] == 0) {
		s->tables = s->end;
		s->has_tables = true;
	}
	if (entry)
		note_entry(s);
	s->end++;
}

static void wake_all(struct spool_map *m)
{
	atomic_fetch_add(&m->news, 1);
	syscall(SYS_futex, &m->news, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void spool_tell(struct spool *s)
{
	uint64_t told = atomic_load_explicit(&s->map->end, memory_order_relaxed);
	int64_t since_ms = clock_mono_ms() - s->told_ms;

	if (told == s->end || (since_ms >= 0 && since_ms < TELL_MS && s->end - told < BATCH))
		return;
	s->told_ms += since_ms;
	atomic_store(&s->map->told_ms, s->told_ms);
	atomic_store_explicit(&s->map->end, s->end, memory_order_release);
	wake_all(s->map);
}

void spool_close(struct spool **at)
{
	struct spool *s = *at;

	if (!s)
		return;
	atomic_store(&s->map->end, s->end);
	atomic_store(&s->map->ended, 1);
	wake_all(s->map);
	unlink(s->path);
	munmap(s->map, map_bytes);
	free(s);
	*at = NULL;
}

/* --- readers ---------------------------------------------------------------------------------- */

/* Its head is mapped; packets are read as a file's bytes are, into a place of our own. */
static bool open_file(struct spool_reader *r, const char *path)
{
	void *map = MAP_FAILED;
	struct stat st;

	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->fd < 0)
		return false;
	if (fstat(r->fd, &st) == 0 && st.st_size == (off_t)map_bytes)
		map = mmap(NULL, HEAD_BYTES, PROT_READ, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED) {
		close(r->fd);
		return false;
	}
	r->map = map;
	r->inode = st.st_ino;
	return true;
}

/* The newest entry that is at least so old, else the oldest that is not lost. */
static bool find_entry(const struct spool_map *m, int64_t ahead_ms, uint64_t *at)
{
	uint64_t n = atomic_load_explicit(&m->entries, memory_order_acquire);
	uint64_t end = atomic_load_explicit(&m->end, memory_order_acquire);
	int64_t now_ms = clock_mono_ms();
	bool found = false;

	/* Half of the table is surely not being written now. */
	for (uint64_t i = 0; i < ENTRIES / 2 && i < n; i++) {
		const struct entry *e = &m->list[(n - 1 - i) % ENTRIES];
		uint64_t there = atomic_load_explicit(&e->at, memory_order_relaxed);

		if (there >= end)
			continue;
		if (end - there > LATE)
			break;
		*at = there;
		found = true;
		if (now_ms - atomic_load_explicit(&e->ms, memory_order_relaxed) >= ahead_ms)
			break;
	}
	return found;
}

static bool is_alive(const struct spool_map *m)
{
	int64_t quiet_ms = clock_mono_ms() - atomic_load(&m->told_ms);

	return atomic_load(&m->magic) == MAGIC && !atomic_load(&m->ended) && quiet_ms >= 0 &&
	       quiet_ms < STALE_MS;
}

bool spool_join(struct spool_reader *r, const char *path, int64_t ahead_ms)
{
	struct spool_reader fresh = {.anew = r->map != NULL};

	if (!open_file(&fresh, path))
		return false;
	if (!is_alive(fresh.map) || !find_entry(fresh.map, ahead_ms, &fresh.at)) {
		spool_leave(&fresh);
		return false;
	}
	spool_leave(r);
	*r = fresh;
	return true;
}

/* ISO/IEC 13818-1 section 2.4.3.5: of the first packet of each pid that can say it. */
static void mark_anew(uint8_t *packets, size_t len)
{
	uint16_t seen[4];
	size_t count = 0;

	for (uint8_t *p = packets; p < packets + len; p += TS_PACKET) {
		uint16_t pid = (uint16_t)((p[1] & 0x1f) << 8 | p[2]);
		size_t i = 0;

		while (i < count && seen[i] != pid)
			i++;
		if (i < count || count == sizeof(seen) / sizeof(seen[0]))
			continue;
		seen[count++] = pid;
		if ((p[3] & 0x20) && p[4] > 0)
			p[5] |= 0x80;
	}
}

static void wait_for_news(const struct spool_map *m, uint32_t seen, int wait_ms)
{
	const struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000L};

	syscall(SYS_futex, &m->news, FUTEX_WAIT, seen, &wait, NULL, 0);
}

static bool read_packets(const struct spool_reader *r, uint64_t at, uint8_t *to, size_t packets)
{
	size_t len = packets * TS_PACKET;

	return pread(r->fd, to, len, (off_t)(HEAD_BYTES + at % PACKETS * TS_PACKET)) ==
	       (ssize_t)len;
}

/* Copies what is there; 0 when it was overwritten meanwhile. */
static size_t copy(const struct spool_reader *r, uint8_t *to, size_t packets)
{
	size_t first = PACKETS - r->at % PACKETS;

	if (first > packets)
		first = packets;
	if (!read_packets(r, r->at, to, first) ||
		!read_packets(r, r->at + first, to + first * TS_PACKET, packets - first))
		return 0;
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&r->map->claimed, memory_order_relaxed) > r->at + PACKETS)
		return 0;
	return packets;
}

enum spool_result spool_read(
	struct spool_reader *r, uint8_t *to, size_t size, int wait_ms, size_t *len)
{
	const struct spool_map *m = r->map;
	uint32_t seen = atomic_load(&m->news);
	uint64_t end = atomic_load_explicit(&m->end, memory_order_acquire);
	size_t packets = size / TS_PACKET;

	must(packets > 0);
	if (end == r->at) {
		if (atomic_load(&m->ended))
			return SPOOL_ENDED;
		wait_for_news(m, seen, wait_ms);
		end = atomic_load_explicit(&m->end, memory_order_acquire);
		if (end == r->at)
			return SPOOL_NOTHING;
	}
	if (end - r->at > LATE) {
		r->anew = true;
		if (!find_entry(m, 0, &r->at)) /* a minute without a picture to begin with */
			r->at = end;
		return SPOOL_NOTHING;
	}
	if (packets > end - r->at)
		packets = (size_t)(end - r->at);
	packets = copy(r, to, packets);
	if (packets && r->anew)
		mark_anew(to, packets * TS_PACKET);
	r->anew &= packets == 0;
	r->at += packets;
	*len = packets * TS_PACKET;
	return packets ? SPOOL_DATA : SPOOL_NOTHING; /* the next look says that it is late */
}

bool spool_is_other(const struct spool_reader *r, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino != r->inode;
}

void spool_leave(struct spool_reader *r)
{
	if (r->map) {
		munmap((void *)(uintptr_t)r->map, HEAD_BYTES);
		close(r->fd);
	}
	*r = (struct spool_reader){0};
}
