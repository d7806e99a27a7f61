/* fcgi-app/processes/live/keyring.h - the last keys of encrypted segments, by their addresses.
 * SPDX-License-Identifier: BSD-2-Clause
 * RFC 8216 section 4.3.2.4: AES-128 in CBC mode. */
#ifndef SLUICE_PROCESSES_LIVE_KEYRING_H
#define SLUICE_PROCESSES_LIVE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/io/fetch.h"
#include "lib/io/sign.h"

enum { KEYRING_KEYS = 4 };

struct keyring {
	struct keyring_key {
		char url[FETCH_URL_BYTES];
		unsigned char bytes[SIGN_AES_SIZE];
	} keys[KEYRING_KEYS];
	size_t count, oldest;
};

bool keyring_has(const struct keyring *k, const char *url);

/* Keeps a key; the oldest one goes. False when it is of another size. */
bool keyring_add(struct keyring *k, const char *url, struct span bytes);

void keyring_clear(struct keyring *k);

/* Decrypts `bytes` in place with the key of that address. False when there is none, or it is not
 * the one. */
bool keyring_open(const struct keyring *k, const char *url, const unsigned char iv[SIGN_AES_SIZE],
	struct buf *bytes);

#endif
