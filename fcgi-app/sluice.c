/* fcgi-app/sluice.c - the command line.                                                   sluice(8)
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "fcgi-app/check.h"
#include "fcgi-app/control.h"
#include "fcgi-app/import.h"
#include "fcgi-app/processes/alone.h"
#include "fcgi-app/processes/handover.h"
#include "fcgi-app/processes/master.h"
#include "fcgi-app/processes/places.h"
#include "fcgi-app/processes/standin.h"
#include "fcgi-app/processes/supervisor.h"
#include "fcgi-app/slates.h"
#include "fcgi-app/user.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"

enum { OK = 0, FAILED = 1, MISUSED = 2, IMPORT_WAIT_MS = 60000 };

struct command {
	const char *name;
	int (*run)(struct conf *conf, const struct program *self, int count, char **words);
	const char *words, *help;
};

static int say(const struct fail *f)
{
	fprintf(stderr, "sluice: %s\n", f->text);
	return FAILED;
}

static int misused(const char *text)
{
	fprintf(stderr, "sluice: %s; see sluice --help\n", text);
	return MISUSED;
}

static int done(int result, const struct fail *f)
{
	return result < 0 ? say(f) : OK;
}

/* --- serve ------------------------------------------------------------------------------------ */

/* In the background process: the first one waits at the other end. */
static void tell_parent(void *ctx, const struct fail *why)
{
	int *fd = ctx;
	ssize_t n;

	n = why ? write(*fd, why->text, strlen(why->text)) : write(*fd, "", 1);
	(void)n; /* nobody waits any more */
	close(*fd);
}

/* The first process: ends when the service is ready or has said why it will not be. */
static int await_service(int fd)
{
	char text[sizeof(((struct fail *)0)->text)] = "";
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n == 1 && text[0] == '\0')
		return OK;
	fprintf(stderr, "sluice: %s\n",
		n > 0 ? text : "The service ended as it started; see its log");
	return FAILED;
}

/* Leaves the terminal. 0 in the service, which tells through *fd; its pid in the first process. */
static pid_t detach(int *fd)
{
	int tell[2], null;
	pid_t pid;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid != 0) {
		close(tell[1]);
		*fd = tell[0];
		return pid;
	}
	close(tell[0]);
	*fd = tell[1];
	setsid();
	if (fork() != 0)
		_exit(OK); /* so that no terminal can become ours again */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	close(null);
	if (chdir("/") < 0)
		return -1;
	return 0;
}

static int serve_detached(struct conf *conf, const struct program *self)
{
	struct master_waiter waiter = {tell_parent, NULL};
	struct fail f = {0};
	pid_t pid;
	int fd = -1;

	if (!*conf->log_file)
		return misused(
			"--daemon needs the setting log_file, for there is no terminal then");
	pid = detach(&fd);
	if (pid < 0) {
		fail_errno(
			&f, FAIL_INTERNAL, errno, "The service cannot be put into the background");
		return say(&f);
	}
	if (pid > 0)
		return await_service(fd);
	waiter.ctx = &fd;
	return master_run(conf, self, NULL, &waiter, &f) < 0 ? FAILED : OK;
}

static int open_log(const struct conf *conf, const char *role, struct fail *f)
{
	log_role(role);
	return log_open(*conf->log_file ? conf->log_file : NULL, conf->log_level, f);
}

static int serve(struct conf *conf, const struct program *self, int count, char **words)
{
	struct handover given;
	bool renewed = handover_take(&given);
	struct fail f = {0};

	if (open_log(conf, "master", &f) < 0)
		return say(&f);
	if (count == 1 && strcmp(words[0], "--daemon") == 0)
		return serve_detached(conf, self);
	if (count != 0)
		return misused("serve takes --daemon or nothing");
	return done(master_run(conf, self, renewed ? &given : NULL, NULL, &f), &f);
}

static int supervise(struct conf *conf, const struct program *self, int count, char **words)
{
	struct handover given;
	bool renewed = handover_take(&given);
	struct board *board = NULL;
	struct places_owner owner;
	char path[PATH_MAX];
	struct fail f = {0};
	bool idle = count == 1 && strcmp(words[0], "--idle") == 0;
	int result;

	if (count != 0 && !idle)
		return misused("supervise takes --idle or nothing");
	file_path(path, sizeof(path), "%s/board", conf->run_dir);
	if (open_log(conf, "supervisor", &f) < 0 || places_owner(conf, &owner, &f) < 0 ||
		places_make(conf, &owner, &f) < 0 || places_become(conf, &owner, &f) < 0 ||
		board_open(&board, path, &f) < 0)
		return say(&f);
	board_enter(board, "supervisor", idle ? STANDIN_NAME : NULL);
	result = supervisor_run(conf, board, self, idle, renewed ? &given : NULL, &f);
	board_close(&board);
	conf_close(&conf);
	return done(result, &f);
}

