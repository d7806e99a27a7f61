/* t/unit/reservoir.c - segments that wait, and what is given of them when; addresses in playlists.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hls/reservoir.h"

#include <stdlib.h>

#include "lib/hls/ts.h"
#include "lib/io/fetch.h"
#include "t/unit/tap.h"

struct taker {
	struct buf text; /* seams as letters, packets by their first byte */
	size_t odd;	 /* pieces that are no whole packets */
	bool full;
};

static bool take(void *ctx, const void *bytes, size_t len)
{
	struct taker *t = ctx;

	t->odd += len % TS_PACKET != 0;
	for (size_t i = 0; i + TS_PACKET <= len; i += TS_PACKET)
		buf_putc(&t->text, ((const char *)bytes)[i]);
	return !t->full;
}

static void take_seam(void *ctx, enum seam seam)
{
	struct taker *t = ctx;

	buf_putc(&t->text, "|<!"[seam]);
}

/* `packets` packets, each beginning with the letter. */
static void add(struct reservoir *r, char letter, int packets, int64_t duration_us, enum seam seam)
{
	struct buf b;
	char packet[TS_PACKET];

	buf_init(&b, RESERVOIR_BYTES);
	memset(packet, letter, sizeof(packet));
	for (int i = 0; i < packets; i++)
		buf_add(&b, packet, sizeof(packet));
	reservoir_add(r, &b, duration_us, seam);
}

static void give(void)
{
	struct reservoir r = {0};
	struct taker t = {0};
	const struct reservoir_feed feed = {&t, take, take_seam};
	bool wanted;

	buf_init(&t.text, 65536);
	is_int(reservoir_give(&r, 1000, &feed, &wanted), 0, "nothing is given of nothing");
	add(&r, 'a', 10, 1000000, SEAM_JOIN);
	add(&r, 'b', 4, 1000000, SEAM_SEGMENT);
	add(&r, 'c', 1, 500000, SEAM_DISCONTINUITY);
	is_int(reservoir_left_us(&r), 2500000, "all of it waits");
	is_int(reservoir_give(&r, 250000, &feed, &wanted), 250000, "a quarter of a second");
	is_str(buf_str(&t.text), "<aa", "is a quarter of its packets, the part of one not counted");
	is_int(reservoir_give(&r, 1000000, &feed, &wanted), 750000,
		"no more than one segment at once");
	is_str(buf_str(&t.text), "<aaaaaaaaaa", "of which nothing is missing");
	while (reservoir_give(&r, 300000, &feed, &wanted))
		;
	is_str(buf_str(&t.text), "<aaaaaaaaaa|bbbb!c",
		"then the others, with what is between them");
	is_int(t.odd, 0, "always in whole packets");
	is_int(reservoir_left_us(&r), 0, "until nothing is left");
	add(&r, 'd', 2, 0, SEAM_SEGMENT);
	t.full = true;
	reservoir_give(&r, 1, &feed, &wanted);
	ok(!wanted, "who wants no more is heard");
	is_int(r.count, 0, "a segment of no length is given at once");
	buf_release(&t.text);
}

static void room(void)
{
	struct reservoir r = {0};

	for (int i = 0; i < RESERVOIR_SEGMENTS; i++) {
		ok(reservoir_has_room(&r), "there is room for segment %d", i);
		add(&r, 'a', 1, 1000000, SEAM_SEGMENT);
	}
	ok(!reservoir_has_room(&r), "but not for more");
	reservoir_release(&r);
	ok(reservoir_has_room(&r), "until it is emptied");
	add(&r, 'a', RESERVOIR_BYTES / TS_PACKET, 1000000, SEAM_SEGMENT);
	add(&r, 'a', 1, 1000000, SEAM_SEGMENT);
	ok(!reservoir_has_room(&r), "nor for more bytes than it may hold");
	reservoir_release(&r);
}

/* RFC 3986 section 5.4, and what playlists make of it. */
static const struct {
	const char *base, *reference, *want;
} addresses[] = {
	{"http://h/a/b/list.m3u8?t=1", "seg.ts", "http://h/a/b/seg.ts"},
	{"http://h/a/b/list.m3u8", "../seg.ts?x=1", "http://h/a/seg.ts?x=1"},
	{"http://h/a/b/list.m3u8", "../../../../seg.ts", "http://h/seg.ts"},
	{"http://h:81/a/list.m3u8", "/seg.ts", "http://h:81/seg.ts"},
	{"https://h/a/list.m3u8", "//other/seg.ts", "https://other/seg.ts"},
	{"http://h/a/list.m3u8", "https://other:8443/seg.ts", "https://other:8443/seg.ts"},
	{"http://h/a/list.m3u8?t=1", "?t=2", "http://h/a/list.m3u8?t=2"},
	{"http://u:p@h/a/list.m3u8", "seg.ts", "http://u:p@h/a/seg.ts"},
	{"http://h/a/list.m3u8", "a b.ts", "http://h/a/a%20b.ts"},
	{"http://h/a/list.m3u8", "file:///etc/passwd", "! leads to file,"},
	{"http://h/a/list.m3u8", "gopher://h/x", "! leads to gopher,"},
	{"http://h/a/list.m3u8", "http://", "!names something"},
	{"http://h/a/list.m3u8", "http://h:99999/", "!names something"},
	{"nothing", "/", "!names something"},
};

static void join(void)
{
	char long_text[FETCH_URL_BYTES + 10];
	struct fail f = {0};
	struct buf b;

	buf_init(&b, FETCH_URL_BYTES - 1);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const char *want = addresses[i].want;
		int result =
			fetch_url_join(addresses[i].base, span_of(addresses[i].reference), &b, &f);
		if (want[0] == '!')
			ok(result < 0 && f.kind == FAIL_UPSTREAM && strstr(f.text, want + 1),
				"%s is refused: %s", addresses[i].reference, f.text);
		else
			is_str(result < 0 ? f.text : buf_str(&b), want, "%s beside %s",
				addresses[i].reference, addresses[i].base);
	}
	memset(long_text, 'a', sizeof(long_text));
	ok(fetch_url_join("http://h/", span_make(long_text, sizeof(long_text)), &b, &f) < 0,
		"one that is too long is refused");
	ok(fetch_url_join("http://h/", span_make(long_text, FETCH_URL_BYTES - 4), &b, &f) < 0,
		"and one that becomes too long");
	buf_release(&b);
}

int main(void)
{
	give();
	room();
	join();
	return tap_done();
}
