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
#include "lib/http/accept.h"
#include "lib/http/html.h"
#include "lib/http/mime.h"
#include "lib/io/file.h"
#include "lib/io/sign.h"

enum {
	ASSETS_MAX = 256,
	ASSET_BYTES = 4 * 1024 * 1024,
	VERSION_DIGITS = 16,
	HASH_BYTES = 32,
	ASSET_LIFE_S = 366 * 86400, /* begun anew by every worker that starts */
};

struct asset {
	char *file;			/* its name in `dir` */
	unsigned char hash[HASH_BYTES]; /* of its bytes, when the site was opened */
};

struct site {
	struct site_look look;
	const char *dir;
	char version[VERSION_DIGITS + 1];
	bool has_hls; /* the player library was there at build time */
	struct asset assets[ASSETS_MAX];
	size_t count;
	struct buf pages[SITE_PAGES];
};

static const char *const page_files[] = {[SITE_INDEX] = "index.html",
	[SITE_WATCH] = "watch.html",
	[SITE_FILM] = "film.html",
	[SITE_STATUS] = "status.html",
	[SITE_OFFLINE] = "offline.html"};

/* The same bytes, made smaller when the pages were put together. */
static bool is_coded(struct span file)
{
	return span_ends(file, ".br") || span_ends(file, ".gz");
}

static int is_asset(const struct dirent *e)
{
	static const char *const endings[] = {".js", ".css", ".svg", ".png", ".webmanifest"};
	struct span file = span_of(e->d_name);

	if (is_coded(file))
		file.len -= 3;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (e->d_name[0] != '.' && span_ends(file, endings[i]))
			return 1;
	}
	return 0;
}

static int read_file(const char *dir, const char *name, struct buf *to, struct fail *f)
{
	char path[4096];

	buf_init(to, ASSET_BYTES);
	if (!file_path(path, sizeof(path), "%s/%s", dir, name))
		return fail_set(f, FAIL_INTERNAL, "The path %s is too long", dir);
	return file_read(path, to, f);
}

static int hash_file(
	const char *dir, const char *name, unsigned char hash[HASH_BYTES], struct fail *f)
{
	struct buf body;
	int result = read_file(dir, name, &body, f);

	if (result == 0)
		sign_sha256(buf_span(&body), hash);
	buf_release(&body);
	return result;
}

/* One hash over the hash and the name of each asset, in the order of their names. The coded ones
 * are the same bytes again. */
static int make_version(struct site *s, struct fail *f)
{
	unsigned char hash[HASH_BYTES];
	struct buf sum;

	buf_init(&sum, ASSETS_MAX * 512);
	for (size_t i = 0; i < s->count; i++) {
		struct asset *a = &s->assets[i];

		if (hash_file(s->dir, a->file, a->hash, f) < 0) {
			buf_release(&sum);
			return -1;
		}
		if (is_coded(span_of(a->file)))
			continue;
		buf_add(&sum, a->hash, sizeof(a->hash));
		buf_add(&sum, a->file, strlen(a->file) + 1);
		s->has_hls = s->has_hls || strcmp(a->file, "hls.min.js") == 0;
	}
	sign_sha256(buf_span(&sum), hash);
	num_print_hex(hash, VERSION_DIGITS / 2, s->version);
	buf_release(&sum);
	return 0;
}

static int list_assets(struct site *s, struct fail *f)
{
	struct dirent **list = NULL;
	int count = scandir(s->dir, &list, is_asset, alphasort);
	bool memory = true;

	if (count < 0)
		return fail_errno(f, FAIL_INTERNAL, errno,
			"The folder of the pages %s cannot be read", s->dir);
	for (int i = 0; i < count; i++) {
		if (s->count < ASSETS_MAX) {
			s->assets[s->count].file = strdup(list[i]->d_name);
			memory = memory && s->assets[s->count].file;
			s->count++;
		}
		free(list[i]);
	}
	free(list);
	if (!memory)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the pages");
	if (count > ASSETS_MAX)
		return fail_set(f, FAIL_INTERNAL, "More than %d files in %s", ASSETS_MAX, s->dir);
	return 0;
}

