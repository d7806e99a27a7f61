/* lib/io/guard.c - the way out for a program of somebody else's.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/http/cidr.h"
#include "lib/http/proxy_head.h"
#include "lib/io/sign.h"

enum {
	HEAD_MAX = 32768,
	ALLOW_MAX = 32,
	BACKLOG = 64,
	PATIENCE_MS = 10000, /* for a head, and for a connection */
	IDLE_MS = 60000,
	PIECE = 65536,
	SECRET_BYTES = 16,
	WORD_MAX = 64 /* "user:secret" */
};

struct way {
	struct cidr allow[ALLOW_MAX];
	size_t allow_count;
	const char *egress;
	char credentials[SIGN_BASE64_SIZE(WORD_MAX)]; /* RFC 7617: of what is to be sent */
	int listen_fd;
};

/* --- where to --------------------------------------------------------------------------------- */

static bool read_address(const struct sockaddr *sa, struct cidr_address *a, uint16_t *port)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;
		uint8_t v4[4];

		memcpy(v4, &in->sin_addr, 4);
		*a = cidr_from_v4(v4);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)sa;

		memcpy(a->bytes, &in->sin6_addr, 16);
		*port = ntohs(in->sin6_port);
		return true;
	}
	return false;
}

static bool is_allowed(const struct way *w, const struct sockaddr *sa)
{
	struct cidr_address a;
	uint16_t port;

	if (!read_address(sa, &a, &port))
		return false;
	if (!cidr_is_private(&a))
		return true;
	for (size_t i = 0; i < w->allow_count; i++) {
		if (cidr_holds(&w->allow[i], &a, port))
			return true;
	}
	return false;
}

/* --- connecting ------------------------------------------------------------------------------- */

static bool bind_egress(int fd, const char *egress, int family)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_family = family}, *own = NULL;
	bool bound;

	if (!*egress)
		return true;
	if (getaddrinfo(egress, NULL, &hints, &own) != 0)
		return false;
	bound = bind(fd, own->ai_addr, own->ai_addrlen) == 0;
	freeaddrinfo(own);
	return bound;
}

static int connect_to(const struct way *w, const struct addrinfo *to)
{
	const struct timeval patience = {PATIENCE_MS / 1000, 0};
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!bind_egress(fd, w->egress, to->ai_family) ||
		connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum reached { REACHED, REFUSED, UNREACHED, STRANGER };

static enum reached reach(const struct way *w, const struct proxy_head *h, int *fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	enum reached result = UNREACHED;

	if (getaddrinfo(h->host, h->port, &hints, &list) != 0)
		return UNREACHED;
	for (const struct addrinfo *to = list; to && result != REACHED; to = to->ai_next) {
		if (!is_allowed(w, to->ai_addr)) {
			result = REFUSED;
			continue;
		}
		*fd = connect_to(w, to);
		result = *fd >= 0 ? REACHED : UNREACHED;
	}
	freeaddrinfo(list);
	return result;
}

/* --- one connection --------------------------------------------------------------------------- */

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Until either end is done, or nothing has moved for long. */
static void relay(int a, int b)
{
	struct pollfd ends[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
	char piece[PIECE];

	while ((ends[0].fd >= 0 || ends[1].fd >= 0) && poll(ends, 2, IDLE_MS) > 0) {
		for (int i = 0; i < 2; i++) {
			int to = i ? a : b;
			ssize_t n;

			if (ends[i].fd < 0 || !ends[i].revents)
				continue;
			n = recv(ends[i].fd, piece, sizeof(piece), 0);
			if (n > 0 && !send_all(to, piece, (size_t)n))
				return;
			if (n > 0)
				continue;
			shutdown(to, SHUT_WR);
			ends[i].fd = -1;
		}
	}
}

/* The head of a request with its empty line; false when none comes. */
static bool read_head(int fd, struct buf *to)
{
	const struct timeval patience = {PATIENCE_MS / 1000, 0};
	char piece[4096];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!strstr(buf_str(to), "\r\n\r\n")) {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n <= 0 || memchr(piece, '\0', (size_t)n) || !buf_add(to, piece, (size_t)n))
			return false;
	}
	return true;
}

static bool send_request(int upstream, const struct proxy_head *h)
{
	struct buf text;
	bool sent;

	buf_init(&text, HEAD_MAX + 64);
	proxy_head_print(h, &text);
	sent = !text.failed && send_all(upstream, text.ptr, text.len);
	buf_release(&text);
	return sent;
}

