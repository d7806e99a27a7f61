/* lib/io/conf.c - the configuration: a file, the environment and defaults, read once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf.h"

#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/must.h"
#include "lib/hls/ladder.h"
#include "lib/http/ident.h"
#include "lib/io/conf_value.h"
#include "lib/io/near.h"
#include "lib/io/settings.h"

enum { SETTINGS_MAX = 100, SOURCES_MAX = 64, MEMORY_MAX = 1024 * 1024 };

struct conf_memory {
	struct arena arena;
	int line[SETTINGS_MAX]; /* of the file; 0: the default; -1: the environment */
};

/* libconfuse gives its callbacks no pointer of ours: while a file is read, this is where they
 * write. conf_load() is called by single-threaded processes only. */
static struct {
	struct conf *conf;
	struct fail *fail; /* set by the first mistake */
	bool failed;
} reading;

static const char *const source_settings[] = {"type", "url", "user", "password", "connections",
	"output", "user_agent", "referrer", "egress", "media", "command", "group", "account",
	"allow", NULL};

static size_t find_setting(const char *name)
{
	size_t i = 0;

	while (i < setting_count && strcmp(settings[i].name, name) != 0)
		i++;
	return i;
}

/* --- mistakes --------------------------------------------------------------------------------- */

struct nearest {
	const char *name;
	size_t changes;
};

static void compare(struct nearest *best, const char *word, const char *name)
{
	size_t changes = near_distance(word, name);

	if (changes < best->changes && changes < strlen(name))
		*best = (struct nearest){name, changes};
}

/* NULL when nothing comes close. */
static const char *nearest_name(const char *word, bool in_source)
{
	struct nearest best = {NULL, 4};

	for (size_t i = 0; in_source && source_settings[i]; i++)
		compare(&best, word, source_settings[i]);
	for (size_t i = 0; !in_source && i < setting_count; i++)
		compare(&best, word, settings[i].name);
	return best.name;
}

static void mistake(const char *file, int line, const char *text)
{
	if (!reading.failed)
		fail_set(reading.fail, FAIL_INPUT, "%s:%d: %s", file, line, text);
	reading.failed = true;
}

static void put_better(const char *text, const char *word, bool in_source, struct buf *to)
{
	const char *nearest;

	if (strstr(text, "no such option")) {
		nearest = nearest_name(word, in_source);
		buf_printf(to, "%s no setting %s", in_source ? "A source has" : "There is", word);
		if (nearest)
			buf_printf(to, "; do you mean %s?", nearest);
	} else if (strstr(text, "duplicate title")) {
		buf_printf(
			to, "There are two %s named %s", in_source ? "accounts" : "sources", word);
	} else if (strstr(text, "missing title")) {
		buf_printf(to, in_source ? "An account needs a name: account \"NAME\" { ... }"
					 : "A source needs a name: source \"NAME\" { ... }");
	} else {
		buf_puts(to, text);
	}
}

/* libconfuse's own words for what it cannot read; for the commonest mistakes we have better
 * ones. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[160], word[64] = "";
	const char *open, *close;
	struct buf better;

	vsnprintf(text, sizeof(text), fmt, ap);
	open = strchr(text, '\'');
	close = open ? strrchr(open + 1, '\'') : NULL;
	if (close)
		span_copy(span_make(open + 1, (size_t)(close - open - 1)), word, sizeof(word));
	buf_init(&better, 400);
	put_better(text, word,
		strcmp(cfg->name, "source") == 0 || strcmp(cfg->name, "account") == 0, &better);
	mistake(cfg->filename ? cfg->filename : reading.conf->path, cfg->line, buf_str(&better));
	buf_release(&better);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Called by libconfuse behind every setting it has read. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	size_t i = find_setting(opt->name);
	struct fail f = {0};
	const char *text = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);

	must(i < setting_count);
	if (reading.conf->memory->line[i]) {
		fail_set(&f, FAIL_INPUT, "%s is set twice, first in line %d", opt->name,
			reading.conf->memory->line[i]);
		mistake(cfg->filename, cfg->line, f.text);
		return -1;
	}
	if (conf_value_set(reading.conf, &settings[i], text ? text : "",
		    &reading.conf->memory->arena, &f) < 0) {
		mistake(cfg->filename, cfg->line, f.text);
		return -1;
	}
	reading.conf->memory->line[i] = cfg->line;
	return 0;
}

static const char *keep(struct conf *c, const char *text)
{
	const char *copy = arena_copy(&c->memory->arena, span_of(text ? text : ""));

	return copy ? copy : "";
}

static struct conf_account read_account(struct conf *c, cfg_t *section, const char *name)
{
	return (struct conf_account){
		.name = keep(c, name),
		.user = keep(c, cfg_getstr(section, "user")),
		.password = keep(c, cfg_getstr(section, "password")),
		.connections = cfg_getint(section, "connections"),
	};
}

/* A list of texts of a section; NULL without memory. */
static const char *const *read_texts(struct conf *c, cfg_t *section, const char *name)
{
	size_t count = cfg_size(section, name);
	const char **list = arena_alloc(&c->memory->arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++)
		list[i] = keep(c, cfg_getnstr(section, name, (unsigned)i));
	return list;
}

