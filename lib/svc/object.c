/* lib/svc/object.c - an object of the byte cache: how it is asked for, and where it lies.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/object.h"

#include <limits.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/http/wish.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"

bool object_id_ok(const char *id)
{
	return *id && strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "._-") == strlen(id);
}

bool object_ask_make(struct object_ask *to, const char *id, const struct quality *quality,
	int64_t kbps, const char *format)
{
	*to = (struct object_ask){.quality = (int32_t)quality->kind, .height = quality->height};
	if (quality->kind == QUALITY_AUTO)
		to->kbps = wish_hint(kbps);
	return span_copy(span_of(id), to->id, sizeof(to->id)) && object_id_ok(to->id) &&
	       span_copy(span_of(format), to->format, sizeof(to->format));
}

bool object_ask_ok(const struct object_ask *ask)
{
	return memchr(ask->id, '\0', sizeof(ask->id)) &&
	       memchr(ask->format, '\0', sizeof(ask->format)) && object_id_ok(ask->id) &&
	       ask->quality >= QUALITY_UNSAID && ask->quality <= QUALITY_SOURCE && ask->kbps >= 0;
}

struct quality object_ask_quality(const struct object_ask *ask)
{
	return (struct quality){(enum quality_kind)ask->quality, ask->height};
}

static void hash(const struct buf *text, char to[OBJECT_NAME_BYTES])
{
	unsigned char digest[SIGN_SIZE];

	sign_sha256(buf_span(text), digest);
	num_print_hex(digest, (OBJECT_NAME_BYTES - 1) / 2, to);
}

void object_name(const struct object_ask *ask, char to[OBJECT_NAME_BYTES])
{
	struct buf text;

	buf_init(&text, 1024);
	buf_printf(&text, "ask\n%s\n%d\n%d\n%lld\n%s", ask->id, ask->quality, ask->height,
		(long long)ask->kbps, ask->format);
	hash(&text, to);
	buf_release(&text);
}

void object_name_resolved(const char *object, char to[OBJECT_NAME_BYTES])
{
	struct buf text;

	buf_init(&text, 8192);
	buf_printf(&text, "object\n%s", object);
	hash(&text, to);
	buf_release(&text);
}

void object_file(const char *object, const struct block_map_info *info,
	const unsigned char key[SIGN_SIZE], char to[OBJECT_NAME_BYTES])
{
	unsigned char digest[SIGN_SIZE], once[SIGN_SIZE];
	char nonce[2 * SIGN_SIZE + 1] = "";
	struct buf text;

	if (!*info->validator) {
		sign_random(once, sizeof(once));
		num_print_hex(once, sizeof(once), nonce);
	}
	buf_init(&text, 8192);
	buf_printf(&text, "bytes\n%lld\n%s\n%s\n%s", (long long)info->size, info->validator, nonce,
		object);
	sign_hmac(span_make((const char *)key, SIGN_SIZE), buf_span(&text), digest);
	num_print_hex(digest, (OBJECT_NAME_BYTES - 1) / 2, to);
	buf_release(&text);
}

void object_validator(const char *text, char to[sizeof((struct block_map_info){0}.validator)])
{
	enum { ROOM = sizeof((struct block_map_info){0}.validator) };
	unsigned char digest[SIGN_SIZE];
	size_t plain = 0;

	while (text[plain] >= 0x20 && text[plain] <= 0x7e)
		plain++;
	if (!text[plain] && plain < ROOM) {
		memcpy(to, text, plain + 1);
		return;
	}
	sign_sha256(span_of(text), digest);
	num_print_hex(digest, sizeof(digest), to);
}

bool object_map_path(const struct conf *conf, const char *name, char *to, size_t size)
{
	return file_path(to, size, "%s/work/%s.map", conf->stream_dir, name);
}

bool object_work_path(const struct conf *conf, const char *file, char *to, size_t size)
{
	return file_path(to, size, "%s/work/%s", conf->stream_dir, file);
}

bool object_pub_path(
	const struct conf *conf, const struct block_map_info *info, char *to, size_t size)
{
	return file_path(to, size, "%s/pub/%s.%s", conf->stream_dir, info->file, info->suffix);
}

void object_public_name(const struct block_map_info *info, char to[OBJECT_PUBLIC_BYTES])
{
	file_path(to, OBJECT_PUBLIC_BYTES, "cdn/o/%s.%s", info->file, info->suffix);
}

bool object_open(
	const struct conf *conf, const char *name, const char *boot, struct block_map **map)
{
	char path[PATH_MAX];

	if (!object_map_path(conf, name, path, sizeof(path)) ||
		block_map_open(map, path, boot, NULL) < 0)
		return false;
	if (!block_map_is_gone(*map))
		return true;
	block_map_close(map);
	return false;
}
