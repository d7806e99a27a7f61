/* lib/svc/program.c - the words that a source's program is started with.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/svc/program.h"

#include <string.h>

#include "lib/io/conf.h"
#include "lib/svc/page.h"
#include "lib/svc/source_http.h"

enum { WORD_MAX = 4096, VALUES = 5 };

/* What each placeholder stands for; "" for nothing. */
struct values {
	struct {
		const char *name, *value;
	} list[VALUES];
};

static const char *number(struct arena *arena, int64_t value)
{
	return arena_printf(arena, "%lld", (long long)value);
}

static struct values values_of(
	const struct conf *conf, const struct resolve *what, struct arena *arena)
{
	return (struct values){{{"{quality}", what->quality}, {"{egress}", what->source->egress},
		{"{fragments}", number(arena, conf->resolve_fragments)},
		{"{chunk}", number(arena, conf->resolve_chunk)},
		{"{retries}", number(arena, conf->resolve_retries)}}};
}

/* The word with its placeholders replaced; *empty when one stands for nothing. */
static const char *fill(const char *word, const struct values *v, struct arena *arena, bool *empty)
{
	struct buf out;
	const char *text;

	*empty = false;
	buf_init(&out, WORD_MAX);
	while (*word) {
		size_t i = 0;

		while (i < VALUES && strncmp(word, v->list[i].name, strlen(v->list[i].name)) != 0)
			i++;
		if (i == VALUES) {
			buf_putc(&out, *word++);
			continue;
		}
		*empty = *empty || !v->list[i].value || !*v->list[i].value;
		buf_puts(&out, v->list[i].value ? v->list[i].value : "");
		word += strlen(v->list[i].name);
	}
	text = out.failed ? NULL : arena_copy(arena, buf_span(&out));
	buf_release(&out);
	return text;
}

int program_subject(const struct conf *conf, struct mc *mc, const struct resolve *what,
	struct buf *to, struct fail *f)
{
	if (what->page)
		return page_find(conf, mc, what->key, to, f);
	if (*what->source->url)
		return source_http_fill(what->source, what->key, what->quality, to, f);
	buf_puts(to, what->key);
	return 0;
}

const char *const *program_words(const struct conf *conf, const struct resolve *what,
	const char *subject, struct arena *arena, struct fail *f)
{
	const struct conf_source *s = what->source;
	const char **words = arena_alloc(arena, (s->command_count + 3) * sizeof(*words));
	struct values values = values_of(conf, what, arena);
	size_t count = 0;
	bool empty;

	for (size_t i = 0; words && i < s->command_count; i++) {
		const char *word = fill(s->command[i], &values, arena, &empty);

		if (!empty)
			words[count++] = word ? word : "";
	}
	if (!words || arena->full) {
		fail_set(f, FAIL_BUSY, "There is no memory for a program's words");
		return NULL;
	}
	words[count++] = "--";
	words[count++] = arena_copy(arena, span_of(subject));
	return words;
}
