/* t/unit/private.c - an address that is not public is not connected to, however it is spelt.
 * SPDX-License-Identifier: BSD-2-Clause
 * Somebody listens on a port of this host: whatever gets through to it fails the test. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/io/fetch.h"
#include "t/unit/tap.h"

static int victim4, victim6;
static uint16_t port;

static void listen_here(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	socklen_t size = sizeof(v4);
	int on = 1;

	victim4 = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	victim6 = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(victim4, (struct sockaddr *)&v4, size) < 0 || listen(victim4, 50) < 0 ||
		getsockname(victim4, (struct sockaddr *)&v4, &size) < 0)
		printf("Bail out! nobody can listen\n");
	port = ntohs(v4.sin_port);
	v6.sin6_port = v4.sin_port;
	setsockopt(victim6, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(victim6, (struct sockaddr *)&v6, sizeof(v6)) < 0 || listen(victim6, 50) < 0) {
		close(victim6); /* there is no IPv6 here */
		victim6 = -1;
	}
}

static bool was_reached(void)
{
	struct pollfd fds[] = {{victim4, POLLIN, 0}, {victim6, POLLIN, 0}};
	bool reached = false;
	int fd;

	poll(fds, 2, 0);
	while ((fd = accept(victim4, NULL, NULL)) >= 0 || (fd = accept(victim6, NULL, NULL)) >= 0) {
		close(fd);
		reached = true;
	}
	return reached;
}

/* `host` as it stands in an URL, with @PORT where not behind it. */
static enum fail_kind ask(const char *url, struct fail *f)
{
	struct fetch_request rq = {.url = url, .connect_ms = 2000, .total_ms = 2000, .follow = 3};
	struct fetch_result res;

	*f = (struct fail){0};
	fetch_get(&rq, false, &res, f);
	buf_release(&res.body);
	return f->kind;
}

/* Those of this host are listened at; the others would be routed away, or not be answered. */
static const char *const spelt[] = {
	"127.0.0.1",
	"127.1",
	"127.0.1",
	"127.255.255.254",
	"0177.0.0.1",
	"0177.0x0.0.01",
	"0x7f.1",
	"0x7f.0.0.1",
	"0x7f000001",
	"0X7F000001",
	"2130706433",
	"017700000001",
	"localhost",
	"LocalHost",
	"0",
	"0x0",
	"00",
	"0.0.0.0",
	"0.0",
	"[::]",
	"[::1]",
	"[0:0:0:0:0:0:0:1]",
	"[::1%25lo]",
	"[::ffff:127.0.0.1]",
	"[::ffff:7f00:1]",
	"[0:0:0:0:0:ffff:7f00:0001]",
	"[::FFFF:0.0.0.0]",
	"[::127.0.0.1]",
	"[::ffff:0:127.0.0.1]",
	"[64:ff9b::127.0.0.1]",
	"[64:ff9b::7f00:1]",
	"[64:ff9b:1::7f00:1]",
	"[2002:7f00:1::]",
	"[2002:7f00:0001::1]",
	"[2001:0:7f00:1::]",
	"user@127.0.0.1",
	"user:word@127.0.0.1",
	"8.8.8.8@127.0.0.1",
	"8.8.8.8:80@127.1",
	"example.com%2f@127.0.0.1",
	"%31%32%37.0.0.1",
	"127.0.0.%31",
	/* private, carrier-grade NAT, link-local, unique local, multicast, reserved */
	"10.0.0.1",
	"10.255.255.255",
	"012.0.0.1",
	"172.16.0.1",
	"172.31.255.255",
	"0xac100001",
	"192.168.0.1",
	"192.168.257",
	"3232235521",
	"100.64.0.1",
	"100.127.255.255",
	"169.254.0.1",
	"224.0.0.1",
	"239.255.255.250",
	"240.0.0.1",
	"255.255.255.255",
	"192.0.2.1",
	"198.51.100.1",
	"203.0.113.1",
	"198.18.0.1",
	"192.88.99.1",
	"[fe80::1]",
	"[fe80::1%25lo]",
	"[fec0::1]",
	"[fc00::1]",
	"[fd12:3456::1]",
	"[ff02::1]",
	"[2001:db8::1]",
	"[3fff::1]",
	"[2001:2::1]",
	"[100::1]",
	"[5f00::1]",
	"[::ffff:10.0.0.1]",
	"[64:ff9b::10.0.0.1]",
	"[64:ff9b::c0a8:1]",
	"[2002:a00:1::]",
	"[2002:c0a8:1::1]",
	/* where clouds tell what nobody else should know */
	"169.254.169.254",
	"0xa9fea9fe",
	"0xa9.0xfe.0xa9.0xfe",
	"2852039166",
	"0251.0376.0251.0376",
	"025177524776",
	"169.254.43518",
	"169.16689662",
	"[::ffff:169.254.169.254]",
	"[::ffff:a9fe:a9fe]",
	"[64:ff9b::169.254.169.254]",
	"[2002:a9fe:a9fe::]",
	"169.254.170.2",
	"[fd00:ec2::254]",
	"100.100.100.200",
	"192.0.0.192",
	"168.63.129.16",
	"x@169.254.169.254",
};

