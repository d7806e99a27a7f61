/* t/unit/file.c - small files, whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/io/file.h"
#include "lib/io/walk.h"
#include "t/unit/tap.h"

static void reading(const char *dir)
{
	char path[200];
	struct fail f;
	struct buf b;

	buf_init(&b, 10);
	file_path(path, sizeof(path), "%s/a", dir);
	is_int(file_read(path, &b, &f), -1, "a file that is missing cannot be read");
	is_int(f.kind, FAIL_MISSING, "and is said to be missing");
	is_int(file_replace(path, span_of("0123456789"), 0600, &f), 0, "a file is written");
	is_int(file_read(path, &b, &f), 0, "and read");
	is_str(buf_str(&b), "0123456789", "as it was written");
	is_int(file_replace(path, span_of("0123456789x"), 0600, &f), 0, "it can be replaced");
	buf_clear(&b);
	is_int(file_read(path, &b, &f), -1, "more than the buffer's maximum is refused");
	ok(strstr(f.text, "more than 10 bytes") != NULL, "and the sentence says so");
	is_int(file_read(dir, &b, &f), -1, "a directory is no file to read");
	buf_release(&b);
}

static void replacing(const char *dir)
{
	char path[200], command[300];
	struct stat st;
	struct fail f;

	file_path(path, sizeof(path), "%s/secret", dir);
	is_int(file_replace(path, span_of("x"), 0600, &f), 0, "a secret is written");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "with the mode that was asked for");
	file_path(path, sizeof(path), "%s/missing/file", dir);
	is_int(file_replace(path, span_of("x"), 0600, &f), -1,
		"not into a directory that is missing");
	file_path(path, sizeof(path), "%s/sub", dir);
	is_int(file_mkdirs(path, 0755, &f), 0, "a directory is made");
	is_int(file_replace(path, span_of("x"), 0600, &f), -1,
		"a directory is not replaced by a file");
	file_path(command, sizeof(command), "test -z \"$(find '%s' -name 'sub.*')\"", dir);
	is_int(system(command), 0, "and nothing is left over");
}

static void directories(const char *dir)
{
	char path[200];
	struct stat st;
	struct fail f;

	file_path(path, sizeof(path), "%s/p//q/r/", dir);
	is_int(file_mkdirs(path, 0750, &f), 0, "directories are made with those above");
	is_int(file_mkdirs(path, 0700, &f), 0, "again is fine");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0750, "and changes nothing");
	file_path(path, sizeof(path), "%s/a/x", dir);
	is_int(file_mkdirs(path, 0750, &f), -1, "not below a file");
	ok(strstr(f.text, "/a") != NULL, "and the sentence names it");
}

/* What stands on the way to "way/x", and what is there afterwards; NULL: it cannot be gone. */
static const struct {
	const char *name, *target, *there;
} links[] = {
	{"a link beside", "p", "p/x"},
	{"a link further down", "p/q", "p/q/x"},
	{"a link back up", "p/../p/q/..", "p/x"},
	{"a link to what is missing", "new/deep", "new/deep/x"},
	{"a link to itself", "way", NULL},
	{"a link to a file", "secret", NULL},
};

static void ways(const char *dir)
{
	char way[200], path[200], target[300];
	struct fail f = {0};
	struct stat st;
	int fd;

	file_path(way, sizeof(way), "%s/way", dir);
	file_path(path, sizeof(path), "%s/way/x", dir);
	for (size_t i = 0; i < 2 * sizeof(links) / sizeof(links[0]); i++) {
		const char *there = links[i / 2].there;

		file_path(target, sizeof(target), i % 2 ? "%s/%s" : "%.0s%s", dir,
			links[i / 2].target);
		unlink(way);
		is_int(symlink(target, way), 0, "%s, %s", links[i / 2].name,
			i % 2 ? "whole" : "short");
		is_int(file_mkdirs(path, 0750, &f), there ? 0 : -1, "is %s",
			there ? "gone" : "none");
		file_path(target, sizeof(target), "%s/%s", dir, there ? there : "way/x");
		is_int(stat(target, &st) == 0 && S_ISDIR(st.st_mode), there != NULL,
			"to where it leads");
		if (there)
			rmdir(target);
	}
	unlink(way);
	is_int(walk_open(path, 0, false, &fd, &f), -1, "with 0 nothing is made");
	is_int(symlink("p", way), 0, "a link");
	is_int(lchown(way, geteuid() ? geteuid() : 65534, (gid_t)-1), 0,
		"of another user than root");
	is_int(walk_open(way, 0, true, &fd, &f), -1, "is not gone by who is wary");
	is_int(f.kind, FAIL_FORBIDDEN, "which is said: %s", f.text);
	is_int(walk_open(way, 0, false, &fd, &f), 0, "but by others");
	close(fd);
	unlink(way);
}

static void touching(const char *dir)
{
	char path[200];
	int64_t before = clock_real_ms();

	file_path(path, sizeof(path), "%s/asked", dir);
	is_int(file_mtime_ms(path), -1, "a file that is missing was never changed");
	ok(file_touch(path), "touching makes it");
	ok(file_mtime_ms(path) >= before, "changed now");
	ok(file_touch(path) && file_mtime_ms(path) <= clock_real_ms(), "and never in the future");
	file_path(path, sizeof(path), "%s/missing/asked", dir);
	ok(!file_touch(path), "what cannot be touched is said");
	ok(!file_path(path, 4, "%s", "long") && !*path, "a path that does not fit is empty");
}

int main(void)
{
	char dir[] = "/tmp/sluice-file-XXXXXX", command[100];

	umask(022);
	if (!mkdtemp(dir))
		return 99;
	reading(dir);
	replacing(dir);
	directories(dir);
	ways(dir);
	touching(dir);
	file_path(command, sizeof(command), "rm -rf '%s'", dir);
	is_int(system(command), 0, "tidied up");
	return tap_done();
}
