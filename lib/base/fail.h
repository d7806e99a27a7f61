/* lib/base/fail.h - why a call failed, in a kind and a sentence a user could read.
 * SPDX-License-Identifier: BSD-2-Clause
 * A function that can fail takes `struct fail *f` last, returns 0 or -1, and sets *f if and only if
 * it returns -1. Only the reply (fcgi-app/door/reply_fail.c) turns a kind into a status code. */
#ifndef SLUICE_BASE_FAIL_H
#define SLUICE_BASE_FAIL_H

enum fail_kind {
	FAIL_NONE = 0,
	FAIL_INPUT,	/* what was asked makes no sense: 400 */
	FAIL_FORBIDDEN, /* not allowed: 403 */
	FAIL_MISSING,	/* no such thing: 404 */
	FAIL_CONFLICT,	/* not in this state: 409 */
	FAIL_RANGE,	/* outside the size: 416 */
	FAIL_BUSY,	/* a limit was reached; later it may work: 503 */
	FAIL_UPSTREAM,	/* an upstream said no, or nonsense: 502 */
	FAIL_TIMEOUT,	/* an upstream said nothing: 504 */
	FAIL_GONE,	/* the client left: no answer is owed */
	FAIL_INTERNAL,	/* a bug or a broken host: 500 */
	FAIL_LIMITED	/* the client asks too often: 429 */
};

struct fail {
	enum fail_kind kind;
	char text[240]; /* one sentence, no secrets, no trailing newline */
};

/* Fills *f (which may be NULL) and returns -1, so that `return fail_set(...)` reads well.
 * A text that is too long is cut. */
int fail_set(struct fail *f, enum fail_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As fail_set() with ": " and the system's words for `err` (an errno value) at the end. */
int fail_errno(struct fail *f, enum fail_kind kind, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The kind's name as it stands in logs and in error codes, such as "upstream"; never NULL. */
const char *fail_name(enum fail_kind kind);

#endif
