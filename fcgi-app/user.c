/* fcgi-app/user.c - who may come in: the htpasswd file that the front server reads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/must.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"

enum {
	FILE_MAX = 1024 * 1024,
	NAME_MAX_BYTES = 64,
	TOKEN_BYTES = 16,
	TOKEN_DIGITS = 2 * TOKEN_BYTES,
	FILE_MODE = 0640
};

static bool name_ok(struct span name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES || strchr("._@-", name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			!strchr("._@-", c))
			return false;
	}
	return true;
}

/* The lines of `old` without that of `name`. Says whether it was there. */
static bool without(struct span old, struct span name, struct buf *to)
{
	struct span line, user;
	bool found = false;

	while (span_next(&old, '\n', &line)) {
		struct span rest = line;

		if (line.len == 0)
			continue;
		span_next(&rest, ':', &user);
		if (span_eq(user, name)) {
			found = true;
			continue;
		}
		buf_add(to, line.ptr, line.len);
		buf_putc(to, '\n');
	}
	return found;
}

static void add_line(struct buf *to, struct span name, char token[TOKEN_DIGITS + 1])
{
	unsigned char random[TOKEN_BYTES];
	char hash[SIGN_SHA1_BASE64_SIZE];

	sign_random(random, sizeof(random));
	num_print_hex(random, sizeof(random), token);
	sign_sha1_base64(span_of(token), hash);
	buf_printf(to, "%.*s:{SHA}%s\n", (int)name.len, name.ptr, hash);
}

static int read_users(const char *path, struct buf *users, struct fail *f)
{
	struct fail why = {0};

	if (file_read(path, users, &why) == 0 || why.kind == FAIL_MISSING)
		return 0;
	*f = why;
	return -1;
}

static void list(struct span users, FILE *out)
{
	struct span line, user;

	while (span_next(&users, '\n', &line)) {
		if (line.len && span_next(&line, ':', &user))
			fprintf(out, "%.*s\n", (int)user.len, user.ptr);
	}
}

/* A new file: the front server may read it as it may read what is published. */
static void share_new(const struct conf *conf)
{
	struct stat st;

	if (geteuid() == 0 && stat(conf->state_dir, &st) == 0 &&
		lchown(conf->htpasswd, (uid_t)-1, st.st_gid) < 0)
		log_warn("htpasswd_not_shared", LOG_STR("why", strerrordesc_np(errno)));
}

/* Reads, changes and replaces the file while no other `sluice user` does. */
static int change(const struct conf *conf, bool add, struct span name, FILE *out, struct fail *f)
{
	const char *path = conf->htpasswd;
	char lock_path[4096], token[TOKEN_DIGITS + 1] = "";
	struct buf old, new;
	int result = -1, lock;
	bool found, is_new;

	if (!file_path(lock_path, sizeof(lock_path), "%s.lock", path))
		return fail_set(f, FAIL_INPUT, "The path of the htpasswd file is too long");
	lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return fail_errno(f, FAIL_INTERNAL, errno, "%s cannot be locked", lock_path);
	is_new = access(path, F_OK) < 0;
	buf_init(&old, FILE_MAX);
	buf_init(&new, FILE_MAX);
	if (read_users(path, &old, f) < 0)
		goto out;
	found = without(buf_span(&old), name, &new);
	if (!add && !found) {
		fail_set(f, FAIL_MISSING, "There is no user %.*s", (int)name.len, name.ptr);
		goto out;
	}
	if (add)
		add_line(&new, name, token);
	result = new.failed ? fail_set(f, FAIL_INPUT, "There are too many users")
			    : file_replace(path, buf_span(&new), FILE_MODE, f);
	if (result == 0 && is_new)
		share_new(conf);
	if (result == 0 && add)
		fprintf(out, "%s\n", token);
out:
	buf_release(&old);
	buf_release(&new);
	close(lock);
	return result;
}

bool user_is_called_so(int count, char *const *words)
{
	if (count == 1)
		return strcmp(words[0], "list") == 0;
	return count == 2 && (strcmp(words[0], "add") == 0 || strcmp(words[0], "del") == 0);
}

int user_run(const struct conf *conf, int count, char *const *words, FILE *out, struct fail *f)
{
	struct buf users;
	int result;

	must(user_is_called_so(count, words));
	if (!*conf->htpasswd)
		return fail_set(f, FAIL_INPUT, "The setting htpasswd names no file");
	if (count == 1) {
		buf_init(&users, FILE_MAX);
		result = read_users(conf->htpasswd, &users, f);
		list(buf_span(&users), out);
		buf_release(&users);
		return result;
	}
	if (!name_ok(span_of(words[1])))
		return fail_set(f, FAIL_INPUT,
			"A user's name is 1 to %d letters, digits, '.', '_', '@' or '-'",
			NAME_MAX_BYTES);
	return change(conf, strcmp(words[0], "add") == 0, span_of(words[1]), out, f);
}
