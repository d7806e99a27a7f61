/* fcgi-app/processes/live/pieces.c - segments of sound alone, put together of what ffmpeg cuts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/processes/live/pieces.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/hls/ts.h"
#include "lib/io/file.h"

enum { PATH_BYTES = 600, PIECE_MAX = 1 << 20 }; /* half a second of sound is some 10 kB */

void pieces_begin(struct pieces *p, const struct recipe *r)
{
	*p = (struct pieces){
		.dir = r->dir, .ladder = r->ladder, .first_n = r->first_n, .quick = r->quick};
}

static bool append(const char *from, const char *to)
{
	struct buf bytes;
	bool good = false;
	int fd;

	buf_init(&bytes, PIECE_MAX);
	fd = open(to, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd >= 0 && file_read(from, &bytes, NULL) == 0)
		good = write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
	if (fd >= 0)
		close(fd);
	buf_release(&bytes);
	unlink(from);
	return good;
}

/* By a full disk; a hole in the middle would not be seen any more. */
static bool is_cut(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || st.st_size == 0 || st.st_size % TS_PACKET;
}

bool pieces_add(struct pieces *p, struct recipe_segment *s)
{
	struct recipe_piece at = recipe_piece(p->first_n, p->quick, s->n);
	const char *name = p->ladder->rungs[s->rung]->name;
	char from[PATH_BYTES], to[PATH_BYTES];

	if (!file_path(from, sizeof(from), "%s/%s/p%lld.ts", p->dir, name, (long long)s->n) ||
		!file_path(to, sizeof(to), "%s/%s/%lld.ts", p->dir, name, (long long)at.n))
		return false;
	if (at.first)
		p->start_us = s->start_us;
	if (is_cut(from) || (at.first ? rename(from, to) < 0 : !append(from, to))) {
		unlink(from);
		unlink(to); /* the pieces to come find it gone */
	}
	*s = (struct recipe_segment){s->rung, at.n, p->start_us, s->end_us, false};
	return at.last;
}
