/* lib/io/mc_link.c - one connection to one memcached, by libmemcached.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_link.h"

#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/must.h"

enum {
	ALLOC_MAX = 2 * 1024 * 1024, /* whatever length a server names */
	REST_MAX = 64 * 1024	     /* a link at rest keeps no more for the next value */
};

struct mc_link {
	memcached_st *memc;
	memcached_result_st value, end;
	bool has_user;
};

struct mc_ring {
	memcached_st *memc;
};

static void *limited_malloc(const memcached_st *memc, const size_t size, void *context)
{
	(void)memc;
	(void)context;
	return size <= ALLOC_MAX ? malloc(size) : NULL;
}

static void *limited_realloc(
	const memcached_st *memc, void *memory, const size_t size, void *context)
{
	(void)memc;
	(void)context;
	return size <= ALLOC_MAX ? realloc(memory, size) : NULL;
}

static void *limited_calloc(
	const memcached_st *memc, size_t count, const size_t size, void *context)
{
	(void)memc;
	(void)context;
	return size <= ALLOC_MAX && count <= ALLOC_MAX / (size ? size : 1) ? calloc(count, size)
									   : NULL;
}

static void plain_free(const memcached_st *memc, void *memory, void *context)
{
	(void)memc;
	(void)context;
	free(memory);
}

static bool add_server(memcached_st *memc, const char *host, uint16_t port)
{
	memcached_return_t rc;

	if (host[0] == '/')
		rc = memcached_server_add_unix_socket(memc, host);
	else
		rc = memcached_server_add(memc, host, port);
	return rc == MEMCACHED_SUCCESS;
}

static bool set_up(memcached_st *memc, const struct mc_address *address)
{
	static const struct {
		memcached_behavior_t what;
		uint64_t value;
	} settings[] = {
		{MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, MC_CONNECT_MS},
		{MEMCACHED_BEHAVIOR_POLL_TIMEOUT, MC_ANSWER_MS},
		{MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
		{MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1},
	};

	if (memcached_set_memory_allocators(memc, limited_malloc, plain_free, limited_realloc,
		    limited_calloc, NULL) != MEMCACHED_SUCCESS)
		return false;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (memcached_behavior_set(memc, settings[i].what, settings[i].value) !=
			MEMCACHED_SUCCESS)
			return false;
	}
	if (*address->user && memcached_set_sasl_auth_data(
				      memc, address->user, address->password) != MEMCACHED_SUCCESS)
		return false;
	return add_server(memc, address->host, address->port);
}

struct mc_link *mc_link_open(const struct mc_address *address)
{
	struct mc_link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->memc = memcached_create(NULL);
	if (!l->memc) {
		free(l);
		return NULL;
	}
	/* With memory given these two cannot fail. */
	must(memcached_result_create(l->memc, &l->value));
	must(memcached_result_create(l->memc, &l->end));
	l->has_user = *address->user != '\0';
	if (!set_up(l->memc, address))
		mc_link_close(&l);
	return l;
}

void mc_link_rest(struct mc_link *l)
{
	if (memcached_result_length(&l->value) <= REST_MAX)
		return;
	memcached_result_free(&l->value);
	must(memcached_result_create(l->memc, &l->value));
}

void mc_link_close(struct mc_link **link)
{
	struct mc_link *l = *link;

	if (!l)
		return;
	*link = NULL;
	memcached_result_free(&l->value);
	memcached_result_free(&l->end);
	memcached_free(l->memc);
	free(l);
}

static void explain(struct mc_link *l, memcached_return_t rc, char *why)
{
	int err = memcached_last_error_errno(l->memc);
	char text[MC_WHY_MAX];

	if (rc == MEMCACHED_TIMEOUT)
		snprintf(why, MC_WHY_MAX, "it does not answer");
	else if (rc == MEMCACHED_AUTH_FAILURE || rc == MEMCACHED_AUTH_PROBLEM)
		snprintf(why, MC_WHY_MAX, "it refuses memcached_user or memcached_password");
	else if (rc == MEMCACHED_UNKNOWN_READ_FAILURE && l->has_user)
		snprintf(why, MC_WHY_MAX, "it takes no memcached_user: memcached -S does");
	else if (rc == MEMCACHED_CONNECTION_FAILURE)
		snprintf(why, MC_WHY_MAX, "it cannot be reached");
	else if (rc == MEMCACHED_ERRNO && err)
		snprintf(why, MC_WHY_MAX, "%s", strerror_r(err, text, sizeof(text)));
	else
		snprintf(why, MC_WHY_MAX, "libmemcached says: %s", memcached_strerror(l->memc, rc));
}

static enum mc_link_result verdict(
	struct mc_link *l, memcached_return_t rc, enum mc_verb verb, char *why)
{
	switch (rc) {
	case MEMCACHED_SUCCESS:
	case MEMCACHED_STORED:
	case MEMCACHED_DELETED:
		return MC_LINK_OK;
	case MEMCACHED_NOTFOUND:
	case MEMCACHED_NOTSTORED:
	case MEMCACHED_DATA_EXISTS:
	case MEMCACHED_E2BIG:
	case MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE:
	case MEMCACHED_MEMORY_ALLOCATION_FAILURE: /* ours, or the server's; it connects again */
		return MC_LINK_MISS;
	case MEMCACHED_CLIENT_ERROR:
		if (verb == MC_VERB_INCR)
			return MC_LINK_FOREIGN;
		break;
	case MEMCACHED_UNKNOWN_READ_FAILURE: /* so is the refusal to count with users */
		if (verb == MC_VERB_INCR && l->has_user)
			return MC_LINK_FOREIGN;
		break;
	default:
		break;
	}
	explain(l, rc, why);
	return rc == MEMCACHED_TIMEOUT || rc == MEMCACHED_IN_PROGRESS ? MC_LINK_LATE
								      : MC_LINK_BROKEN;
}

