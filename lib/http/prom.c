/* lib/http/prom.c - figures as Prometheus reads them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/prom.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/must.h"
#include "lib/http/accept.h"

enum { LABELS_MAX = 4 };

bool prom_wants_open(const char *accept)
{
	int open = accept_weight(accept, "application/openmetrics-text");

	return open > 0 && open > accept_weight(accept, "text/plain");
}

/* --- text ------------------------------------------------------------------------------------- */

/* In a label's value a backslash, a quote and a line's end are escaped; nothing else is special. */
static void put_escaped(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_puts(to, "\\n");
		else if (*text == '\\' || *text == '"')
			buf_printf(to, "\\%c", *text);
		else
			buf_putc(to, *text);
	}
}

static void put_number(const struct prom *p, int64_t value)
{
	int64_t divisor = p->divisor;
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	int digits = 0;

	for (int64_t d = divisor; d > 1; d /= 10)
		digits++;
	buf_printf(p->to, "%s%llu", value < 0 ? "-" : "",
		(unsigned long long)(size / (uint64_t)divisor));
	if (digits)
		buf_printf(
			p->to, ".%0*llu", digits, (unsigned long long)(size % (uint64_t)divisor));
}

static void put_labels(const struct prom *p, const struct prom_label *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_printf(p->to, "%s%s=\"", i ? "," : "{", labels[i].name);
		put_escaped(p->to, labels[i].value);
		buf_putc(p->to, '"');
	}
	if (count)
		buf_putc(p->to, '}');
}

static void put_sample(struct prom *p, const char *suffix, const struct prom_label *labels,
	size_t count, int64_t value)
{
	buf_printf(p->to, "%s%s", p->name, suffix);
	put_labels(p, labels, count);
	buf_putc(p->to, ' ');
	put_number(p, value);
	buf_putc(p->to, '\n');
}

void prom_begin(struct prom *p, struct buf *to, bool open)
{
	*p = (struct prom){.to = to, .open = open, .divisor = 1};
}

void prom_metric(
	struct prom *p, const char *name, enum prom_type type, int64_t divisor, const char *help)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	const char *suffix = type == PROM_COUNTER && !p->open ? "_total" : "";

	must(divisor > 0 && strlen(name) < sizeof(p->name));
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->type = type;
	p->divisor = divisor;
	buf_printf(p->to, "# HELP %s%s %s\n", name, suffix, help);
	buf_printf(p->to, "# TYPE %s%s %s\n", name, suffix, types[type]);
}

void prom_sample(struct prom *p, const struct prom_label *labels, size_t count, int64_t value)
{
	must(p->type != PROM_HISTOGRAM);
	put_sample(p, p->type == PROM_COUNTER ? "_total" : "", labels, count, value);
}

void prom_histogram(struct prom *p, const struct prom_label *labels, size_t count,
	const char *const *bounds, const int64_t *per_bucket, size_t buckets, int64_t sum)
{
	struct prom_label all[LABELS_MAX + 1];
	int64_t divisor = p->divisor, so_far = 0;

	must(p->type == PROM_HISTOGRAM && count <= LABELS_MAX && buckets > 0);
	for (size_t i = 0; i < count; i++)
		all[i] = labels[i];
	p->divisor = 1;
	for (size_t i = 0; i < buckets; i++) {
		all[count] = (struct prom_label){"le", i < buckets - 1 ? bounds[i] : "+Inf"};
		so_far += per_bucket[i];
		put_sample(p, "_bucket", all, count + 1, so_far);
	}
	put_sample(p, "_count", labels, count, so_far);
	p->divisor = divisor;
	put_sample(p, "_sum", labels, count, sum);
}

void prom_end(struct prom *p)
{
	if (p->open)
		buf_puts(p->to, "# EOF\n");
}
