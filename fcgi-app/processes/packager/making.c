/* fcgi-app/processes/packager/making.c - from a part that is asked for to what is published.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/packager/making.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "fcgi-app/processes/packager/ahead.h"
#include "fcgi-app/processes/packager/hoard.h"
#include "lib/base/clock.h"
#include "lib/hls/rendition.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/svc/catalog.h"
#include "lib/svc/index.h"
#include "lib/svc/publish.h"
#include "lib/svc/store.h"
#include "lib/svc/title.h"

enum {
	ARENA_MAX = 4 << 20,
	HEAVY_WALL_MS = 60000,
	LIGHT_WALL_MS = 20000,
	FED_WALL_MS = 90000,	    /* gateways send as slowly as a film plays, */
	FED_INDEX_WALL_MS = 900000, /* and a film without any table is read whole */
	CPU_S = 120,
	LOOK_AHEAD_NICE = 10
};

static const int64_t as_bytes = 3LL << 29, output_bytes = 256LL << 20;

int making_open(struct making *m, const struct conf *conf, struct board *board, struct fail *f)
{
	struct mc_config mc = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};

	*m = (struct making){.conf = conf, .board = board, .processors = get_nprocs()};
	feeding_init(&m->feeding, conf, board);
	for (size_t i = 0; i < MAKING_KNOWN_MAX; i++)
		m->known[i].fd = -1;
	if (title_key(conf, m->key, f) < 0 || mc_open(&m->mc, &mc, f) < 0 ||
		catalog_open(&m->catalog, conf, f) < 0 ||
		publish_open(&m->publisher, conf, board, f) < 0) {
		making_close(m);
		return -1;
	}
	mc_report(m->mc, board);
	claims_open(&m->claims, conf, m->mc, publish_root(m->publisher, PUBLISH_WWW));
	return 0;
}

static void forget(struct known *k)
{
	if (k->fd >= 0)
		close(k->fd);
	buf_release(&k->bytes);
	arena_release(&k->arena);
	*k = (struct known){.fd = -1};
}

void making_close(struct making *m)
{
	for (size_t i = 0; i < MAKING_KNOWN_MAX; i++)
		forget(&m->known[i]);
	feeding_close(&m->feeding);
	publish_close(&m->publisher);
	catalog_close(&m->catalog);
	mc_close(&m->mc);
}

/* --- records ---------------------------------------------------------------------------------- */

/* The place of `id`: its own, a free one, or that which was not used for longest. */
static struct known *place_for(struct making *m, const char *id)
{
	struct known *oldest = &m->known[0];

	for (size_t i = 0; i < MAKING_KNOWN_MAX; i++) {
		if (strcmp(m->known[i].id, id) == 0)
			return &m->known[i];
		if (m->known[i].used < oldest->used)
			oldest = &m->known[i];
	}
	forget(oldest);
	return oldest;
}

/* Takes `bytes` in; NULL when they are no record, or there is no memory. */
static struct known *learn(struct making *m, const char *id, struct span bytes, struct fail *f)
{
	struct known *k = place_for(m, id);

	forget(k);
	buf_init(&k->bytes, RECORD_MAX_BYTES);
	arena_init(&k->arena, ARENA_MAX);
	buf_add(&k->bytes, bytes.ptr, bytes.len);
	k->fd = memfd_create("record", MFD_CLOEXEC);
	if (record_decode(buf_span(&k->bytes), &k->arena, &k->record, f) < 0) {
		forget(k);
		return NULL;
	}
	if (k->fd < 0 || write(k->fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) {
		fail_set(f, FAIL_BUSY, "There is no memory for the film's index");
		forget(k);
		return NULL;
	}
	snprintf(k->id, sizeof(k->id), "%s", id);
	k->used = ++m->turn;
	return k;
}

/* The record of `id`, of whatever the source was; NULL where none is kept. */
static struct known *recall(struct making *m, const char *id)
{
	struct known *k = place_for(m, id);
	struct buf bytes;

	if (!*k->id) {
		buf_init(&bytes, RECORD_MAX_BYTES);
		k = index_load(m->conf, m->mc, id, &bytes) ? learn(m, id, buf_span(&bytes), NULL)
							   : NULL;
		buf_release(&bytes);
	}
	return k;
}

/* The record of `id` if it is what the source is now; NULL otherwise. */
static struct known *know(struct making *m, const char *id, const struct record_validator *now)
{
	struct known *k = recall(m, id);

