/* fcgi-app/check.c - `sluice check`: whether this host can run what the configuration says.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-app/processes/places.h"
#include "lib/base/num.h"
#include "lib/http/authority.h"
#include "lib/http/cidr.h"
#include "lib/io/child.h"
#include "lib/io/conf.h"
#include "lib/io/file.h"
#include "lib/io/mc.h"
#include "lib/io/sock.h"

enum { FFMPEG_MS = 5000 };

struct findings {
	FILE *to;
	int errors;
};

__attribute__((format(printf, 2, 3))) static void error(struct findings *o, const char *fmt, ...)
{
	va_list ap;

	fputs("error: ", o->to);
	va_start(ap, fmt);
	vfprintf(o->to, fmt, ap);
	va_end(ap);
	putc('\n', o->to);
	o->errors++;
}

__attribute__((format(printf, 2, 3))) static void warning(struct findings *o, const char *fmt, ...)
{
	va_list ap;

	fputs("warning: ", o->to);
	va_start(ap, fmt);
	vfprintf(o->to, fmt, ap);
	va_end(ap);
	putc('\n', o->to);
}

static void check_writable(struct findings *o, const char *setting, const char *path)
{
	if (access(path, W_OK | X_OK) < 0)
		error(o, "%s: %s is not writable: %s", setting, path, strerrordesc_np(errno));
}

static void check_places(struct findings *o, const struct conf *conf)
{
	struct places_owner owner;
	struct fail f;

	if (places_owner_beside(conf, &owner, &f) < 0 || places_make(conf, &owner, &f) < 0) {
		error(o, "%s", f.text);
		return;
	}
	check_writable(o, "state_dir", conf->state_dir);
	check_writable(o, "live_dir", conf->live_dir);
	check_writable(o, "stream_dir", conf->stream_dir);
	check_writable(o, "run_dir", conf->run_dir);
}

/* What is published is linked, never copied. */
static void check_store(void *ctx, const char *work, const char *public_half)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct findings *o = ctx;
	int fd;

	if (!file_path(from, sizeof(from), "%s/.check.XXXXXX", work))
		return;
	fd = mkostemp(from, O_CLOEXEC);
	if (fd < 0)
		return; /* said already: not writable */
	close(fd);
	if (file_path(to, sizeof(to), "%s/%s", public_half, strrchr(from, '/') + 1) &&
		link(from, to) < 0) {
		if (errno == EXDEV)
			error(o,
				"%s and %s lie on different file systems (EXDEV): nothing could be "
				"published; put both on one",
				work, public_half);
		else
			error(o, "Nothing can be linked from %s to %s: %s", work, public_half,
				strerrordesc_np(errno));
	}
	unlink(to);
	unlink(from);
}

static void check_sockets(struct findings *o, const struct conf *conf)
{
	static const char longest[] = "supervisor.sock";
	char path[PATH_MAX];

	if (!file_path(path, sizeof(path), "%s/%s", conf->run_dir, longest) ||
		!sock_path_fits(path))
		error(o, "run_dir is too long for a socket's name: %s/%s", conf->run_dir, longest);
}

