/* lib/svc/slot.c - the connections that an account allows at once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/slot.h"

#include <string.h>

#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/origin.h"

/* A lease's text is the channel and which of its processes: "live-8 reader". */
static const char *const words[] = {"reader", "resolver"};

static void add_holder(struct slot_holders *h, struct span id)
{
	if (h && h->count < SLOT_HOLDERS_MAX && id.len &&
		span_copy(id, h->ids[h->count], sizeof(h->ids[0])))
		h->count++;
}

/* Whether the text names the other process of the same channel; one of the same kind that is about
 * to end does not count. */
static bool is_partner(struct span text, const char *id, enum slot_who who, struct span *holder)
{
	span_next(&text, ' ', holder);
	return span_is(*holder, id) && !span_is(text, words[who]);
}

enum slot_result slot_take(const struct lease_env *env, const struct origin *o, const char *id,
	enum slot_who who, struct lease **out, struct slot_holders *holders, struct fail *f)
{
	char account[ORIGIN_ACCOUNT_BYTES], name[LEASE_NAME_MAX], value[IDENT_MAX + 16];
	enum slot_result result = SLOT_FULL;
	struct span holder;
	struct buf other;

	*out = NULL;
	if (holders)
		holders->count = 0;
	if (o->account->connections == 0)
		return SLOT_MINE;
	origin_account(o, account);
	file_path(value, sizeof(value), "%s %s", id, words[who]);
	buf_init(&other, LEASE_VALUE_MAX + 1);
	for (int64_t i = 0; i < o->account->connections && result == SLOT_FULL; i++) {
		enum lease_result got;

		buf_clear(&other);
		file_path(name, sizeof(name), "slot:%s:%lld", account, (long long)i);
		got = lease_take(env, name, value, out, &other, f);
		if (got == LEASE_MINE)
			result = SLOT_MINE;
		else if (got == LEASE_ERROR)
			result = SLOT_ERROR;
		else if (is_partner(buf_span(&other), id, who, &holder))
			result = SLOT_SHARED;
		else
			add_holder(holders, holder);
	}
	buf_release(&other);
	return result;
}
