/* t/unit/cidr.c - which addresses may be reached, and what of an URL may be shown.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>

#include "lib/http/authority.h"
#include "lib/http/cidr.h"
#include "lib/http/redact.h"
#include "t/unit/tap.h"

static struct cidr_address address(const char *text)
{
	struct cidr_address a = {{0}};
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1)
		return cidr_from_v4(v4);
	inet_pton(AF_INET6, text, a.bytes);
	return a;
}

static void kinds(void)
{
	static const struct {
		const char *text;
		bool private;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"10.0.0.1", true},
		{"172.16.0.1", true},
		{"172.31.255.255", true},
		{"172.32.0.1", false},
		{"192.168.1.1", true},
		{"169.254.169.254", true},
		{"100.64.0.1", true},
		{"100.128.0.1", false},
		{"0.0.0.0", true},
		{"224.0.0.1", true},
		{"255.255.255.255", true},
		{"192.0.2.1", true},
		{"198.18.0.1", true},
		{"8.8.8.8", false},
		{"93.184.216.34", false},
		{"::1", true},
		{"::", true},
		{"fe80::1", true},
		{"fc00::1", true},
		{"fd12::1", true},
		{"ff02::1", true},
		{"::ffff:127.0.0.1", true},
		{"::ffff:8.8.8.8", false},
		{"64:ff9b::7f00:1", true},
		{"64:ff9b::808:808", false},
		{"2002:7f00:1::", true},
		{"2002:808:808::", false},
		{"2001:db8::1", true},
		{"2001:0:1::", true},
		{"::127.0.0.1", true},
		{"2606:4700::1111", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cidr_address a = address(cases[i].text);
		ok(cidr_is_private(&a) == cases[i].private, "%s is %s", cases[i].text,
			cases[i].private ? "private" : "public");
	}
}

static void entries(void)
{
	static const struct {
		const char *text;
		bool good;
		const char *inside;
		uint16_t port;
		bool holds;
	} cases[] = {
		{"127.0.0.1", true, "127.0.0.1", 80, true},
		{"127.0.0.1", true, "127.0.0.2", 80, false},
		{"127.0.0.0/8", true, "127.9.9.9", 1, true},
		{"127.0.0.1/32:8081", true, "127.0.0.1", 8081, true},
		{"127.0.0.1/32:8081", true, "127.0.0.1", 8082, false},
		{"127.0.0.1/32:8081-8083", true, "127.0.0.1", 8083, true},
		{"10.0.0.0/9", true, "10.128.0.0", 80, false},
		{"0.0.0.0/0", true, "9.9.9.9", 80, true},
		{"0.0.0.0/0", true, "2606::1", 80, false},
		{"::1", true, "::1", 80, true},
		{"[::1]:80", true, "::1", 81, false},
		{"[fd00::/8]:80-90", true, "fd12::1", 85, true},
		{"127.0.0.1", true, "::ffff:127.0.0.1", 80, true},
		{"", false, NULL, 0, false},
		{"localhost", false, NULL, 0, false},
		{"127.1", false, NULL, 0, false},
		{"127.0.0.1/33", false, NULL, 0, false},
		{"127.0.0.1:0", false, NULL, 0, false},
		{"127.0.0.1:90-80", false, NULL, 0, false},
		{"127.0.0.1:80x", false, NULL, 0, false},
		{"[::1", false, NULL, 0, false},
		{"[::1]80", false, NULL, 0, false},
		{"::1/129", false, NULL, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cidr c = {.bits = -1};
		bool good = cidr_parse(span_of(cases[i].text), &c);

		ok(good == cases[i].good, "'%s' is %s", cases[i].text,
			cases[i].good ? "an entry" : "none");
		if (!good) {
			is_int(c.bits, -1, "and nothing is changed then");
			continue;
		}
		struct cidr_address a = address(cases[i].inside);
		ok(cidr_holds(&c, &a, cases[i].port) == cases[i].holds, "'%s' %s %s port %d",
			cases[i].text, cases[i].holds ? "holds" : "does not hold", cases[i].inside,
			cases[i].port);
	}
}

static void shown(void)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{"http://gw:8080/live/user/secret/8.ts", "http://gw:8080/….ts"},
		{"http://user:secret@gw/", "http://gw"},
		{"https://edge/auth/secret?token=secret", "https://edge/…?…"},
		{"http://gw/player_api.php?username=u&password=secret", "http://gw/….php?…"},
		{"http://gw/secret.secretsecret", "http://gw/…"},
		{"http://gw/#secret", "http://gw"},
		{"http://a@b@gw/x", "http://gw/…"},
		{"ftp://user:secret@gw/", "…"},
		{"secret", "…"},
		{"", "…"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[100];

		redact_url(cases[i].url, text, sizeof(text));
		is_str(text, cases[i].want, "of '%s' this is shown", cases[i].url);
	}
	char small[8];
	redact_url("http://gw:8080/live/user/secret/8.ts", small, sizeof(small));
	is_int(strlen(small), 7, "what is too long is cut");
}

/* An URL that another program will read: its host, where nobody can read another one; "!" for one
 * that is not public. */
