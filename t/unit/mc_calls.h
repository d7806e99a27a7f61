/* t/unit/mc_calls.h - short forms of mc calls, for its tests.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_T_MC_CALLS_H
#define SLUICE_T_MC_CALLS_H

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "t/unit/tap.h"

static inline struct mc *open_mc(const char *servers)
{
	struct mc_config config = {servers, "t:", "", ""};
	struct mc *mc = NULL;
	struct fail f = {0};

	if (!ok(mc_open(&mc, &config, &f) == 0, "mc opens for '%s' %s", servers, f.text))
		exit(1);
	return mc;
}

/* The value, "miss" or "away"; good until the next call. */
static inline const char *get(struct mc *mc, const char *family, const char *key)
{
	static char text[64];
	enum mc_result result;
	struct buf b;

	buf_init(&b, 60);
	result = mc_get(mc, family, key, &b, NULL);
	snprintf(text, sizeof(text), "%s",
		result == MC_AWAY   ? "away"
		: result == MC_MISS ? "miss"
				    : buf_str(&b));
	buf_release(&b);
	return text;
}

static inline enum mc_result set(
	struct mc *mc, const char *family, const char *key, const char *value)
{
	return mc_set(mc, family, key, span_of(value), 60);
}

/* What stands for it on the wire; good until the next call. */
static inline const char *wire_key(const char *family, const char *key)
{
	static char text[128];
	unsigned char sum[SIGN_SIZE];
	char hex[33];

	sign_sha256(span_of(key), sum);
	num_print_hex(sum, 16, hex);
	snprintf(text, sizeof(text), "t:%s:%s", family, hex);
	return text;
}

/* Sets, gets and counts 200 times; gives how many answers were wrong. */
static inline void *work(void *ctx)
{
	struct mc *mc = ctx;
	int64_t bad = 0, count;
	char key[40], value[64];
	struct buf b;

	buf_init(&b, 100);
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "%lx-%d", (unsigned long)pthread_self(), i % 20);
		snprintf(value, sizeof(value), "%s=%d", key, i);
		buf_clear(&b);
		bad += mc_set(mc, "tok", key, span_of(value), 60) != MC_OK;
		bad += mc_get(mc, "tok", key, &b, NULL) != MC_OK;
		bad += strcmp(buf_str(&b), value) != 0;
		bad += mc_count_up(mc, "rate", "threads", 1, 60, &count) != MC_OK;
	}
	buf_release(&b);
	return (void *)(intptr_t)bad;
}

#endif
