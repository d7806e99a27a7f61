/* lib/io/conf_file.c - the configuration's file, read by libconfuse; and what is wrong with it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf_file.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/io/conf_check.h"
#include "lib/io/conf_value.h"
#include "lib/io/near.h"
#include "lib/io/settings.h"

enum { SOURCES_MAX = 64, UNKNOWN_MAX = 32 };

/* libconfuse gives its callbacks no pointer of ours: while a file is read, this is where they
 * write. conf_load() is called by single-threaded processes only. */
static struct {
	struct conf *conf;
	struct conf_mistakes *mistakes;
	struct unknown {
		char section[16], name[64]; /* as libconfuse calls it: "root", "source" … */
		int line;
	} unknown[UNKNOWN_MAX];
	size_t unknown_count;
} reading;

static const char *const source_settings[] = {"type", "url", "user", "password", "connections",
	"output", "user_agent", "referrer", "egress", "media", "command", "group", "account",
	"allow", NULL};

size_t conf_setting(const char *name)
{
	size_t i = 0;

	while (i < setting_count && strcmp(settings[i].name, name) != 0)
		i++;
	return i;
}

/* --- mistakes --------------------------------------------------------------------------------- */

void conf_mistake(struct conf_mistakes *m, const struct fail *f)
{
	struct fail one = *f;
	char line[sizeof(one.text) + 1];

	/* They are told in the file's own words, which may be anything: on one line. */
	for (char *c = one.text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	snprintf(line, sizeof(line), "%s\n", one.text);
	if (strstr(buf_str(&m->lines), line))
		return;
	if (m->first.kind == FAIL_NONE)
		m->first = one;
	buf_puts(&m->lines, line);
}

void conf_mistake_at(struct conf_mistakes *m, const char *path, int line, const char *text)
{
	struct fail f;

	fail_set(&f, FAIL_INPUT, "%s:%d: %s", path, line, text);
	conf_mistake(m, &f);
}

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

static void put_better(const char *text, const char *word, bool in_source, struct buf *to)
{
	const char *nearest;

	if (span_starts(span_of(word), "\xef\xbb\xbf")) {
		buf_puts(to, "The file begins with a byte order mark; save it without one");
	} else if (strstr(text, "no such option")) {
		nearest = nearest_name(word, in_source);
		buf_printf(to, "%s no setting %s", in_source ? "A source has" : "There is", word);
		if (in_source && conf_setting(word) < setting_count)
			buf_puts(to, "; is the } missing that ends the source before it?");
		else if (nearest)
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

/* libconfuse ends at a name that it does not know. So it is noted, and passed over when the file is
 * read anew. */
static void note_unknown(const cfg_t *cfg, const char *name)
{
	struct unknown *u = &reading.unknown[reading.unknown_count];

	if (reading.unknown_count == UNKNOWN_MAX)
		return;
	u->line = cfg->line;
	if (span_copy(span_of(cfg->name), u->section, sizeof(u->section)) &&
		span_copy(span_of(name), u->name, sizeof(u->name)))
		reading.unknown_count++;
}

/* Whether a line begins with an unknown name: what libconfuse makes of the rest is no news. */
static bool is_told(int line)
{
	for (size_t i = 0; i < reading.unknown_count; i++) {
		if (reading.unknown[i].line == line)
			return true;
	}
	return false;
}

/* libconfuse's own words for what it cannot read; for the commonest mistakes we have better
 * ones. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	bool in_source = strcmp(cfg->name, "source") == 0 || strcmp(cfg->name, "account") == 0;
	char text[160], word[64] = "";
	const char *open, *close;
	struct buf better;

	if (is_told(cfg->line))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	open = strchr(text, '\'');
	close = open ? strrchr(open + 1, '\'') : NULL;
	if (close)
		span_copy(span_make(open + 1, (size_t)(close - open - 1)), word, sizeof(word));
	if (strstr(text, "no such option"))
		note_unknown(cfg, word);
	buf_init(&better, 400);
	put_better(text, word, in_source, &better);
	conf_mistake_at(reading.mistakes, cfg->filename ? cfg->filename : reading.conf->path,
		cfg->line, buf_str(&better));
	buf_release(&better);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Called by libconfuse behind every setting it has read; -1 would end it. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
	struct conf_memory *memory = reading.conf->memory;
	size_t i = conf_setting(opt->name);
	struct fail f = {0};

	must(i < setting_count);
	if (memory->line[i])
		fail_set(&f, FAIL_INPUT, "%s is set twice, first in line %d", opt->name,
			memory->line[i]);
	else if (conf_value_set(reading.conf, &settings[i], text ? text : "", &memory->arena, &f) ==
		 0)
		memory->line[i] = cfg->line;
	if (f.kind != FAIL_NONE)
		conf_mistake_at(reading.mistakes, cfg->filename, cfg->line, f.text);
	return 0;
}

const char *conf_keep(struct conf *c, const char *text)
{
	const char *copy = arena_copy(&c->memory->arena, span_of(text ? text : ""));

	return copy ? copy : "";
}

static struct conf_account read_account(struct conf *c, cfg_t *section, const char *name)
{
	return (struct conf_account){
		.name = conf_keep(c, name),
		.user = conf_keep(c, cfg_getstr(section, "user")),
		.password = conf_keep(c, cfg_getstr(section, "password")),
		.connections = cfg_getint(section, "connections"),
	};
}

/* A list of texts of a section; NULL without memory. */
static const char *const *read_texts(struct conf *c, cfg_t *section, const char *name)
{
	size_t count = cfg_size(section, name);
	const char **list = arena_alloc(&c->memory->arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++)
		list[i] = conf_keep(c, cfg_getnstr(section, name, (unsigned)i));
	return list;
}

/* How a program is asked where nothing else is said: yt-dlp, for one title. */
static void set_usual_command(struct conf_source *s)
{
	static const char *const words[] = {"yt-dlp", "--ignore-config", "--no-cache-dir",
		"--no-playlist", "--no-warnings", "--no-exec", "--retries={retries}",
		"--concurrent-fragments={fragments}", "--http-chunk-size={chunk}",
		"--source-address={egress}", "--dump-single-json"};

	s->command = words;
	s->command_count = sizeof(words) / sizeof(words[0]);
}
/* False without room. */
static bool read_source(struct conf *c, cfg_t *section, struct conf_source *to)
{
	size_t more = cfg_size(section, "account");
	struct conf_account *accounts =
		arena_alloc(&c->memory->arena, (more + 1) * sizeof(*accounts));
	const char *const *allow = read_texts(c, section, "allow");
	const char *const *command = read_texts(c, section, "command");

	if (!allow || !command || !accounts)
		return false;
	*to = (struct conf_source){
		.name = conf_keep(c, cfg_title(section)),
		.type = conf_keep(c, cfg_getstr(section, "type")),
		.url = conf_keep(c, cfg_getstr(section, "url")),
		.output = conf_keep(c, cfg_getstr(section, "output")),
		.user_agent = conf_keep(c, cfg_getstr(section, "user_agent")),
		.referrer = conf_keep(c, cfg_getstr(section, "referrer")),
		.egress = conf_keep(c, cfg_getstr(section, "egress")),
		.media = conf_keep(c, cfg_getstr(section, "media")),
		.group = conf_keep(c, cfg_getstr(section, "group")),
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
		set_usual_command(to);
	for (size_t i = 0; i <= more; i++) {
		if (accounts[i].connections < 0) /* not said: a list may be of many hosts */
			accounts[i].connections = strcmp(to->type, "xtream") == 0 ? 1 : 0;
	}
	return true;
}

static void read_sources(struct conf *c, cfg_t *cfg, struct conf_mistakes *m)
{
	size_t count = cfg_size(cfg, "source");
	struct conf_source *list = arena_alloc(&c->memory->arena, (count + 1) * sizeof(*list));
	struct fail f;

	if (!list || count > SOURCES_MAX) {
		fail_set(&f, FAIL_INPUT, "%s: more than %d sources", c->path, SOURCES_MAX);
		conf_mistake(m, &f);
		return;
	}
	c->sources = list;
	c->source_count = count;
	for (size_t i = 0; i < count; i++) {
		if (!read_source(c, cfg_getnsec(cfg, "source", (unsigned)i), &list[i]))
			return;
		if (conf_check_source(&list[i], &f) < 0)
			conf_mistake_at(m, c->path, list[i].line, f.text);
	}
}

/* All sections "channel" or "category". */
static void read_owns(struct conf *c, cfg_t *cfg, bool channels, struct conf_mistakes *m)
{
	const char *what = channels ? "channel" : "category";
	size_t count = cfg_size(cfg, what);
	struct conf_own *list = arena_alloc(&c->memory->arena, (count + 1) * sizeof(*list));
	struct fail f;

	for (size_t i = 0; list && i < count; i++) {
		cfg_t *section = cfg_getnsec(cfg, what, (unsigned)i);

		list[i] = (struct conf_own){conf_keep(c, cfg_title(section)),
			conf_keep(c, cfg_getstr(section, "ladder"))};
		if (conf_check_own(&list[i], channels, &f) < 0)
			conf_mistake_at(m, c->path, section->line, f.text);
	}
	*(channels ? &c->channels : &c->categories) = list;
	*(channels ? &c->channel_count : &c->category_count) = list ? count : 0;
}

/* --- the file --------------------------------------------------------------------------------- */

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

/* Makes settings of the unknown names of a section, so that they are passed over. */
static void allow_unknown(const char *section, cfg_opt_t *opts)
{
	while (opts->type != CFGT_NONE)
		opts++;
	for (size_t i = 0; i < reading.unknown_count; i++) {
		if (strcmp(reading.unknown[i].section, section) == 0)
			*opts++ = (cfg_opt_t)CFG_STR(reading.unknown[i].name, NULL, CFGF_NONE);
	}
	*opts = (cfg_opt_t)CFG_END();
}

/* What a file may say; NULL without memory. libconfuse copies all of it. */
static cfg_t *make_reader(void)
{
	const cfg_flag_t named = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
	cfg_opt_t account[4 + UNKNOWN_MAX] = {CFG_STR("user", "", CFGF_NONE),
		CFG_STR("password", "", CFGF_NONE), CFG_INT("connections", -1, CFGF_NONE),
		CFG_END()};
	cfg_opt_t source[16 + UNKNOWN_MAX] = {CFG_STR("type", "xtream", CFGF_NONE),
		CFG_STR("url", "", CFGF_NONE), CFG_STR("user", "", CFGF_NONE),
		CFG_STR("password", "", CFGF_NONE), CFG_INT("connections", -1, CFGF_NONE),
		CFG_STR("user_agent", "", CFGF_NONE), CFG_STR("referrer", "", CFGF_NONE),
		CFG_STR("egress", "", CFGF_NONE), CFG_STR("media", "audio", CFGF_NONE),
		CFG_STR_LIST("command", NULL, CFGF_NONE), CFG_STR("group", "", CFGF_NONE),
		CFG_STR("output", "ts", CFGF_NONE), CFG_SEC("account", account, named),
		CFG_STR_LIST("allow", "{}", CFGF_NONE), CFG_END()};
	cfg_opt_t channel[2 + UNKNOWN_MAX] = {CFG_STR("ladder", "", CFGF_NONE), CFG_END()};
	cfg_opt_t category[2 + UNKNOWN_MAX] = {CFG_STR("ladder", "", CFGF_NONE), CFG_END()};
	cfg_opt_t all[CONF_SETTINGS_MAX + 4 + UNKNOWN_MAX];

	must(setting_count <= CONF_SETTINGS_MAX);
	allow_unknown("account", account);
	allow_unknown("source", source);
	allow_unknown("channel", channel);
	allow_unknown("category", category);
	for (size_t i = 0; i < setting_count; i++)
		all[i] = (cfg_opt_t)CFG_STR(settings[i].name, NULL, CFGF_NONE);
	all[setting_count] = (cfg_opt_t)CFG_SEC("source", source, named);
	all[setting_count + 1] = (cfg_opt_t)CFG_SEC("channel", channel, named);
	all[setting_count + 2] = (cfg_opt_t)CFG_SEC("category", category, named);
	all[setting_count + 3] = (cfg_opt_t)CFG_END();
	allow_unknown("root", all);
	return cfg_init(all, CFGF_NONE);
}

/* Reads the file from its beginning to its end, or to what libconfuse makes no sense of. */
static cfg_t *read_once(struct conf *c, bool *whole)
{
	cfg_t *cfg = make_reader();

	if (!cfg)
		return NULL;
	memset(c->memory->line, 0, sizeof(c->memory->line));
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < setting_count; i++)
		cfg_set_validate_func(cfg, settings[i].name, on_value);
	*whole = cfg_parse(cfg, c->path) == CFG_SUCCESS;
	return cfg;
}

void conf_file_read(struct conf *c, struct conf_mistakes *m)
{
	cfg_t *cfg = NULL;
	struct fail f = {0};
	bool whole = false;
	size_t known;

	if (is_readable(c->path, &f) < 0) {
		conf_mistake(m, &f);
		return;
	}
	reading.conf = c;
	reading.mistakes = m;
	reading.unknown_count = 0;
	do {
		known = reading.unknown_count;
		cfg_free(cfg);
		cfg = read_once(c, &whole);
	} while (cfg && !whole && reading.unknown_count > known);
	if (!cfg || !whole)
		fail_set(&f, cfg ? FAIL_INPUT : FAIL_INTERNAL,
			cfg ? "%s is no configuration" : "There is no memory for %s", c->path);
	if (f.kind != FAIL_NONE && m->first.kind == FAIL_NONE)
		conf_mistake(m, &f);
	if (cfg && whole) {
		read_sources(c, cfg, m);
		read_owns(c, cfg, true, m);
		read_owns(c, cfg, false, m);
	}
	cfg_free(cfg);
}
