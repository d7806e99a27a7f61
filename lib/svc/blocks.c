/* lib/svc/blocks.c - the bytes of an object, from the byte cache and as they come.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/sock.h"
#include "lib/svc/fill.h"
#include "lib/svc/summon.h"

enum {
	STEP_MS = 20,
	LOOK_MS = 150,	      /* after which who waits for a slow source looks for bytes himself, */
	LOOK_SPREAD_MS = 100, /* each in his own time: many who read it do not all send at once */
	CALL_MS = 200,
	PIECE_BLOCKS = 4
};

struct blocks {
	const struct conf *conf;
	const char *boot;
	struct object_ask ask;
	char name[OBJECT_NAME_BYTES];
	int gone_fd;
	struct block_map_info info;
	bool known, given;     /* what it is; any byte of it */
	bool learned, joined;  /* by the filler; for others, too */
	bool refused;	       /* it gets no more; what is there may be enough */
	struct block_map *map; /* NULL: what comes is passed */
	int fd;		       /* its bytes */
	int link;	       /* to the filler; -1: none */
	int64_t told_block;    /* where we said we are; -1: nowhere */
	int64_t due_us, called_us;
	struct fill_data *data; /* the last that was passed, of which so much is left: */
	size_t data_used, data_len;
};

static int64_t left_ms(const struct blocks *b)
{
	int64_t left_us = b->due_us - clock_mono_us();

	return left_us > 0 ? left_us / 1000 + 1 : 0;
}

static void postpone(struct blocks *b)
{
	b->due_us = clock_mono_us() + BLOCKS_WAIT_MS * 1000LL;
}

static bool is_gone(const struct blocks *b, int wait_ms)
{
	struct pollfd gone = {b->gone_fd, POLLRDHUP, 0};

	return poll(&gone, 1, wait_ms) > 0;
}

static int say_late(struct fail *f)
{
	return fail_set(f, FAIL_TIMEOUT, "The source sends nothing; try again in a moment");
}

/* --- the filler ------------------------------------------------------------------------------- */

static void unlink_filler(struct blocks *b)
{
	if (b->link >= 0)
		close(b->link);
	b->link = -1;
	b->told_block = -1;
	b->data_len = b->data_used = 0;
}

/* False when nobody listens (yet); one is started then. Never waits. */
static bool link_filler(struct blocks *b)
{
	char path[PATH_MAX];

	if (b->link >= 0)
		return true;
	if (!file_path(path, sizeof(path), "%s/filler.sock", b->conf->run_dir))
		return false;
	b->link = sock_connect_packets(path);
	if (b->link >= 0)
		return true;
	if (clock_mono_us() - b->called_us >= CALL_MS * 1000) {
		b->called_us = clock_mono_us();
		summon_ask(b->conf, FILL_VERB, FILL_ID);
	}
	return false;
}

/* Says what is wanted next, where it has not been said. */
static void tell_want(struct blocks *b, int64_t first, int64_t last)
{
	struct fill_want want = {.version = FILL_VERSION, .first = first, .last = last};
	int64_t block = first / BLOCK_BYTES;

	if (b->told_block == block || !link_filler(b))
		return;
	want.again = b->told_block >= 0;
	want.ask = b->ask;
	if (send(b->link, &want, sizeof(want), MSG_NOSIGNAL) == (ssize_t)sizeof(want))
		b->told_block = block;
	else if (errno != EAGAIN)
		unlink_filler(b);
}

static int open_file(struct blocks *b, const char *file, struct fail *f)
{
	char path[PATH_MAX];

	if (b->fd >= 0)
		return 0;
	if (object_work_path(b->conf, file, path, sizeof(path)))
		b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return b->fd >= 0 ? 0 : fail_set(f, FAIL_BUSY, "The object has just been removed");
}

/* Other bytes than before: what was said and sent of those does not go on with these
 * (object_file()). */
static bool is_another(const struct blocks *b, const struct block_map_info *info)
{
	return b->known && strcmp(b->info.file, info->file) != 0;
}

static int say_changed(struct fail *f)
{
	return fail_set(f, FAIL_CONFLICT, "The object has changed at its source");
}