/* --- sending an asset ------------------------------------------------------------------------- */

static const struct asset *find(const struct site *s, struct span file, const char *ending)
{
	size_t len = strlen(ending);

	for (size_t i = 0; i < s->count; i++) {
		struct span have = span_of(s->assets[i].file);

		if (have.len == file.len + len && span_ends(have, ending) &&
			span_eq(span_make(have.ptr, file.len), file))
			return &s->assets[i];
	}
	return NULL;
}

bool site_find(const struct site *s, struct span version, struct span file, const char *accept,
	struct site_asset *out)
{
	const struct asset *plain = find(s, file, ""), *br, *gzip;

	if (!plain || !span_is(version, s->version))
		return false;
	br = find(s, file, ".br");
	gzip = find(s, file, ".gz");
	*out = (struct site_asset){.type = mime_type(file), .varies = br || gzip};
	out->coding = accept_coding(accept, br != NULL, gzip != NULL);
	out->asset = !out->coding ? plain : strcmp(out->coding, "br") == 0 ? br : gzip;
	snprintf(out->name, sizeof(out->name), "web/%s/%s", s->version, out->asset->file);
	return true;
}

static int read_asset(const struct site *s, const struct asset *a, struct buf *body, struct fail *f)
{
	unsigned char hash[HASH_BYTES];

	if (read_file(s->dir, a->file, body, f) < 0)
		return -1;
	sign_sha256(buf_span(body), hash);
	if (memcmp(hash, a->hash, sizeof(hash)) == 0)
		return 0;
	/* A newer program was installed meanwhile: this version's bytes are gone. */
	return fail_set(f, FAIL_MISSING, "This version of the pages is gone; load the page anew");
}

int site_read(const struct site *s, const struct site_asset *a, struct buf *body, struct fail *f)
{
	return read_asset(s, a->asset, body, f);
}

static bool publish_asset(
	const struct site *s, const struct asset *a, struct publisher *publisher, struct fail *f)
{
	char name[300];
	struct buf body;
	bool good;

	snprintf(name, sizeof(name), "web/%s/%s", s->version, a->file);
	good = read_asset(s, a, &body, f) == 0 &&
	       publish_bytes(publisher, PUBLISH_WWW, name, buf_span(&body), ASSET_LIFE_S, 0, f) ==
		       PUBLISH_OK;
	buf_release(&body);
	return good;
}

static void publish_all(const struct site *s, struct publisher *publisher)
{
	struct fail f;

	for (size_t i = 0; i < s->count; i++) {
		if (!publish_asset(s, &s->assets[i], publisher, &f))
			log_warn("asset_not_published", LOG_STR("file", s->assets[i].file),
				LOG_STR("why", f.text));
	}
}

void site_publish(const struct site *s, struct span file, struct publisher *publisher)
{
	static const char *const endings[] = {"", ".br", ".gz"};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct asset *a = find(s, file, endings[i]);
		struct fail f;

		if (a)
			publish_asset(s, a, publisher, &f);
	}
}

int site_open(struct site **out, const char *dir, const struct site_look *look,
	struct publisher *publisher, struct fail *f)
{
	struct site *s = calloc(1, sizeof(*s));

	if (!s)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the pages");
	s->look = *look;
	s->dir = dir;
	for (int i = SITE_INDEX; i < SITE_PAGES; i++) {
		if (read_file(dir, page_files[i], &s->pages[i], f) < 0)
			goto failed;
	}
	if (list_assets(s, f) < 0 || make_version(s, f) < 0)
		goto failed;
	publish_all(s, publisher);
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
	for (int i = SITE_INDEX; i < SITE_PAGES; i++)
		buf_release(&s->pages[i]);
	for (size_t i = 0; i < s->count; i++)
		free(s->assets[i].file);
	free(s);
	*site = NULL;
}

const char *site_version(const struct site *s)
{
	return s->version;
}

void site_each(const struct site *s, void (*each)(void *ctx, const char *file), void *ctx)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!is_coded(span_of(s->assets[i].file)))
			each(ctx, s->assets[i].file);
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
			html_escape(to, values[i].value);
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