	if (!k || k->record.source.size != now->size || k->record.source.stamp != now->stamp)
		return NULL;
	k->used = ++m->turn;
	return k;
}

const struct record *making_record(const struct making *m, const char *id)
{
	for (size_t i = 0; i < MAKING_KNOWN_MAX; i++) {
		if (*id && strcmp(m->known[i].id, id) == 0)
			return &m->known[i].record;
	}
	return NULL;
}

/* --- hosts ------------------------------------------------------------------------------------ */

bool making_claim(struct making *m, struct part *part)
{
	char name[PACKAGE_NAME_BYTES];

	if (!part->heavy || part->claimed_us)
		return true;
	package_name(&part->rq, name);
	if (!claim_take(&m->claims, name))
		return false;
	part->claimed_us = clock_mono_us();
	return true;
}

void making_renew_claims(struct making *m, struct parts *p)
{
	int64_t now_us = clock_mono_us();
	char name[PACKAGE_NAME_BYTES];

	for (size_t i = 0; i < PARTS_MAX; i++) {
		struct part *part = &p->list[i];

		if (!part->claimed_us || now_us - part->claimed_us < CLAIM_RENEW_MS * 1000)
			continue;
		package_name(&part->rq, name);
		claim_renew(&m->claims, name);
		part->claimed_us = now_us;
	}
}

void making_unclaim(struct making *m, struct part *part)
{
	char name[PACKAGE_NAME_BYTES];

	if (!part->claimed_us)
		return;
	package_name(&part->rq, name);
	claim_drop(&m->claims, name);
	part->claimed_us = 0;
}

/* --- beginning -------------------------------------------------------------------------------- */

/* Bytes that the part will be, or less; `r` NULL: it is an index, which is small. */
static int64_t expected_bytes(const struct package_request *rq, const struct record *r)
{
	enum { SMALL_BYTES = 65536, OTHER_BPS = 384000 };
	struct rendition x;
	int64_t bps = OTHER_BPS;

	if (!r || rq->part != PACKAGE_SEGMENT || !rendition_parse(span_of(rq->rendition), &x) ||
		rq->n >= r->segments)
		return SMALL_BYTES;
	if (x.kind == RENDITION_VIDEO)
		bps = x.rung->total_kbps * 1000LL;
	else if (x.kind == RENDITION_SOURCE)
		bps = r->peak_bps;
	return SMALL_BYTES + record_duration_us(r, rq->n) / 1000 * bps / 8000 * 5 / 4;
}

/* Beside all that is being written now. */
static bool has_room(const struct making *m, int64_t bytes)
{
	struct publish_room room;

	publish_room(m->conf, m->board, PUBLISH_WWW, &room);
	return room.free - m->promised - bytes > room.floor &&
	       room.used + m->promised + bytes <= room.quota && !room.inodes_low;
}

/* Where the output goes: a file without a name in the store, so that publishing is a link; or
 * memory, where there is no room to keep it. */
static int open_output(struct making *m, struct part *part, const struct record *r, struct fail *f)
{
	int64_t bytes = expected_bytes(&part->rq, r);

	part->in_memory = part->in_memory || !r || !has_room(m, bytes);
	if (!part->in_memory)
		part->output = openat(publish_root(m->publisher, PUBLISH_WWW), ".",
			O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (part->output >= 0) {
		part->promised = bytes;
		m->promised += bytes;
		return 0;
	}
	part->in_memory = true;
	part->output = memfd_create("part", MFD_CLOEXEC);
	if (part->output < 0)
		return fail_errno(f, FAIL_BUSY, errno, "There is no room to make this part in");
	return 0;
}

void making_close_output(struct making *m, struct part *part)
{
	if (part->output >= 0)
		close(part->output);
	part->output = -1;
	m->promised -= part->promised;
	part->promised = 0;
}

static struct media_job job_for(
	const struct making *m, const struct part *part, const struct record_validator *now)
{
	bool urgent = part->priority == 0;
	struct media_job job = {.version = MEDIA_VERSION,
		.kind = part->rq.part == PACKAGE_INDEX	? MEDIA_INDEX
			: part->rq.part == PACKAGE_INIT ? MEDIA_INIT
							: MEDIA_SEGMENT,
		.id = part->id,
		.source_bytes = now->size,
		.source_stamp = now->stamp,
		.n = part->rq.n,
		.urgent = urgent,
		.threads = urgent ? (uint32_t)m->processors : 1,
		.nice = urgent ? 0 : LOOK_AHEAD_NICE,
		.as_bytes = as_bytes,
		.cpu_s = CPU_S,
		.fsize_bytes = output_bytes,
		.wall_ms = part->heavy ? HEAVY_WALL_MS : LIGHT_WALL_MS};

	memcpy(job.rendition, part->rq.rendition, sizeof(job.rendition));
	memcpy(job.suffix, part->rq.suffix, sizeof(job.suffix));
	return job;
}

/* Whether the film has the part. */
static int check_part(const struct package_request *rq, const struct record *r, struct fail *f)
{
	struct rendition rendition;

	if (!rendition_parse_part(span_of(rq->rendition), span_of(rq->suffix), &rendition) ||
		!rendition_fits(&rendition, r))
		return fail_set(f, FAIL_MISSING, "The film has no such rendition");
	if (rq->part == PACKAGE_SEGMENT && rq->n >= rendition_segments(&rendition, r))
		return fail_set(f, FAIL_MISSING, "The film has %zu such segments",
			rendition_segments(&rendition, r));
	return 0;
}

static enum making_result begin_index(
	struct making *m, struct part *part, const struct record_validator *now, struct fail *f)
{
	struct known *k = know(m, part->rq.id, now);

	if (!k)
		return open_output(m, part, NULL, f) < 0 ? MAKING_FAILED : MAKING_JOB;
	index_confirm(m->conf, part->rq.id);
	part->output = fcntl(k->fd, F_DUPFD_CLOEXEC, 0);
	return part->output < 0 ? MAKING_FAILED : MAKING_READY;
}

static enum making_result begin_part(struct making *m, const struct title *t, struct part *part,
	const struct record_validator *now, struct known **out, struct fail *f)
{
	struct known *k = know(m, part->rq.id, now);
	char ver[TITLE_VER_BYTES];

	title_version(t, now, m->conf->film_ladder, m->key, ver);
	if (strcmp(ver, part->rq.ver) != 0) {
		fail_set(f, FAIL_MISSING, "The film has changed; ask for its playlist again");
		return MAKING_CHANGED;
	}
	if (!k)
		return MAKING_UNKNOWN;
	if (check_part(&part->rq, &k->record, f) < 0 || open_output(m, part, &k->record, f) < 0)
		return MAKING_FAILED;
	*out = k;
	return MAKING_JOB;
}

/* How a part is read from a gateway. Where the container's tables are not at hand for it to begin
 * with, they are to be noted. */
static struct feeding_want want_of(struct making *m, const struct part *part)
{
	const struct package_request *rq = &part->rq;
	const struct known *k = rq->part == PACKAGE_SEGMENT ? recall(m, rq->id) : NULL;
	bool tables = k && !(k->record.flags & RECORD_JOINED) && part->priority == 0;

	return (struct feeding_want){.viewer = rq->viewer,
		.first = k && rq->n < k->record.segments ? k->record.pos[rq->n] : 0,
		.note = rq->part == PACKAGE_INDEX || (tables && !hoard_is_kept(m->conf, rq->id))};
}

/* Opens what the film is read by: its file, or a feeder's socket. MAKING_JOB: it is open. */
static enum making_result open_source(struct making *m, const struct title *t, struct part *part,
	int *fd, struct record_validator *now, struct fail *f)
{
	struct feeding_want want;

	if (t->where == TITLE_FILE)
		return title_open(t, fd, now, f) < 0 ? MAKING_FAILED : MAKING_JOB;
	want = want_of(m, part);
	part->noted = want.note;
	switch (feeding_read(&m->feeding, t, &want, fd, now, f)) {
	case FEEDING_READY:
		return MAKING_JOB;
	case FEEDING_LATER:
		return MAKING_LATER;
	case FEEDING_FAILED:
		break;
	}
	return MAKING_FAILED;
}

enum making_result making_begin(struct making *m, struct part *part, struct media_job *job,
	int fds[MEDIA_FDS], uint32_t *segments, struct fail *f)
{
	struct known *k = NULL;
	struct record_validator now;
	enum making_result result;
	struct ident ident;
	struct title t;

	*segments = 0;
	for (int i = 0; i < MEDIA_FDS; i++)
		fds[i] = -1;
	if (!ident_parse(span_of(part->rq.id), IDENT_NONE, &ident)) {
		fail_set(f, FAIL_MISSING, "There is no such film");
		return MAKING_FAILED;
	}
	if (title_find(&t, m->conf, m->catalog, &ident, f) < 0)
		return MAKING_FAILED;
	result = open_source(m, &t, part, &fds[MEDIA_SOURCE], &now, f);
	if (result != MAKING_JOB)
		return result;
	result = part->rq.part == PACKAGE_INDEX ? begin_index(m, part, &now, f)
						: begin_part(m, &t, part, &now, &k, f);
	if (result != MAKING_JOB) {
		close(fds[MEDIA_SOURCE]);
		fds[MEDIA_SOURCE] = -1;
		return result;
	}
	*job = job_for(m, part, &now);
	if (t.where == TITLE_HTTP) {
		job->fed = part->fed = true;
		job->wall_ms = part->rq.part == PACKAGE_INDEX ? FED_INDEX_WALL_MS : FED_WALL_MS;
	} else {
		ahead_ask(fds[MEDIA_SOURCE], now.size, &part->rq, k ? &k->record : NULL);
	}
	*segments = k ? (uint32_t)k->record.segments : 0;
	fds[MEDIA_OUTPUT] = part->output;
	fds[MEDIA_RECORD] = k ? k->fd : -1;
	return MAKING_JOB;
}

/* --- ending ----------------------------------------------------------------------------------- */

static int read_output(int fd, struct buf *to, struct fail *f)
{
	char piece[16384];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
		buf_add(to, piece, (size_t)n);
		at += n;
	}
	if (n < 0 || to->failed)
		return fail_set(f, FAIL_UPSTREAM, "The film's index cannot be read");
	return 0;
}

static int learn_index(struct making *m, struct part *part, struct fail *f)
{
	struct buf bytes;
	bool good;

	buf_init(&bytes, RECORD_MAX_BYTES);
	good = read_output(part->output, &bytes, f) == 0 &&
	       learn(m, part->rq.id, buf_span(&bytes), f);
	buf_release(&bytes);
	/* What the child wrote is no record: the film's fault, not the server's. */
	if (!good && f->kind == FAIL_INPUT)
		f->kind = FAIL_UPSTREAM;
	return good ? 0 : -1;
}

void making_keep_index(struct making *m, const char *id)
{
	const struct known *k = place_for(m, id);

	if (*k->id)
		index_save(m->conf, m->mc, id, buf_span(&k->bytes));
}

/* What is in memory is copied to where it is kept, should there be room now. */
static enum publish_result publish_part(struct making *m, const struct part *part, off_t size)
{
	char name[PACKAGE_NAME_BYTES];
	enum publish_result result;
	struct fail why;
	void *bytes;

