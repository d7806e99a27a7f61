/* lib/svc/source_files.c - a directory of films and series as a source.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/source_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/http/episode.h"
#include "lib/http/text.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"
#include "lib/svc/catalog.h"

enum { DEPTH_MAX = 16, KEY_DIGITS = 16 };

static const char *const endings[] = {"mkv", "webm", "mp4", "m4v", "mov", "avi", "flv", "ts",
	"m2ts", "mts", "mpg", "mpeg", "wmv", "asf", "ogv", "ogm", "3gp", "divx", "vob", "mka",
	"mp3", "flac", "m4a", "ogg", "opus", "wav", "aac"};

static struct span ending_of(struct span name)
{
	size_t at = name.len;

	while (at > 0 && name.ptr[at - 1] != '.')
		at--;
	return at > 1 ? span_make(name.ptr + at, name.len - at) : span_make(NULL, 0);
}

bool source_files_is_film(struct span name)
{
	struct span ending = ending_of(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_is_nocase(ending, endings[i]))
			return true;
	}
	return false;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_year(struct span word, int64_t *year)
{
	if (word.len == 6 && ((word.ptr[0] == '(' && word.ptr[5] == ')') ||
				     (word.ptr[0] == '[' && word.ptr[5] == ']')))
		word = span_make(word.ptr + 1, 4);
	return word.len == 4 && num_parse(word, 1880, 2100, year);
}

static bool is_quality(struct span word)
{
	static const char *const words[] = {"2160p", "1080p", "1080i", "720p", "576p", "480p", "4k",
		"uhd", "bluray", "brrip", "bdrip", "dvdrip", "webrip", "web-dl", "webdl", "hdtv",
		"x264", "x265", "h264", "h265", "hevc", "xvid"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is_nocase(word, words[i]))
			return true;
	}
	return false;
}

/* Dots and underscores as blanks, up to a year or a quality; `behind` something else, those may
 * come first. */
static void clean_name(struct span stem, bool behind, char *to, int64_t *year)
{
	char text[NAME_MAX + 1], out[NAME_MAX + 1] = "";
	size_t len = stem.len < NAME_MAX ? stem.len : NAME_MAX, used = 0;
	struct span rest, word;

	*year = 0;
	memcpy(text, stem.ptr, len);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' || text[i] == '_')
			text[i] = ' ';
	}
	rest = span_make(text, len);
	while (span_next(&rest, ' ', &word)) {
		/* A film may be called by a year: only what stands behind a name is one. */
		if ((used || behind) && (is_year(word, year) || is_quality(word)))
			break;
		if (word.len)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%.*s",
				used ? " " : "", (int)word.len, word.ptr);
	}
	text_clean(span_make(out, used), to, CHANNEL_NAME_MAX);
}

static struct span stem_of(struct span file)
{
	struct span ending = ending_of(file);

	return span_make(file.ptr, file.len - (ending.len ? ending.len + 1 : 0));
}

void source_files_name(struct span file, char *to, int64_t *year)
{
	clean_name(stem_of(file), false, to, year);
	if (!*to)
		text_clean(file, to, CHANNEL_NAME_MAX);
}

/* The last folder of *path, which loses it. */
static struct span take_folder(struct span *path)
{
	size_t at = path->len;
	struct span name;

	while (at > 0 && path->ptr[at - 1] != '/')
		at--;
	name = span_make(path->ptr + at, path->len - at);
	path->len = at ? at - 1 : 0;
	return name;
}

bool source_files_episode(struct span path, struct files_episode *out)
{
	struct span dir = path, stem = stem_of(take_folder(&dir)), above = dir;
	struct span folder = take_folder(&above), series;
	struct episode_mark mark;
	int64_t season, year;
	bool in_season = episode_is_season(folder, &season);

	if (in_season ? !episode_find_in(season, stem, &mark) : !episode_find(stem, &mark))
		return false;
	if (in_season)
		folder = take_folder(&above);
	/* Beside others, "Downloads/Show.S01E02.mkv", the name of the file says whose it is. */
	series = mark.before;
	out->shelf = dir;
	if ((in_season && folder.len) || !mark.before.len) {
		series = folder;
		out->shelf = above;
	}
	clean_name(series, false, out->series, &out->year);
	clean_name(mark.after, true, out->name, &year);
	out->season = mark.season;
	out->number = mark.number;
	return *out->series != '\0';
}

/* --- the walk --------------------------------------------------------------------------------- */

struct walk {
	const struct source_sink *sink;
	char path[PATH_MAX];	     /* below the top */
	char series[KEY_DIGITS + 1]; /* that was given last */
	int depth;
};

static void key_of(struct span text, char to[KEY_DIGITS + 1])
{
	unsigned char digest[SIGN_SIZE];

	sign_sha256(text, digest);
	num_print_hex(digest, KEY_DIGITS / 2, to);
}

/* Of a folder; "" for the top, which is none. */
static void category_of(struct span dir, char to[KEY_DIGITS + 1])
{
	to[0] = '\0';
	if (dir.len)
		key_of(dir, to);
}

