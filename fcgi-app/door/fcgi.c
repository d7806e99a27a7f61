/* fcgi-app/door/fcgi.c - requests from a front server, over FastCGI or as CGI.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fcgi-app/door/aside.h"
#include "fcgi-app/door/fcgi_file.h"
#include "fcgi-app/door/limit.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/sock.h"

enum {
	DRAIN_BYTES = 1024 * 1024,
	SPARE_THREADS = 4,
	STACK_BYTES = 512 * 1024,
	LAST_MAX = 100,	      /* requests that are taken although there is a stop */
	ACCEPT_WAIT_MS = 500, /* how often an idle thread looks whether it should stop */
	JOIN_PAUSE_NS = 5000000,
	LINGER_MS = 2000,     /* for the end of a request whose answer is made */
	CLIENT_WAIT_S = 30,   /* a front server that neither reads nor writes for so long is gone */
	DROP_BYTES = 4096,    /* of a body that nobody wants, */
	DROP_TIMES = 64,      /* so often */
	FIRST_WAIT_MS = 5000, /* and one that has connected and says nothing, too */
	FCGI_VERSION = 1,
	FCGI_TYPE_MAX = 11,
};

struct shared;

struct fcgi_exchange {
	FCGX_Request *request; /* NULL: CGI, by the environment and standard input and output */
	int64_t body_left;     /* CGI: what of the body has not been read */
	FCGX_Request memory;   /* what `request` points to otherwise */
	struct shared *shared; /* of its pool; NULL: CGI */
	bool is_in;	       /* within the limit: counted in shared->limit */
	bool waited;	       /* for that; else it was at once */
};

/* What the threads of a pool have in common. */
struct shared {
	const struct fcgi_pool *pool;
	atomic_bool stop;
	struct limit limit;
	atomic_int aside; /* threads for one request each */
};

const char *fcgi_param(const struct fcgi_exchange *x, const char *name)
{
	return x->request ? FCGX_GetParam(name, x->request->envp) : getenv(name);
}

const char *fcgi_param_again(const struct fcgi_exchange *x, const char *name, size_t n)
{
	size_t len = strlen(name);

	if (!x->request)
		return n == 0 ? getenv(name) : NULL;
	for (char **at = x->request->envp; at && *at; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=' && n-- == 0)
			return *at + len + 1;
	}
	return NULL;
}

int fcgi_socket(const struct fcgi_exchange *x)
{
	return x->request ? x->request->ipcFd : -1;
}

/* No further than CONTENT_LENGTH: what follows need not be an end (RFC 3875, section 4.2). */
static ssize_t read_cgi(struct fcgi_exchange *x, void *to, size_t size)
{
	ssize_t n;

	if ((int64_t)size > x->body_left)
		size = (size_t)x->body_left;
	do {
		n = size ? read(STDIN_FILENO, to, size) : 0;
	} while (n < 0 && errno == EINTR);
	x->body_left -= n > 0 ? n : 0;
	return n;
}

ssize_t fcgi_read(struct fcgi_exchange *x, void *to, size_t size)
{
	int n;

	if (!x->request)
		return read_cgi(x, to, size);
	n = FCGX_GetStr(to, size > INT_MAX ? INT_MAX : (int)size, x->request->in);
	if (n == 0 && FCGX_GetError(x->request->in))
		return -1;
	return n;
}

int fcgi_write(struct fcgi_exchange *x, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		int most = len > INT_MAX ? INT_MAX : (int)len;
		ssize_t n = x->request ? FCGX_PutStr(at, most, x->request->out)
				       : write(STDOUT_FILENO, at, (size_t)most);
		if (n < 0 && !x->request && errno == EINTR)
			continue;
		if (n <= 0 || (x->request && n != most))
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Standard output may be something that sendfile() does not write to. */
static int write_file(struct fcgi_exchange *x, int fd, int64_t offset, int64_t len)
{
	char chunk[8192];

	while (len > 0) {
		size_t want = len < (int64_t)sizeof(chunk) ? (size_t)len : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, offset);

		if (n <= 0 || fcgi_write(x, chunk, (size_t)n) < 0)
			return -1;
		offset += n;
		len -= n;
	}
	return 0;
}

