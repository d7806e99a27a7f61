/* fcgi-app/endpoints/metrics.c - figures of the whole service for Prometheus.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "fcgi-app/endpoints/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "fcgi-app/app.h"
#include "fcgi-app/door/tally.h"
#include "fcgi-app/endpoints/ops.h"
#include "lib/base/clock.h"
#include "lib/http/prom.h"
#include "lib/io/board.h"
#include "lib/io/conf.h"
#include "lib/io/mc.h"
#include "lib/io/proc.h"
#include "lib/svc/publish.h"

enum { METRICS_MAX = 2 * 1024 * 1024, NAME_MAX = 80, ROLES_MAX = 24 };

/* --- what is counted by name ------------------------------------------------------------------ */

static const char *const kind_labels[ROW_KINDS] = {
	[ROW_ROUTE] = "route",
	[ROW_FAMILY] = "family",
	[ROW_SERVER] = "server",
	[ROW_SOURCE] = "source",
	[ROW_TRAFFIC] = "family",
};
static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx", NULL};
static const char *const gets[] = {"hit", "miss", NULL};
static const char *const answers[] = {"hit", "miss", "other", NULL};
static const char *const stores[] = {"stored", "not_stored", NULL};

/* Columns of rows as counters: one a column, told apart by a second label where there are several.
 * A new column is printed by a new line here. */
static const struct line {
	const char *name, *help;
	int64_t divisor;
	enum row_kind kind;
	int first; /* column */
	const char *label;
	const char *const *values; /* of the columns from `first`, up to NULL; NULL: one column */
} lines[] = {
	{"http_requests", "Requests answered by workers, by route and class of status.", 1,
		ROW_ROUTE, ROUTE_1XX, "code", classes},
	{"http_response_bytes", "Bytes of the bodies that workers sent.", 1, ROW_ROUTE, ROUTE_BYTES,
		NULL, NULL},
	{"memcached_gets", "Values asked for, by family of keys.", 1, ROW_FAMILY, FAMILY_HITS,
		"result", gets},
	{"memcached_sets", "Values sent, by family of keys.", 1, ROW_FAMILY, FAMILY_STORED,
		"result", stores},
	{"memcached_unanswered", "Calls that no server answered.", 1, ROW_FAMILY, FAMILY_AWAY, NULL,
		NULL},
	{"memcached_deletes", "Values deleted.", 1, ROW_FAMILY, FAMILY_DELETED, NULL, NULL},
	{"memcached_increments", "Counters counted on.", 1, ROW_FAMILY, FAMILY_COUNTED, NULL, NULL},
	{"memcached_read_bytes", "Bytes of values read.", 1, ROW_FAMILY, FAMILY_BYTES_READ, NULL,
		NULL},
	{"memcached_written_bytes", "Bytes of values stored.", 1, ROW_FAMILY, FAMILY_BYTES_WRITTEN,
		NULL, NULL},
	{"memcached_outages", "How often a process found a server away and left it alone.", 1,
		ROW_SERVER, SERVER_OUTAGES, NULL, NULL},
	{"memcached_failures", "Questions that a server did not answer.", 1, ROW_SERVER,
		SERVER_FAILURES, NULL, NULL},
	{"upstream_requests", "Requests to a source, lists of channels as one each.", 1, ROW_SOURCE,
		SOURCE_REQUESTS, NULL, NULL},
	{"upstream_bytes", "Bytes of streams and answers from a source.", 1, ROW_SOURCE,
		SOURCE_BYTES, NULL, NULL},
	{"upstream_refusals", "Answers of a source with a status of 400 and above.", 1, ROW_SOURCE,
		SOURCE_REFUSED, NULL, NULL},
	{"sent_answers",
		"Answers to viewers as the access log tells of them, by family of addresses.", 1,
		ROW_TRAFFIC, TRAFFIC_HITS, "result", answers},
	{"sent_bytes", "Bytes of these answers, headers included.", 1, ROW_TRAFFIC, TRAFFIC_BYTES,
		NULL, NULL},
};

/* The rows of a kind, those of one name added up. */
struct figures {
	char name[ROW_NAME_BYTES];
	int64_t cell[ROW_CELLS];
};

struct gathered {
	struct figures *list; /* room for all rows */
	size_t count;
};

static void gather(const struct rows *rows, enum row_kind kind, struct gathered *to)
{
	const struct row *row;
	size_t at = 0, i;

	to->count = 0;
	while ((row = rows_each(rows, kind, &at))) {
		char name[ROW_NAME_BYTES];

		row_name(row, name);
		for (i = 0; i < to->count && strcmp(to->list[i].name, name) != 0; i++)
			;
		if (i == to->count) {
			to->list[to->count] = (struct figures){{0}, {0}};
			memcpy(to->list[to->count++].name, name, sizeof(name));
		}
		for (int c = 0; c < ROW_CELLS; c++)
			to->list[i].cell[c] += row_get(row, c);
	}
}