static void spellings(void)
{
	for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
		char url[200];
		struct fail f;

		snprintf(url, sizeof(url), "http://%s:%u/latest/meta-data", spelt[i], port);
		ask(url, &f);
		ok(f.kind == FAIL_FORBIDDEN &&
				strstr(f.text, "is a private address; allow it in the source's"),
			"%s is refused in words", spelt[i]);
		if (f.kind != FAIL_FORBIDDEN)
			printf("# %d %s\n", (int)f.kind, f.text);
	}
	ok(!was_reached(), "and nobody was connected to");
}

/* What may be refused in any way that connects to nobody. */
static void oddities(void)
{
	static const char *const urls[] = {
		"http://127.0.0.1#@192.0.2.1:%u/",
		"http://8.8.8.8\\@127.0.0.1:%u/",
		"http://127.0.0.1\\@192.0.2.1:%u/",
		"http://127.0.0.1%%00.example.com:%u/",
		"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:%u/",
		"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:%u/",
		"http://127\xe3\x80\x82"
		"0\xe3\x80\x82"
		"0\xe3\x80\x82"
		"1:%u/",
		"http://127.0.0.1 :%u/",
		"http:/127.0.0.1:%u/",
		"http:127.0.0.1:%u/",
		"//127.0.0.1:%u/",
		"127.0.0.1:%u/",
		"http://127.000000000000000000000001:%u/",
		"http://0x7f.0.0.0x1:%u/",
		"http://127.0.0.1.1:%u/",
		"http://[127.0.0.1]:%u/",
		"http://[::ffff:127.0.0.1]x:%u/",
		"http://[::1]@192.0.2.1#:%u/",
		/* glibc knows none of these with a dot behind */
		"http://127.0.0.1.:%u/",
		"http://localhost.:%u/",
		"http://[::1.]:%u/",
		"https://127.0.0.1:%u/",
		"file:///etc/passwd?%u",
		"gopher://127.0.0.1:%u/_x",
		"dict://127.0.0.1:%u/x",
		"ftp://127.0.0.1:%u/x",
		"tftp://127.0.0.1:%u/x",
		"ldap://127.0.0.1:%u/x",
		"telnet://127.0.0.1:%u/",
		"smb://127.0.0.1:%u/x",
		"unix:///run/x%u",
		"rtmp://127.0.0.1:%u/x",
		"HTTP://127.0.0.1:%u/",
		"javascript:%u",
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char url[200];
		struct fail f;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(url, sizeof(url), urls[i], port);
#pragma GCC diagnostic pop
		ask(url, &f);
		ok(f.kind != FAIL_NONE && !was_reached(), "%s leads to nobody", urls[i]);
		printf("# %s\n", f.text);
	}
}

static void allowed(void)
{
	char url[64], entry[64];
	const char *allow[] = {entry};
	struct fetch_request rq = {
		.url = url, .policy = {allow, 1}, .connect_ms = 2000, .total_ms = 200};
	struct fetch_result res;
	struct fail f;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	snprintf(entry, sizeof(entry), "127.0.0.0/8:%u", port + 1);
	fetch_get(&rq, false, &res, &f);
	ok(f.kind == FAIL_FORBIDDEN && !was_reached(), "another port is not what was allowed");
	buf_release(&res.body);
	snprintf(entry, sizeof(entry), "127.0.0.0/8:%u", port);
	fetch_get(&rq, false, &res, &f);
	buf_release(&res.body);
	ok(was_reached(), "what is allowed is connected to");
	is_int(f.kind, FAIL_TIMEOUT, "and asked");
}

int main(void)
{
	listen_here();
	spellings();
	oddities();
	allowed();
	return tap_done();
}
