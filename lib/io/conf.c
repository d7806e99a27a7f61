/* lib/io/conf.c - the configuration: a file, the environment and defaults, read once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/must.h"
#include "lib/hls/ladder.h"
#include "lib/io/conf_check.h"
#include "lib/io/conf_file.h"
#include "lib/io/conf_value.h"
#include "lib/io/settings.h"

enum { MEMORY_MAX = 1024 * 1024, MISTAKES_MAX = 64 * 1024 };

static void read_environment(struct conf *c, struct conf_mistakes *m)
{
	for (size_t i = 0; i < setting_count; i++) {
		char name[64];
		const char *text;
		struct fail why, f;

		snprintf(name, sizeof(name), "SLUICE_%s", settings[i].name);
		for (char *at = name; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		text = getenv(name);
		if (!text)
			continue;
		if (conf_value_set(c, &settings[i], text, &c->memory->arena, &why) < 0) {
			fail_set(&f, FAIL_INPUT, "The variable %s: %s", name, why.text);
			conf_mistake(m, &f);
		}
		c->memory->line[i] = -1;
	}
}

static void check_values(const struct conf *c, struct conf_mistakes *m)
{
	const char *setting;
	struct fail why, f;
	size_t at = 0;

	while ((setting = conf_check_next(c, &at, &why))) {
		int line = conf_origin(c, conf_setting(setting));

		if (line > 0) {
			conf_mistake_at(m, c->path, line, why.text);
			continue;
		}
		fail_set(
			&f, FAIL_INPUT, "%s%s", line < 0 ? "From the environment: " : "", why.text);
		conf_mistake(m, &f);
	}
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
static void complete(struct conf *c, struct conf_mistakes *m)
{
	struct arena *a = &c->memory->arena;
	char host[256] = "";
	struct fail f;

	c->live_dir = *c->live_dir ? c->live_dir : arena_printf(a, "%s/live", c->state_dir);
	c->stream_dir = *c->stream_dir ? c->stream_dir : arena_printf(a, "%s/bytes", c->run_dir);
	c->www_dir = arena_printf(a, "%s/www", c->state_dir);
	gather_rungs(c);
	gethostname(host, sizeof(host) - 1);
	if (!*c->host_name)
		c->host_name = conf_keep(c, *host ? host : "localhost");
	if (a->full) {
		fail_set(&f, FAIL_INPUT, "%s is too large", c->path);
		conf_mistake(m, &f);
		return;
	}
	check_values(c, m);
}

/* A configuration of defaults, for the file `path`; NULL without memory. */
static struct conf *make(const char *path)
{
	struct conf *c = calloc(1, sizeof(*c));
	struct fail f;
	char *real;

	if (!c || !(c->memory = calloc(1, sizeof(*c->memory)))) {
		free(c);
		return NULL;
	}
	arena_init(&c->memory->arena, MEMORY_MAX);
	path = path ? path : SYSCONFDIR "/sluice/sluice.conf";
	real = realpath(path, NULL);
	c->path = conf_keep(c, real ? real : path);
	free(real);
	for (size_t i = 0; i < setting_count; i++)
		must(conf_value_set(c, &settings[i], settings[i].usual, &c->memory->arena, &f) ==
			0);
	return c;
}

int conf_load(struct conf **out, const char *path, struct buf *mistakes, struct fail *f)
{
	struct conf_mistakes m = {0};
	struct conf *c = make(path);
	int result = 0;

	if (!c)
		return fail_set(f, FAIL_INTERNAL, "There is no memory for the configuration");
	buf_init(&m.lines, MISTAKES_MAX);
	conf_file_read(c, &m);
	read_environment(c, &m);
	complete(c, &m);
	if (m.first.kind != FAIL_NONE) {
		conf_close(&c);
		result = fail_set(f, m.first.kind, "%s", m.first.text);
	}
	if (mistakes)
		buf_add(mistakes, buf_str(&m.lines), m.lines.len);
	buf_release(&m.lines);
	*out = result < 0 ? NULL : c;
	return result;
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