	package_name(&part->rq, name);
	if (!part->in_memory)
		return publish_fd(m->publisher, PUBLISH_WWW, part->output, name,
			m->conf->segment_ttl_s, &why);
	bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, part->output, 0);
	if (bytes == MAP_FAILED)
		return PUBLISH_FULL;
	result = publish_bytes(m->publisher, PUBLISH_WWW, name, span_make(bytes, (size_t)size),
		m->conf->segment_ttl_s, 0, &why);
	munmap(bytes, (size_t)size);
	return result;
}

/* What a job has read of the container's tables will be read by others. */
static void keep_tables(struct making *m, const struct part *part)
{
	const struct record *r = making_record(m, part->rq.id);

	if (part->fed && part->noted && r && !(r->flags & RECORD_JOINED))
		feeding_keep(&m->feeding, part->rq.id);
}

int making_end(struct making *m, struct part *part, bool *hand_over, struct fail *f)
{
	struct stat st;
	int result;

	*hand_over = true;
	if (part->rq.part == PACKAGE_INDEX) {
		result = learn_index(m, part, f);
		keep_tables(m, part);
		return result;
	}
	keep_tables(m, part);
	if (fstat(part->output, &st) < 0 || st.st_size == 0)
		return fail_set(f, FAIL_UPSTREAM, "Nothing came out of the film's part");
	*hand_over = publish_part(m, part, st.st_size) != PUBLISH_OK;
	return 0;
}

bool making_is_there(const struct making *m, const struct package_request *rq)
{
	char name[PACKAGE_NAME_BYTES];
	struct stat st;

	if (rq->part == PACKAGE_INDEX)
		return false;
	package_name(rq, name);
	return store_stat(publish_root(m->publisher, PUBLISH_WWW), name, &st) == 0;
}
