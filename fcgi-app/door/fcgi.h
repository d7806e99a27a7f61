/* fcgi-app/door/fcgi.h - requests from a front server, over FastCGI or as CGI.
 * SPDX-License-Identifier: BSD-2-Clause
 * FastCGI 1.0, role Responder, and RFC 3875. The only module that knows libfcgi, and one of two
 * that start threads. */
#ifndef SLUICE_DOOR_FCGI_H
#define SLUICE_DOOR_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/fail.h"

/* One request and its answer. It belongs to the thread that runs the handler, until that returns,
 * or to whoever the handler gave it to. */
struct fcgi_exchange;

struct fcgi_pool {
	int listen_fd; /* a listening socket, maybe shared with others; closed at the end */
	int limit;     /* requests at work at once; 4 more threads say that it is reached */
	int drain_ms;  /* how long a stop waits for requests at work */
	/* Answers one request. `busy` says that the limit is reached: what is short may be
	 * answered, for the rest fcgi_wait_in() must say yes, or the answer is 503. Called by limit
	 * + 4 threads; `ctx` is theirs together. False: the handler has put the request aside and
	 * will have it answered, and ended with fcgi_finish(), by any thread of the pool before
	 * that thread's own handler returns. Not with CGI. */
	bool (*handle)(void *ctx, struct fcgi_exchange *x, bool busy);
	void *ctx;
};

/* Takes requests until SIGTERM, SIGINT or SIGUSR1 comes, finishes those at work, and returns 0.
 * The caller has started no thread before, so that none else gets these signals.
 * Fails: FAIL_INTERNAL when threads cannot be started. */
int fcgi_serve(const struct fcgi_pool *pool, struct fail *f);

/* Answers the one request that the environment and standard input hold, on standard output, in
 * this thread: of the pool `handle` and `ctx` count alone. */
void fcgi_serve_cgi(const struct fcgi_pool *pool);

/* Whether the request may be worked at, now or within `wait_ms`, in which most requests are done.
 * When somebody has waited in vain nobody waits until one of those at work is done. Always with
 * CGI. */
bool fcgi_wait_in(struct fcgi_exchange *x, int wait_ms);

/* The value of a request parameter such as "REQUEST_URI" or "HTTP_RANGE"; NULL when it was not
 * sent. Of two with one name the first counts. */
const char *fcgi_param(const struct fcgi_exchange *x, const char *name);

/* Of several with one name, as nginx sends a header that came more than once: the `n`th, from 0, in
 * the order in which they came; NULL when there are no more. */
const char *fcgi_param_again(const struct fcgi_exchange *x, const char *name, size_t n);

/* The front server's connection, to be looked at with POLLRDHUP while one waits: those that can end
 * it when their client leaves. -1 for CGI. */
int fcgi_socket(const struct fcgi_exchange *x);

/* Reads up to `size` bytes of the request's body: 0 at its end, -1 when the client is gone. */
ssize_t fcgi_read(struct fcgi_exchange *x, void *to, size_t size);

/* Sends bytes of the answer; -1 when the client is gone (what follows may be left out then). */
int fcgi_write(struct fcgi_exchange *x, const void *bytes, size_t len);

/* Sends `len` bytes of the file `fd` from `offset` on, without a copy of them of ours. -1 when the
 * client is gone, or the file has no such bytes: the answer ends in the middle then. */
int fcgi_send_file(struct fcgi_exchange *x, int fd, int64_t offset, int64_t len);

/* Sends what of the answer waits to be sent; -1 when the client is gone. */
int fcgi_flush(struct fcgi_exchange *x);

/* Puts the request aside and runs `run(ctx)` in a thread of its own, which answers it, looks now
 * and then for fcgi_is_over(), and ends it with fcgi_finish(): answers that last for hours hold no
 * thread of the pool. A stop waits for such threads as it does for the pool's. False: for CGI, or
 * when there can be no thread. */
bool fcgi_set_aside(struct fcgi_exchange *x, void (*run)(void *ctx), void *ctx);

/* How long whoever reads the answer may read nothing, from now on. */
void fcgi_be_patient(struct fcgi_exchange *x, int wait_ms);

/* Whether the process has been told to stop. */
bool fcgi_is_over(const struct fcgi_exchange *x);

/* Ends a request that was put aside, when it has been answered. A thread of its own can `go_on`
 * with what comes over its connection, where the front server keeps that; else it is closed. */
void fcgi_finish(struct fcgi_exchange *x, bool go_on);

#endif
