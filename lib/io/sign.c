/* lib/io/sign.c - random bytes, digests and keys.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/file.h"

void sign_random(void *to, size_t size)
{
	must(size <= INT_MAX);
	must(RAND_bytes(to, (int)size) == 1);
}

static void digest(const EVP_MD *kind, struct span data, unsigned char *out, unsigned int size)
{
	unsigned int len = 0;

	must(EVP_Digest(data.len ? data.ptr : "", data.len, out, &len, kind, NULL) == 1);
	must(len == size);
}

void sign_sha256(struct span data, unsigned char out[SIGN_SIZE])
{
	digest(EVP_sha256(), data, out, SIGN_SIZE);
}

void sign_hmac(struct span key, struct span data, unsigned char out[SIGN_SIZE])
{
	const void *bytes = data.len ? data.ptr : "";
	unsigned int len = 0;

	must(key.len > 0 && key.len <= INT_MAX);
	must(HMAC(EVP_sha256(), key.ptr, (int)key.len, bytes, data.len, out, &len));
	must(len == SIGN_SIZE);
}

void sign_base64(struct span data, char *to, size_t size)
{
	must(data.len < INT_MAX / 2 && size >= SIGN_BASE64_SIZE(data.len));
	EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)data.ptr, (int)data.len);
}

void sign_sha1_base64(struct span data, char out[SIGN_SHA1_BASE64_SIZE])
{
	unsigned char sha1[20];

	digest(EVP_sha1(), data, sha1, sizeof(sha1));
	sign_base64(span_make((const char *)sha1, sizeof(sha1)), out, SIGN_SHA1_BASE64_SIZE);
}

bool sign_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool sign_aes_open(const unsigned char key[SIGN_AES_SIZE], const unsigned char iv[SIGN_AES_SIZE],
	unsigned char *bytes, size_t *len)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int most = 0, rest = 0;
	bool good;

	must(c);
	good = *len > 0 && *len % SIGN_AES_SIZE == 0 && *len <= INT_MAX &&
	       EVP_DecryptInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv) == 1 &&
	       EVP_DecryptUpdate(c, bytes, &most, bytes, (int)*len) == 1 &&
	       EVP_DecryptFinal_ex(c, bytes + most, &rest) == 1;
	EVP_CIPHER_CTX_free(c);
	if (good)
		*len = (size_t)most + (size_t)rest;
	return good;
}

/* Why an open key file is none, or NULL. */
static const char *key_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a plain file";
	if (st->st_size != SIGN_SIZE)
		return "is not 32 bytes long, as a key is";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IRWXO))
		return "may be read by others or written by its group: chmod 600";
	return NULL;
}

/* 0, -1, or 1 when there is no such file. */
static int key_read(const char *path, unsigned char out[SIGN_SIZE], struct fail *f)
{
	/* O_NONBLOCK: a FIFO in its place must not stop us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	unsigned char key[SIGN_SIZE];
	const char *fault;
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 && errno == ELOOP)
		return fail_set(f, FAIL_INPUT, "The key file %s is a symbolic link", path);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The key file %s cannot be read", path);
	if (fstat(fd, &st) < 0) {
		close(fd);
		return fail_errno(f, FAIL_INTERNAL, errno, "The key file %s cannot be read", path);
	}
	fault = key_fault(&st);
	n = fault ? -1 : read(fd, key, sizeof(key));
	close(fd);
	if (fault)
		return fail_set(f, FAIL_INPUT, "The key file %s %s", path, fault);
	if (n != sizeof(key))
		return fail_set(f, FAIL_INTERNAL, "The key file %s cannot be read whole", path);
	memcpy(out, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

static int write_key(int fd)
{
	unsigned char key[SIGN_SIZE];
	ssize_t n;

	sign_random(key, sizeof(key));
	n = write(fd, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	if (n >= 0 && n != sizeof(key))
		errno = ENOSPC;
	/* Synced: what is signed with it outlives a power failure. */
	return n == sizeof(key) && fsync(fd) == 0 ? 0 : -1;
}

/* Under a name of its own first and then linked, so that whoever sees the file sees all of it, and
 * of several that make it at once one wins. */
static int key_make(const char *path, struct fail *f)
{
	char temporary[PATH_MAX], unique[17];
	unsigned char random[8];
	int fd, rc, err;

	sign_random(random, sizeof(random));
	num_print_hex(random, sizeof(random), unique);
	if (!file_path(temporary, sizeof(temporary), "%s.%s", path, unique))
		return fail_set(f, FAIL_INPUT, "The path of the key file is too long");
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "The key file %s cannot be made", path);
	rc = write_key(fd);
	if (rc == 0)
		rc = link(temporary, path);
	err = errno;
	close(fd);
	unlink(temporary);
	if (rc < 0 && err != EEXIST)
		return fail_errno(f, FAIL_INTERNAL, err, "The key file %s cannot be made", path);
	return 0;
}

int sign_key_load(const char *path, unsigned char out[SIGN_SIZE], struct fail *f)
{
	int rc = key_read(path, out, f);

	if (rc <= 0)
		return rc;
	if (key_make(path, f) < 0)
		return -1;
	rc = key_read(path, out, f);
	if (rc > 0)
		return fail_set(f, FAIL_INTERNAL, "The key file %s disappears", path);
	return rc;
}
