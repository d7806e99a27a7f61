/* fcgi-app/processes/jobs/art_job.c - fetches a picture, has it scaled, and publishes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/jobs/art_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-app/processes/media_once.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/http/authority.h"
#include "lib/io/conf.h"
#include "lib/io/fetch.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sign.h"
#include "lib/svc/art.h"
#include "lib/svc/catalog.h"
#include "lib/svc/publish.h"
#include "lib/svc/setback.h"
#include "lib/svc/source.h"
#include "lib/svc/store.h"

enum {
	PICTURE_MAX = 16 << 20,
	SILENCE_MS = 5000,
	FETCH_MS = 15000,
	WALL_MS = 15000,
	HASH_DIGITS = 16,
	SETBACK_BYTES = 320
};

struct artist {
	const struct conf *conf;
	struct resolved_at at;
	struct publisher *publisher;
	char id[JOBS_LINE_MAX];
	int64_t size;
	struct art art;
	int picture, output; /* descriptors; -1 */
	int64_t bytes;
	char name[ART_NAME_MAX];
};

/* A host that says nothing in time is left alone for a while: others' pictures do not wait for all
 * of its own. */
static int ask(
	struct artist *a, const struct fetch_request *rq, struct fetch_result *res, struct fail *f)
{
	struct span host = span_of("");
	char setback[SETBACK_BYTES];
	struct fail before;
	int64_t retry_s;

	authority_host(span_of(rq->url), &host);
	snprintf(setback, sizeof(setback), "art-host:%.*s", (int)host.len, host.ptr);
	if (setback_holds(a->conf, NULL, setback, f, &retry_s))
		return -1;
	if (fetch_get(rq, false, res, f) == 0) {
		setback_clear(a->conf, NULL, setback);
		return 0;
	}
	/* Several that ask it at once add up to one. */
	if (f->kind == FAIL_TIMEOUT && !setback_holds(a->conf, NULL, setback, &before, &retry_s))
		setback_add(a->conf, NULL, setback, f);
	return -1;
}

/* Into memory, which the child can read. */
static int fetch(struct artist *a, struct fail *f)
{
	struct fetch_result *res = calloc(1, sizeof(*res));
	struct fetch_request rq;
	int result = -1;

	if (!res)
		return fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	source_request(a->art.source, a->art.url, PICTURE_MAX, &rq);
	rq.connect_ms = rq.stall_ms = SILENCE_MS;
	rq.total_ms = FETCH_MS;
	a->picture = memfd_create("picture", MFD_CLOEXEC);
	if (ask(a, &rq, res, f) == 0) {
		a->bytes = (int64_t)res->body.len;
		if (res->head.status != 200 || res->body.len == 0)
			fail_set(f, FAIL_UPSTREAM, "The picture is answered with status %d",
				res->head.status);
		else if (a->picture < 0 ||
			 write(a->picture, res->body.ptr, res->body.len) != (ssize_t)res->body.len)
			fail_set(f, FAIL_BUSY, "There is no memory for a picture");
		else
			result = 0;
	}
	buf_release(&res->body);
	free(res);
	return result;
}

static int scale(struct artist *a, struct fail *f)
{
	struct media_job job = {.kind = MEDIA_ART,
		.source_bytes = (uint64_t)a->bytes,
		.n = (uint32_t)a->size,
		.wall_ms = WALL_MS};
	int fds[MEDIA_FDS] = {a->picture, -1, -1};

	a->output = openat(
		publish_root(a->publisher, PUBLISH_WWW), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (a->output < 0)
		return fail_errno(f, FAIL_BUSY, errno, "There is no room for a picture");
	fds[MEDIA_OUTPUT] = a->output;
	if (media_once(a->conf->media_program, &job, fds, f) == 0)
		return 0;
	if (f->kind == FAIL_INPUT) /* the source's fault, not that of who asks */
		f->kind = FAIL_UPSTREAM;
	return -1;
}

/* By its bytes, so that another picture has another name. */
static int name_output(struct artist *a, struct fail *f)
{
	char hex[HASH_DIGITS + 1], id[JOBS_LINE_MAX];
	unsigned char digest[SIGN_SIZE];
	struct stat st;
	void *bytes;

	if (fstat(a->output, &st) < 0 || st.st_size < 4)
		return fail_set(f, FAIL_UPSTREAM, "Nothing came out of the picture");
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, a->output, 0);
	if (bytes == MAP_FAILED)
		return fail_set(f, FAIL_BUSY, "There is no memory for a picture");
	sign_sha256(span_make(bytes, (size_t)st.st_size), digest);
	num_print_hex(digest, HASH_DIGITS / 2, hex);
	/* A name may begin with neither a dot nor what a source's own id may begin with. */
	file_path(id, sizeof(id), "art-%s", a->id);
	file_path(a->name, sizeof(a->name), "cdn/art/%s-%lld-%s.%s", id, (long long)a->size, hex,
		memcmp(bytes, "\x89PNG", 4) == 0 ? "png" : "jpg");
	munmap(bytes, (size_t)st.st_size);
	return 0;
}

static int make(struct artist *a, struct fail *f)
{
	int64_t retry_s;

	if (art_find(&a->at, a->id, a->conf->resolve_timeout_s * 1000, &a->art, &retry_s, f) !=
		RESOLVED_FOUND)
		return -1;
	if (fetch(a, f) < 0 || scale(a, f) < 0 || name_output(a, f) < 0)
		return -1;
	if (publish_fd(a->publisher, PUBLISH_WWW, a->output, a->name, ART_KEEP_S, f) != PUBLISH_OK)
		return -1;
	art_keep(a->conf, a->id, a->size, a->name);
	return 0;
}

static void do_it(struct artist *a)
{
	int64_t began_ms = clock_mono_ms(), retry_s;
	char setback[JOBS_LINE_MAX];
	struct art_known known;
	struct fail f = {0};
	struct stat st;

	if (art_look(a->conf, a->id, a->size, &known) && known.fresh &&
		store_stat(publish_root(a->publisher, PUBLISH_WWW), known.name, &st) == 0)
		return;
	art_setback(a->id, setback);
	if (setback_holds(a->conf, NULL, setback, &f, &retry_s))
		return;
	if (make(a, &f) < 0)
		setback_add(a->conf, NULL, setback, &f);
	else
		setback_clear(a->conf, NULL, setback);
	log_info("art", LOG_STR("id", a->id), LOG_INT("size", a->size),
		LOG_STR("said", f.kind ? f.text : "ok"), LOG_INT("ms", clock_mono_ms() - began_ms));
}

int art_job_run(const struct conf *conf, struct board *board, uint64_t client, const char *line)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct artist a = {.conf = conf,
		.at = {.conf = conf, .board = board, .client = client},
		.picture = -1,
		.output = -1};
	struct fail f = {0};
	int result = 1;

	if (!art_read(line, a.id, &a.size))
		return 1;
	mc_open(&a.at.mc, &config, &f); /* all goes on without it */
	if (catalog_open(&a.at.catalog, conf, &f) == 0 &&
		publish_open(&a.publisher, conf, board, &f) == 0) {
		do_it(&a);
		result = 0;
	}
	if (a.picture >= 0)
		close(a.picture);
	if (a.output >= 0)
		close(a.output);
	publish_close(&a.publisher);
	catalog_close(&a.at.catalog);
	mc_close(&a.at.mc);
	return result;
}
