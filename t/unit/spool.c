/* t/unit/spool.c - a live stream that goes round: where readers begin, what the slow ones miss.
 * SPDX-License-Identifier: BSD-2-Clause
 * A packet's last four bytes are its number. */
#include "lib/io/spool.h"

#include <string.h>

#include "lib/io/seat.h"
#include "t/unit/place.h"
#include "t/unit/tap.h"

enum { ROUND = 1 << 16, PICTURE = 100 /* packets of one, behind two of tables */ };

struct world {
	char path[128], seats[128];
	volatile int64_t *clock;
	struct spool *spool;
	uint32_t next;
};

static void put_packet(struct world *w, uint16_t pid, bool entry)
{
	uint8_t packet[TS_PACKET] = {0x47, (uint8_t)(pid >> 8), (uint8_t)pid, entry ? 0x30 : 0x10};

	packet[4] = entry ? 7 : 0;
	memcpy(packet + TS_PACKET - 4, &w->next, 4);
	w->next++;
	spool_put(w->spool, packet, entry);
}

/* So many pictures, each of which a decoder can begin with. */
static void put_pictures(struct world *w, int count)
{
	for (int i = 0; i < count; i++) {
		put_packet(w, 0, false);
		put_packet(w, 0x1000, false);
		for (int k = 0; k < PICTURE - 2; k++)
			put_packet(w, 0x100, k == 0);
		*w->clock += 500;
		spool_tell(w->spool);
	}
}

static uint32_t number(const uint8_t *packet)
{
	uint32_t n;

	memcpy(&n, packet + TS_PACKET - 4, 4);
	return n;
}

/* Reads all there is: the first number and the last, and whether each followed the one before. */
static bool read_all(struct spool_reader *r, uint32_t *first, uint32_t *last)
{
	uint8_t bytes[TS_PACKET * 300];
	bool any = false, good = true;
	size_t len;

	while (spool_read(r, bytes, sizeof(bytes), 0, &len) == SPOOL_DATA) {
		for (size_t at = 0; at < len; at += TS_PACKET) {
			uint32_t n = number(bytes + at);
			good &= !any || n == *last + 1;
			if (!any)
				*first = n;
			*last = n;
			any = true;
		}
	}
	return any && good;
}

static void join(struct world *w)
{
	struct spool_reader r = {0};
	uint32_t first = 0, last = 0;

	ok(!spool_join(&r, w->path, 2000), "before there is a picture nobody joins");
	put_pictures(w, 1);
	ok(spool_join(&r, w->path, 2000), "with the first one they do");
	ok(read_all(&r, &first, &last) && first == 0 && last == PICTURE - 1, "from its tables on");
	put_pictures(w, 9);
	ok(read_all(&r, &first, &last) && first == PICTURE && last == 10 * PICTURE - 1,
		"and what comes later follows");
	ok(spool_join(&r, w->path, 2000) && read_all(&r, &first, &last), "one who joins again");
	is_int(first, 6 * PICTURE, "begins two seconds before");
	ok(spool_join(&r, w->path, 0) && read_all(&r, &first, &last), "or with the newest picture");
	is_int(first, 9 * PICTURE, "where nothing is to be in hand");
	ok(!spool_is_other(&r, w->path), "it is the same stream");
	spool_leave(&r);
}

static void late(struct world *w)
{
	struct spool_reader r = {0};
	uint32_t first = 0, last = 0;
	uint8_t bytes[TS_PACKET * 4];
	size_t len = 0;

	ok(spool_join(&r, w->path, 0) && read_all(&r, &first, &last), "a reader");
	put_pictures(w, ROUND / PICTURE / 2);
	ok(read_all(&r, &first, &last) && first == 10 * PICTURE,
		"that is half a round late has all");
	put_pictures(w, ROUND / PICTURE + 3);
	is_int(spool_read(&r, bytes, sizeof(bytes), 0, &len), SPOOL_NOTHING, "one that is later");
	is_int(spool_read(&r, bytes, sizeof(bytes), 0, &len), SPOOL_DATA, "goes on");
	is_int(number(bytes), w->next - PICTURE, "with the newest picture, from its tables on");
	ok(len == sizeof(bytes) && (bytes[2 * TS_PACKET + 5] & 0x80),
		"which says that it does not follow");
	ok(read_all(&r, &first, &last) && first == w->next - PICTURE + 4 && last == w->next - 1,
		"and nothing after it");
	put_pictures(w, 1);
	ok(read_all(&r, &first, &last) && last == w->next - 1, "then it is as any other");
	spool_leave(&r);
}

