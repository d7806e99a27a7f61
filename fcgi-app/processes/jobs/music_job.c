/* fcgi-app/processes/jobs/music_job.c - has a music file made smaller or into another format.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/jobs/music_job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-app/processes/media_once.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/svc/catalog.h"
#include "lib/svc/music.h"
#include "lib/svc/publish.h"
#include "lib/svc/setback.h"
#include "lib/svc/store.h"

struct musician {
	const struct conf *conf;
	struct catalog *catalog;
	struct publisher *publisher;
	struct ident id;
	struct music music;
	struct title title;
	struct record_validator now;
	int source, output; /* descriptors; -1 */
	char name[MUSIC_NAME_MAX], work[PATH_MAX];
};

/* Removes what was left by those who died over it: nobody holds it. */
static void drop_leftovers(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		int fd = e->d_name[0] == '.'
				 ? -1
				 : openat(dirfd(dir), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlinkat(dirfd(dir), e->d_name, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

/* A file that others may read as it grows. One that was left by who died is none of ours to write
 * to: it may have been published. */
static int open_output(struct musician *m, struct fail *f)
{
	char dir[PATH_MAX];

	if (!file_path(dir, sizeof(dir), "%s/music", m->conf->state_dir) ||
		file_mkdirs(dir, 0700, f) < 0 ||
		!music_work_path(m->conf, m->name, m->work, sizeof(m->work)))
		return fail_set(f, FAIL_BUSY, "There is no room for this music");
	drop_leftovers(dir);
	unlink(m->work);
	m->output = open(m->work, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (m->output < 0 || flock(m->output, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(f, FAIL_BUSY, errno, "There is no room for this music");
	return 0;
}

static int encode(struct musician *m, struct fail *f)
{
	struct media_job job = {.kind = MEDIA_MUSIC,
		.source_bytes = m->now.size,
		.source_stamp = m->now.stamp,
		.n = (uint32_t)(m->music.kbps ? m->music.kbps : 128),
		.wall_ms = MUSIC_WALL_MS};
	int fds[MEDIA_FDS] = {m->source, -1, -1};

	snprintf(job.suffix, sizeof(job.suffix), "%s", m->music.format);
	if (open_output(m, f) < 0)
		return -1;
	fds[MEDIA_OUTPUT] = m->output;
	if (media_once(m->conf->media_program, &job, fds, f) == 0)
		return 0;
	if (f->kind == FAIL_INPUT) /* the file's fault, not that of who asks */
		f->kind = FAIL_UPSTREAM;
	return -1;
}

static void make(struct musician *m)
{
	int64_t began_ms = clock_mono_ms(), retry_s;
	char setback[JOBS_LINE_MAX];
	struct fail f = {0};
	struct stat st;

	music_setback(m->name, setback);
	if (store_stat(publish_root(m->publisher, PUBLISH_WWW), m->name, &st) == 0 ||
		setback_holds(m->conf, NULL, setback, &f, &retry_s))
		return;
	if (encode(m, &f) < 0 || publish_fd(m->publisher, PUBLISH_WWW, m->output, m->name,
					 m->conf->segment_ttl_s, &f) != PUBLISH_OK)
		setback_add(m->conf, NULL, setback, &f);
	if (*m->work)
		unlink(m->work);
	log_info("music", LOG_STR("id", m->title.film.id), LOG_STR("format", m->music.format),
		LOG_INT("kbps", m->music.kbps), LOG_STR("said", f.kind ? f.text : "ok"),
		LOG_INT("ms", clock_mono_ms() - began_ms));
}

int music_job_run(const struct conf *conf, struct board *board, uint64_t client, const char *line)
{
	struct musician m = {.conf = conf, .source = -1, .output = -1};
	struct fail f = {0};
	int result = 1;

	(void)client;
	if (!music_read(line, &m.id, &m.music))
		return 1;
	if (catalog_open(&m.catalog, conf, &f) == 0 &&
		publish_open(&m.publisher, conf, board, &f) == 0 &&
		title_find(&m.title, conf, m.catalog, &m.id, &f) == 0 && music_is(&m.title) &&
		title_open(&m.title, &m.source, &m.now, &f) == 0 &&
		music_name(conf, &m.title, &m.now, &m.music, m.name, &f) == 0) {
		make(&m);
		result = 0;
	}
	if (m.source >= 0)
		close(m.source);
	if (m.output >= 0)
		close(m.output);
	publish_close(&m.publisher);
	catalog_close(&m.catalog);
	return result;
}
