/* lib/svc/page.c - web pages that were named once, and the ids that they have since.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/page.h"

#include <limits.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/http/authority.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/offer.h"

enum { LIFE_S = 30 * 86400 };

static const char family[] = "page";

static void key_of(struct span url, char key[PAGE_KEY_BYTES])
{
	unsigned char digest[SIGN_SIZE];

	sign_sha256(url, digest);
	num_print_hex(digest, (PAGE_KEY_BYTES - 1) / 2, key);
}

static bool path_of(const struct conf *conf, const char *key, bool dir, char to[PATH_MAX])
{
	return file_path(to, PATH_MAX, dir ? "%s/pages/%.2s" : "%s/pages/%.2s/%s", conf->state_dir,
		key, key);
}

/* What was kept is believed as far as it is what the key was made of. */
static bool is_of(struct span url, const char *key)
{
	char own[PAGE_KEY_BYTES];

	key_of(url, own);
	return strcmp(own, key) == 0;
}

static bool read_here(const struct conf *conf, const char *key, struct buf *to)
{
	char path[PATH_MAX];

	return path_of(conf, key, false, path) && file_read(path, to, NULL) == 0 &&
	       is_of(buf_span(to), key);
}

static int write_here(const struct conf *conf, const char *key, struct span url, struct fail *f)
{
	char path[PATH_MAX];

	if (!path_of(conf, key, true, path) || file_mkdirs(path, 0700, f) < 0 ||
		!path_of(conf, key, false, path) || file_replace(path, url, 0600, f) < 0)
		return fail_set(
			f, FAIL_BUSY, "The page's id cannot be kept: the disk is full or not ours");
	return 0;
}

/* Scheme and host mean the same in any case (RFC 3986, section 6.2.2.1): a page has one id. */
static struct span in_lower_case(struct span url, char to[PAGE_URL_MAX])
{
	int slashes = 0;

	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];

		slashes += c == '/' ? 1 : c == '?' ? 3 : 0;
		to[i] = slashes < 3 && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return span_make(to, url.len);
}

int page_keep(const struct conf *conf, struct mc *mc, struct span url, char key[PAGE_KEY_BYTES],
	struct fail *f)
{
	char text[PAGE_URL_MAX];
	struct span plain, host;
	struct buf known;
	bool is_known;

	span_next(&url, '#', &plain);
	plain = span_trim(plain);
	if (plain.len < PAGE_URL_MAX)
		plain = in_lower_case(plain, text);
	if (!offer_is_url(plain) || plain.len >= PAGE_URL_MAX)
		return fail_set(f, FAIL_INPUT,
			"`url` is an http or https address of at most %d bytes", PAGE_URL_MAX - 1);
	/* The program that looks at it connects by itself: what is plainly not public is refused
	 * here. */
	if (!authority_host(plain, &host))
		return fail_set(f, FAIL_INPUT, "`url` names no host, or none that is beyond doubt");
	if (authority_is_private(host))
		return fail_set(f, FAIL_FORBIDDEN,
			"%.*s is a private address, or a name of this network",
			(int)(host.len < 100 ? host.len : 100), host.ptr);
	key_of(plain, key);
	buf_init(&known, PAGE_URL_MAX);
	is_known = read_here(conf, key, &known);
	buf_release(&known);
	mc_set(mc, family, key, plain, LIFE_S);
	return is_known ? 0 : write_here(conf, key, plain, f);
}

int page_find(
	const struct conf *conf, struct mc *mc, const char *key, struct buf *url, struct fail *f)
{
	struct buf text;
	bool found;

	buf_init(&text, PAGE_URL_MAX);
	found = strlen(key) == PAGE_KEY_BYTES - 1 && read_here(conf, key, &text);
	if (!found) {
		buf_clear(&text);
		found = mc_get(mc, family, key, &text, NULL) == MC_OK &&
			is_of(buf_span(&text), key);
	}
	if (found)
		buf_add(url, text.ptr, text.len);
	buf_release(&text);
	return found ? 0 : fail_set(f, FAIL_MISSING, "There is no such page");
}