static void hosts(void)
{
	static const struct {
		const char *url, *want; /* NULL: in doubt */
	} cases[] = {
		{"https://pages.example/x?y#z", "pages.example"},
		{"HTTP://Pages.Example:8080", "Pages.Example"},
		{"https://pages.example?x=/", "pages.example"},
		{"https://8.8.8.8/", "8.8.8.8"},
		{"https://[2606:4700::1111]:443/", "2606:4700::1111"},
		{"https://10.example.com/", "10.example.com"},
		{"http://127.0.0.1/", "!127.0.0.1"},
		{"http://127.1:80/", "!127.1"},
		{"http://0x7f.1/", "!0x7f.1"},
		{"http://2130706433/", "!2130706433"},
		{"http://017700000001/", "!017700000001"},
		{"http://127.0.0.1./", "!127.0.0.1."},
		{"http://169.254.169.254/latest", "!169.254.169.254"},
		{"http://0xa9fea9fe/", "!0xa9fea9fe"},
		{"http://[::1]/", "!::1"},
		{"http://[::ffff:127.0.0.1]/", "!::ffff:127.0.0.1"},
		{"http://[64:ff9b::7f00:1]/", "!64:ff9b::7f00:1"},
		{"http://[fd00::1]:80", "!fd00::1"},
		{"http://localhost/", "!localhost"},
		{"http://LOCALHOST./", "!LOCALHOST."},
		{"http://a.localhost/", "!a.localhost"},
		{"http://printer.Local/", "!printer.Local"},
		{"http://metadata.google.internal/", "!metadata.google.internal"},
		{"http://intranet/", "!intranet"},
		{"http://user@pages.example/", NULL},
		{"http://127.0.0.1@pages.example/", NULL},
		{"http://pages.example\\@127.0.0.1/", NULL},
		{"http://pages.example%00.x/", NULL},
		{"http://%31%32%37.0.0.1/", NULL},
		{"http://\xe2\x91\xa0.0.0.1/", NULL},
		{"http://pages.example:0/", NULL},
		{"http://pages.example:80:80/", NULL},
		{"http://pages.example:x/", NULL},
		{"http://[::1/", NULL},
		{"http://[::1]x/", NULL},
		{"http://[fe80::1%25lo]/", NULL},
		{"http:///x", NULL},
		{"http://", NULL},
		{"http://?x", NULL},
		{"ftp://pages.example/", NULL},
		{"//pages.example/", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span host;
		char text[100] = "in doubt";

		if (authority_host(span_of(cases[i].url), &host))
			snprintf(text, sizeof(text), "%s%.*s",
				authority_is_private(host) ? "!" : "", (int)host.len, host.ptr);
		is_str(text, cases[i].want ? cases[i].want : "in doubt", "'%s' names %s",
			cases[i].url, text);
	}
}

int main(void)
{
	hosts();
	kinds();
	entries();
	shown();
	return tap_done();
}
