/* fcgi-app/processes/filler/fill_pull.c - one request to an upstream, and where its bytes go.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/filler/fill_pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/hls/playlist.h"
#include "lib/http/range.h"
#include "lib/io/conf.h"

enum {
	CONNECT_MS = 5000,
	STALL_MS = 8000,
	WAKE_US = 50000,    /* who waits for a block wakes up as it grows: not more often, */
	WAKE_BYTES = 32768, /* and for no less; who reads a slower source looks by himself */
	TELL_US = 100000,   /* when that is told of */
	FIRST_US = 5000, /* when the first bytes are: those of a fast source are a block by then */
	TRIES = 3,
	GAIN_BYTES = 65536, /* less is no reason to try for ever */
	PAUSE_MS = 300,	    /* a gateway may count the last connection for a moment yet */
	BUSY_RETRY_S = 5
};

/* --- the head --------------------------------------------------------------------------------- */

static int refuse(struct fill_pull *p, enum fail_kind kind, const char *what)
{
	return fail_set(&p->why, kind, "%s", what);
}

static bool is_limit(int status)
{
	static const int limits[] = {406, 429, 458, 459, 461, 462, 463, 509, 512, 513, 884};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (status == limits[i])
			return true;
	}
	return false;
}

static int refuse_status(struct fill_pull *p, int status)
{
	p->status = status;
	if (is_limit(status))
		return fail_set(&p->why, FAIL_BUSY,
			"The account's limit of connections is reached (status %d)", status);
	if (status == 404)
		return refuse(p, FAIL_UPSTREAM, "The source does not have this (404)");
	return fail_set(&p->why, FAIL_UPSTREAM, "The source refuses this (status %d)", status);
}

/* What is no media, however good its status is. */
static int check_type(struct fill_pull *p, const struct fetch_head *head)
{
	const char *type = head->content_type;

	if (head->status == 200 && strncasecmp(type, "text/html", 9) == 0)
		return refuse(p, FAIL_UPSTREAM, "The source sends a web page, and no media");
	if (playlist_is_type(type))
		return refuse(p, FAIL_UPSTREAM,
			"The source sends a list of segments (HLS), which is no stream; "
			"what is live can be a channel of a source of type m3u");
	return 0;
}

/* All of it instead of a part (RFC 9110 section 15.3.7): right as well, but from the beginning. */
static int check_whole(struct fill_pull *p, const struct fetch_head *head)
{
	struct fill_object *o = p->object;

	if (head->length < 0)
		return refuse(p, FAIL_UPSTREAM, "The source does not say how long this is");
	if (!fill_object_meet(o, head->length, head->validator, head->content_type))
		return refuse(p, FAIL_CONFLICT, "The object has changed at its source");
	o->no_parts = true;
	p->at = 0;
	if (!p->reader || p->end > head->length)
		p->end = head->length;
	return 0;
}

static int check_part(struct fill_pull *p, const struct fetch_head *head)
{
	struct range part;
	int64_t size;

	if (!range_of_content(head->content_range, &part, &size) || part.first != p->at)
		return refuse(
			p, FAIL_UPSTREAM, "The source sends another part than it was asked for");
	if (!fill_object_meet(p->object, size, head->validator, head->content_type))
		return refuse(p, FAIL_CONFLICT, "The object has changed at its source");
	/* Less than was asked for is a shorter part; more is cut off. */
	if (part.last + 1 < p->end)
		p->end = part.last + 1;
	return 0;
}

/* Nothing lies there: the first byte that was asked for is beyond its end. */
static int check_beyond(struct fill_pull *p, const struct fetch_head *head)
{
	struct span rest = span_of(head->content_range), before;

	if (p->at == 0 && span_next(&rest, '/', &before) && span_is(rest, "0")) {
		p->end = 0;
		return fill_object_meet(p->object, 0, head->validator, head->content_type)
			       ? 0
			       : refuse(p, FAIL_CONFLICT, "The object has changed at its source");
	}
	if (p->at > 0 && !p->object->known) { /* asked for on trust; its beginning tells more */
		for (struct fill_reader *r = p->object->readers; r; r = r->next)
			r->first = 0;
		p->gained = GAIN_BYTES;
		return refuse(p, FAIL_UPSTREAM, "The source has no such part");
	}
	return refuse_status(p, head->status);
}