int fcgi_send_file(struct fcgi_exchange *x, int fd, int64_t offset, int64_t len)
{
	FCGX_Request *r = x->request;

	if (!r)
		return write_file(x, fd, offset, len);
	if (FCGX_FFlush(r->out) < 0)
		return -1;
	if (fcgi_file_records(r->ipcFd, r->requestId, fd, offset, len))
		return 0;
	shutdown(r->ipcFd, SHUT_RDWR); /* a record that is begun cannot be taken back */
	r->keepConnection = 0;
	return -1;
}

int fcgi_flush(struct fcgi_exchange *x)
{
	return x->request && FCGX_FFlush(x->request->out) < 0 ? -1 : 0;
}

bool fcgi_is_over(const struct fcgi_exchange *x)
{
	return x->shared && atomic_load(&x->shared->stop);
}

/* Where the server gives the body by a socket (mod_cgid), what is unread when we end would undo the
 * answer: the server's read of it fails with ECONNRESET. */
static void drain_cgi(struct fcgi_exchange *x)
{
	char chunk[8192];
	int64_t most = DRAIN_BYTES;

	shutdown(STDOUT_FILENO, SHUT_WR);
	while (most > 0) {
		ssize_t n = read_cgi(x, chunk, sizeof(chunk));
		if (n <= 0)
			return;
		most -= n;
	}
}

void fcgi_serve_cgi(const struct fcgi_pool *pool)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct fcgi_exchange x = {0};

	signal(SIGPIPE, SIG_IGN);
	if (length && !num_parse(span_of(length), 0, INT64_MAX, &x.body_left))
		x.body_left = 0;
	pool->handle(pool->ctx, &x, false);
	drain_cgi(&x);
}

