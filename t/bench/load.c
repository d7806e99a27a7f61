/* t/bench/load.c - asks one address over many connections and looks at every byte that comes.
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: load [options] PORT TARGET      (127.0.0.1, HTTP/1.1, GET, connections kept alive)
 *   -c N          connections (16)
 *   -s SECONDS    how long to ask (1), or
 *   -n N          how many requests to make, all connections together
 *   -b FILE       what every body must be, to the byte; without it each different one is counted
 *   -x STATUS     what every status must be (200)
 *   -H 'N: V'     another field of the request, any number of times
 *   -r BYTES      slow readers: so many bytes a second on each connection, a small window. Who has
 *                 all leaves. They give way to all else that runs, as if they were on machines of
 *                 their own
 *   -a SECONDS    with -r: they come one after another, the last after so long
 *
 * All connections are open before the first request goes out, but with -a. Prints one JSON object:
 * requests, most (that were asking at once), bytes of bodies, seconds, wrong (another status or
 * body), broken (no whole answer), microseconds from request to last byte (p50_us, p99_us, max_us),
 * statuses and, without -b, bodies: how often each came, by FNV-1a 64 and length. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	HEAD_MAX = 8192,
	CHUNK = 256 * 1024,
	EVENTS = 512,
	KINDS = 32,	       /* different statuses or bodies that are told apart */
	TICK_US = 10000,       /* of slow readers, of whom */
	TURNS = 50,	       /* each looks once in so many */
	WINDOW_BYTES = 12288,  /* of theirs */
	GIVE_UP_US = 20000000, /* without any news */
};

struct connection {
	int fd;
	bool asking;
	int64_t asked_us;
	char head[HEAD_MAX];
	size_t head_len;
	bool in_body, closing;
	int status;
	int64_t length, got; /* of the body; length -1: not said, the answer cannot be judged */
	uint64_t hash;
	bool differs;
};

struct kind {
	uint64_t hash;
	int64_t value, count;
};

