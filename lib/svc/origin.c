/* lib/svc/origin.c - from where a channel can be had, in the order of trying.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/sign.h"
#include "lib/svc/catalog.h"
#include "lib/svc/source.h"

static void add(struct origins *o, const struct conf_source *source,
	const struct conf_account *account, const char *key, int64_t entry)
{
	struct origin *at = &o->list[o->count];
	int n;

	if (o->count == ORIGINS_MAX)
		return;
	*at = (struct origin){.source = source, .account = account, .entry = entry};
	n = snprintf(at->name, sizeof(at->name), "%s%s%s", source->name, *account->name ? "/" : "",
		account->name);
	if (entry > 0)
		snprintf(at->name + n, sizeof(at->name) - (size_t)n, "#%lld", (long long)entry + 1);
	if (span_copy(span_of(key), at->key, sizeof(at->key)))
		o->count++;
}

/* All ways to channel `key` of one source. */
static int add_source(struct origins *o, struct catalog *catalog, const struct conf_source *source,
	const char *key, struct fail *f)
{
	struct channel_entry entry = {source->name, key, 0};
	struct channel_address *address;
	struct fail why = {0};

	if (!source_is_list(source)) {
		for (size_t i = 0; i < source->account_count; i++)
			add(o, source, &source->accounts[i], key, 0);
		return 0;
	}
	address = malloc(sizeof(*address));
	if (!address)
		return fail_set(f, FAIL_BUSY, "There is no memory for the channel's addresses");
	while (entry.number < ORIGINS_MAX && catalog_address(catalog, &entry, address, &why) == 0)
		add(o, source, &source->accounts[0], key, entry.number++);
	free(address);
	return why.kind == FAIL_MISSING || !why.kind ? 0 : fail_set(f, why.kind, "%s", why.text);
}

int origins_find(struct origins *out, const struct conf *conf, struct catalog *catalog,
	const char *id, struct fail *f)
{
	const struct conf_source *own;
	struct channel channel;
	struct ident ident;

	out->count = 0;
	if (!ident_parse(span_of(id), IDENT_LIVE, &ident))
		return fail_set(f, FAIL_INPUT, "'%s' is no channel", id);
	if (catalog_channel(catalog, &ident, &channel, f) < 0)
		return -1;
	own = conf_source(conf, channel.source);
	if (!own)
		return fail_set(f, FAIL_MISSING, "The channel's source is not configured");
	for (size_t i = 0; i < conf->source_count; i++) {
		const struct conf_source *s = &conf->sources[i];
		char key[IDENT_KEY_MAX] = "";

		if (s == own)
			snprintf(key, sizeof(key), "%s", channel.ident.key);
		else if (*own->group && strcmp(s->group, own->group) == 0 &&
			 catalog_alike(catalog, s->name, &channel, key, f) < 0)
			return -1;
		if (*key && add_source(out, catalog, s, key, f) < 0)
			return -1;
	}
	if (out->count == 0)
		return fail_set(
			f, FAIL_MISSING, "The list no longer says where this channel plays");
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