static void set_timeout(int fd, int option, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

void fcgi_be_patient(struct fcgi_exchange *x, int wait_ms)
{
	if (x->request)
		set_timeout(x->request->ipcFd, SO_SNDTIMEO, wait_ms);
}

/* Whether what comes first can begin a request (FastCGI 1.0, section 3.3: a version, a type). To
 * libfcgi all else is worth two seconds of waiting for the other end; and who says nothing would
 * have a thread for half a minute. */
static bool begins_request(int fd)
{
	unsigned char head[2] = {0};
	ssize_t n;

	set_timeout(fd, SO_RCVTIMEO, FIRST_WAIT_MS);
	do {
		n = recv(fd, head, sizeof(head), MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	return n > 0 && head[0] == FCGI_VERSION && (n == 1 || head[1] <= FCGI_TYPE_MAX);
}

/* Takes the next connection ourselves, because libfcgi's accept() leaves the descriptor to every
 * child and has no time limit for what follows. -1 when there is none yet. */
static int take_connection(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
		nanosleep(&(struct timespec){0, 50000000}, NULL); /* instead of spinning */
	if (fd < 0)
		return -1;
	if (!begins_request(fd)) {
		close(fd);
		return -1;
	}
	set_timeout(fd, SO_RCVTIMEO, CLIENT_WAIT_S * 1000);
	set_timeout(fd, SO_SNDTIMEO, CLIENT_WAIT_S * 1000);
	return fd;
}

/* Without the listening socket: after nonsense libfcgi would take the next connection itself. */
static struct fcgi_exchange *exchange_open(struct shared *s)
{
	struct fcgi_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->shared = s;
	x->request = &x->memory;
	must(FCGX_InitRequest(x->request, -1, 0) == 0);
	return x;
}

static void exchange_close(struct fcgi_exchange *x)
{
	if (x)
		FCGX_Free(x->request, 1);
	free(x);
}

/* Whether the front server may still be sending a body that nobody has read. */
static bool may_have_body(const FCGX_Request *r)
{
	const char *length = FCGX_GetParam("CONTENT_LENGTH", r->envp);
	const char *method = FCGX_GetParam("REQUEST_METHOD", r->envp);

	if (length && *length && strcmp(length, "0") != 0)
		return true;
	return !method || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0);
}

/* What the handler did not want of the body. On a kept connection it would be taken for the
 * beginning of the next request; where it is long, the connection ends instead. */
static void drop_body(FCGX_Request *r)
{
	char bytes[DROP_BYTES];

	if (r->keepConnection && may_have_body(r))
		FCGX_FFlush(r->out); /* the answer does not wait for it */
	for (int i = 0; i < DROP_TIMES && r->keepConnection; i++) {
		if (FCGX_GetStr(bytes, sizeof(bytes), r->in) < (int)sizeof(bytes))
			return;
	}
	r->keepConnection = 0;
}

/* Ends the request. By default libfcgi waits until the front server has closed its end too, lest a
 * close() of ours throw away what that has yet to send. Where the empty record that ends a body of
 * nothing has come, it need not; Apache sends it late, and takes its failure for ours. */
static void finish(const struct shared *s, FCGX_Request *r)
{
	drop_body(r);
	if (atomic_load(&s->stop))
		r->keepConnection = 0; /* or we would wait for its next one */
	if (!r->keepConnection && !may_have_body(r)) {
		set_timeout(r->ipcFd, SO_RCVTIMEO, LINGER_MS);
		if (FCGX_GetChar(r->in) < 0)
			FCGX_Detach(r);
	}
	FCGX_Finish_r(r);
	FCGX_Attach(r);
}

bool fcgi_wait_in(struct fcgi_exchange *x, int wait_ms)
{
	if (!x->shared || x->is_in)
		return true;
	x->is_in = x->waited = limit_wait(&x->shared->limit, wait_ms);
	return x->is_in;
}

bool fcgi_set_aside(struct fcgi_exchange *x, void (*run)(void *ctx), void *ctx)
{
	struct shared *s = x->shared;
	bool waited = x->waited;

	if (!s || !aside_start(&s->aside, run, ctx))
		return false;
	if (waited) /* the place that it has waited for; serve_one() knows of the others */
		limit_leave(&s->limit);
	return true;
}

/* Sets *x to NULL when the handler put the request aside. */
static void serve_one(struct shared *s, struct fcgi_exchange **x)
{
	bool in = limit_enter(&s->limit), answered;

	(*x)->is_in = in;
	(*x)->waited = false;
	answered = s->pool->handle(s->pool->ctx, *x, !in);
	if (answered)
		in = (*x)->is_in; /* it may have waited for that */
	/* Before the client can know: its next request must not find this one still counted. */
	if (in)
		limit_leave(&s->limit);
	if (!answered) {
		*x = NULL;
		return;
	}
	finish(s, (*x)->request);
}

/* The next request of the connection at hand, or of one that comes while we wait for it. */
static void serve_next(struct shared *s, struct fcgi_exchange **x)
{
	FCGX_Request *r;

	if (!*x)
		*x = exchange_open(s);
	if (!*x) {
		nanosleep(&(struct timespec){0, 50000000}, NULL); /* no memory: not now */
		return;
	}
	r = (*x)->request;
	if (r->ipcFd < 0) {
		r->ipcFd = take_connection(s->pool->listen_fd);
		if (r->ipcFd < 0)
			return;
		r->keepConnection = 1; /* else FCGX_Accept_r closes it before it begins */
	}
	if (FCGX_Accept_r(r) == 0)
		serve_one(s, x);
}

void fcgi_finish(struct fcgi_exchange *x, bool go_on)
{
	if (!go_on)
		x->request->keepConnection = 0;
	finish(x->shared, x->request);
	if (go_on)
		fcgi_be_patient(x, CLIENT_WAIT_S * 1000); /* no more than usual */
	while (x && x->request->ipcFd >= 0 && !fcgi_is_over(x))
		serve_next(x->shared, &x);
	exchange_close(x);
}

static void *thread_main(void *arg)
{
	struct shared *s = arg;
	struct fcgi_exchange *x = NULL;

	while (!atomic_load(&s->stop))
		serve_next(s, &x);
	exchange_close(x);
	return NULL;
}

/* Those who connected after the last thread had looked: where nobody else has the socket they would
 * be lost with it. */
static void serve_last(struct shared *s)
{
	struct fcgi_exchange *x = NULL;

	for (int i = 0; i < LAST_MAX && sock_is_awaited(s->pool->listen_fd); i++)
		serve_next(s, &x);
	close(s->pool->listen_fd);
	exchange_close(x);
}

static int start_threads(struct shared *s, pthread_t *threads, int want)
{
	pthread_attr_t attr;
	int started = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (started < want && pthread_create(&threads[started], &attr, thread_main, s) == 0)
		started++;
	pthread_attr_destroy(&attr);
	return started;
}

/* False when it is over. */
static bool pause_until(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= until->tv_sec)
		return false;
	nanosleep(&(struct timespec){0, JOIN_PAUSE_NS}, NULL);
	return true;
}

/* Waits until the pool's threads have finished; false when some have not in time. Not by
 * pthread_clockjoin_np(), of which the thread sanitizer does not know that it joins. */
static bool join_threads(pthread_t *threads, int count, const struct timespec *until)
{
	for (int joined = 0; joined < count;) {
		if (pthread_tryjoin_np(threads[joined], NULL) == 0)
			joined++;
		else if (!pause_until(until))
			return false;
	}
	return true;
}

static bool await_aside(const struct shared *s, const struct timespec *until)
{
	while (atomic_load(&s->aside)) {
		if (!pause_until(until))
			return false;
	}
	return true;
}

/* For all threads that are started from now on; sigwait() hears them. */
static void block_stop_signals(sigset_t *stop)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGUSR1};

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(stop);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaddset(stop, ends[i]);
		signal(ends[i], SIG_DFL); /* whoever started us may ignore it: nobody would hear */
	}
	pthread_sigmask(SIG_BLOCK, stop, NULL);
}