static int check_head(struct fill_pull *p, const struct fetch_head *head)
{
	if (*head->encoding && strcasecmp(head->encoding, "identity") != 0)
		return refuse(p, FAIL_UPSTREAM, "The source sends this compressed, unasked");
	if ((head->status == 200 || head->status == 206) && check_type(p, head) < 0)
		return -1;
	switch (head->status) {
	case 206:
		return check_part(p, head);
	case 200:
		return check_whole(p, head);
	case 416:
		return check_beyond(p, head);
	default:
		return refuse_status(p, head->status);
	}
}

/* Now that it is known whether it is kept: what was asked for by nobody in particular may be passed
 * to one who waits. */
static int check_use(struct fill_pull *p)
{
	struct fill_reader *r = p->object->readers;

	if (!p->reader == !p->object->passed)
		return 0;
	while (r && (p->reader || r->pull || r->first < p->at || r->first >= p->end))
		r = r->next;
	if (r) {
		p->reader = r;
		r->pull = p;
		return 0;
	}
	p->gained = GAIN_BYTES;
	return refuse(p, FAIL_UPSTREAM, "It is used otherwise");
}

static enum fetch_verdict on_head(void *ctx, const struct fetch_head *head)
{
	struct fill_pull *p = ctx;

	return check_head(p, head) == 0 && check_use(p) == 0 ? FETCH_GO_ON : FETCH_STOP;
}

/* --- bytes that are kept ---------------------------------------------------------------------- */

/* Wakes those who wait for it, too, or lets them look when their time comes. */
static void tell_block(struct fill_pull *p, int64_t now_us, bool wake)
{
	struct fill_object *o = p->object;
	int64_t n = p->taken;

	p->told = p->written;
	p->told_us = now_us;
	if (!block_map_extend(o->map, n, (uint32_t)(p->written - n * BLOCK_BYTES)))
		p->taken = -1;
	if (wake)
		block_map_wake(o->map, n);
}

/* Whether those who wait are to have now what came since they were last told: the first bytes that
 * come at all, or a useful amount. */
static bool is_worth_waking(const struct fill_pull *p, int64_t now_us)
{
	int64_t waited_us = now_us - p->told_us;

	return (waited_us >= FIRST_US && p->told == p->from) ||
	       (waited_us >= WAKE_US && p->written - p->told >= WAKE_BYTES);
}

void fill_pull_tell(struct fill_pull *p)
{
	int64_t now_us = clock_mono_us();
	bool wake = is_worth_waking(p, now_us);

	if (p->taken >= 0 && p->object->map && p->written > p->told &&
		(wake || now_us - p->told_us >= TELL_US))
		tell_block(p, now_us, wake);
}

static void give_block_back(struct fill_pull *p)
{
	if (p->taken < 0 || !p->object->map)
		return;
	if (p->written > p->told)
		tell_block(p, 0, true);
	if (p->taken >= 0)
		block_map_drop(p->object->map, p->taken);
	p->taken = -1;
}

/* Whether the block at hand is to be written; one that is there, or another's, is only passed
 * by. */
static bool take_block(struct fill_pull *p, int64_t n)
{
	struct fill_object *o = p->object;

	if (p->taken == n)
		return true;
	give_block_back(p);
	if (block_map_take(o->map, n) != BLOCK_MINE)
		return false;
	/* Bytes before ours would be missing: the block is filled from its beginning alone. */
	if (n * BLOCK_BYTES + block_map_have(o->map, n) < p->at) {
		block_map_drop(o->map, n);
		return false;
	}
	p->taken = n;
	p->written = p->told = p->at;
	p->told_us = clock_mono_us();
	return true;
}

