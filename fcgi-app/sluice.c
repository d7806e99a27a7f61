/* fcgi-app/sluice.c - the command: reads its words and the configuration, and does one thing.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/check.h"
#include "fcgi-app/control.h"
#include "fcgi-app/import.h"
#include "fcgi-app/processes/handover.h"
#include "fcgi-app/processes/master.h"
#include "fcgi-app/processes/supervisor.h"
#include "fcgi-app/user.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"

enum { EXIT_USAGE = 2 };

struct call {
	struct conf *conf;
	struct program self;
	int count; /* of the words behind the command */
	char **words;
};

static const char usage_text[] =
	"usage: sluice [-c FILE] COMMAND\n"
	"  serve [--daemon]        run the service\n"
	"  supervise               run its supervisor alone\n"
	"  stop | reload | status  what a running service is told or asked\n"
	"  check [--quiet]         print every setting, and what is wrong\n"
	"  check --example | --man the settings as an example file, as a man page's list\n"
	"  import [--force] [NAME] read the sources' lists into the catalogue\n"
	"  user add NAME | del NAME | list\n"
	"  --version | --help\n";

static int complain(const struct fail *f)
{
	fprintf(stderr, "sluice: %s\n", f->text);
	return EXIT_FAILURE;
}

static bool has_word(const struct call *c, const char *word)
{
	for (int i = 0; i < c->count; i++) {
		if (strcmp(c->words[i], word) == 0)
			return true;
	}
	return false;
}

/* --- serve
 * ---------------------------------------------------------------------------------------- */

/* The parent of a daemon waits here for one byte, or for a sentence that says why not. */
static void tell_parent(void *ctx, const struct fail *why)
{
	int fd = *(int *)ctx;
	ssize_t n = why ? write(fd, why->text, strlen(why->text)) : write(fd, "+", 1);

	(void)n;
	close(fd);
}

static int wait_for_daemon(int fd)
{
	struct fail f = {0};
	ssize_t n = read(fd, f.text, sizeof(f.text) - 1);

	close(fd);
	if (n == 1 && f.text[0] == '+')
		return EXIT_SUCCESS;
	if (n <= 0)
		fail_set(&f, FAIL_INTERNAL, "The service did not start; its log says why");
	return complain(&f);
}

static void detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
}

static int serve(struct call *c, const struct handover *given)
{
	struct fail f = {0};
	int ends[2];
	struct master_waiter waiter = {tell_parent, &ends[1]};
	struct conf *conf = c->conf;
	pid_t pid;

	if (!has_word(c, "--daemon")) {
		c->conf = NULL; /* the master's now */
		return master_run(conf, &c->self, given, NULL, &f) < 0 ? complain(&f) : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		fail_errno(&f, FAIL_INTERNAL, errno, "The service cannot be started");
		return complain(&f);
	}
	if (pid > 0) {
		close(ends[1]);
		return wait_for_daemon(ends[0]);
	}
	close(ends[0]);
	detach();
	c->conf = NULL;
	return master_run(conf, &c->self, given, &waiter, &f) < 0;
}

static int supervise(struct call *c, const struct handover *given)
{
	struct board *board = NULL;
	struct fail f = {0};
	char path[PATH_MAX];
	int result = -1;

	log_role("supervisor");
	file_path(path, sizeof(path), "%s/board", c->conf->run_dir);
	if (file_mkdirs(c->conf->run_dir, 0750, &f) == 0 && board_open(&board, path, &f) == 0) {
		board_enter(board, "supervisor", NULL);
		result = supervisor_run(c->conf, board, &c->self, given, &f);
		board_leave(board);
		board_close(&board);
	}
	return result < 0 ? complain(&f) : 0;
}

/* --- the other commands
 * --------------------------------------------------------------------------- */

static int check(struct call *c)
{
	const char *running = NULL;

	for (int i = 0; i + 1 < c->count; i++) {
		if (strcmp(c->words[i], "--running") == 0)
			running = c->words[i + 1];
	}
	if (!has_word(c, "--quiet"))
		conf_print(c->conf, stdout);
	fflush(stdout);
	return check_host(c->conf, running, stderr) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int import(struct call *c)
{
	const char *source = NULL;
	struct fail f = {0};

	for (int i = 0; i < c->count; i++) {
		if (strcmp(c->words[i], "--force") != 0)
			source = c->words[i];
	}
	return import_run(c->conf, source, has_word(c, "--force"), stdout, &f) < 0 ? complain(&f)
										   : 0;
}

static int control(struct call *c, int (*run)(const struct conf *, FILE *, struct fail *))
{
	struct fail f = {0};

	return run(c->conf, stdout, &f) < 0 ? complain(&f) : 0;
}

static int run_command(struct call *c, const char *command, const struct handover *given)
{
	struct fail f = {0};

	if (strcmp(command, "serve") == 0)
		return serve(c, given);
	if (strcmp(command, "supervise") == 0)
		return supervise(c, given);
	if (strcmp(command, "stop") == 0)
		return control(c, control_stop);
	if (strcmp(command, "reload") == 0)
		return control(c, control_reload);
	if (strcmp(command, "status") == 0)
		return control(c, control_status);
	if (strcmp(command, "check") == 0)
		return check(c);
	if (strcmp(command, "import") == 0)
		return import(c);
	if (strcmp(command, "user") == 0)
		return user_run(c->conf, c->count, c->words, stdout, &f) < 0 ? complain(&f) : 0;
	fprintf(stderr, "sluice: there is no command %s\n%s", command, usage_text);
	return EXIT_USAGE;
}

/* Where this program lies, even when another one has been put there since. */
static bool own_path(char path[PATH_MAX])
{
	static const char gone[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	if (span_ends(span_of(path), gone))
		path[(size_t)n - strlen(gone)] = '\0';
	return true;
}

/* What needs no configuration. -1: nothing of that. */
static int run_without_conf(int count, char **words)
{
	if (count == 2 && strcmp(words[0], "check") == 0 && strcmp(words[1], "--example") == 0)
		conf_print_example(stdout);
	else if (count == 2 && strcmp(words[0], "check") == 0 && strcmp(words[1], "--man") == 0)
		conf_print_man(stdout);
	else
		return -1;
	return EXIT_SUCCESS;
}

static int run_with_conf(const char *path, const char *command, int count, char **words)
{
	struct call c = {.count = count, .words = words};
	static struct handover given; /* too large for a stack, and there is one at most */
	bool handed = handover_take(&given);
	char program[PATH_MAX];
	struct fail f = {0};
	int result;

	if (conf_load(&c.conf, path, &f) < 0)
		return complain(&f);
	if (!own_path(program))
		return EXIT_FAILURE;
	c.self = (struct program){program, strdup(c.conf->path)};
	if (log_open(*c.conf->log_file ? c.conf->log_file : NULL, c.conf->log_level, &f) < 0 &&
		(strcmp(command, "serve") == 0 || strcmp(command, "supervise") == 0)) {
		conf_close(&c.conf);
		return complain(&f);
	}
	result = run_command(&c, command, handed ? &given : NULL);
	conf_close(&c.conf);
	free((char *)c.self.conf_path);
	return result;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *path = NULL;
	int option, result;

	clock_init();
	while ((option = getopt_long(argc, argv, "+c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'V':
			puts("sluice " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage_text, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	result = run_without_conf(argc - optind, argv + optind);
	if (result >= 0)
		return result;
	return run_with_conf(path, argv[optind], argc - optind - 1, argv + optind + 1);
}