int fcgi_serve(const struct fcgi_pool *pool, struct fail *f)
{
	struct shared s = {.pool = pool};
	int want = pool->limit + SPARE_THREADS, started, sig;
	struct timespec until;
	pthread_t *threads;
	sigset_t stop;

	block_stop_signals(&stop);
	if (FCGX_Init() != 0)
		return fail_set(f, FAIL_INTERNAL, "libfcgi cannot be initialised");
	/* Whoever made it may have made it non-blocking, and idle threads would spin. */
	fcntl(pool->listen_fd, F_SETFL, fcntl(pool->listen_fd, F_GETFL) & ~O_NONBLOCK);
	set_timeout(pool->listen_fd, SO_RCVTIMEO, ACCEPT_WAIT_MS);
	limit_open(&s.limit, pool->limit);
	threads = calloc((size_t)want, sizeof(*threads));
	if (!threads)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for %d threads", want);
	started = start_threads(&s, threads, want);
	if (started == want)
		sigwait(&stop, &sig);
	atomic_store(&s.stop, true);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (pool->drain_ms + ACCEPT_WAIT_MS) / 1000 + 1;
	if (!join_threads(threads, started, &until))
		_exit(0); /* a request that outlived the drain ends here, with its thread */
	free(threads);
	serve_last(&s);
	if (!await_aside(&s, &until))
		_exit(0);
	if (started < want)
		return fail_set(
			f, FAIL_INTERNAL, "Only %d of %d threads could be started", started, want);
	return 0;
}