static bool write_all(int fd, const char *bytes, size_t len, int64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* Counts what had not been there. */
static void note_gain(struct fill_pull *p, int64_t n, int64_t end)
{
	int64_t had = n * BLOCK_BYTES + block_map_have(p->object->map, n);

	had = had < p->written ? p->written : had;
	p->gained += end > had ? end - had : 0;
}

/* Keeps what belongs to one block. False when the disk is full. */
static bool keep_piece(struct fill_pull *p, const char *bytes, size_t len)
{
	struct fill_object *o = p->object;
	int64_t n = p->at / BLOCK_BYTES;

	if (take_block(p, n)) {
		if (!write_all(o->fd, bytes, len, p->at))
			return false;
		note_gain(p, n, p->at + (int64_t)len);
		p->written = p->at + (int64_t)len;
		if (p->written == n * BLOCK_BYTES + block_map_length(o->map, n)) {
			tell_block(p, clock_mono_us(), false); /* a whole block wakes them */
			p->taken = -1;
			fill_object_grown(o);
		} else {
			fill_pull_tell(p);
		}
	}
	p->at += (int64_t)len;
	return true;
}

/* From here on it is there, or comes by another request. */
static bool is_done(const struct fill_pull *p)
{
	const struct fill_object *o = p->object;
	int64_t n = p->at / BLOCK_BYTES;

	if (o->no_parts || p->at % BLOCK_BYTES || p->at == p->from)
		return false;
	for (const struct fill_pull *x = o->pulls; x; x = x->next) {
		if (x != p && x->taken == n)
			return true;
	}
	return block_map_missing(o->map, n) != n;
}

static enum fetch_verdict keep(struct fill_pull *p, const char *bytes, size_t len)
{
	struct fill_object *o = p->object;

	if (!o->map)
		return FETCH_STOP;
	if (is_done(p)) {
		p->end = p->at;
		return FETCH_STOP;
	}
	if (!fill_plan_wants(o, p->at / BLOCK_BYTES)) {
		p->held_ms = clock_mono_ms();
		return FETCH_HOLD;
	}
	while (len && p->at < p->end) {
		size_t room = (size_t)(BLOCK_BYTES - p->at % BLOCK_BYTES);
		size_t take = len < room ? len : room;

		if ((int64_t)take > p->end - p->at)
			take = (size_t)(p->end - p->at);
		if (!keep_piece(p, bytes, take)) {
			fail_set(&p->why, FAIL_BUSY, "The disk is full");
			return FETCH_STOP;
		}
		bytes += take;
		len -= take;
	}
	return p->at < p->end ? FETCH_GO_ON : FETCH_STOP;
}

/* --- bytes that are passed -------------------------------------------------------------------- */

static enum fetch_verdict pass(struct fill_pull *p, const char *bytes, size_t len)
{
	struct fill_reader *r = p->reader;
	struct fill_data_head head = {FILL_DATA, 0, 0};
	struct iovec parts[2] = {{&head, sizeof(head)}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
	int64_t skip = r->first > p->at ? r->first - p->at : 0; /* of one that sends all */

	if (!r->told) {
		p->held_ms = clock_mono_ms();
		return FETCH_HOLD;
	}
	if (p->at + (int64_t)len > p->end)
		len = (size_t)(p->end - p->at);
	if (skip < (int64_t)len) {
		head.offset = p->at + skip;
		parts[1] = (struct iovec){(char *)bytes + skip, len - (size_t)skip};
		must(parts[1].iov_len <= FILL_DATA_MAX);
		if (sendmsg(r->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			r->full = errno == EAGAIN;
			p->held_ms = clock_mono_ms();
			return r->full ? FETCH_HOLD : FETCH_STOP;
		}
		r->first = p->at + (int64_t)len;
		p->gained += (int64_t)parts[1].iov_len;
	}
	p->at += (int64_t)len;
	return p->at < p->end ? FETCH_GO_ON : FETCH_STOP;
}

static enum fetch_verdict on_data(void *ctx, const void *bytes, size_t len)
{
	struct fill_pull *p = ctx;

	return p->reader ? pass(p, bytes, len) : keep(p, bytes, len);
}

/* --- beginning and ending --------------------------------------------------------------------- */

static void forget(struct fill_pull *p)
{
	struct fill_object *o = p->object;
	struct fill_pull **at;

	give_block_back(p);
	if (p->reader)
		p->reader->pull = NULL;
	for (at = &o->pulls; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	o->env->pulls--;
	free(p);
}

void fill_pull_stop(struct fill_pull *p)
{
	transfer_stop(&p->transfer);
	forget(p);
}

/* Whether another address may do better: this one has ended, or leads to nothing while there are
 * other qualities. */
static bool is_refusal(const struct fill_object *o, int status)
{
	return status == 401 || status == 403 || status == 410 ||
	       ((status == 404 || status == 451) && !o->known && o->resolved.has_others);
}

/* What came of it, for the object as a whole. */
static void draw_conclusion(
	struct fill_object *o, const struct fill_pull *p, const struct fail *why)
{
	bool again = why->kind == FAIL_TIMEOUT || why->kind == FAIL_UPSTREAM || p->status >= 500 ||
		     is_limit(p->status);

	if (p->gained >= GAIN_BYTES)
		o->tries = o->refusals = 0;
	if (is_refusal(o, p->status)) {
		fill_object_refused(o, p->status);
	} else if (why->kind == FAIL_CONFLICT) {
		fill_object_renew(o);
	} else if (p->why.kind && !p->status && p->gained < GAIN_BYTES) {
		fill_object_fail(o, why, 0); /* nonsense stays nonsense */
	} else if (!again || (p->status && p->status < 500 && !is_limit(p->status)) ||
		   ++o->tries >= TRIES) {
		fill_object_give_up(o, why, is_limit(p->status) ? BUSY_RETRY_S : 0);
	} else {
		o->due_ms = clock_mono_ms() + (p->gained >= GAIN_BYTES ? 0 : PAUSE_MS * o->tries);
	}
}

static void on_done(void *ctx, const struct fail *f)
{
	struct fill_pull *p = ctx, copy;
	struct fill_object *o = p->object;
	struct fail why = p->why.kind ? p->why : *f;

	p->transfer = NULL;
	if (why.kind == FAIL_INPUT) /* our address was good; where it led to was not */
		why.kind = FAIL_UPSTREAM;
	if (p->at >= p->end && !p->why.kind)
		why.kind = FAIL_NONE;
	else if (!why.kind || why.kind == FAIL_GONE)
		fail_set(&why, FAIL_UPSTREAM, "The source's bytes end in the middle");
	copy = *p;
	forget(p);
	o->due_ms = 0;
	if (!why.kind)
		o->tries = o->refusals = 0;
	else if (copy.why.kind == FAIL_BUSY && !copy.status)
		fill_object_pass(o); /* the disk is full */
	else
		draw_conclusion(o, &copy, &why);
}

bool fill_pull_start(struct fill_object *o, struct fill_reader *reader, int64_t from, int64_t end)
{
	const struct resolved *r = &o->resolved;
	struct fill_pull *p = calloc(1, sizeof(*p));
	struct fail why = {0};
	const struct fetch_request rq = {.url = r->url,
		.policy = {r->source->allow, r->source->allow_count},
		.user_agent = *r->agent ? r->agent : NULL,
		.referrer = *r->referrer ? r->referrer : NULL,
		.offset = from,
		.length = end - from,
		.follow = 5,
		.connect_ms = CONNECT_MS,
		.stall_ms = STALL_MS,
		.row = o->row,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.ctx = p};

	if (!p)
		return false;
	*p = (struct fill_pull){
		.object = o, .reader = reader, .from = from, .at = from, .end = end, .taken = -1};
	if (o->map && !reader) {
		p->taken = from / BLOCK_BYTES;
		p->written = p->told = from;
	}
	if (fetcher_start(o->env->fetcher, &rq, &p->transfer, &why) < 0) {
		free(p);
		fill_object_fail(o, &why, 0);
		return false;
	}
	p->next = o->pulls;
	o->pulls = p;
	o->env->pulls++;
	if (reader)
		reader->pull = p;
	return true;
}
