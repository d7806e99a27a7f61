/* lib/svc/title.c - a film or an episode: from an id to where its bytes are, and to its version.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/title.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/source.h"

int title_find(struct title *out, const struct conf *conf, struct catalog *catalog,
	const struct ident *id, struct fail *f)
{
	if (catalog_film(catalog, id, &out->film, f) < 0)
		return -1;
	out->source = conf_source(conf, out->film.source);
	if (!out->source)
		return fail_set(f, FAIL_MISSING, "The film's source is not configured");
	out->where = strcmp(out->source->type, "files") == 0 ? TITLE_FILE : TITLE_HTTP;
	return 0;
}

static int open_beneath(const char *dir, const char *name, int flags)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NONBLOCK),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, err;

	if (top < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, top, name, &how, sizeof(how));
	err = errno;
	close(top);
	errno = err;
	return fd;
}

int title_open_at(const struct title *t, const char *path, int flags)
{
	return open_beneath(t->source->url, path, flags);
}

int title_open(const struct title *t, int *fd, struct record_validator *now, struct fail *f)
{
	struct stat st;

	*fd = title_open_at(t, t->film.url, O_RDONLY);
	if (*fd < 0 && (errno == EXDEV || errno == ELOOP))
		return fail_set(f, FAIL_UPSTREAM, "The film's name leads out of its directory");
	if (*fd < 0)
		return fail_errno(f, errno == ENOENT ? FAIL_MISSING : FAIL_UPSTREAM, errno,
			"The film's file cannot be opened");
	if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(*fd);
		return fail_set(f, FAIL_UPSTREAM, "What the film's name leads to is no file");
	}
	*now = (struct record_validator){.size = (uint64_t)st.st_size,
		.stamp = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec};
	return 0;
}

int title_url(
	const struct title *t, const struct conf_account *account, struct buf *url, struct fail *f)
{
	const struct film *film = &t->film;

	if (*film->url)
		return buf_puts(url, film->url)
			       ? 0
			       : fail_set(f, FAIL_INPUT, "The film's address is too long");
	if (film->ident.kind == IDENT_EP)
		return source_episode_url(
			t->source, account, film->ident.key, film->suffix, url, f);
	return source_film_url(t->source, account, film->ident.key, film->suffix, url, f);
}

int title_key(const struct conf *conf, unsigned char key[SIGN_SIZE], struct fail *f)
{
	char path[PATH_MAX];

	if (!file_path(path, sizeof(path), "%s/key", conf->state_dir))
		return fail_set(f, FAIL_INTERNAL, "The path in state_dir is too long");
	return sign_key_load(path, key, f);
}

void title_version(const struct title *t, const struct record_validator *bytes, const char *ladder,
	const unsigned char key[SIGN_SIZE], char ver[TITLE_VER_BYTES])
{
	unsigned char digest[SIGN_SIZE];
	struct buf text;

	buf_init(&text, 8192);
	buf_printf(&text, "film\n%d\n%s\n%s\n%s\n%s\n%llu\n%llu\n%s", RECORD_VERSION, t->film.id,
		t->film.source, t->source->url, t->film.url, (unsigned long long)bytes->size,
		(unsigned long long)bytes->stamp, ladder);
	sign_hmac(span_make((const char *)key, SIGN_SIZE), buf_span(&text), digest);
	num_print_hex(digest, (TITLE_VER_BYTES - 1) / 2, ver);
	buf_release(&text);
}