static void begin(
	struct prom *p, const char *name, enum prom_type type, int64_t divisor, const char *help)
{
	char full[NAME_MAX];

	snprintf(full, sizeof(full), "sluice_%s", name);
	prom_metric(p, full, type, divisor, help);
}

static void put_line(struct prom *p, const struct line *l, const struct gathered *g)
{
	begin(p, l->name, PROM_COUNTER, l->divisor, l->help);
	for (size_t i = 0; i < g->count; i++) {
		struct prom_label labels[2] = {{kind_labels[l->kind], g->list[i].name}};

		if (!l->values)
			prom_sample(p, labels, 1, g->list[i].cell[l->first]);
		for (int v = 0; l->values && l->values[v]; v++) {
			labels[1] = (struct prom_label){l->label, l->values[v]};
			prom_sample(p, labels, 2, g->list[i].cell[l->first + v]);
		}
	}
}

static void put_durations(struct prom *p, const struct gathered *routes)
{
	begin(p, "http_request_duration_seconds", PROM_HISTOGRAM, 1000000,
		"From the request's arrival at a worker to its answer.");
	for (size_t i = 0; i < routes->count; i++) {
		const struct figures *f = &routes->list[i];
		struct prom_label label = {"route", f->name};

		prom_histogram(p, &label, 1, tally_bounds, &f->cell[ROUTE_BUCKET], ROUTE_BUCKETS,
			f->cell[ROUTE_MICROSECONDS]);
	}
}

/* Kinds that no transfer ends with are left out. */
static void put_upstream_errors(struct prom *p, const struct gathered *sources)
{
	static const enum fail_kind kinds[] = {
		FAIL_INPUT, FAIL_FORBIDDEN, FAIL_BUSY, FAIL_UPSTREAM, FAIL_TIMEOUT, FAIL_INTERNAL};

	begin(p, "upstream_errors", PROM_COUNTER, 1,
		"Requests to a source that failed without an answer, or before its end.");
	for (size_t i = 0; i < sources->count; i++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			struct prom_label labels[2] = {
				{"source", sources->list[i].name}, {"kind", fail_name(kinds[k])}};
			prom_sample(p, labels, 2,
				sources->list[i].cell[SOURCE_FAILURES + (int)kinds[k]]);
		}
	}
}

static void put_rows(struct prom *p, const struct rows *rows, struct figures *room)
{
	struct gathered g = {room, 0};

	for (int kind = 0; kind < ROW_KINDS; kind++) {
		gather(rows, (enum row_kind)kind, &g);
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
			if (lines[i].kind == (enum row_kind)kind)
				put_line(p, &lines[i], &g);
		}
		if (kind == ROW_ROUTE)
			put_durations(p, &g);
		if (kind == ROW_SOURCE)
			put_upstream_errors(p, &g);
	}
}

static void put_totals(struct prom *p, const struct board *board)
{
	for (int t = 0; t < BOARD_TOTALS; t++) {
		const struct board_total_info *info = board_total_info((enum board_total)t);

		begin(p, info->metric, info->gauge ? PROM_GAUGE : PROM_COUNTER, info->divisor,
			info->help);
		prom_sample(p, NULL, 0, board_get(board, (enum board_total)t));
	}
}

/* --- what can be seen now --------------------------------------------------------------------- */

static void put_gauge(
	struct prom *p, const char *name, int64_t divisor, const char *help, int64_t value)
{
	begin(p, name, PROM_GAUGE, divisor, help);
	prom_sample(p, NULL, 0, value);
}

/* All processes of one role together; -1 where we may not look at one of them. */
struct role_figures {
	char name[sizeof(((struct board_slot *)0)->role)];
	int64_t count, resident, proportional, descriptors, busy, limit;
};

static void add_or_lose(int64_t *sum, int64_t value)
{
	*sum = *sum < 0 || value < 0 ? -1 : *sum + value;
}

static size_t look_at_roles(const struct board *board, struct role_figures *list)
{
	const struct board_slot *slot;
	struct proc_memory memory;
	size_t count = 0, at = 0, i;

	while ((slot = board_each(board, &at))) {
		for (i = 0; i < count && strncmp(list[i].name, slot->role, sizeof(slot->role)); i++)
			;
		if (i == ROLES_MAX)
			continue;
		if (i == count) {
			list[count] = (struct role_figures){{0}, .count = 0};
			span_copy(
				span_make(slot->role, strnlen(slot->role, sizeof(slot->role) - 1)),
				list[count].name, sizeof(list[count].name));
			count++;
		}
		proc_memory(slot->pid, true, &memory);
		list[i].count++;
		list[i].resident += memory.resident;
		list[i].busy += atomic_load(&slot->busy);
		list[i].limit += atomic_load(&slot->limit);
		add_or_lose(&list[i].proportional, memory.proportional);
		add_or_lose(&list[i].descriptors, proc_descriptors(slot->pid));
	}
	return count;
}

#define OF(member) offsetof(struct role_figures, member)