/* The front server's log gets what goes to standard error. */
static int fcgi(struct conf *conf, const struct program *self, int count, char **words)
{
	const char *pool = "all";
	struct fail f = {0};

	conf->program = self->path;
	if (count == 2 && strcmp(words[0], "--pool") == 0)
		pool = words[1];
	else if (count != 0)
		return misused("fcgi takes --pool");
	if (strcmp(pool, "api") != 0 && strcmp(pool, "relay") != 0 && strcmp(pool, "all") != 0)
		return misused("--pool is api, relay or all");
	if (open_log(conf, pool, &f) < 0 || alone_run(conf, pool, &f) < 0) {
		if (alone_is_cgi())
			alone_refuse();
		return say(&f);
	}
	conf_close(&conf);
	return OK;
}

/* --- the others ------------------------------------------------------------------------------- */

static int stop(struct conf *conf, const struct program *self, int count, char **words)
{
	struct fail f;

	(void)self, (void)words;
	if (count != 0)
		return misused("stop takes nothing");
	return done(control_stop(conf, stdout, &f), &f);
}

static int reload(struct conf *conf, const struct program *self, int count, char **words)
{
	struct fail f;

	(void)self, (void)words;
	if (count != 0)
		return misused("reload takes nothing");
	return done(control_reload(conf, stdout, &f), &f);
}

static int status(struct conf *conf, const struct program *self, int count, char **words)
{
	struct fail f;

	(void)self, (void)words;
	if (count != 0)
		return misused("status takes nothing");
	return done(control_status(conf, stdout, &f), &f);
}

static int memstat(struct conf *conf, const struct program *self, int count, char **words)
{
	bool json = count == 1 && strcmp(words[0], "--json") == 0;
	struct fail f = {0};

	(void)self;
	if (count != 0 && !json)
		return misused("memstat takes --json or nothing");
	return done(control_memstat(conf, json, stdout, &f), &f);
}

static int check(struct conf *conf, const struct program *self, int count, char **words)
{
	const char *running_dir = NULL;
	bool quiet = false;

	(void)self;
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "--quiet") == 0)
			quiet = true;
		else if (strcmp(words[i], "--running") == 0 && i + 1 < count)
			running_dir = words[++i];
		else
			return misused("check takes --quiet, --example or --man");
	}
	if (!quiet)
		conf_print(conf, stdout);
	fflush(stdout);
	return check_host(conf, running_dir, stderr) ? OK : FAILED;
}

/* For what the service reads afterwards. */
static int become_owner(const struct conf *conf, struct fail *f)
{
	struct places_owner owner;

	return places_owner_beside(conf, &owner, f) < 0 || places_make(conf, &owner, f) < 0 ||
			       places_become(conf, &owner, f) < 0
		       ? -1
		       : 0;
}

/* Directories of films; those that vanish altogether are believed with --force. */
static int scan(struct conf *conf, const struct program *self, int count, char **words)
{
	struct import_how how = {.out = stdout, .wait_ms = IMPORT_WAIT_MS};
	bool found = false;
	const char *source;
	struct fail f = {0};

	(void)self;
	how.force = count > 0 && strcmp(words[0], "--force") == 0;
	source = count > how.force ? words[how.force] : NULL;
	if (count > how.force + 1 || (source && source[0] == '-'))
		return misused("scan takes --force and the name of a source");
	if (become_owner(conf, &f) < 0)
		return say(&f);
	for (size_t i = 0; i < conf->source_count; i++) {
		const struct conf_source *s = &conf->sources[i];

		if (strcmp(s->type, "files") != 0 || (source && strcmp(s->name, source) != 0))
			continue;
		found = true;
		if (import_run(conf, s->name, &how, &f) < 0)
			return say(&f);
	}
	return found ? OK : misused("There is no such directory of films (type \"files\")");
}

static int import(struct conf *conf, const struct program *self, int count, char **words)
{
	/* The service's own import may be at it. */
	struct import_how how = {.out = stdout, .wait_ms = IMPORT_WAIT_MS};
	const char *source = NULL;
	struct fail f = {0};

	(void)self;
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "--force") == 0)
			how.force = true;
		else if (words[i][0] != '-' && !source)
			source = words[i];
		else
			return misused("import takes --force and the name of a source");
	}
	if (become_owner(conf, &f) < 0)
		return say(&f);
	return done(import_run(conf, source, &how, &f), &f);
}

static int user(struct conf *conf, const struct program *self, int count, char **words)
{
	struct fail f;

	(void)self;
	if (!user_is_called_so(count, words))
		return misused("user takes add NAME, del NAME or list");
	return done(user_run(conf, count, words, stdout, &f), &f);
}

/* Needs no configuration: the build itself asks for it. */
static int slates(struct conf *conf, const struct program *self, int count, char **words)
{
	struct fail f = {0};

	(void)conf;
	(void)self;
	if (count != 1 || words[0][0] == '-')
		return misused("slates takes a directory");
	return done(slates_make("ffmpeg", words[0], &f), &f);
}