/* Whether ffmpeg runs. One that takes long on a busy machine is no reason against starting. */
static void check_ffmpeg(struct findings *o, const char *program)
{
	const char *const argv[] = {program, "-version", NULL};
	struct child_spec spec = {argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	struct child c = {0, -1};
	int status = -1;
	struct fail f;

	if (child_start(&spec, &c, &f) == 0 && !child_wait(&c, FFMPEG_MS, &status)) {
		child_kill(&c, SIGKILL);
		child_wait(&c, 1000, &status);
		warning(o, "ffmpeg: %s says nothing for %d s", program, FFMPEG_MS / 1000);
	} else if (status != 0) {
		error(o, "ffmpeg: %s cannot be run; install it or set its path", program);
	}
}

/* Whether a program can be found as a resolver's is: by its path, or in PATH. */
static bool is_program(const char *name)
{
	struct span rest =
		span_of(getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin");
	struct span dir;
	char path[PATH_MAX];

	if (strchr(name, '/'))
		return access(name, X_OK) == 0;
	while (span_next(&rest, ':', &dir)) {
		if (file_path(path, sizeof(path), "%.*s/%s", (int)dir.len, dir.ptr, name) &&
			access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* An address in a private network, written as such, is refused when it is connected to: it is said
 * here. What a name stands for is known then only. */
static void check_address(struct findings *o, const struct conf_source *s)
{
	const char *from = strstr(s->url, "://");
	struct span host, port;
	int64_t number = span_starts(span_of(s->url), "https://") ? 443 : 80;
	struct cidr address, allowed;

	if (!from ||
		!authority_split(span_make(from + 3, strcspn(from + 3, "/?#")), &host, &port) ||
		memchr(host.ptr, '/', host.len) || !cidr_parse(host, &address) ||
		!cidr_is_private(&address.base))
		return;
	if (port.len && !num_parse(port, 1, UINT16_MAX, &number))
		return;
	for (size_t i = 0; i < s->allow_count; i++) {
		if (cidr_parse(span_of(s->allow[i]), &allowed) &&
			cidr_holds(&allowed, &address.base, (uint16_t)number))
			return;
	}
	warning(o,
		"source \"%s\": %.*s, port %lld, is a private address; say allow = { \"%.*s\" } to "
		"use it",
		s->name, (int)host.len, host.ptr, (long long)number, (int)host.len, host.ptr);
}

static void check_gateway(struct findings *o, const struct conf_source *s)
{
	for (size_t i = 0; i < s->account_count; i++) {
		if (!*s->accounts[i].user)
			warning(o, "source \"%s\": a gateway wants user and password%s%s%s",
				s->name, i ? " of account \"" : "", s->accounts[i].name,
				i ? "\"" : "");
	}
	if (strpbrk(s->url, "?#") || strstr(s->url, ".php"))
		warning(o,
			"source \"%s\": url is that of the gateway alone, such as "
			"http://gateway.example:8080; user and password are settings of their own",
			s->name);
}

static void check_program(struct findings *o, const struct conf_source *s)
{
	const char *name = s->command[0];

	if (is_program(name))
		return;
	if (strchr(name, ' '))
		warning(o,
			"source \"%s\": there is no program \"%s\"; write each word of a command "
			"between quotes of its own",
			s->name, name);
	else
		warning(o, "source \"%s\": there is no program %s; install it or say its path",
			s->name, name);
}

/* What a source needs of this host. */
static void check_source(struct findings *o, const struct conf_source *s)
{
	if (strcmp(s->type, "files") == 0 && access(s->url, R_OK | X_OK) < 0)
		warning(o, "source \"%s\": the directory %s cannot be read: %s", s->name, s->url,
			strerrordesc_np(errno));
	if (strcmp(s->type, "m3u") == 0 && s->url[0] == '/' && access(s->url, R_OK) < 0)
		warning(o, "source \"%s\": the list %s cannot be read: %s", s->name, s->url,
			strerrordesc_np(errno));
	if (s->command_count)
		check_program(o, s);
	else
		check_address(o, s);
	if (strcmp(s->type, "xtream") == 0)
		check_gateway(o, s);
}

/* The front server makes the log, but not its directory. */
static void check_access_log(struct findings *o, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash || access(path, R_OK) == 0)
		return;
	file_path(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	if (errno != ENOENT || access(dir, R_OK | X_OK) < 0)
		warning(o, "access_log: %s cannot be read: %s; hits and streams are not counted",
			path, strerrordesc_np(errno));
}

static void check_programs(struct findings *o, const struct conf *conf)
{
	check_ffmpeg(o, conf->ffmpeg);
	if (access(conf->media_program, X_OK) < 0)
		warning(o, "media_program: %s cannot be run; films do not play without it",
			conf->media_program);
	if (!child_can_filter())
		warning(o, "ffmpeg runs without a filter of system calls: there is none for this "
			   "machine, or this is a sanitizer build");
}

static void check_memcached(struct findings *o, const struct conf *conf)
{
	struct mc_config config = {conf->memcached_servers, conf->memcached_prefix,
		conf->memcached_user, conf->memcached_password};
	struct mc *mc = NULL;
	struct buf value;
	struct fail f;

	if (!*conf->memcached_servers) {
		warning(o, "memcached_servers is empty: every host resolves and counts for itself");
		return;
	}
	if (mc_open(&mc, &config, &f) < 0) {
		error(o, "%s", f.text);
		return;
	}
	buf_init(&value, 1000);
	if (mc_set(mc, "check", "here", span_of("1"), 5) != MC_OK ||
		mc_get(mc, "check", "here", &value, NULL) != MC_OK)
		warning(o, "memcached at %s does not answer; everything works, slower",
			conf->memcached_servers);
	buf_release(&value);
	mc_close(&mc);
}

static void check_web(struct findings *o, const char *dir)
{
	char plain[PATH_MAX], small[PATH_MAX];

	if (access(dir, R_OK | X_OK) < 0)
		warning(o, "web_dir: %s cannot be read: there are no pages", dir);
	else if (file_path(plain, sizeof(plain), "%s/base.css", dir) && access(plain, R_OK) == 0 &&
		 file_path(small, sizeof(small), "%s.br", plain) && access(small, R_OK) < 0)
		warning(o,
			"web_dir: %s has no forms for Brotli (.br) of the pages' parts: install "
			"brotli and build again, or they are sent larger",
			dir);
}

static void check_rest(struct findings *o, const struct conf *conf)
{
	if (conf->source_count == 0)
		warning(o, "There is no source section: nothing can be watched");
	if (conf->access == ACCESS_PASSWORD && access(conf->htpasswd, R_OK) < 0)
		warning(o,
			"access is password and %s cannot be read: `sluice user add NAME` makes it",
			conf->htpasswd);
	for (size_t i = 0; i < conf->source_count; i++)
		check_source(o, &conf->sources[i]);
	check_access_log(o, conf->access_log);
	check_web(o, conf->web_dir);
	if (*conf->slate_dir && access(conf->slate_dir, R_OK | X_OK) < 0)
		warning(o,
			"slate_dir: %s cannot be read: a channel that has nothing to show shows "
			"nothing; `sluice slates` makes it",
			conf->slate_dir);
}

bool check_host(const struct conf *conf, const char *running_dir, FILE *to)
{
	struct findings o = {to, 0};

	if (running_dir && strcmp(running_dir, conf->run_dir) != 0)
		error(&o,
			"run_dir cannot change from %s to %s while the service runs: stop and "
			"start",
			running_dir, conf->run_dir);
	check_places(&o, conf);
	places_stores(conf, check_store, &o);
	check_sockets(&o, conf);
	check_programs(&o, conf);
	check_memcached(&o, conf);
	check_rest(&o, conf);
	return o.errors == 0;
}