struct load {
	int port, epoll;
	int64_t connections, requests_max, time_us, rate, arrival_us;
	int want_status;
	const char *body;
	int64_t body_len;
	char request[4096];
	size_t request_len;
	struct connection *all;
	int64_t started, done, wrong, broken, bytes, most;
	uint32_t *took_us;
	size_t took_count, took_room;
	struct kind statuses[KINDS], bodies[KINDS];
	int64_t begun_us, news_us;
	char *chunk;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void count_kind(struct kind *kinds, uint64_t hash, int64_t value)
{
	for (int i = 0; i < KINDS; i++) {
		if (kinds[i].count == 0 || (kinds[i].hash == hash && kinds[i].value == value)) {
			kinds[i] = (struct kind){hash, value, kinds[i].count + 1};
			return;
		}
	}
}

/* --- one connection ------------------------------------------------------------------------- */

static void connect_one(struct load *l, struct connection *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)l->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	int one = 1, window = WINDOW_BYTES, segment = 1460;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (l->rate) {
		/* As over Ethernet: loopback's segments of 64 KiB would let the kernel take all. */
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
		setsockopt(c->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	}
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (!l->rate && epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		die("epoll_ctl");
}

static bool is_over(const struct load *l)
{
	if (l->requests_max)
		return l->started >= l->requests_max;
	return now_us() - l->begun_us >= l->time_us;
}

/* The next request, unless enough have been made. */
static void ask(struct load *l, struct connection *c)
{
	c->asking = false;
	if (is_over(l)) {
		if (l->rate)
			close(c->fd);
		return;
	}
	c->asked_us = now_us();
	c->head_len = 0;
	c->in_body = c->closing = c->differs = false;
	c->got = 0;
	c->hash = 0xcbf29ce484222325;
	if (send(c->fd, l->request, l->request_len, MSG_NOSIGNAL) != (ssize_t)l->request_len) {
		close(c->fd); /* the server closed an idle connection: once more, on a new one */
		connect_one(l, c);
		if (send(c->fd, l->request, l->request_len, MSG_NOSIGNAL) < 0)
			die("send");
	}
	c->asking = true;
	l->started++;
	if (l->started - l->done - l->broken > l->most)
		l->most = l->started - l->done - l->broken;
}

static void note_time(struct load *l, int64_t us)
{
	if (l->took_count == l->took_room) {
		l->took_room = l->took_room ? l->took_room * 2 : 65536;
		l->took_us = realloc(l->took_us, l->took_room * sizeof(*l->took_us));
		if (!l->took_us)
			die("realloc");
	}
	l->took_us[l->took_count++] = (uint32_t)us;
}

static void answered(struct load *l, struct connection *c)
{
	l->done++;
	l->bytes += c->got;
	note_time(l, now_us() - c->asked_us);
	count_kind(l->statuses, 0, c->status);
	if (!l->body)
		count_kind(l->bodies, c->hash, c->got);
	if (c->status != l->want_status || c->differs || (l->body && c->got != l->body_len))
		l->wrong++;
	if (c->closing) {
		close(c->fd);
		connect_one(l, c);
	}
	ask(l, c);
}

/* The connection ended in the middle of an answer, or the answer cannot be read. */
static void broke(struct load *l, struct connection *c)
{
	l->broken++;
	close(c->fd);
	connect_one(l, c);
	ask(l, c);
}

static void take_body(struct load *l, struct connection *c, const char *bytes, int64_t n)
{
	if (l->body)
		c->differs |=
			c->got + n > l->body_len || memcmp(l->body + c->got, bytes, (size_t)n);
	for (int64_t i = 0; !l->body && i < n; i++)
		c->hash = (c->hash ^ (uint8_t)bytes[i]) * 0x100000001b3;
	c->got += n;
}

/* The value of a field in the head, or NULL. */
static const char *field(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
			return line + 3 + len + strspn(line + 3 + len, " ");
	}
	return NULL;
}

/* Collects the head; returns how many of `n` bytes belong to it, -1 when it is none. */
static int64_t take_head(struct connection *c, const char *bytes, int64_t n)
{
	size_t before = c->head_len, room = HEAD_MAX - 1 - before;
	size_t more = (size_t)n < room ? (size_t)n : room;
	const char *end, *value;

	memcpy(c->head + before, bytes, more);
	c->head_len += more;
	c->head[c->head_len] = '\0';
	end = strstr(c->head, "\r\n\r\n");
	if (!end)
		return more == room ? -1 : n;
	c->head_len = (size_t)(end + 4 - c->head);
	c->head[c->head_len - 2] = '\0';
	c->status = strncmp(c->head, "HTTP/1.", 7) == 0 ? atoi(c->head + 9) : 0;
	value = field(c->head, "Content-Length");
	c->length = value ? atoll(value) : -1;
	value = field(c->head, "Connection");
	c->closing = value && strncasecmp(value, "close", 5) == 0;
	c->in_body = true;
	return c->length < 0 ? -1 : (int64_t)(c->head_len - before);
}

/* Reads at most `most` bytes; returns how many there were. */
static int64_t receive(struct load *l, struct connection *c, int64_t most)
{
	ssize_t n = recv(c->fd, l->chunk, (size_t)most, 0);
	int64_t used = 0;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0 && !c->asking) {
		close(c->fd);
		connect_one(l, c);
		return 0;
	}
	if (n > 0 && !c->in_body)
		used = take_head(c, l->chunk, n);
	if (n <= 0 || used < 0) {
		broke(l, c);
		return 0;
	}
	l->news_us = now_us();
	take_body(l, c, l->chunk + used, n - used);
	if (c->in_body && c->got >= c->length)
		answered(l, c);
	return n;
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool is_waiting(const struct load *l)
{
	int64_t asking = l->started - l->done - l->broken;

	if (asking > 0)
		return now_us() - l->news_us < GIVE_UP_US;
	return !is_over(l);
}

static void run_fast(struct load *l)
{
	struct epoll_event events[EVENTS];

	while (is_waiting(l)) {
		int n = epoll_wait(l->epoll, events, EVENTS, 100);

		for (int i = 0; i < n; i++)
			receive(l, events[i].data.ptr, CHUNK);
	}
}

/* Those whose time has come begin; how many have so far. */
static int64_t arrive(struct load *l, int64_t here)
{
	int64_t past_us = now_us() - l->begun_us;

	while (here < l->connections && past_us * l->connections >= l->arrival_us * here) {
		connect_one(l, &l->all[here]);
		ask(l, &l->all[here++]);
	}
	return here;
}

static void run_slowly(struct load *l)
{
	int64_t share = l->rate * TICK_US * TURNS / 1000000, next = now_us();
	int64_t here = l->arrival_us ? 0 : l->connections;

	for (int64_t turn = 0; is_waiting(l); turn++) {
		struct timespec pause = {0, 0};

		here = arrive(l, here);
		for (int64_t i = turn % TURNS; i < here; i += TURNS) {
			if (l->all[i].asking)
				receive(l, &l->all[i], share);
		}
		next += TICK_US;
		if (next > now_us())
			pause.tv_nsec = (next - now_us()) * 1000;
		nanosleep(&pause, NULL);
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t part(const struct load *l, int percent)
{
	return l->took_count ? l->took_us[(l->took_count - 1) * (size_t)percent / 100] : 0;
}

static void print(struct load *l, int64_t took_us)
{
	const char *comma = "";

	qsort(l->took_us, l->took_count, sizeof(*l->took_us), by_value);
	printf("{\"requests\":%lld,\"most\":%lld,\"bytes\":%lld,\"seconds\":%.6f,\"wrong\":%lld,"
	       "\"broken\":%lld,",
		(long long)l->done, (long long)l->most, (long long)l->bytes, (double)took_us / 1e6,
		(long long)l->wrong, (long long)(l->started - l->done));
	printf("\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"statuses\":{", part(l, 50), part(l, 99),
		part(l, 100));
	for (int i = 0; i < KINDS && l->statuses[i].count; i++, comma = ",")
		printf("%s\"%lld\":%lld", comma, (long long)l->statuses[i].value,
			(long long)l->statuses[i].count);
	printf("},\"bodies\":{");
	comma = "";
	for (int i = 0; i < KINDS && l->bodies[i].count; i++, comma = ",")
		printf("%s\"%016llx:%lld\":%lld", comma, (unsigned long long)l->bodies[i].hash,
			(long long)l->bodies[i].value, (long long)l->bodies[i].count);
	printf("}}\n");
}

static void map_body(struct load *l, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	l->body_len = st.st_size;
	l->body = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (l->body == MAP_FAILED)
		die(path);
	close(fd);
}

static void read_options(struct load *l, int argc, char **argv)
{
	char fields[3000] = "";
	size_t len = 0;
	int option;

	while ((option = getopt(argc, argv, "c:s:n:b:x:H:r:a:")) != -1) {
		switch (option) {
		case 'c':
			l->connections = atoll(optarg);
			break;
		case 's':
			l->time_us = (int64_t)(atof(optarg) * 1e6);
			break;
		case 'n':
			l->requests_max = atoll(optarg);
			break;
		case 'b':
			map_body(l, optarg);
			break;
		case 'x':
			l->want_status = atoi(optarg);
			break;
		case 'r':
			l->rate = atoll(optarg);
			break;
		case 'a':
			l->arrival_us = (int64_t)(atof(optarg) * 1e6);
			break;
		case 'H':
			len += (size_t)snprintf(
				fields + len, sizeof(fields) - len, "%s\r\n", optarg);
			break;
		default:
			exit(2);
		}
		if (len >= sizeof(fields))
			exit(2);
	}
	if (argc - optind != 2 || l->connections < 1 || (l->arrival_us && !l->rate)) {
		fprintf(stderr, "usage: load [options] PORT TARGET\n");
		exit(2);
	}
	l->port = atoi(argv[optind]);
	l->request_len = (size_t)snprintf(l->request, sizeof(l->request),
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", argv[optind + 1], l->port,
		fields);
	if (l->request_len >= sizeof(l->request))
		exit(2);
}

int main(int argc, char **argv)
{
	struct load l = {.connections = 16, .time_us = 1000000, .want_status = 200};
	struct rlimit files;

	read_options(&l, argc, argv);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.all = calloc((size_t)l.connections, sizeof(*l.all));
	l.chunk = malloc(CHUNK);
	if (l.epoll < 0 || !l.all || !l.chunk)
		die("start");
	for (int64_t i = 0; !l.arrival_us && i < l.connections; i++)
		connect_one(&l, &l.all[i]);
	if (l.rate)
		sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
	l.begun_us = l.news_us = now_us();
	for (int64_t i = 0; !l.arrival_us && i < l.connections; i++)
		ask(&l, &l.all[i]);
	if (l.rate)
		run_slowly(&l);
	else
		run_fast(&l);
	print(&l, now_us() - l.begun_us);
	return 0;
}