static void forget_file(struct blocks *b)
{
	block_map_close(&b->map);
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* The map of what the filler told of. */
static int use_news(struct blocks *b, const struct fill_news *news, struct fail *f)
{
	if (news->passed) {
		forget_file(b);
		return 0;
	}
	if (b->map)
		return 0;
	if (!object_open(b->conf, b->name, b->boot, &b->map)) {
		unlink_filler(b); /* it was removed in the meantime */
		return 0;
	}
	return open_file(b, block_map_info(b->map)->file, f);
}

static int take_news(struct blocks *b, struct fill_news *news, int64_t *retry_s, struct fail *f)
{
	bool another = is_another(b, &news->info);

	news->text[sizeof(news->text) - 1] = '\0';
	if (news->kind != FAIL_NONE) {
		*retry_s = news->retry_s;
		b->refused = true;
		return fail_set(f, (enum fail_kind)news->kind, "%s", news->text);
	}
	b->joined = news->joined;
	if (another && b->given)
		return say_changed(f);
	if (another || !b->known)
		b->info = news->info;
	b->known = true;
	if (use_news(b, news, f) < 0)
		return -1;
	if (b->map && is_another(b, block_map_info(b->map)))
		return say_changed(f);
	return another ? say_changed(f) : 0;
}

/* Takes what the filler says, without waiting; what it passes is kept for the next piece. */
static int hear(struct blocks *b, int64_t *retry_s, struct fail *f)
{
	ssize_t n;

	while (b->link >= 0 && b->data_used == b->data_len) {
		n = recv(b->link, b->data, sizeof(*b->data), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n == (ssize_t)sizeof(struct fill_news) && b->data->head.what == FILL_NEWS) {
			struct fill_news news;

			memcpy(&news, b->data, sizeof(news));
			if (take_news(b, &news, retry_s, f) < 0)
				return -1;
		} else if (n > (ssize_t)sizeof(struct fill_data_head) &&
			   b->data->head.what == FILL_DATA) {
			b->data_len = (size_t)n - sizeof(struct fill_data_head);
			b->data_used = 0;
			return 0;
		} else {
			unlink_filler(b); /* it is gone; another one goes on */
		}
	}
	return 0;
}

static int check_patience(const struct blocks *b, int wait_ms, struct fail *f)
{
	if (is_gone(b, wait_ms))
		return fail_set(f, FAIL_GONE, "The client is gone");
	return left_ms(b) ? 0 : say_late(f);
}

/* Waits for the filler a moment. */
static int await(struct blocks *b, int64_t *retry_s, struct fail *f)
{
	struct pollfd wake[] = {{b->link, POLLIN, 0}, {b->gone_fd, POLLRDHUP, 0}};

	poll(wake, 2, b->link >= 0 ? BLOCK_MAP_WAIT_MS : STEP_MS);
	return hear(b, retry_s, f) < 0 ? -1 : check_patience(b, 0, f);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void use_map(struct blocks *b)
{
	if (!object_open(b->conf, b->name, b->boot, &b->map))
		return;
	b->info = *block_map_info(b->map);
	b->known = true;
	block_map_touch(b->map, clock_real_ms());
	if (b->info.passed || open_file(b, b->info.file, NULL) < 0)
		block_map_close(&b->map);
	if (!b->info.passed && b->fd < 0)
		b->known = false;
}

int blocks_open(struct blocks **out, const struct conf *conf, const char *boot,
	const struct object_ask *ask, int gone_fd, struct fail *f)
{
	struct blocks *b = calloc(1, sizeof(*b));

	if (!b || !(b->data = malloc(sizeof(*b->data)))) {
		free(b);
		return fail_set(f, FAIL_BUSY, "There is no memory to send this");
	}
	b->conf = conf;
	b->boot = boot;
	b->ask = *ask;
	b->gone_fd = gone_fd;
	b->fd = b->link = -1;
	b->told_block = -1;
	b->called_us = clock_mono_us() - CALL_MS * 1000;
	postpone(b);
	object_name(ask, b->name);
	use_map(b);
	*out = b;
	return 0;
}

bool blocks_is_known(const struct blocks *b)
{
	return b->known;
}

int blocks_learn(struct blocks *b, int64_t first, int64_t last, int64_t *retry_s, struct fail *f)
{
	while (!b->known) {
		tell_want(b, first, last);
		if (await(b, retry_s, f) < 0)
			return -1;
	}
	b->learned = true;
	return 0;
}

void blocks_close(struct blocks **b)
{
	if (!*b)
		return;
	unlink_filler(*b);
	block_map_close(&(*b)->map);
	if ((*b)->fd >= 0)
		close((*b)->fd);
	free((*b)->data);
	free(*b);
	*b = NULL;
}

const struct block_map_info *blocks_info(const struct blocks *b)
{
	return &b->info;
}

bool blocks_is_published(const struct blocks *b)
{
	return b->map && block_map_is_published(b->map);
}

int blocks_descriptor(const struct blocks *b)
{
	return fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
}

const char *blocks_x_cache(const struct blocks *b, int64_t first, int64_t last)
{
	int64_t n = first / BLOCK_BYTES;

	if (last - first >= b->conf->prefetch_bytes)
		last = first + b->conf->prefetch_bytes - 1;
	if (!b->map || b->learned)
		return b->joined ? "COALESCED" : "MISS";
	n = block_map_missing(b->map, n);
	if (n * BLOCK_BYTES > last || n == block_map_count(b->map))
		return "HIT";
	return block_map_have(b->map, n) ? "COALESCED" : "MISS";
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What the file has from `at` on, without a wait. */
static size_t measure(const struct blocks *b, int64_t at, int64_t last)
{
	int64_t n = at / BLOCK_BYTES, end = at, most = n + PIECE_BLOCKS;

	for (; n < most && n < block_map_count(b->map) && end <= last; n++) {
		uint32_t have = block_map_have(b->map, n);

		if (n * BLOCK_BYTES + have > end)
			end = n * BLOCK_BYTES + have;
		if (have < block_map_length(b->map, n))
			break;
	}
	end = end > last + 1 ? last + 1 : end;
	return (size_t)(end - at);
}

/* Whether bytes are missing that the filler should get while those before them are sent. */
static bool is_near_end(const struct blocks *b, int64_t at, int64_t last)
{
	int64_t n = at / BLOCK_BYTES, missing;

	if (b->link >= 0)
		return true;
	if (block_map_is_published(b->map))
		return false;
	missing = block_map_missing(b->map, n);
	return missing < n + FILL_AHEAD && missing < block_map_count(b->map) &&
	       missing * BLOCK_BYTES <= last;
}

static int next_of_file(struct blocks *b, int64_t at, int64_t last, struct blocks_piece *out)
{
	int64_t n = at / BLOCK_BYTES;
	size_t len = measure(b, at, last);

	if (len) {
		block_map_touch(b->map, clock_real_ms());
		if (!b->refused && is_near_end(b, at, last))
			tell_want(b, at, last);
		*out = (struct blocks_piece){b->fd, at, NULL, len};
		return 1;
	}
	if (block_map_is_gone(b->map)) { /* removed, or another one: it is asked for again */
		unlink_filler(b);
		forget_file(b);
		return 0;
	}
	b->refused = false; /* it is asked once more, now that it is needed */
	tell_want(b, at, last);
	block_map_wait(b->map, n, (uint32_t)(at % BLOCK_BYTES),
		b->link >= 0 ? LOOK_MS + (int)(clock_mono_us() % LOOK_SPREAD_MS) : STEP_MS);
	return 0;
}

/* A source that fails takes away nothing that has come: it fails who has sent all of that. */
static bool outlives_refusal(struct blocks *b, int64_t at, int64_t last)
{
	if (!b->refused || !b->map || !measure(b, at, last))
		return false;
	unlink_filler(b);
	return true;
}

/* 1: *out is what was passed; 0: nothing was. */
static int next_passed(struct blocks *b, int64_t at, int64_t last, struct blocks_piece *out)
{
	size_t len = b->data_len - b->data_used;
	int64_t from;

	if (!len)
		return 0;
	from = b->data->head.offset + (int64_t)b->data_used;
	if (from < at && at - from < (int64_t)len) { /* where we said that we were */
		b->data_used += (size_t)(at - from);
		len -= (size_t)(at - from);
		from = at;
	}
	if (!len || from != at) {
		b->data_used = b->data_len;
		return 0;
	}
	if ((int64_t)len > last + 1 - at)
		len = (size_t)(last + 1 - at);
	*out = (struct blocks_piece){-1, at, b->data->bytes + b->data_used, len};
	b->data_used += len;
	return 1;
}

int blocks_next(struct blocks *b, int64_t at, int64_t last, struct blocks_piece *out,
	int64_t *retry_s, struct fail *f)
{
	int got = 0;

	must(at >= 0 && at <= last && last < b->info.size);
	while (got == 0) {
		if (hear(b, retry_s, f) < 0 && !outlives_refusal(b, at, last))
			return -1;
		got = b->map ? next_of_file(b, at, last, out) : next_passed(b, at, last, out);
		if (got)
			break;
		tell_want(b, at, last);
		if ((b->map ? check_patience(b, 0, f) : await(b, retry_s, f)) < 0)
			return -1;
	}
	postpone(b);
	b->given = true;
	return 0;
}
