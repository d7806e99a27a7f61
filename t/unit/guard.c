/* t/unit/guard.c - a program's way out: it leads to public addresses, and to what is allowed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/io/sign.h"
#include "t/unit/tap.h"

static int server_port;

/* %d is the port of a server on this host. */
static const struct {
	const char *name, *request;
	enum { CLOSED, OPEN, STRANGER } who; /* the policy, and whether a stranger asks */
	const char *want;
} cases[] = {
	{"a tunnel to loopback", "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"by another spelling", "CONNECT 127.1:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"as one number", "CONNECT 0x7f000001:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"in decimal", "CONNECT 2130706433:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"as no address at all", "CONNECT 0.0.0.0:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"by name", "CONNECT localhost:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"mapped into IPv6", "CONNECT [::ffff:127.0.0.1]:%d HTTP/1.1\r\n\r\n", CLOSED,
		"HTTP/1.1 403 "},
	{"as IPv6", "CONNECT [::1]:%d HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"to metadata of a cloud", "CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", CLOSED,
		"HTTP/1.1 403 "},
	{"to a private network", "CONNECT 10.0.0.1:80 HTTP/1.1\r\n\r\n", CLOSED, "HTTP/1.1 403 "},
	{"a plain request to loopback", "GET http://127.0.0.1:%d/x HTTP/1.1\r\nHost: x\r\n\r\n",
		CLOSED, "HTTP/1.1 403 "},
	{"with a user", "GET http://a@127.0.0.1:%d/x HTTP/1.1\r\n\r\n", OPEN, "HTTP/1.1 502 "},
	{"to a port that is none", "CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n", OPEN,
		"HTTP/1.1 502 "},
	{"to nowhere", "CONNECT  HTTP/1.1\r\n\r\n", OPEN, "HTTP/1.1 502 "},
	{"to no name", "CONNECT :80 HTTP/1.1\r\n\r\n", OPEN, "HTTP/1.1 502 "},
	{"of another scheme", "GET ftp://127.0.0.1:%d/x HTTP/1.1\r\n\r\n", OPEN, "HTTP/1.1 502 "},
	{"for a path alone", "GET /x HTTP/1.1\r\n\r\n", OPEN, "HTTP/1.1 502 "},
	{"to a port where nobody listens", "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", OPEN,
		"HTTP/1.1 502 "},
	{"a tunnel to what is allowed",
		"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\nGET /y HTTP/1.0\r\n\r\n", OPEN,
		"HTTP/1.1 200 Connection established\r\n\r\nsaw: GET /y HTTP/1.0\r\n\r\n"},
	{"a plain request to it", "GET http://127.0.0.1:%d/z?q HTTP/1.1\r\nHost: h\r\n\r\n", OPEN,
		"saw: GET /z?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"},
	{"one that shows another secret",
		"CONNECT 127.0.0.1:%d HTTP/1.1\r\nProxy-Authorization: Basic Z3VhcmQ6MDA=\r\n\r\n",
		STRANGER, "HTTP/1.1 407 "},
	{"one that shows none", "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", STRANGER,
		"HTTP/1.1 407 Not yours\r\nProxy-Authenticate: Basic realm="},
	{"one that shows none for a plain request", "GET http://127.0.0.1:%d/ HTTP/1.1\r\n\r\n",
		STRANGER, "HTTP/1.1 407 "},
	{"one that wants to know whether a name is there", "CONNECT no.invalid:80 HTTP/1.1\r\n\r\n",
		STRANGER, "HTTP/1.1 407 "},
	{"one whose field goes on in a second line",
		"GET http://127.0.0.1:%d/ HTTP/1.1\r\nA: b\r\n Connection: x\r\n\r\n", OPEN,
		"HTTP/1.1 502 "},
	{"which is the only one of its connection",
		"GET http://127.0.0.1:%d/z HTTP/1.1\r\nHost: h\r\nconnection: keep-alive\r\n"
		"Proxy-Connection: keep-alive\r\nA: b\r\n\r\n",
		OPEN, "saw: GET /z HTTP/1.1\r\nHost: h\r\nA: b\r\nConnection: close\r\n\r\n"},
};

static int listener(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 20) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		exit(99);
	*port = ntohs(at.sin_port);
	return fd;
}

/* Says what it was sent, up to an empty line. */
static pid_t serve(int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int client = accept(fd, NULL, NULL);
		char text[2048] = "saw: ";
		size_t len = 5;
		ssize_t n = 1;

		while (!strstr(text, "\r\n\r\n") && n > 0) {
			n = recv(client, text + len, sizeof(text) - 1 - len, 0);
			len += n > 0 ? (size_t)n : 0;
			text[len] = '\0';
		}
		(void)!write(client, text, len);
		close(client);
	}
}

static void ask(int port, const char *request, char *to, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd wake = {fd, POLLIN, 0};
	size_t len = 0;
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		write(fd, request, strlen(request)) > 0) {
		while (len + 1 < size && poll(&wake, 1, 10000) > 0 &&
			(n = recv(fd, to + len, size - 1 - len, 0)) > 0)
			len += (size_t)n;
	}
	to[len] = '\0';
	close(fd);
}

/* The field that goes with what stands in the guard's address. */
static void print_credentials(const struct guard *g, char *to, size_t size)
{
	const char *word = strstr(g->url, "//") + 2;
	struct span text = span_make(word, strcspn(word, "@"));
	char base64[SIGN_BASE64_SIZE(sizeof(g->url))];

	sign_base64(text, base64, sizeof(base64));
	snprintf(to, size, "proxy-authorization: basic %s\r\n", base64);
}

static void run(size_t i, const struct guard *closed, const struct guard *open)
{
	const struct guard *g = cases[i].who == CLOSED ? closed : open;
	char request[400], shown[200] = "", whole[700], answer[2048];
	size_t line;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(request, sizeof(request), cases[i].request, server_port);
#pragma GCC diagnostic pop
	line = (size_t)(strstr(request, "\r\n") + 2 - request);
	if (cases[i].who != STRANGER)
		print_credentials(g, shown, sizeof(shown));
	snprintf(whole, sizeof(whole), "%.*s%s%s", (int)line, request, shown, request + line);
	ask(atoi(strrchr(g->url, ':') + 1), whole, answer, sizeof(answer));
	answer[strlen(answer) < strlen(cases[i].want) ? strlen(answer) : strlen(cases[i].want)] =
		'\0';
	is_str(answer, cases[i].want, "%s", cases[i].name);
}

int main(void)
{
	const char *const loopback[] = {"127.0.0.0/8"}, *const broken[] = {"nonsense"};
	const struct fetch_policy nothing = {NULL, 0}, some = {loopback, 1}, wrong = {broken, 1};
	struct guard closed, open, none;
	int fd = listener(&server_port);
	pid_t server = serve(fd);
	struct fail f = {0};
	pid_t pid;

	log_open(NULL, LOG_ERROR, &f); /* refusals are what this is about */
	is_int(guard_start(&none, &wrong, "", &f), -1, "a policy that is none is refused");
	is_int(guard_start(&closed, &nothing, "", &f), 0, "one that allows nothing");
	is_int(guard_start(&open, &some, "127.0.0.1", &f), 0, "and one that allows this host");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(i, &closed, &open);
	pid = open.child.pid;
	guard_stop(&closed);
	guard_stop(&open);
	ok(strcmp(closed.url, open.url) != 0 &&
			strspn(strstr(open.url, "guard:") + 6, "0123456789abcdef") == 32,
		"each has a secret of its own");
	ok(kill(pid, 0) < 0, "they end");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return tap_done();
}