static const struct command commands[] = {
	{"serve", serve, "[--daemon]", "run the service"},
	{"fcgi", fcgi, "[--pool api|relay|all]",
		"answer a front server that starts it, as FastCGI or CGI"},
	{"supervise", supervise, "[--idle]", "run its supervisor alone"},
	{"stop", stop, "", "end the running service; waits until it is gone"},
	{"reload", reload, "", "read the configuration, and the program, anew; fails no request"},
	{"status", status, "", "tell what runs"},
	{"memstat", memstat, "[--json]", "tell how memcached does, server by server"},
	{"check", check, "[--quiet]", "show every setting and what is wrong with it or this host"},
	{"import", import, "[--force] [SOURCE]", "read the sources' lists"},
	{"scan", scan, "[--force] [SOURCE]",
		"look for films, series and music in the directories that hold them"},
	{"slates", slates, "DIR", "make the pictures that say why a channel does not play"},
	{"user", user, "add|del NAME | list", "who may come in where access is password"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* --- main ------------------------------------------------------------------------------------- */

static int help(FILE *to)
{
	fputs("usage: sluice [-c FILE] COMMAND\n", to);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-9s %-24s %s\n", commands[i].name, commands[i].words,
			commands[i].help);
	fputs("  check     --example|--man          print an example file, or the list of "
	      "settings\n"
	      "  --version\n"
	      "FILE is " SYSCONFDIR "/sluice/sluice.conf unless -c says otherwise.\n",
		to);
	return to == stdout ? OK : MISUSED;
}

/* Absolute, but with its symbolic links: what they point to may be another program tomorrow. */
static void make_absolute(const char *path, char to[PATH_MAX])
{
	char here[PATH_MAX];

	if (*path == '/' || !getcwd(here, sizeof(here)))
		file_path(to, PATH_MAX, "%s", path);
	else
		file_path(to, PATH_MAX, "%s/%s", here, path);
}

static void find_program(const char *called, char to[PATH_MAX])
{
	ssize_t n;

	if (strchr(called, '/')) {
		make_absolute(called, to);
		return;
	}
	n = readlink("/proc/self/exe", to, PATH_MAX - 1);
	to[n > 0 ? n : 0] = '\0';
}

/* Says all that is wrong with the configuration. A service that is renewing itself has been told
 * that the file is good. Should it have become bad since, the old workers go on while we wait for
 * it; only a stop ends that. */
static int load(struct conf **conf, const char *path)
{
	struct timespec second = {1, 0};
	struct buf mistakes;
	struct span rest, line;
	sigset_t stop;
	struct fail f;
	int result;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	buf_init(&mistakes, 64 * 1024);
	while ((result = conf_load(conf, path, &mistakes, &f)) < 0 && handover_waits()) {
		log_error("not_reloaded", LOG_STR("why", f.text));
		if (sigtimedwait(&stop, NULL, &second) > 0)
			break;
		buf_clear(&mistakes);
	}
	if (result < 0 && mistakes.len == 0)
		say(&f);
	rest = buf_span(&mistakes);
	while (span_next(&rest, '\n', &line) && line.len)
		fprintf(stderr, "sluice: %.*s\n", (int)line.len, line.ptr);
	buf_release(&mistakes);
	return result;
}

static int run(const struct command *command, const char *called, const char *conf_path, int count,
	char **words)
{
	char program[PATH_MAX], file[PATH_MAX];
	struct program self = {program, file};
	struct conf *conf = NULL;

	if (command->run == check && count == 1 && strcmp(words[0], "--example") == 0)
		return conf_print_example(stdout), OK;
	if (command->run == check && count == 1 && strcmp(words[0], "--man") == 0)
		return conf_print_man(stdout), OK;
	if (command->run == slates)
		return slates(NULL, NULL, count, words);
	find_program(called, program);
	make_absolute(conf_path, file);
	if (load(&conf, file) < 0) {
		if (command->run == fcgi && alone_is_cgi())
			alone_refuse();
		return FAILED;
	}
	return command->run(conf, &self, count, words);
}

/* A front server may have closed one of the first three: no file of ours may take its place. */
static void fill_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *conf_path = SYSCONFDIR "/sluice/sluice.conf", *called = argv[0];
	int option;

	clock_init();
	umask(PLACES_UMASK);
	fill_descriptors();
	while ((option = getopt_long(argc, argv, "+c:Vh", options, NULL)) != -1) {
		if (option == 'V')
			return puts("sluice " PACKAGE_VERSION) < 0 ? FAILED : OK;
		if (option != 'c')
			return help(option == 'h' ? stdout : stderr);
		conf_path = optarg;
	}
	if (optind == argc)
		return help(stderr);
	argc -= optind;
	argv += optind;
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			return run(&commands[i], called, conf_path, argc - 1, argv + 1);
	}
	fprintf(stderr, "sluice: there is no command %s; see sluice --help\n", argv[0]);
	return MISUSED;
}
