/* lib/svc/music.c - music files of our own in another quality or format, made once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/music.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/http/wish.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"

enum { VER_DIGITS = 32 };

/* By quality, in the order of `qualities`. */
static const char *const qualities[] = {"low", "medium", "high"};
static const struct {
	const char *format;
	int kbps[3];
} formats[] = {{"mp3", {64, 128, 320}}, {"aac", {64, 128, 256}}, {"opus", {48, 96, 160}},
	{"flac", {0, 0, 0}}};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]), USUAL = 1 /* every browser plays it */ };

bool music_is(const struct title *t)
{
	return t->where == TITLE_FILE && film_is_sound(&t->film);
}

static bool set(struct music *m, size_t format, const char *quality)
{
	for (size_t i = 0; format < FORMATS && i < 3; i++) {
		if (strcmp(qualities[i], quality) != 0)
			continue;
		*m = (struct music){formats[format].format, qualities[i], formats[format].kbps[i]};
		return true;
	}
	return false;
}

static size_t find_format(const char *name)
{
	size_t i = 0;

	while (i < FORMATS && strcmp(formats[i].format, name) != 0)
		i++;
	return i;
}

bool music_choose(const struct conf *conf, const struct title *t, const struct quality *quality,
	int64_t hinted_kbps, const char *format, struct music *out)
{
	const struct wish_usual usual = {
		false, conf->default_quality, conf->default_audio_quality, "source"};
	struct wish wish = wish_for(quality, &usual, hinted_kbps);
	bool any = !format || !*format || strcmp(format, "auto") == 0, lossless;
	const char *word = wish.steps[0].height ? "high" : wish.steps[0].word;
	size_t wanted = any ? USUAL : find_format(format);

	if (!music_is(t) || wanted == FORMATS)
		return false;
	lossless = strcmp(formats[wanted].format, "flac") == 0;
	if ((lossless || strcmp(word, "high") == 0) &&
		(any || strcmp(t->film.suffix, formats[wanted].format) == 0))
		return false; /* it is as good as it can be */
	return set(out, wanted, lossless ? "high" : word);
}

int music_name(const struct conf *conf, const struct title *t, const struct record_validator *now,
	const struct music *m, char to[MUSIC_NAME_MAX], struct fail *f)
{
	unsigned char key[SIGN_SIZE], digest[SIGN_SIZE];
	char ver[VER_DIGITS + 1];
	struct buf text;

	if (title_key(conf, key, f) < 0)
		return -1;
	buf_init(&text, 8192);
	buf_printf(&text, "music 1\n%s\n%s\n%s\n%llu\n%llu\n%s\n%d", t->film.source, t->source->url,
		t->film.url, (unsigned long long)now->size, (unsigned long long)now->stamp,
		m->format, m->kbps);
	sign_hmac(span_make((const char *)key, SIGN_SIZE), buf_span(&text), digest);
	buf_release(&text);
	num_print_hex(digest, VER_DIGITS / 2, ver);
	snprintf(to, MUSIC_NAME_MAX, "cdn/m/%s.%s", ver, m->format);
	return 0;
}

int music_name_now(const struct conf *conf, const struct title *t, const struct music *m,
	char to[MUSIC_NAME_MAX], struct fail *f)
{
	struct record_validator now;
	int fd;

	if (title_open(t, &fd, &now, f) < 0)
		return -1;
	close(fd);
	return music_name(conf, t, &now, m, to, f);
}

bool music_work_path(const struct conf *conf, const char *name, char *to, size_t size)
{
	const char *slash = strrchr(name, '/');

	return file_path(to, size, "%s/music/%s", conf->state_dir, slash ? slash + 1 : name);
}

void music_line(const struct title *t, const struct music *m, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "music %s %s %s", t->film.id, m->format, m->quality);
}

bool music_read(const char *line, struct ident *id, struct music *out)
{
	struct span rest = span_of(line), words[4];
	char format[8], quality[8];

	for (size_t i = 0; i < 4; i++) {
		if (!span_next(&rest, ' ', &words[i]))
			return false;
	}
	return !rest.ptr && span_is(words[0], "music") && ident_parse(words[1], IDENT_NONE, id) &&
	       span_copy(words[2], format, sizeof(format)) &&
	       span_copy(words[3], quality, sizeof(quality)) &&
	       set(out, find_format(format), quality);
}

void music_setback(const char *name, char to[JOBS_LINE_MAX])
{
	snprintf(to, JOBS_LINE_MAX, "music:%s", name);
}
