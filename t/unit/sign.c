/* t/unit/sign.c - random bytes, digests and keys.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/sign.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/io/file.h"
#include "t/unit/tap.h"

static void digests(void)
{
	/* FIPS 180-4 examples; RFC 4231 test cases 1, 2 and 6. */
	static const struct {
		const char *text, *want;
	} sums[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	};
	unsigned char out[SIGN_SIZE];
	char hex[2 * SIGN_SIZE + 1], key[131];
	char base64[SIGN_SHA1_BASE64_SIZE];

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		sign_sha256(span_of(sums[i].text), out);
		num_print_hex(out, sizeof(out), hex);
		is_str(hex, sums[i].want, "SHA-256 of '%s'", sums[i].text);
	}
	sign_sha256(span_make(NULL, 0), out);
	num_print_hex(out, sizeof(out), hex);
	is_str(hex, sums[0].want, "a span of nothing is the empty text");

	memset(key, 0x0b, 20);
	sign_hmac(span_make(key, 20), span_of("Hi There"), out);
	num_print_hex(out, sizeof(out), hex);
	is_str(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		"HMAC-SHA-256, RFC 4231 case 1");
	sign_hmac(span_of("Jefe"), span_of("what do ya want for nothing?"), out);
	num_print_hex(out, sizeof(out), hex);
	is_str(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"HMAC-SHA-256, RFC 4231 case 2");
	memset(key, 0xaa, 131);
	sign_hmac(span_make(key, 131),
		span_of("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	num_print_hex(out, sizeof(out), hex);
	is_str(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		"HMAC-SHA-256 with a key above the block size, RFC 4231 case 6");

	sign_sha1_base64(span_of("password"), base64);
	is_str(base64, "W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1 in base64 as htpasswd -s writes it");
}

static void comparing(void)
{
	unsigned char a[64] = {0}, b[64] = {0};

	ok(sign_equal(span_of("same"), span_of("same")), "equal texts are equal");
	ok(!sign_equal(span_of("same"), span_of("samf")), "one bit makes a difference");
	ok(!sign_equal(span_of("same"), span_of("sam")), "and so does a length");
	ok(sign_equal(span_make(NULL, 0), span_of("")), "nothing equals nothing");
	sign_random(a, sizeof(a));
	sign_random(b, sizeof(b));
	ok(memcmp(a, b, sizeof(a)) != 0, "random bytes are not the same twice");
}

static int files_in(const char *dir)
{
	char command[200];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	p = popen(command, "r");
	if (p && fscanf(p, "%d", &n) != 1)
		n = -1;
	if (p)
		pclose(p);
	return n;
}

static void key_files(void)
{
	static const struct {
		size_t size;
		mode_t mode;
		bool good;
		const char *name;
	} cases[] = {
		{32, 0600, true, "a key of 32 bytes for its owner"},
		{32, 0400, true, "one that cannot be written"},
		{32, 0640, true, "one that its group may read"},
		{32, 0604, false, "one that everybody may read"},
		{32, 0601, false, "one that everybody may execute"},
		{32, 0660, false, "one that its group may write"},
		{31, 0600, false, "a key that is too short"},
		{33, 0600, false, "a key that is too long"},
		{0, 0600, false, "an empty file"},
	};
	char dir[] = "/tmp/sluice-sign-XXXXXX", path[80], text[64];
	unsigned char one[SIGN_SIZE], two[SIGN_SIZE];
	struct fail f = {0};
	struct stat st;

	memset(text, 'k', sizeof(text));
	ok(mkdtemp(dir) != NULL, "a directory");
	snprintf(path, sizeof(path), "%s/key", dir);

	is_int(sign_key_load(path, one, &f), 0, "a key that is missing is made");
	is_int(sign_key_load(path, two, &f), 0, "and read the next time");
	ok(memcmp(one, two, sizeof(one)) == 0, "as it was made");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == SIGN_SIZE,
		"its file has 32 bytes and mode 0600");
	is_int(files_in(dir), 1, "nothing else is left in the directory");
	unlink(path);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_int(file_replace(path, span_make(text, cases[i].size), cases[i].mode, &f), 0,
			"there is %s", cases[i].name);
		if (chmod(path, cases[i].mode) < 0)
			ok(false, "chmod");
		memset(one, 'x', sizeof(one));
		is_int(sign_key_load(path, one, &f), cases[i].good ? 0 : -1, "%s is %s",
			cases[i].name, cases[i].good ? "read" : "refused");
		ok(one[31] == (cases[i].good ? 'k' : 'x'), "and %s",
			cases[i].good ? "gives its bytes" : "the key is untouched");
		if (!cases[i].good)
			ok(strstr(f.text, path) && f.kind == FAIL_INPUT,
				"the sentence names it: %s", f.text);
	}
	unlink(path);
	ok(symlink("/dev/zero", path) == 0 && sign_key_load(path, one, &f) < 0,
		"a symbolic link is refused: %s", f.text);
	unlink(path);
	ok(mkfifo(path, 0600) == 0 && sign_key_load(path, one, &f) < 0,
		"a pipe is refused without waiting for its writer: %s", f.text);
	unlink(path);
	snprintf(path, sizeof(path), "%s/none/key", dir);
	is_int(sign_key_load(path, one, &f), -1, "without its directory no key is made: %s",
		f.text);
	rmdir(dir);
}