static void another(struct world *w)
{
	struct spool_reader r = {0}, stale = {0};
	uint32_t first = 0, last = 0;
	uint8_t bytes[TS_PACKET * 4];
	struct spool *old = w->spool;
	struct fail f = {0};
	size_t len;

	ok(spool_join(&r, w->path, 0) && read_all(&r, &first, &last), "a reader");
	*w->clock += 5000;
	ok(!spool_join(&stale, w->path, 0), "nobody joins where nothing has come for a while");
	ok(spool_create(&w->spool, w->path, &f) == 0, "another process writes: %s", f.text);
	ok(spool_is_other(&r, w->path), "the reader sees that");
	ok(!spool_join(&r, w->path, 0), "and stays while there is nothing");
	put_pictures(w, 1);
	ok(spool_join(&r, w->path, 0), "then it joins");
	is_int(spool_read(&r, bytes, sizeof(bytes), 0, &len), SPOOL_DATA, "and goes on");
	ok(bytes[2 * TS_PACKET + 5] & 0x80, "with what does not follow");
	spool_close(&w->spool);
	while (spool_read(&r, bytes, sizeof(bytes), 0, &len) == SPOOL_DATA)
		;
	is_int(spool_read(&r, bytes, sizeof(bytes), 0, &len), SPOOL_ENDED, "the end is told");
	ok(!spool_join(&stale, w->path, 0), "and there is nothing to join any more");
	spool_leave(&r);
	spool_close(&old);
}

/* Another process reads as fast as it can while this one goes round and round. */
static int race(const char *path)
{
	struct spool_reader r = {0};
	uint8_t bytes[TS_PACKET * 64];
	uint32_t last = 0;
	enum spool_result what;
	size_t len;

	for (int i = 0; !spool_join(&r, path, 0); i++) {
		if (i > 1000)
			return 1;
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	while ((what = spool_read(&r, bytes, sizeof(bytes), 1000, &len)) != SPOOL_ENDED) {
		bool anew = what == SPOOL_DATA && (bytes[1] & 0x1f) == 0 && bytes[2] == 0;
		if (what != SPOOL_DATA)
			continue;
		for (size_t at = 0; at < len; at += TS_PACKET) {
			uint32_t n = number(bytes + at);
			if (bytes[at] != 0x47 || (n != last + 1 && !(at == 0 && anew)))
				return 2; /* torn, or a step without a picture to begin with */
			last = n;
		}
	}
	return last ? 0 : 3;
}

static void in_two_processes(struct world *w)
{
	struct fail f = {0};
	int status = 0;
	pid_t pid;

	ok(spool_create(&w->spool, w->path, &f) == 0, "a stream");
	put_pictures(w, 1);
	pid = fork();
	if (pid == 0)
		_exit(race(w->path));
	for (int i = 0; i < 40; i++)
		put_pictures(w, 100);
	spool_close(&w->spool);
	waitpid(pid, &status, 0);
	is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0,
		"a reader beside its writer never gets a part of anything");
}

static void seats(const struct world *w)
{
	struct fail f = {0};
	int one = seat_take(w->seats, 2, &f), two = seat_take(w->seats, 2, &f);

	ok(one >= 0 && two >= 0, "two take the two seats");
	ok(seat_take(w->seats, 2, &f) < 0 && f.kind == FAIL_BUSY, "a third has none: %s", f.text);
	close(one);
	one = seat_take(w->seats, 2, &f);
	ok(one >= 0, "until one leaves");
	close(one);
	close(two);
	ok(seat_take("/nowhere/seats", 2, &f) < 0 && f.kind == FAIL_INTERNAL,
		"and where there is no "
		"room: %s",
		f.text);
}

int main(void)
{
	char dir[] = "/tmp/sluice-spool-XXXXXX";
	struct fail f = {0};
	struct world w = {0};

	if (!mkdtemp(dir))
		return 1;
	file_path(w.path, sizeof(w.path), "%s/spool", dir);
	file_path(w.seats, sizeof(w.seats), "%s/seats", dir);
	w.clock = clock_open(dir);
	ok(spool_create(&w.spool, w.path, &f) == 0, "a stream: %s", f.text);
	join(&w);
	late(&w);
	another(&w);
	in_two_processes(&w);
	seats(&w);
	shell("rm -rf \"$PWD\"", dir);
	return tap_done();
}