static int read_source(struct conf *c, cfg_t *section, struct conf_source *to, struct fail *f)
{
	size_t more = cfg_size(section, "account");
	struct conf_account *accounts =
		arena_alloc(&c->memory->arena, (more + 1) * sizeof(*accounts));
	const char *const *allow = read_texts(c, section, "allow");
	const char *const *command = read_texts(c, section, "command");

	if (!allow || !command || !accounts)
		return fail_set(f, FAIL_INPUT, "%s is too large", c->path);
	*to = (struct conf_source){
		.name = keep(c, cfg_title(section)),
		.type = keep(c, cfg_getstr(section, "type")),
		.url = keep(c, cfg_getstr(section, "url")),
		.output = keep(c, cfg_getstr(section, "output")),
		.user_agent = keep(c, cfg_getstr(section, "user_agent")),
		.referrer = keep(c, cfg_getstr(section, "referrer")),
		.egress = keep(c, cfg_getstr(section, "egress")),
		.media = keep(c, cfg_getstr(section, "media")),
		.group = keep(c, cfg_getstr(section, "group")),
		.accounts = accounts,
		.account_count = more + 1,
		.allow = allow,
		.allow_count = cfg_size(section, "allow"),
		.command = command,
		.command_count = cfg_size(section, "command"),
		.line = section->line,
	};
	accounts[0] = read_account(c, section, "");
	for (size_t i = 0; i < more; i++) {
		cfg_t *account = cfg_getnsec(section, "account", (unsigned)i);
		accounts[i + 1] = read_account(c, account, cfg_title(account));
	}
	if (to->command_count == 0 && strcmp(to->type, "command") == 0)
		conf_usual_command(to);
	for (size_t i = 0; i <= more; i++) {
		if (accounts[i].connections < 0) /* not said: a list may be of many hosts */
			accounts[i].connections = strcmp(to->type, "xtream") == 0 ? 1 : 0;
	}
	return conf_source_check(c->path, to, f);
}

static int read_sources(struct conf *c, cfg_t *cfg, struct fail *f)
{
	size_t count = cfg_size(cfg, "source");
	struct conf_source *list = arena_alloc(&c->memory->arena, (count + 1) * sizeof(*list));

	if (!list || count > SOURCES_MAX)
		return fail_set(f, FAIL_INPUT, "%s: more than %d sources", c->path, SOURCES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (read_source(c, cfg_getnsec(cfg, "source", (unsigned)i), &list[i], f) < 0)
			return -1;
	}
	c->sources = list;
	c->source_count = count;
	return 0;
}

static int read_own(
	struct conf *c, cfg_t *section, bool is_channel, struct conf_own *to, struct fail *f)
{
	struct ladder ladder;
	struct ident ident;
	struct fail why = {0};

	*to = (struct conf_own){
		keep(c, cfg_title(section)), keep(c, cfg_getstr(section, "ladder"))};
	if (is_channel &&
		(!ident_parse(span_of(to->name), IDENT_NONE, &ident) || ident.kind != IDENT_LIVE))
		return fail_set(f, FAIL_INPUT, "%s:%d: '%.64s' is no channel, such as live-8",
			c->path, section->line, to->name);
	if (*to->ladder && ladder_parse(to->ladder, NULL, NULL, &ladder, &why) < 0)
		return fail_set(f, FAIL_INPUT, "%s:%d: %s", c->path, section->line, why.text);
	return 0;
}