static void pass_on(int client, int upstream, const struct proxy_head *h, const struct buf *head)
{
	static const char opened[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	const char *body = strstr(head->ptr, "\r\n\r\n") + 4;
	bool sent;

	if (h->tunnel)
		sent = send_all(client, opened, sizeof(opened) - 1) &&
		       send_all(upstream, body, head->len - (size_t)(body - head->ptr));
	else
		sent = send_request(upstream, h);
	if (sent)
		relay(client, upstream);
}

static void serve(const struct way *w, int client)
{
	static const char *const answers[] = {
		[REFUSED] = "HTTP/1.1 403 Private address\r\n"
			    "Content-Length: 0\r\nConnection: close\r\n\r\n",
		[UNREACHED] = "HTTP/1.1 502 Not reached\r\n"
			      "Content-Length: 0\r\nConnection: close\r\n\r\n",
		[STRANGER] = "HTTP/1.1 407 Not yours\r\n"
			     "Proxy-Authenticate: Basic realm=\"guard\"\r\n"
			     "Content-Length: 0\r\nConnection: close\r\n\r\n"};
	enum reached result = UNREACHED;
	struct proxy_head h = {.tunnel = false};
	struct buf head;
	int upstream = -1;

	buf_init(&head, HEAD_MAX);
	if (read_head(client, &head)) {
		if (proxy_head_read(buf_span(&head), &h))
			result = sign_equal(h.credentials, span_of(w->credentials))
					 ? reach(w, &h, &upstream)
					 : STRANGER;
		if (result == REACHED)
			pass_on(client, upstream, &h, &head);
		else
			send_all(client, answers[result], strlen(answers[result]));
		if (result == REFUSED)
			log_warn("private_refused", LOG_STR("host", h.host));
	}
	buf_release(&head);
}

/* --- the process ------------------------------------------------------------------------------ */

struct visit {
	const struct way *way;
	int client;
};

static int serve_main(void *ctx)
{
	const struct visit *v = ctx;

	close(v->way->listen_fd);
	serve(v->way, v->client);
	return 0;
}

static int guard_main(void *ctx)
{
	const struct way *w = ctx;
	struct fail f;

	signal(SIGCHLD, SIG_IGN); /* nobody asks how they end */
	for (;;) {
		struct visit v = {w, accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC)};
		struct child child = {0, -1};

		if (v.client < 0 && errno != EINTR && errno != ECONNABORTED)
			return 1;
		if (v.client < 0)
			continue;
		if (child_fork(serve_main, &v, "guard", &child, &f) == 0)
			close(child.pidfd);
		close(v.client);
	}
}

static int listen_here(int *port, struct fail *f)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		fail_errno(f, FAIL_INTERNAL, errno, "A port of loopback cannot be listened at");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

/* Any user of this host can connect to a port of it: whom it was started for sends a secret. */
static void make_secret(struct way *w, int port, struct guard *g)
{
	unsigned char secret[SECRET_BYTES];
	char hex[2 * SECRET_BYTES + 1], word[WORD_MAX];

	sign_random(secret, sizeof(secret));
	num_print_hex(secret, sizeof(secret), hex);
	snprintf(word, sizeof(word), "guard:%s", hex);
	sign_base64(span_of(word), w->credentials, sizeof(w->credentials));
	snprintf(g->url, sizeof(g->url), "http://%s@127.0.0.1:%d", word, port);
}

int guard_start(
	struct guard *g, const struct fetch_policy *policy, const char *egress, struct fail *f)
{
	struct way w = {.egress = egress};
	int result, port;

	*g = (struct guard){.child = {0, -1}};
	for (size_t i = 0; i < policy->allow_count; i++) {
		if (w.allow_count == ALLOW_MAX ||
			!cidr_parse(span_of(policy->allow[i]), &w.allow[w.allow_count++]))
			return fail_set(f, FAIL_INPUT, "allow: \"%s\" is no CIDR[:port[-port]]",
				policy->allow[i]);
	}
	w.listen_fd = listen_here(&port, f);
	if (w.listen_fd < 0)
		return -1;
	make_secret(&w, port, g);
	result = child_fork(guard_main, &w, "guard", &g->child, f);
	close(w.listen_fd);
	return result;
}

void guard_stop(struct guard *g)
{
	const int64_t end_ms = 1000;

	if (!g->child.pid)
		return;
	child_kill(&g->child, SIGKILL);
	child_wait(&g->child, end_ms, NULL);
}