static const struct role_line {
	const char *name, *help;
	size_t member;
	bool workers; /* only roles that take requests */
} role_lines[] = {
	{"processes", "Processes that run, by role.", OF(count), false},
	{"process_resident_memory_bytes", "Resident memory, shared pages counted in each process.",
		OF(resident), false},
	{"process_proportional_memory_bytes",
		"Memory with shared pages by their part (PSS); missing where it may not be read.",
		OF(proportional), false},
	{"process_open_fds", "Open descriptors; missing where they may not be counted.",
		OF(descriptors), false},
	{"requests_at_work", "Requests at work now.", OF(busy), true},
	{"requests_limit", "Requests that are worked at, at most, before others are told busy.",
		OF(limit), true},
};

static void put_roles(struct prom *p, const struct board *board)
{
	struct role_figures list[ROLES_MAX];
	size_t count = look_at_roles(board, list);

	for (size_t l = 0; l < sizeof(role_lines) / sizeof(role_lines[0]); l++) {
		begin(p, role_lines[l].name, PROM_GAUGE, 1, role_lines[l].help);
		for (size_t i = 0; i < count; i++) {
			struct prom_label label = {
				role_lines[l].workers ? "pool" : "role", list[i].name};
			int64_t value;

			memcpy(&value, (const char *)&list[i] + role_lines[l].member,
				sizeof(value));
			if (value >= 0 && (!role_lines[l].workers || list[i].limit > 0))
				prom_sample(p, &label, 1, value);
		}
	}
}

static void put_stores(struct prom *p, const struct app *app)
{
	static const char *const names[PUBLISH_STORES] = {"www", "live"};
	struct publish_room room[PUBLISH_STORES];

	for (int i = 0; i < PUBLISH_STORES; i++)
		publish_room(app->conf, app->board, (enum publish_store)i, &room[i]);
	begin(p, "store_free_bytes", PROM_GAUGE, 1, "Free bytes of the store's file system.");
	for (int i = 0; i < PUBLISH_STORES; i++) {
		if (room[i].free >= 0)
			prom_sample(p, &(struct prom_label){"store", names[i]}, 1, room[i].free);
	}
	begin(p, "store_floor_bytes", PROM_GAUGE, 1, "Bytes that are to stay free there.");
	for (int i = 0; i < PUBLISH_STORES; i++)
		prom_sample(p, &(struct prom_label){"store", names[i]}, 1, room[i].floor);
	put_gauge(p, "store_quota_bytes", 1, "What published files may take (bytes_quota).",
		room[PUBLISH_WWW].quota);
}

static void put_memcached(struct prom *p, const struct app *app)
{
	struct mc_server_state servers[MC_SERVERS_MAX];
	size_t count = mc_state(app->mc, servers);

	begin(p, "memcached_up", PROM_GAUGE, 1, "Whether the server answers this process.");
	for (size_t i = 0; i < count; i++)
		prom_sample(p, &(struct prom_label){"server", servers[i].name}, 1,
			servers[i].away ? 0 : 1);
}

static void put_service(struct prom *p, const struct app *app)
{
	struct prom_label version = {"version", PACKAGE_VERSION};
	int64_t started_ms = board_started_ms(app->board);
	struct rlimit files = {0, 0};

	begin(p, "build_info", PROM_GAUGE, 1, "The version that runs.");
	prom_sample(p, &version, 1, 1);
	put_gauge(p, "up", 1, "1: a worker answers.", 1);
	put_gauge(p, "ready", 1, "1: requests can be answered (/health/ready).",
		ops_is_ready(app) ? 1 : 0);
	put_gauge(p, "start_time_seconds", 1000, "When the service started, since the epoch.",
		started_ms);
	put_gauge(p, "uptime_seconds", 1000, "How long it runs.", clock_real_ms() - started_ms);
	put_gauge(p, "live_channels_limit", 1, "Channels that are encoded at once, at most.",
		app->conf->live_max);
	getrlimit(RLIMIT_NOFILE, &files);
	put_gauge(p, "process_max_fds", 1, "Descriptors that a worker may have open.",
		files.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)files.rlim_cur);
}

int metrics_show(struct app *app, struct request *rq, struct reply *r, struct fail *f)
{
	bool open = prom_wants_open(request_header(rq, "HTTP_ACCEPT"));
	struct figures *room = calloc(ROWS_MAX + 1, sizeof(*room));
	struct buf text;
	struct prom p;

	if (!room)
		return fail_set(f, FAIL_BUSY, "There is no memory for the figures");
	buf_init(&text, METRICS_MAX);
	prom_begin(&p, &text, open);
	put_service(&p, app);
	put_roles(&p, app->board);
	put_stores(&p, app);
	put_memcached(&p, app);
	put_totals(&p, app->board);
	put_rows(&p, board_rows(app->board), room);
	prom_end(&p);
	free(room);
	reply_text(r, 200, open ? PROM_OPEN : PROM_TEXT, buf_span(&text));
	buf_release(&text);
	reply_cache(r, "no-store");
	reply_vary(r, "Accept");
	return 0;
}