/* All sections "channel" or "category". */
static int read_owns(struct conf *c, cfg_t *cfg, const char *what, const struct conf_own **out,
	size_t *count, struct fail *f)
{
	struct conf_own *list;

	*count = cfg_size(cfg, what);
	*out = list = arena_alloc(&c->memory->arena, (*count + 1) * sizeof(*list));
	if (!list)
		return fail_set(f, FAIL_INPUT, "%s is too large", c->path);
	for (size_t i = 0; i < *count; i++) {
		if (read_own(c, cfg_getnsec(cfg, what, (unsigned)i), out == &c->channels, &list[i],
			    f) < 0)
			return -1;
	}
	return 0;
}

/* Asked before, because libconfuse gives no reason, and ends the process over a directory. */
static int is_readable(const char *path, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(
			f, FAIL_MISSING, errno, "The configuration %s cannot be read", path);
	close(fd);
	if (!S_ISREG(st.st_mode))
		return fail_set(f, FAIL_MISSING, "The configuration %s is no file", path);
	return 0;
}

static int read_file(struct conf *c, struct fail *f)
{
	cfg_opt_t account[] = {CFG_STR("user", "", CFGF_NONE), CFG_STR("password", "", CFGF_NONE),
		CFG_INT("connections", -1, CFGF_NONE), CFG_END()};
	cfg_opt_t source[] = {CFG_STR("type", "xtream", CFGF_NONE), CFG_STR("url", "", CFGF_NONE),
		CFG_STR("user", "", CFGF_NONE), CFG_STR("password", "", CFGF_NONE),
		CFG_INT("connections", -1, CFGF_NONE), CFG_STR("user_agent", "", CFGF_NONE),
		CFG_STR("referrer", "", CFGF_NONE), CFG_STR("egress", "", CFGF_NONE),
		CFG_STR("media", "audio", CFGF_NONE), CFG_STR_LIST("command", NULL, CFGF_NONE),
		CFG_STR("group", "", CFGF_NONE), CFG_STR("output", "ts", CFGF_NONE),
		CFG_SEC("account", account, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_STR_LIST("allow", "{}", CFGF_NONE), CFG_END()};
	cfg_opt_t own[] = {CFG_STR("ladder", "", CFGF_NONE), CFG_END()};
	cfg_opt_t opts[SETTINGS_MAX + 4];
	int result;
	cfg_t *cfg;

	must(setting_count <= SETTINGS_MAX);
	if (is_readable(c->path, f) < 0)
		return -1;
	for (size_t i = 0; i < setting_count; i++)
		opts[i] = (cfg_opt_t)CFG_STR(settings[i].name, NULL, CFGF_NONE);
	opts[setting_count] =
		(cfg_opt_t)CFG_SEC("source", source, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	opts[setting_count + 1] =
		(cfg_opt_t)CFG_SEC("channel", own, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	opts[setting_count + 2] =
		(cfg_opt_t)CFG_SEC("category", own, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	opts[setting_count + 3] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(opts, CFGF_NONE);
	if (!cfg)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the configuration");
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < setting_count; i++)
		cfg_set_validate_func(cfg, settings[i].name, on_value);
	result = cfg_parse(cfg, c->path);
	if (result == CFG_FILE_ERROR)
		fail_set(f, FAIL_MISSING, "%s cannot be read", c->path);
	else if (result != CFG_SUCCESS && !reading.failed)
		fail_set(f, FAIL_INPUT, "%s is no configuration", c->path);
	result = result == CFG_SUCCESS && !reading.failed ? read_sources(c, cfg, f) : -1;
	if (result == 0)
		result = read_owns(c, cfg, "channel", &c->channels, &c->channel_count, f);
	if (result == 0)
		result = read_owns(c, cfg, "category", &c->categories, &c->category_count, f);
	cfg_free(cfg);
	return result;
}

static int read_environment(struct conf *c, struct fail *f)
{
	for (size_t i = 0; i < setting_count; i++) {
		char name[64];
		const char *text;
		struct fail why = {0};

		snprintf(name, sizeof(name), "SLUICE_%s", settings[i].name);
		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		text = getenv(name);
		if (!text)
			continue;
		if (conf_value_set(c, &settings[i], text, &c->memory->arena, &why) < 0)
			return fail_set(f, FAIL_INPUT, "The variable %s: %s", name, why.text);
		c->memory->line[i] = -1;
	}
	return 0;
}

static int check_values(const struct conf *c, struct fail *f)
{
	const char *setting = NULL;
	struct fail why = {0};
	int line;

	if (conf_check(c, &setting, &why) == 0)
		return 0;
	line = conf_origin(c, find_setting(setting));
	if (line > 0)
		return fail_set(f, FAIL_INPUT, "%s:%d: %s", c->path, line, why.text);
	return fail_set(f, FAIL_INPUT, "%s%s", line < 0 ? "From the environment: " : "", why.text);
}

static void gather_from(struct conf *c, const struct conf_own *list, size_t count)
{
	struct ladder ladder;

	for (size_t i = 0; i < count; i++) {
		if (ladder_parse(list[i].ladder, NULL, NULL, &ladder, NULL) < 0)
			continue; /* it has none of its own */
		for (size_t r = 0; r < ladder.count && c->all_rungs; r++) {
			if (!strstr(c->all_rungs, ladder.rungs[r]->name))
				c->all_rungs = arena_printf(&c->memory->arena, "%s %s",
					c->all_rungs, ladder.rungs[r]->name);
		}
	}
}

/* Every rung that some channel has, the usual ones first. */
static void gather_rungs(struct conf *c)
{
	c->all_rungs = c->ladder;
	gather_from(c, c->channels, c->channel_count);
	gather_from(c, c->categories, c->category_count);
}

/* What follows from other settings. */
static int complete(struct conf *c, struct fail *f)
{
	struct arena *a = &c->memory->arena;
	char host[256] = "";

	c->live_dir = *c->live_dir ? c->live_dir : arena_printf(a, "%s/live", c->state_dir);
	c->stream_dir = *c->stream_dir ? c->stream_dir : arena_printf(a, "%s/bytes", c->run_dir);
	c->www_dir = arena_printf(a, "%s/www", c->state_dir);
	gather_rungs(c);
	gethostname(host, sizeof(host) - 1);
	if (!*c->host_name)
		c->host_name = keep(c, *host ? host : "localhost");
	if (a->full)
		return fail_set(f, FAIL_INPUT, "%s is too large", c->path);
	return check_values(c, f);
}

/* Mistakes are told in the file's own words, which may be anything: on one line. */
static void keep_on_a_line(struct fail *f)
{
	for (char *c = f ? f->text : NULL; c && *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

int conf_load(struct conf **out, const char *path, struct fail *f)
{
	struct conf *c = calloc(1, sizeof(*c));
	char *real;
	int result = 0;

	if (!c || !(c->memory = calloc(1, sizeof(*c->memory)))) {
		free(c);
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the configuration");
	}
	arena_init(&c->memory->arena, MEMORY_MAX);
	path = path ? path : SYSCONFDIR "/sluice/sluice.conf";
	real = realpath(path, NULL);
	c->path = keep(c, real ? real : path);
	free(real);
	for (size_t i = 0; i < setting_count && result == 0; i++)
		result = conf_value_set(c, &settings[i], settings[i].usual, &c->memory->arena, f);
	must(result == 0); /* the table's own defaults are good */
	reading.conf = c;
	reading.fail = f;
	reading.failed = false;
	if (read_file(c, f) < 0 || read_environment(c, f) < 0 || complete(c, f) < 0) {
		keep_on_a_line(f);
		conf_close(&c);
		return -1;
	}
	*out = c;
	return 0;
}

void conf_close(struct conf **c)
{
	if (!*c)
		return;
	arena_release(&(*c)->memory->arena);
	free((*c)->memory);
	free(*c);
	*c = NULL;
}

const char *conf_ladder(const struct conf *c, const char *id, const char *category)
{
	for (size_t i = 0; i < c->channel_count; i++) {
		if (*c->channels[i].ladder && strcmp(c->channels[i].name, id) == 0)
			return c->channels[i].ladder;
	}
	for (size_t i = 0; i < c->category_count; i++) {
		if (*c->categories[i].ladder && strcasecmp(c->categories[i].name, category) == 0)
			return c->categories[i].ladder;
	}
	return c->ladder;
}

const struct conf_source *conf_source(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->source_count; i++) {
		if (strcmp(c->sources[i].name, name) == 0)
			return &c->sources[i];
	}
	return NULL;
}

int conf_origin(const struct conf *c, size_t setting)
{
	must(setting < setting_count);
	return c->memory->line[setting];
}