/* The ending in small letters. */
static void suffix_of(const char *file, char suffix[TITLE_SUFFIX_MAX])
{
	span_copy(ending_of(span_of(file)), suffix, TITLE_SUFFIX_MAX);
	for (char *c = suffix; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
}

/* Once, as long as its episodes lie together. Those of one name and year are one series. */
static int give_series(struct walk *w, const struct files_episode *e, const struct stat *st,
	char key[KEY_DIGITS + 1], struct fail *f)
{
	struct source_title row = {.kind = SOURCE_SERIES,
		.year = e->year,
		.changed_s = st->st_mtim.tv_sec,
		.name = span_of(e->series)};
	char text[CHANNEL_NAME_MAX + 40], folded[CHANNEL_NAME_MAX], category[KEY_DIGITS + 1];

	text_fold(span_of(e->series), folded, sizeof(folded));
	snprintf(text, sizeof(text), "series\n%s\n%lld", folded, (long long)e->year);
	key_of(span_of(text), key);
	if (strcmp(key, w->series) == 0)
		return 0;
	memcpy(w->series, key, sizeof(w->series));
	category_of(e->shelf, category);
	row.key = span_of(key);
	row.category = span_of(category);
	return w->sink->title(w->sink->ctx, &row, f);
}

static int give_episode(struct walk *w, const char *file, const struct files_episode *e,
	const struct stat *st, struct fail *f)
{
	char key[KEY_DIGITS + 1], series[KEY_DIGITS + 1], suffix[TITLE_SUFFIX_MAX];
	struct source_episode row = {.name = span_of(e->name),
		.season = e->season,
		.number = e->number,
		.url = span_of(w->path)};

	if (give_series(w, e, st, series, f) < 0)
		return -1;
	key_of(span_of(w->path), key);
	suffix_of(file, suffix);
	row.key = span_of(key);
	row.series = span_of(series);
	row.suffix = span_of(suffix);
	return w->sink->episode(w->sink->ctx, &row, f);
}

static int give_film(struct walk *w, const char *file, const struct stat *st, struct fail *f)
{
	char key[KEY_DIGITS + 1], category[KEY_DIGITS + 1], name[CHANNEL_NAME_MAX];
	char suffix[TITLE_SUFFIX_MAX];
	struct source_title row = {.kind = SOURCE_FILMS, .changed_s = st->st_mtim.tv_sec};
	struct span dir = span_of(w->path);

	source_files_name(span_of(file), name, &row.year);
	if (!*name)
		return 0;
	key_of(span_of(w->path), key);
	take_folder(&dir);
	category_of(dir, category);
	suffix_of(file, suffix);
	row.key = span_of(key);
	row.name = span_of(name);
	row.category = span_of(category);
	row.suffix = span_of(suffix);
	row.url = span_of(w->path);
	return w->sink->title(w->sink->ctx, &row, f);
}

static int give_file(struct walk *w, const char *file, const struct stat *st, struct fail *f)
{
	struct files_episode *e;
	int result;

	if (strlen(w->path) >= CHANNEL_URL_MAX)
		return 0;
	e = malloc(sizeof(*e));
	if (!e)
		return fail_set(f, FAIL_BUSY, "There is no memory for a scan");
	result = w->sink->episode && source_files_episode(span_of(w->path), e)
			 ? give_episode(w, file, e, st, f)
			 : give_film(w, file, st, f);
	free(e);
	return result;
}

static int give_category(struct walk *w, const char *dir, struct fail *f)
{
	char key[KEY_DIGITS + 1], name[CHANNEL_CATEGORY_MAX];
	struct source_category row = {.kind = SOURCE_FILMS};

	key_of(span_of(w->path), key);
	row.key = span_of(key);
	row.name = span_make(name, text_clean(span_of(dir), name, sizeof(name)));
	if (!row.name.len)
		return 0;
	if (w->sink->category(w->sink->ctx, &row, f) < 0)
		return -1;
	row.kind = SOURCE_SERIES;
	return w->sink->category(w->sink->ctx, &row, f);
}

static int walk_dir(struct walk *w, int fd, struct fail *f);

static int walk_entry(struct walk *w, int dir, const char *name, struct fail *f)
{
	size_t len = strlen(w->path);
	struct stat st;
	int result = 0, fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (len + strlen(name) + 2 > sizeof(w->path))
		return 0;
	snprintf(w->path + len, sizeof(w->path) - len, "%s%s", len ? "/" : "", name);
	if (S_ISREG(st.st_mode) && source_files_is_film(span_of(name))) {
		result = give_file(w, name, &st, f);
	} else if (S_ISDIR(st.st_mode) && w->depth < DEPTH_MAX) {
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0) {
			result = give_category(w, name, f);
			result = result < 0 ? close(fd), -1 : walk_dir(w, fd, f);
		}
	}
	w->path[len] = '\0';
	return result;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* As people look for them: case and accents aside, 2 before 10. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	char x[2 * NAME_MAX], y[2 * NAME_MAX];
	int order;

	text_fold(span_of((*a)->d_name), x, sizeof(x));
	text_fold(span_of((*b)->d_name), y, sizeof(y));
	order = strverscmp(x, y);
	return order ? order : strcmp((*a)->d_name, (*b)->d_name);
}

/* Takes `fd`. */
static int walk_dir(struct walk *w, int fd, struct fail *f)
{
	struct dirent **list;
	int count = scandirat(fd, ".", &list, is_shown, by_name), result = 0;

	w->depth++;
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = walk_entry(w, fd, list[i]->d_name, f);
		free(list[i]);
	}
	w->depth--;
	if (count >= 0)
		free(list);
	close(fd);
	return result;
}

static int files_import(const struct conf_source *s, const struct source_sink *sink, struct fail *f)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct fail none = {0};
	int fd, result;

	if (!w)
		return fail_set(f, FAIL_BUSY, "There is no memory for a scan");
	w->sink = sink;
	fd = open(s->url, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		result =
			fail_errno(f, FAIL_INPUT, errno, "The directory %s cannot be read", s->url);
	else
		result = walk_dir(w, fd, f);
	free(w);
	if (result == 0 && sink->listed)
		sink->listed(sink->ctx, SOURCE_FILMS, &none);
	return result;
}

const struct source_type source_files = {.name = "files", .import = files_import};
