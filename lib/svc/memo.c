/* lib/svc/memo.c - what was found out, kept for a while: on this host and in memcached.
 * SPDX-License-Identifier: BSD-2-Clause
 * "memo 1 MADE ENDS\nKEY\nVALUE", times in milliseconds since the epoch. A file's name is made of
 * its family and key. */
#include "lib/svc/memo.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"

enum {
	TEXT_MAX = MEMO_VALUE_MAX + MEMO_KEY_MAX + 100,
	DIGITS = 32,
	HEAD_MAX = 80,
	FUTURE_MS = 1000, /* a little, since hosts' clocks differ */
	TEMPORARY_S = 60
};

struct head {
	int64_t made_ms, ends_ms;
};

static bool next_number(struct span *line, int64_t *out)
{
	struct span word;

	return span_next(line, ' ', &word) && num_parse(word, 0, INT64_MAX, out);
}

static bool read_head(struct span line, struct head *out)
{
	struct span word;

	return span_next(&line, ' ', &word) && span_is(word, "memo") &&
	       span_next(&line, ' ', &word) && span_is(word, "1") &&
	       next_number(&line, &out->made_ms) && next_number(&line, &out->ends_ms) && !line.ptr;
}

/* One from the future was written before the clock went back. */
static bool is_good(const struct head *h)
{
	int64_t now_ms = clock_real_ms();

	return h->ends_ms > now_ms && h->made_ms <= now_ms + FUTURE_MS;
}

static bool read_text(struct span text, const char *key, struct buf *value, int64_t *ends_ms)
{
	struct head head;
	struct span line;

	if (!span_next(&text, '\n', &line) || !read_head(line, &head) || !is_good(&head) ||
		!span_next(&text, '\n', &line) || !span_is(line, key) || !text.ptr)
		return false;
	if (!buf_add(value, text.ptr, text.len))
		return false;
	if (ends_ms)
		*ends_ms = head.ends_ms;
	return true;
}

static bool path_of(
	const struct conf *conf, const char *family, const char *key, char to[PATH_MAX], bool dir)
{
	unsigned char digest[SIGN_SIZE];
	char hex[DIGITS + 1];
	struct buf text;

	buf_init(&text, MEMO_KEY_MAX + 100);
	buf_printf(&text, "%s:%s", family, key);
	sign_sha256(buf_span(&text), digest);
	num_print_hex(digest, DIGITS / 2, hex);
	buf_release(&text);
	return file_path(
		to, PATH_MAX, dir ? "%s/memo/%.2s" : "%s/memo/%.2s/%s", conf->state_dir, hex, hex);
}

static bool get_here(const struct conf *conf, const char *family, const char *key,
	struct buf *value, int64_t *ends_ms)
{
	char path[PATH_MAX];
	struct buf text;
	bool found;

	buf_init(&text, TEXT_MAX);
	found = path_of(conf, family, key, path, false) && file_read(path, &text, NULL) == 0 &&
		read_text(buf_span(&text), key, value, ends_ms);
	buf_release(&text);
	return found;
}

bool memo_get_shared(
	struct mc *mc, const char *family, const char *key, struct buf *value, int64_t *ends_ms)
{
	struct buf text;
	bool found;

	if (!mc)
		return false;
	buf_init(&text, TEXT_MAX);
	found = mc_get(mc, family, key, &text, NULL) == MC_OK &&
		read_text(buf_span(&text), key, value, ends_ms);
	buf_release(&text);
	return found;
}

bool memo_get(const struct conf *conf, struct mc *mc, const char *family, const char *key,
	struct buf *value, int64_t *ends_ms)
{
	return get_here(conf, family, key, value, ends_ms) ||
	       memo_get_shared(mc, family, key, value, ends_ms);
}

static bool put_here(const struct conf *conf, const char *family, const char *key, struct span text)
{
	char path[PATH_MAX];
	struct fail f = {0};

	if (!path_of(conf, family, key, path, false))
		return false;
	if (file_replace(path, text, 0600, &f) == 0)
		return true;
	if (!path_of(conf, family, key, path, true) || file_mkdirs(path, 0700, &f) < 0 ||
		!path_of(conf, family, key, path, false) || file_renew(path, text, 0600, &f) < 0) {
		log_warn("memo_not_kept", LOG_STR("family", family), LOG_STR("why", f.text));
		return false;
	}
	return true;
}

bool memo_put(const struct conf *conf, struct mc *mc, const char *family, const char *key,
	struct span value, int64_t ends_ms)
{
	int64_t now_ms = clock_real_ms();
	struct buf text;
	bool kept = false;

	must(strlen(key) < MEMO_KEY_MAX && !strchr(key, '\n'));
	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "memo 1 %lld %lld\n%s\n", (long long)now_ms, (long long)ends_ms, key);
	if (ends_ms > now_ms && buf_add(&text, value.ptr, value.len)) {
		kept = put_here(conf, family, key, buf_span(&text));
		mc_set(mc, family, key, buf_span(&text), (ends_ms - now_ms) / 1000 + 1);
	}
	buf_release(&text);
	return kept;
}

void memo_drop(const struct conf *conf, struct mc *mc, const char *family, const char *key)
{
	char path[PATH_MAX];

	if (path_of(conf, family, key, path, false))
		unlink(path);
	memo_drop_shared(mc, family, key);
}

void memo_drop_shared(struct mc *mc, const char *family, const char *key)
{
	mc_delete(mc, family, key);
}

/* Whether the file is of no use: it has ended, is none of ours, or was left by a writer that
 * died. */
static bool has_ended(int dir, const char *name)
{
	char text[HEAD_MAX];
	struct span rest, line;
	struct head head = {0};
	struct stat st;
	ssize_t n;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	n = pread(fd, text, sizeof(text), 0);
	if (fstat(fd, &st) < 0)
		n = -1;
	close(fd);
	if (n < 0)
		return false;
	rest = span_make(text, (size_t)n);
	if (strlen(name) != DIGITS || !span_next(&rest, '\n', &line) || !read_head(line, &head))
		return st.st_mtim.tv_sec < clock_real_ms() / 1000 - TEMPORARY_S;
	return !is_good(&head);
}

size_t memo_sweep(const struct conf *conf, int part)
{
	char path[PATH_MAX];
	struct dirent *entry;
	size_t removed = 0;
	DIR *dir;

	must(part >= 0 && part < MEMO_PARTS);
	if (!file_path(path, sizeof(path), "%s/memo/%02x", conf->state_dir, part) ||
		!(dir = opendir(path)))
		return 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && has_ended(dirfd(dir), entry->d_name))
			removed += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
	}
	closedir(dir);
	return removed;
}
