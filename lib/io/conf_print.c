/* lib/io/conf_print.c - the settings, as a list, an example file and a man page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lib/io/conf.h"
#include "lib/io/conf_file.h"
#include "lib/io/settings.h"

static const char *unit_name(const struct setting *s)
{
	return s->type == SETTING_BYTES ? "bytes" : s->type == SETTING_TIME ? "seconds" : "";
}

static void print_text(const char *text, FILE *to)
{
	putc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text, to);
	}
	putc('"', to);
}

static void print_word(const struct setting *s, int place, FILE *to)
{
	struct span rest = span_of(s->words), word = {0};

	for (int i = 0; i <= place && span_next(&rest, ' ', &word); i++)
		;
	fprintf(to, "%.*s", (int)word.len, word.ptr);
}

static void print_value(const struct conf *c, const struct setting *s, FILE *to)
{
	const char *member = (const char *)c + s->offset;

	switch (s->type) {
	case SETTING_SECRET:
		print_text(**(const char *const *)(const void *)member ? "********" : "", to);
		break;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_CHOICE:
		print_text(*(const char *const *)(const void *)member, to);
		break;
	case SETTING_NUMBER:
		if (s->words && *(const int64_t *)(const void *)member == 0) {
			print_text(s->words, to);
			break;
		}
		/* fall through */
	case SETTING_BYTES:
	case SETTING_TIME:
		fprintf(to, "%lld", (long long)*(const int64_t *)(const void *)member);
		break;
	case SETTING_FACTOR:
		fprintf(to, "%lld.%03lld", (long long)*(const int64_t *)(const void *)member / 1000,
			(long long)*(const int64_t *)(const void *)member % 1000);
		break;
	case SETTING_WORD:
		print_word(s, *(const int *)(const void *)member, to);
		break;
	}
}

static void print_account(const struct conf_account *a, const char *indent, FILE *to)
{
	fprintf(to, "\n%s  user = ", indent);
	print_text(*a->user ? "********" : "", to);
	fprintf(to, "\n%s  password = ", indent);
	print_text(*a->password ? "********" : "", to);
	fprintf(to, "\n%s  connections = %lld", indent, (long long)a->connections);
}

/* The address of a list, or a template of addresses, often holds an account. */
static const char *shown_url(const struct conf_source *s)
{
	bool is_secret = strcmp(s->type, "m3u") == 0 || strcmp(s->type, "http") == 0;

	return is_secret && s->url[0] != '/' ? "********" : s->url;
}

static void print_source(const struct conf *c, const struct conf_source *s, FILE *to)
{
	fprintf(to, "source \"%s\" {  # %s:%d\n  type = %s\n  url = ", s->name, c->path, s->line,
		s->type);
	print_text(shown_url(s), to);
	print_account(&s->accounts[0], "", to);
	fprintf(to, "\n  output = %s\n  user_agent = ", s->output);
	print_text(s->user_agent, to);
	fputs("\n  referrer = ", to);
	print_text(s->referrer, to);
	fputs("\n  egress = ", to);
	print_text(s->egress, to);
	fprintf(to, "\n  media = %s", s->media);
	fputs("\n  group = ", to);
	print_text(s->group, to);
	for (size_t i = 1; i < s->account_count; i++) {
		fprintf(to, "\n  account \"%s\" {", s->accounts[i].name);
		print_account(&s->accounts[i], "  ", to);
		fputs("\n  }", to);
	}
	fputs("\n  allow = {", to);
	for (size_t i = 0; i < s->allow_count; i++) {
		fputs(i ? ", " : " ", to);
		print_text(s->allow[i], to);
	}
	fputs(" }\n}\n", to);
}

void conf_print(const struct conf *c, FILE *to)
{
	for (size_t i = 0; i < setting_count; i++) {
		int line = conf_origin(c, i);

		fprintf(to, "%s = ", settings[i].name);
		print_value(c, &settings[i], to);
		fprintf(to, "  # %s%s", unit_name(&settings[i]),
			*unit_name(&settings[i]) ? ", " : "");
		if (line > 0)
			fprintf(to, "%s:%d\n", c->path, line);
		else
			fputs(line < 0 ? "environment\n" : "default\n", to);
	}
	for (size_t i = 0; i < c->source_count; i++)
		print_source(c, &c->sources[i], to);
}

void conf_print_example(FILE *to)
{
	fputs("# sluice.conf - every setting with its default; see sluice.conf(5).\n", to);
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];

		fprintf(to, "\n# %s\n", s->help);
		if (s->words)
			fprintf(to, "# One of: %s\n", s->words);
		fprintf(to, "#%s = ", s->name);
		print_text(s->usual, to);
		putc('\n', to);
	}
	fputs("\n# A source of channels: an Xtream gateway. Private addresses (your own network) "
	      "must be\n"
	      "# allowed by name, as CIDR, CIDR:port or CIDR:port-port.\n"
	      "#source \"home\" {\n#  type = \"xtream\"\n#  url = \"http://gateway.example:8080\"\n"
	      "#  user = \"me\"\n#  password = \"secret\"\n#  connections = 1\n"
	      "#  allow = { \"192.168.1.0/24:8080\" }\n#}\n"
	      "\n# The same from a list, tried when the first does not play: sources of one group "
	      "have the\n# same channels.\n"
	      "#source \"spare\" {\n#  type = \"m3u\"\n#  url = \"/etc/sluice/spare.m3u\"\n"
	      "#  group = \"tv\"\n#}\n",
		to);
}

/* Each on a line of its own, as mdoc wants it. */
static void print_sentences(const char *text, FILE *to)
{
	for (; *text; text++) {
		putc(*text, to);
		if (*text == '.' && text[1] == ' ') {
			putc('\n', to);
			text++;
		}
	}
	putc('\n', to);
}

void conf_print_man(FILE *to)
{
	fputs(".Bl -tag -width Ds\n", to);
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];

		fprintf(to, ".It Ic %s\n", s->name);
		print_sentences(s->help, to);
		if (s->words && s->type != SETTING_NUMBER)
			fprintf(to, "One of: %s.\n", s->words);
		if (*unit_name(s))
			fprintf(to, "In %s.\n", unit_name(s));
		if (s->most && s->type == SETTING_NUMBER)
			fprintf(to, "From %lld to %lld.\n", (long long)s->least,
				(long long)s->most);
		fprintf(to, "Default: %s\n", *s->usual ? s->usual : "empty");
	}
	fputs(".El\n", to);
}
