/* lib/svc/origin.c - from where a channel can be had: its sources, in the order in which they are
 * tried. SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/origin.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/sign.h"
#include "lib/svc/catalog.h"

static void add(struct origins *o, const struct conf_source *source,
	const struct conf_account *account, const char *key)
{
	struct origin *at = &o->list[o->count];

	if (o->count == ORIGINS_MAX)
		return;
	*at = (struct origin){.source = source, .account = account};
	snprintf(at->name, sizeof(at->name), "%s%s%s", source->name, *account->name ? "/" : "",
		account->name);
	if (span_copy(span_of(key), at->key, sizeof(at->key)))
		o->count++;
}

int origins_find(struct origins *out, const struct conf *conf, struct catalog *catalog,
	const char *id, struct fail *f)
{
	const struct conf_source *source;
	struct channel channel;
	struct ident ident;

	out->count = 0;
	if (!ident_parse(span_of(id), IDENT_LIVE, &ident))
		return fail_set(f, FAIL_INPUT, "'%s' is no channel", id);
	if (catalog_channel(catalog, &ident, &channel, f) < 0)
		return -1;
	source = conf_source(conf, channel.source);
	if (!source)
		return fail_set(f, FAIL_MISSING, "The channel's source is not configured");
	for (size_t i = 0; i < source->account_count; i++)
		add(out, source, &source->accounts[i], channel.ident.key);
	return 0;
}

const struct origin *origins_named(const struct origins *o, const char *name)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(o->list[i].name, name) == 0)
			return &o->list[i];
	}
	return NULL;
}

void origin_account(const struct origin *o, char to[ORIGIN_ACCOUNT_BYTES])
{
	unsigned char digest[SIGN_SIZE];
	struct buf text;

	buf_init(&text, 16384);
	buf_printf(&text, "%s\n%s", o->source->url, o->account->user);
	sign_sha256(buf_span(&text), digest);
	num_print_hex(digest, (ORIGIN_ACCOUNT_BYTES - 1) / 2, to);
	buf_release(&text);
}
