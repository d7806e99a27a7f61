/* lib/svc/site.c - the pages: templates filled from the configuration, and their assets published.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/site.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"
#include "lib/svc/publish.h"

enum {
	ASSETS_MAX = 64,
	ASSET_BYTES = 4 * 1024 * 1024,
	VERSION_DIGITS = 16,
	ASSET_LIFE_S = 366 * 86400, /* begun anew by every worker that starts */
};

struct site {
	struct site_look look;
	char version[VERSION_DIGITS + 1];
	bool has_hls; /* the player library was there at build time */
	struct buf pages[2];
};

static const char *const page_files[] = {[SITE_INDEX] = "index.html", [SITE_WATCH] = "watch.html"};

static int is_asset(const struct dirent *e)
{
	static const char *const endings[] = {".js", ".css", ".svg", ".png", ".webmanifest"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (e->d_name[0] != '.' && span_ends(span_of(e->d_name), endings[i]))
			return 1;
	}
	return 0;
}

static int read_file(const char *dir, const char *name, struct buf *to, struct fail *f)
{
	char path[4096];

	buf_init(to, ASSET_BYTES);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_read(path, to, f);
}

/* One hash over the hash and the name of each asset, in the order of their names. */
static int make_version(
	struct site *s, const char *dir, struct dirent **list, int count, struct fail *f)
{
	unsigned char hash[32];
	struct buf sum, body;

	buf_init(&sum, ASSETS_MAX * 512);
	for (int i = 0; i < count; i++) {
		if (read_file(dir, list[i]->d_name, &body, f) < 0) {
			buf_release(&body);
			buf_release(&sum);
			return -1;
		}
		sign_sha256(buf_span(&body), hash);
		buf_add(&sum, hash, sizeof(hash));
		buf_add(&sum, list[i]->d_name, strlen(list[i]->d_name) + 1);
		s->has_hls = s->has_hls || strcmp(list[i]->d_name, "hls.min.js") == 0;
		buf_release(&body);
	}
	sign_sha256(buf_span(&sum), hash);
	num_print_hex(hash, VERSION_DIGITS / 2, s->version);
	buf_release(&sum);
	return 0;
}

static void publish_asset(
	const struct site *s, const char *dir, const char *file, struct publisher *publisher)
{
	struct fail f = {0};
	struct buf body;
	char name[300];

	snprintf(name, sizeof(name), "web/%s/%s", s->version, file);
	if (read_file(dir, file, &body, &f) < 0 ||
		publish_bytes(publisher, PUBLISH_WWW, name, buf_span(&body), ASSET_LIFE_S, 0, &f) !=
			PUBLISH_OK)
		log_warn("asset_not_published", LOG_STR("file", file), LOG_STR("why", f.text));
	buf_release(&body);
}

static int open_assets(struct site *s, const char *dir, struct publisher *publisher, struct fail *f)
{
	struct dirent **list = NULL;
	int count = scandir(dir, &list, is_asset, alphasort), result;

	if (count < 0)
		return fail_errno(
			f, FAIL_INTERNAL, errno, "The folder of the pages %s cannot be read", dir);
	result = count > ASSETS_MAX
			 ? fail_set(f, FAIL_INTERNAL, "More than %d files in %s", ASSETS_MAX, dir)
			 : make_version(s, dir, list, count, f);
	for (int i = 0; i < count; i++) {
		if (result == 0)
			publish_asset(s, dir, list[i]->d_name, publisher);
		free(list[i]);
	}
	free(list);
	return result;
}

int site_open(struct site **out, const char *dir, const struct site_look *look,
	struct publisher *publisher, struct fail *f)
{
	struct site *s = calloc(1, sizeof(*s));

	if (!s)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the pages");
	s->look = *look;
	for (int i = SITE_INDEX; i <= SITE_WATCH; i++) {
		if (read_file(dir, page_files[i], &s->pages[i], f) < 0)
			goto failed;
	}
	if (open_assets(s, dir, publisher, f) < 0)
		goto failed;
	*out = s;
	return 0;
failed:
	site_close(&s);
	return -1;
}

void site_close(struct site **site)
{
	struct site *s = *site;

	if (!s)
		return;
	for (int i = SITE_INDEX; i <= SITE_WATCH; i++)
		buf_release(&s->pages[i]);
	free(s);
	*site = NULL;
}

static void put_escaped(struct buf *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_puts(to, "&amp;");
			break;
		case '<':
			buf_puts(to, "&lt;");
			break;
		case '>':
			buf_puts(to, "&gt;");
			break;
		case '"':
			buf_puts(to, "&quot;");
			break;
		case '\'':
			buf_puts(to, "&#39;");
			break;
		default:
			buf_putc(to, *text);
		}
	}
}

/* {{name}} → its value; an unknown name stays as it is, so that a typing error is seen. */
static bool put_value(
	const struct site *s, struct span name, const char *title, const char *id, struct buf *to)
{
	const struct {
		const char *name, *value;
	} values[] = {
		{"site_name", s->look.name},
		{"site_logo", s->look.logo},
		{"site_colour", s->look.colour},
		{"title", title},
		{"id", id},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (span_is(name, values[i].name)) {
			put_escaped(to, values[i].value);
			return true;
		}
	}
	if (span_is(name, "assets"))
		return buf_printf(to, "/web/%s", s->version);
	if (span_is(name, "hls"))
		return !s->has_hls || buf_printf(to, "/web/%s/hls.min.js", s->version);
	return false;
}

void site_print(const struct site *s, enum site_page page, const char *title, const char *id,
	struct buf *to)
{
	struct span rest = buf_span(&s->pages[page]);

	while (rest.len) {
		const char *open = memmem(rest.ptr, rest.len, "{{", 2);
		const char *end =
			open ? memmem(open, rest.len - (size_t)(open - rest.ptr), "}}", 2) : NULL;

		if (!end) {
			buf_add(to, rest.ptr, rest.len);
			return;
		}
		buf_add(to, rest.ptr, (size_t)(open - rest.ptr));
		if (!put_value(s, span_make(open + 2, (size_t)(end - open - 2)), title, id, to))
			buf_add(to, open, (size_t)(end + 2 - open));
		rest.len -= (size_t)(end + 2 - rest.ptr);
		rest.ptr = end + 2;
	}
}
