/* fcgi-app/slates.c - the pictures that say why a channel has nothing to show.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/slates.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "lib/hls/recipe.h"
#include "lib/io/child.h"
#include "lib/io/file.h"
#include "lib/svc/live_reason.h"

enum { ARGS_BYTES = 65536, MAKE_MS = 120000 };

static const struct {
	const char *title, *line;
} words[LIVE_REASONS] = {
	[LIVE_BEGINS] = {"One moment", "The channel is starting."},
	[LIVE_SOURCE_DOWN] = {"No signal",
		"The channel does not come in. It goes on here as soon as it does."},
	[LIVE_LIMIT] = {"All connections are in use",
		"The account allows no more channels at once."},
	[LIVE_REFUSED] = {"Not allowed", "The account may not play this channel."},
	[LIVE_UNKNOWN] = {"No such channel", "The source does not have it any more."},
	[LIVE_MACHINE_BUSY] = {"Too many channels",
		"This machine plays as many as it can. Another one has to end first."},
};

static int run_ffmpeg(const struct recipe_slate *slate, struct fail *f)
{
	const char *const *argv;
	struct child_spec spec = {.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	struct child child;
	struct arena arena;
	int status = -1, result;

	arena_init(&arena, ARGS_BYTES);
	argv = recipe_slate_args(slate, &arena);
	spec.argv = argv;
	spec.stderr_fd = slate->words ? -1 : STDERR_FILENO;
	result = argv ? child_start(&spec, &child, f)
		      : fail_set(f, FAIL_INTERNAL, "There is no memory for ffmpeg's arguments");
	arena_release(&arena);
	if (result < 0)
		return -1;
	if (!child_wait(&child, MAKE_MS, &status)) {
		child_kill(&child, SIGKILL);
		child_wait(&child, MAKE_MS, NULL);
	}
	return status == 0 ? 0 : fail_set(f, FAIL_UPSTREAM, "ffmpeg cannot make %s", slate->dir);
}

int slates_make(const char *ffmpeg, const char *dir, struct fail *f)
{
	struct ladder all;
	bool with_words = true;

	if (ladder_parse("1080p 720p 480p 360p 240p audio", NULL, NULL, &all, f) < 0)
		return -1;
	for (int r = LIVE_BEGINS; r < LIVE_REASONS; r++) {
		char path[PATH_MAX];
		struct recipe_slate slate = {.ffmpeg = ffmpeg,
			.dir = path,
			.ladder = &all,
			.title = words[r].title,
			.line = words[r].line,
			.words = with_words};

		if (!file_path(path, sizeof(path), "%s/%s", dir,
			    live_reason_name((enum live_reason)r)))
			return fail_set(f, FAIL_INPUT, "The path is too long");
		if (file_mkdirs(path, 0755, f) < 0)
			return -1;
		if (with_words && run_ffmpeg(&slate, f) == 0)
			continue;
		slate.words = with_words = false;
		if (run_ffmpeg(&slate, f) < 0)
			return -1;
	}
	return 0;
}
