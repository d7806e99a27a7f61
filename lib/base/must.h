/* lib/base/must.h - stops the process on a mistake of our own.
 * SPDX-License-Identifier: BSD-2-Clause
 * For what must be true whatever comes from outside; never for input, upstreams or outages. */
#ifndef SLUICE_BASE_MUST_H
#define SLUICE_BASE_MUST_H

/* Aborts with file, line and the text of the condition when `cond` is false. Stays on in
 * releases. */
#define must(cond) ((cond) ? (void)0 : must_failed(__FILE__, __LINE__, #cond))

void must_failed(const char *file, int line, const char *cond) __attribute__((noreturn));

#endif
