/* lib/svc/beside.c - files of subtitles that lie beside a film of a directory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/beside.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hls/cue.h"
#include "lib/hls/subtitle.h"
#include "lib/http/charset.h"
#include "lib/http/text.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"
#include "lib/svc/title.h"

enum { ID_BITS = 44 };

/* Its folder, "." for the top, and its name without the ending. */
static bool split(const struct title *t, char dir[PATH_MAX], struct span *stem)
{
	const char *slash = strrchr(t->film.url, '/'), *name = slash ? slash + 1 : t->film.url;
	const char *dot = strrchr(name, '.');

	*stem = dot ? span_make(name, (size_t)(dot - name)) : span_of(name);
	return file_path(dir, PATH_MAX, "%.*s", slash ? (int)(slash - t->film.url) : 1,
		slash ? t->film.url : ".");
}

static uint64_t id_of(const char *dir, const char *file, const struct stat *st)
{
	unsigned char digest[SIGN_SIZE];
	struct buf text;
	uint64_t id = 0;

	buf_init(&text, 2 * PATH_MAX);
	buf_printf(&text, "beside\n%s\n%s\n%lld\n%lld\n%ld", dir, file, (long long)st->st_size,
		(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	sign_sha256(buf_span(&text), digest);
	buf_release(&text);
	memcpy(&id, digest, sizeof(id));
	return id >> (64 - ID_BITS);
}

static bool look(int fd, const char *dir, struct span stem, const char *file, struct beside *b)
{
	struct rendition x = {.kind = RENDITION_BESIDE};
	struct subtitle_name name;
	struct stat st;

	if (!subtitle_name(stem, span_of(file), &name) || strlen(file) >= sizeof(b->file) ||
		fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		st.st_size == 0 || st.st_size > BESIDE_MOST_BYTES)
		return false;
	*b = (struct beside){.id = id_of(dir, file, &st), .format = name.format};
	x.beside = b->id;
	rendition_print(&x, b->text.name);
	snprintf(b->text.language, sizeof(b->text.language), "%s", name.language);
	text_clean(span_of(name.title), b->text.title, sizeof(b->text.title));
	b->text.flags = name.flags;
	snprintf(b->file, sizeof(b->file), "%s", file);
	return true;
}

static int by_file(const void *a, const void *b)
{
	return strcmp(((const struct beside *)a)->file, ((const struct beside *)b)->file);
}

size_t beside_list(const struct title *t, struct beside *to)
{
	char dir[PATH_MAX];
	struct dirent *entry;
	struct span stem;
	size_t count = 0;
	DIR *d = NULL;
	int fd = -1;

	if (t->where == TITLE_FILE && split(t, dir, &stem))
		fd = title_open_at(t, dir, O_RDONLY | O_DIRECTORY);
	if (fd >= 0 && !(d = fdopendir(fd)))
		close(fd);
	for (int i = 0; d && i < BESIDE_ENTRIES_MAX && count < BESIDE_MAX; i++) {
		if (!(entry = readdir(d)))
			break;
		count += look(fd, dir, stem, entry->d_name, &to[count]);
	}
	if (d)
		closedir(d);
	qsort(to, count, sizeof(*to), by_file);
	return count;
}

/* --- segments --------------------------------------------------------------------------------- */

static int read_all(int fd, struct buf *to, struct fail *f)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(to, piece, (size_t)n);
	if (n < 0 || to->failed)
		return fail_set(f, FAIL_BUSY, "The subtitles cannot be read");
	return 0;
}

static int open_file(const struct title *t, const struct beside *b, struct fail *f)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct span stem;
	struct stat st;
	int fd = -1;

	if (split(t, dir, &stem) && file_path(path, sizeof(path), "%s/%s", dir, b->file))
		fd = title_open_at(t, path, O_RDONLY | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		id_of(dir, b->file, &st) == b->id)
		return fd;
	if (fd >= 0)
		close(fd);
	return fail_set(f, FAIL_MISSING, "The subtitles have changed; ask for the playlist again");
}

int beside_segment(const struct title *t, const struct beside *b, const struct record *r, size_t n,
	bool ts, struct buf *to, struct fail *f)
{
	int64_t until_ms = n + 1 < r->segments ? record_begin_us(r, n + 1) / 1000 : INT64_MAX;
	int fd = open_file(t, b, f), result;
	struct buf bytes, text;

	if (fd < 0)
		return -1;
	buf_init(&bytes, BESIDE_MOST_BYTES + 1);
	buf_init(&text, 4 * BESIDE_MOST_BYTES);
	result = read_all(fd, &bytes, f);
	close(fd);
	if (result == 0) {
		charset_decode(buf_span(&bytes), &text);
		cue_begin(ts, to);
		subtitle_print(
			b->format, buf_span(&text), record_begin_us(r, n) / 1000, until_ms, to);
		if (text.failed || to->failed)
			result = fail_set(f, FAIL_UPSTREAM, "A segment has too many subtitles");
	}
	buf_release(&bytes);
	buf_release(&text);
	return result;
}
