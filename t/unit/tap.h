/* t/unit/tap.h - tests that speak TAP.
 * SPDX-License-Identifier: BSD-2-Clause
 * Each check prints one line; a failed one also says where, what it got and what it wanted.
 * End main() with `return tap_done();`. */
#ifndef SLUICE_T_TAP_H
#define SLUICE_T_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_run, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static bool tap_ok(
	bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("#   at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

#define ok(cond, ...) tap_ok((cond), __FILE__, __LINE__, __VA_ARGS__)

#define is_int(got, want, ...)                                                                     \
	do {                                                                                       \
		int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);                            \
		if (!tap_ok(got_ == want_, __FILE__, __LINE__, __VA_ARGS__))                       \
			printf("#   got %lld, want %lld\n", (long long)got_, (long long)want_);    \
	} while (0)

#define is_str(got, want, ...)                                                                     \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		bool same_ = got_ && want_ ? strcmp(got_, want_) == 0 : got_ == want_;             \
		if (!tap_ok(same_, __FILE__, __LINE__, __VA_ARGS__))                               \
			printf("#   got  '%s'\n#   want '%s'\n", got_ ? got_ : "(null)",           \
				want_ ? want_ : "(null)");                                         \
	} while (0)

__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed ? 1 : 0;
}

#endif
