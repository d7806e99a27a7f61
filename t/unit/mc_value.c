/* t/unit/mc_value.c - how values lie in memcached, and what the list of servers may say.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_value.h"

#include "lib/io/mc_servers.h"
#include "t/unit/tap.h"

static void values(void)
{
	struct span family = span_of("tok"), key = span_of("live-8"), got = {0};
	struct buf b;

	buf_init(&b, 1000);
	ok(mc_value_pack(&b, family, key, span_make("a\0b", 3)), "a value is packed");
	ok(mc_value_unpack(buf_span(&b), family, key, &got), "and unpacked");
	ok(span_eq(got, span_make("a\0b", 3)), "as it was");
	ok(!mc_value_unpack(buf_span(&b), family, span_of("live-9"), &got), "not for another key");
	ok(!mc_value_unpack(buf_span(&b), span_of("url"), key, &got), "not for another family");
	ok(!mc_value_unpack(buf_span(&b), span_of("tokl"), span_of("ive-8"), &got),
		"not where family and key only look alike together");
	for (size_t cut = 0; cut < b.len; cut++) {
		if (mc_value_unpack(span_make(b.ptr, cut), family, key, &got))
			ok(false, "cut to %zu bytes it is refused", cut);
	}
	ok(true, "no part of it is taken for the whole");
	for (size_t i = 0; i < b.len - 3; i++) {
		b.ptr[i] ^= 0x10;
		if (mc_value_unpack(buf_span(&b), family, key, &got))
			ok(false, "changed at byte %zu it is refused", i);
		b.ptr[i] ^= 0x10;
	}
	ok(true, "a change anywhere before the payload is noticed");
	b.ptr[3]++;
	ok(!mc_value_unpack(buf_span(&b), family, key, &got), "another version is refused");
	buf_clear(&b);
	buf_add(&b, "x", 1);
	ok(b.len == 1 && !mc_value_unpack(buf_span(&b), family, key, &got), "a byte is refused");
	ok(!mc_value_unpack(span_make(NULL, 0), family, key, &got), "nothing is refused");

	buf_clear(&b);
	ok(mc_value_pack(&b, family, key, span_make(NULL, 0)), "an empty value is packed");
	ok(mc_value_unpack(buf_span(&b), family, key, &got) && got.len == 0, "and is a value");
	buf_release(&b);

	buf_init(&b, MC_VALUE_HEAD + 3 + 6 + 5);
	ok(!mc_value_pack(&b, family, key, span_of("123456")) && b.len == 0 && !b.failed,
		"one byte too many is refused, and nothing is added");
	ok(mc_value_pack(&b, family, key, span_of("12345")), "what just fits is packed");
	buf_release(&b);
}

static void servers(void)
{
	static const struct {
		const char *text, *host;
		int port;
	} good[] = {
		{"127.0.0.1:11211", "127.0.0.1", 11211},
		{" 127.0.0.1\t", "127.0.0.1", 11211},
		{"cache-1.example:1", "cache-1.example", 1},
		{"[::1]:65535", "::1", 65535},
		{"[::1]", "::1", 11211},
		{"/run/memcached.sock", "/run/memcached.sock", 0},
	};
	static const char *const bad[] = {"host:0", "host:65536", "host:", "host:x", ":11211",
		"::1", "::1:11211", "[::1", "[::1]x", "[]:1", "[host]:1", "ho/st", "ho,st:1",
		"h\x01st",
		"/a-path-that-is-far-too-long-for-the-address-of-a-unix-socket-which-has-room-for-"
		"107-"
		"bytes-and-not-for-one-more"};
	struct mc_server_name names[3];
	struct fail f;
	size_t count;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		is_int(mc_servers_parse(good[i].text, names, 3, &count, &f), 0, "'%s' is read",
			good[i].text);
		is_int(count, 1, "as one server");
		is_str(names[0].host, good[i].host, "with its host");
		is_int(names[0].port, good[i].port, "and its port");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.text[0] = '\0';
		is_int(mc_servers_parse(bad[i], names, 3, &count, &f), -1, "'%s' is refused: %s",
			bad[i], f.text);
	}
	is_int(mc_servers_parse("  ", names, 3, &count, &f), 0, "blanks are no server");
	is_int(count, 0, "so there are none");
	is_int(mc_servers_parse("a b:2 /c", names, 3, &count, &f), 0, "several are read");
	ok(count == 3 && strcmp(names[1].text, "b:2") == 0, "in their order");
	is_int(mc_servers_parse("a b c d", names, 3, &count, &f), -1, "too many are refused: %s",
		f.text);

	mc_servers_parse("[::1]:1 /x 127.0.0.1", names, 3, &count, &f);
	for (size_t i = 0; i < count; i++)
		mc_servers_look_up(&names[i]);
	is_str(names[0].host, "::1", "an IPv6 address stays");
	is_str(names[1].host, "/x", "a path stays");
	is_str(names[2].host, "127.0.0.1", "an IPv4 address stays");
	/* A label has at most 63 bytes, so no resolver is asked for this one. */
	mc_servers_parse("a-name-without-an-address-because-it-is-longer-than-any-label-may-be",
		names, 3, &count, &f);
	mc_servers_look_up(&names[0]);
	is_str(names[0].host, "", "a name without an address has none");
}

int main(void)
{
	values();
	servers();
	return tap_done();
}