static void made_at_once(void)
{
	enum { MAKERS = 8 };
	char dir[] = "/tmp/sluice-sign-XXXXXX", path[80];
	unsigned char keys[MAKERS][SIGN_SIZE];
	int results[2], start[2], same = 0;

	ok(mkdtemp(dir) && pipe(results) == 0 && pipe(start) == 0, "a directory");
	snprintf(path, sizeof(path), "%s/key", dir);
	for (int i = 0; i < MAKERS; i++) {
		if (fork() == 0) {
			unsigned char key[SIGN_SIZE] = {0};
			struct fail f;
			char go;

			close(start[1]);
			if (read(start[0], &go, 1) != 0 || sign_key_load(path, key, &f) < 0)
				_exit(1);
			_exit(write(results[1], key, sizeof(key)) == sizeof(key) ? 0 : 1);
		}
	}
	close(start[1]); /* all start now */
	for (int i = 0; i < MAKERS; i++) {
		int status = 1;

		wait(&status);
		if (status == 0 && read(results[0], keys[i], SIGN_SIZE) == SIGN_SIZE)
			same += memcmp(keys[i], keys[0], SIGN_SIZE) == 0;
	}
	is_int(same, MAKERS, "several processes that make a key at once get the same");
	is_int(files_in(dir), 1, "and leave nothing else");
	unlink(path);
	rmdir(dir);
}

/* NIST SP 800-38A section F.2.1, the first block, and padding after RFC 5652. */
static void ciphers(void)
{
	static const unsigned char key[SIGN_AES_SIZE] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2,
		0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	static const unsigned char iv[SIGN_AES_SIZE] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	/* 16 bytes of the example and "abc", made with openssl enc -aes-128-cbc */
	static const unsigned char sealed[32] = {0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46,
		0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d, 0x2a, 0xf6, 0xa2, 0xeb, 0x85, 0xae,
		0xeb, 0xbd, 0x5e, 0x24, 0xca, 0xd3, 0x68, 0x8b, 0x89, 0xd5};
	unsigned char bytes[32], other[SIGN_AES_SIZE] = {1};
	char hex[65];
	size_t len = sizeof(bytes);

	memcpy(bytes, sealed, sizeof(bytes));
	ok(sign_aes_open(key, iv, bytes, &len), "AES-128-CBC is taken off");
	is_int(len, 19, "with its padding");
	num_print_hex(bytes, 19, hex);
	is_str(hex, "6bc1bee22e409f96e93d7e117393172a616263", "and gives what it was");
	len = sizeof(bytes);
	memcpy(bytes, sealed, sizeof(bytes));
	ok(!sign_aes_open(other, iv, bytes, &len), "another key is noticed by its padding");
	for (size_t cut = 0; cut < sizeof(sealed); cut += cut == 16 ? 1 : 4) {
		len = cut;
		memcpy(bytes, sealed, sizeof(bytes));
		ok(!sign_aes_open(key, iv, bytes, &len), "so are %zu of its bytes", cut);
	}
}

int main(void)
{
	ciphers();
	digests();
	comparing();
	key_files();
	made_at_once();
	return tap_done();
}
