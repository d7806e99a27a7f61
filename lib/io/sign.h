/* lib/io/sign.h - random bytes, digests and keys.    FIPS 180-4, 197, RFC 2104, RFC 4648, RFC 5652
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_IO_SIGN_H
#define SLUICE_IO_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fail.h"
#include "lib/base/span.h"

enum {
	SIGN_SIZE = 32,		   /* bytes of a digest and of a key */
	SIGN_AES_SIZE = 16,	   /* bytes of an AES-128 key, and of a block */
	SIGN_SHA1_BASE64_SIZE = 29 /* 28 characters and a NUL */
};

/* Bytes that nobody can guess. Stops the process when the system has none. */
void sign_random(void *to, size_t size);

void sign_sha256(struct span data, unsigned char out[SIGN_SIZE]);
void sign_hmac(struct span key, struct span data, unsigned char out[SIGN_SIZE]); /* HMAC-SHA-256 */

/* Base64 with its padding (RFC 4648 section 4) and a NUL; `size` is SIGN_BASE64_SIZE(data.len) or
 * more. */
#define SIGN_BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
void sign_base64(struct span data, char *to, size_t size);

/* What stands behind "{SHA}" in an htpasswd file. */
void sign_sha1_base64(struct span data, char out[SIGN_SHA1_BASE64_SIZE]);

/* Whether both are the same, in a time that does not depend on where they differ. The lengths are
 * no secret. */
bool sign_equal(struct span a, struct span b);

/* Takes AES-128 in CBC mode off `bytes`, in place, and its padding (RFC 5652 section 6.3) off *len.
 * False, with the bytes in no particular state, when they are not whole blocks or the padding is
 * wrong, as it is after another key. */
bool sign_aes_open(const unsigned char key[SIGN_AES_SIZE], const unsigned char iv[SIGN_AES_SIZE],
	unsigned char *bytes, size_t *len);

/* Reads the key in the file `path`, 32 bytes; makes it with random ones, mode 0600, when there is
 * none (several processes at once all get the same). The directory must be there.
 * Fails: FAIL_INPUT for a file of another size or kind, one that others can read or the group can
 * write, or one that belongs to another user; FAIL_INTERNAL when it cannot be read or made. */
int sign_key_load(const char *path, unsigned char out[SIGN_SIZE], struct fail *f);

#endif
