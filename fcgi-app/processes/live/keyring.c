/* fcgi-app/processes/live/keyring.c - the last keys of encrypted segments, by their addresses.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/keyring.h"

#include <string.h>

static const struct keyring_key *find(const struct keyring *k, const char *url)
{
	for (size_t i = 0; i < k->count; i++) {
		if (strcmp(k->keys[i].url, url) == 0)
			return &k->keys[i];
	}
	return NULL;
}

bool keyring_has(const struct keyring *k, const char *url)
{
	return find(k, url) != NULL;
}

bool keyring_add(struct keyring *k, const char *url, struct span bytes)
{
	struct keyring_key *to = &k->keys[k->oldest];

	if (bytes.len != SIGN_AES_SIZE || !span_copy(span_of(url), to->url, sizeof(to->url)))
		return false;
	memcpy(to->bytes, bytes.ptr, SIGN_AES_SIZE);
	k->oldest = (k->oldest + 1) % KEYRING_KEYS;
	k->count += k->count < KEYRING_KEYS;
	return true;
}

void keyring_clear(struct keyring *k)
{
	k->count = k->oldest = 0;
}

bool keyring_open(const struct keyring *k, const char *url, const unsigned char iv[SIGN_AES_SIZE],
	struct buf *bytes)
{
	const struct keyring_key *key = find(k, url);

	return key && sign_aes_open(key->bytes, iv, (unsigned char *)bytes->ptr, &bytes->len);
}