/* The answer's end is read too, so that the connection is clean for the next question. */
static memcached_return_t get(
	struct mc_link *l, const struct mc_question *q, struct mc_answer *answer)
{
	memcached_return_t rc = memcached_mget(l->memc, &q->key.ptr, &q->key.len, 1);
	bool found, same;

	if (rc != MEMCACHED_SUCCESS)
		return rc == MEMCACHED_SOME_ERRORS ? memcached_last_error(l->memc) : rc;
	found = memcached_fetch_result(l->memc, &l->value, &rc) != NULL;
	if (!found && rc != MEMCACHED_END && rc != MEMCACHED_NOTFOUND)
		return rc;
	if (!found) {
		/* It calls most kinds of nonsense "not found" too, but remembers them. */
		rc = memcached_last_error(l->memc);
		return rc == MEMCACHED_SUCCESS ? MEMCACHED_NOTFOUND : rc;
	}
	if (memcached_fetch_result(l->memc, &l->end, &rc))
		return MEMCACHED_PROTOCOL_ERROR;
	if (rc != MEMCACHED_END && rc != MEMCACHED_NOTFOUND)
		return rc;
	same = span_eq(q->key, span_make(memcached_result_key_value(&l->value),
				       memcached_result_key_length(&l->value)));
	if (!same)
		return MEMCACHED_PROTOCOL_ERROR;
	answer->value =
		span_make(memcached_result_value(&l->value), memcached_result_length(&l->value));
	answer->cas = memcached_result_cas(&l->value);
	return MEMCACHED_SUCCESS;
}

static memcached_return_t on_stat(const memcached_instance_st *server, const char *name,
	size_t name_len, const char *value, size_t value_len, void *ctx)
{
	const struct mc_question *q = ctx;

	(void)server;
	q->stat(q->ctx, span_make(name, name_len), span_make(value, value_len));
	return MEMCACHED_SUCCESS;
}

/* The library asks for the version first, and would wait again for a server that kept that back. */
static memcached_return_t stats(struct mc_link *l, const struct mc_question *q)
{
	memcached_return_t rc = memcached_version(l->memc);

	if (rc != MEMCACHED_SUCCESS)
		return rc == MEMCACHED_SOME_ERRORS ? memcached_last_error(l->memc) : rc;
	rc = memcached_stat_execute(l->memc, q->key.len ? q->key.ptr : NULL, on_stat, (void *)q);
	return rc == MEMCACHED_SOME_ERRORS ? memcached_last_error(l->memc) : rc;
}

enum mc_link_result mc_link_ask(
	struct mc_link *l, const struct mc_question *q, struct mc_answer *answer, char *why)
{
	const char *value = q->value.len ? q->value.ptr : "";
	time_t expires = (time_t)q->expires_s;
	memcached_return_t rc = MEMCACHED_FAILURE;

	switch (q->verb) {
	case MC_VERB_GET:
		rc = get(l, q, answer);
		break;
	case MC_VERB_SET:
		rc = memcached_set(
			l->memc, q->key.ptr, q->key.len, value, q->value.len, expires, 0);
		break;
	case MC_VERB_ADD:
		rc = memcached_add(
			l->memc, q->key.ptr, q->key.len, value, q->value.len, expires, 0);
		break;
	case MC_VERB_CAS:
		rc = memcached_cas(
			l->memc, q->key.ptr, q->key.len, value, q->value.len, expires, 0, q->cas);
		break;
	case MC_VERB_DELETE:
		rc = memcached_delete(l->memc, q->key.ptr, q->key.len, 0);
		break;
	case MC_VERB_INCR:
		rc = memcached_increment(
			l->memc, q->key.ptr, q->key.len, (uint32_t)q->delta, &answer->count);
		break;
	case MC_VERB_STATS:
		rc = stats(l, q);
		break;
	}
	return verdict(l, rc, q->verb, why);
}

bool mc_link_has_users(void)
{
	memcached_st *memc = memcached_create(NULL);
	bool can = memc && memcached_set_sasl_auth_data(memc, "", "") == MEMCACHED_SUCCESS;

	memcached_free(memc);
	return can;
}

struct mc_ring *mc_ring_open(void)
{
	struct mc_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->memc = memcached_create(NULL);
	if (!r->memc || memcached_behavior_set(r->memc, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1) !=
				MEMCACHED_SUCCESS)
		mc_ring_close(&r);
	return r;
}

bool mc_ring_add(struct mc_ring *r, const char *host, uint16_t port)
{
	return add_server(r->memc, host, port);
}

size_t mc_ring_pick(const struct mc_ring *r, struct span key)
{
	return memcached_generate_hash(r->memc, key.ptr, key.len);
}

void mc_ring_close(struct mc_ring **ring)
{
	struct mc_ring *r = *ring;

	if (!r)
		return;
	*ring = NULL;
	memcached_free(r->memc);
	free(r);
}
