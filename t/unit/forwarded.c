/* t/unit/forwarded.c - who asks: nobody but our proxies is believed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "lib/http/forwarded.h"
#include "t/unit/tap.h"

enum { TRUSTED_MAX = 4, VALUES_MAX = 4 };

static void print(const struct cidr_address *a, char to[INET6_ADDRSTRLEN])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, a->bytes + 12, to, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, a->bytes, to, INET6_ADDRSTRLEN);
}

#define X FORWARDED_X_FOR
#define R FORWARDED_RFC

static const struct {
	const char *remote;
	enum forwarded_field field;
	const char *values, *trusted; /* values apart by '|', as several headers of one name */
	const char *want;	      /* "": not known */
} cases[] = {
	/* Nobody is trusted. */
	{"192.0.2.1", X, "", "", "192.0.2.1"},
	{"192.0.2.1", X, "203.0.113.9", "", "192.0.2.1"},
	{"192.0.2.1", R, "for=203.0.113.9", "", "192.0.2.1"},
	{"2001:db8::1", X, "203.0.113.9", "", "2001:db8::1"},
	{"192.0.2.1", X, "203.0.113.9", "192.0.2.2", "192.0.2.1"},
	/* One proxy. */
	{"10.0.0.1", X, "203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, " 203.0.113.9 ", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "1.1.1.1, 203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "1.1.1.1,2.2.2.2,203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "203.0.113.9:4711", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "2001:db8::9", "10.0.0.0/8", "2001:db8::9"},
	{"10.0.0.1", X, "[2001:db8::9]", "10.0.0.0/8", "2001:db8::9"},
	{"10.0.0.1", X, "[2001:db8::9]:4711", "10.0.0.0/8", "2001:db8::9"},
	{"fd00::1", X, "203.0.113.9", "fd00::/8", "203.0.113.9"},
	{"::ffff:10.0.0.1", X, "::ffff:203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	/* Several, and what stands before theirs is anybody's. */
	{"10.0.0.1", X, "1.1.1.1, 203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "10.0.0.3, 203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "10.0.0.3, 10.0.0.2", "10.0.0.0/8", "10.0.0.3"},
	{"10.0.0.1", X, "1.1.1.1|203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "1.1.1.1|203.0.113.9|10.0.0.2", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", X, "203.0.113.9|", "10.0.0.0/8", "10.0.0.1"},
	/* What is no address ends it where it was said. */
	{"10.0.0.1", X, "203.0.113.9, unknown", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "203.0.113.9, unknown, 10.0.0.2", "10.0.0.0/8", "10.0.0.2"},
	{"10.0.0.1", X, "203.0.113.9,", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "203.0.113.9/8", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "0x7f.1", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "127.1", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "[2001:db8::9", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", X, "for=203.0.113.9", "10.0.0.0/8", "10.0.0.1"},
	/* RFC 7239. */
	{"10.0.0.1", R, "for=203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "For=\"203.0.113.9:80\"", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "for=\"[2001:db8:cafe::17]:4711\"", "10.0.0.0/8", "2001:db8:cafe::17"},
	{"10.0.0.1", R, "for=\"[2001:db8:cafe::17]:_x\"", "10.0.0.0/8", "2001:db8:cafe::17"},
	{"10.0.0.1", R, "for=1.1.1.1;proto=http;by=2.2.2.2, proto=https ; for=203.0.113.9",
		"10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "for=\"1.1.1.1, for=203.0.113.9", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "for=\"1.1.1.1\\\", for=\"203.0.113.9\"", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "for=\"20\\3.0.113.9\"", "10.0.0.0/8", "203.0.113.9"},
	{"10.0.0.1", R, "for=unknown", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", R, "for=_hidden, for=10.0.0.2", "10.0.0.0/8", "10.0.0.2"},
	{"10.0.0.1", R, "by=203.0.113.9", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", R, "for", "10.0.0.0/8", "10.0.0.1"},
	{"10.0.0.1", R, "203.0.113.9", "10.0.0.0/8", "10.0.0.1"},
	/* Who is connected is not known. */
	{"", X, "203.0.113.9", "10.0.0.0/8", ""},
	{"unix:", X, "203.0.113.9", "0.0.0.0/0", ""},
};

static void clients(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest = span_of(cases[i].values), word;
		char values[VALUES_MAX][200], text[INET6_ADDRSTRLEN] = "";
		const char *list[VALUES_MAX];
		struct cidr trusted[TRUSTED_MAX];
		struct cidr_address got;
		size_t count = 0, trusted_count = 0;
		bool known;

		while (*cases[i].values && span_next(&rest, '|', &word)) {
			span_copy(word, values[count], sizeof(values[0]));
			list[count] = values[count];
			count++;
		}
		rest = span_of(cases[i].trusted);
		while (*cases[i].trusted && span_next(&rest, ' ', &word))
			cidr_parse(word, &trusted[trusted_count++]);
		known = forwarded_client(
			cases[i].remote, cases[i].field, list, count, trusted, trusted_count, &got);
		if (known)
			print(&got, text);
		is_str(text, cases[i].want, "'%s' by %s, trusting '%s'", cases[i].values,
			cases[i].remote, cases[i].trusted);
	}
}

static void many(void)
{
	static char text[200 * 12 + 1];
	const char *value = text;
	struct cidr trusted;
	struct cidr_address got;

	for (int i = 0; i < 200; i++)
		strcat(text, i ? ",10.0.0.2" : "10.0.0.2");
	cidr_parse(span_of("10.0.0.0/8"), &trusted);
	ok(forwarded_client("10.0.0.1", FORWARDED_X_FOR, &value, 1, &trusted, 1, &got) &&
			got.bytes[15] == 2,
		"a chain that never ends does");
}

static void counted(void)
{
	static const struct {
		const char *text, *want;
	} pairs[] = {
		{"203.0.113.9", "203.0.113.9"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"::1", "::"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct cidr c;
		struct cidr_address a;
		char text[INET6_ADDRSTRLEN];

		cidr_parse(span_of(pairs[i].text), &c);
		a = forwarded_counted(&c.base);
		print(&a, text);
		ok(strcmp(text, pairs[i].want) == 0, "%s is counted as %s", pairs[i].text, text);
	}
}

int main(void)
{
	clients();
	many();
	counted();
	return tap_done();
}
