/* lib/io/conf.h - the configuration: a file, the environment and defaults, read once.
 * SPDX-License-Identifier: BSD-2-Clause
 * Every setting stands in one table (lib/io/settings.c) that feeds the parser, the SLUICE_<NAME>
 * overrides, `sluice check`, the example file and the man page. A setting is added there and as a
 * member here; the member's name is the setting's, with the unit where it has one (live_idle is
 * live_idle_s). */
#ifndef SLUICE_IO_CONF_H
#define SLUICE_IO_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/fail.h"
#include "lib/base/log.h"

enum conf_access { ACCESS_OPEN, ACCESS_PASSWORD };
enum conf_proxy_field { PROXY_X_FORWARDED_FOR, PROXY_FORWARDED };
enum { CONF_PROXIES_MAX = 64 };

/* An account at a source. */
struct conf_account {
	const char *name; /* of its `account "name" { … }` section; "" for the source's own */
	const char *user, *password;
	int64_t connections; /* how many streams it allows at once; 0: as many as one likes */
};

/* One `source "name" { … }` section. Blank texts are "", never NULL. */
struct conf_source {
	const char *name;	    /* ident_source_ok() (lib/http/ident.h), unique */
	const char *type;	    /* "xtream", "m3u", "files", "http" or "command" */
	const char *url;	    /* "m3u": may be the path of a file; "files": of a directory;
				     * "http" and "command": with {id} in it; "command": may be "" */
	const char *const *command; /* of "command": the program and its words */
	size_t command_count;
	const char *output;	/* what a gateway is asked for: "ts" or "m3u8" */
	const char *user_agent; /* "": our own */
	const char *referrer;	/* "": none */
	const char *egress;	/* the address of ours to connect from; "": any */
	const char *media;	/* what is wished by who does not say: "audio" or "video" */
	const char *group; /* sources of one group have the same channels; "": none has the like */
	const struct conf_account *accounts; /* in the order in which they are tried */
	size_t account_count;		     /* at least 1 */
	const char *const *allow; /* private addresses it may use: "CIDR[:port[-port]]" */
	size_t allow_count;
	int line; /* of the file, where the section ends */
};

/* One `channel "live-8" { … }` or `category "Radio" { … }` section: what is not as for the
 * others. */
struct conf_own {
	const char *name; /* the channel's id; the category's name */
	const char *ladder;
};

struct conf_memory; /* what the texts below live in, and where each setting came from */

/* Texts are never NULL: what is not set and has no default is "". Directories are absolute. */
struct conf {
	const char *path; /* absolute, the file that was read */
	/* Not a setting: our own program, set by a worker that may have to start a supervisor
	 * because there is no master; NULL elsewhere. */
	const char *program;

	/* places */
	const char *state_dir, *run_dir, *live_dir, *web_dir, *slate_dir;
	const char *www_dir; /* not a setting: state_dir "/www", the front server's document root */
	const char *user, *group;
	const char *log_file; /* "": standard error */
	enum log_level log_level;

	/* processes */
	int64_t api_processes, api_threads, relay_processes, relay_threads, stream_max;
	int64_t direct_max;	/* viewers of channels' own streams at once */
	int64_t live_max;	/* channels at once; 0: as many as the machine can */
	int64_t import_every_s; /* how old a source's list may grow */

	/* live channels */
	const char *ladder, *default_quality, *max_quality;
	const char *default_audio_quality;
	const char *audio_language; /* ISO 639-2, by blanks */
	int64_t live_idle_s, live_token_ttl_s;
	int64_t encoder_threads;
	const char *ffmpeg;

	/* films */
	const char *film_ladder, *media_program, *direct_play;
	int64_t film_jobs; /* encoded at once; 0: as many as there are processors */
	int64_t look_ahead, segment_ttl_s, watch_dirs;

	/* resolved streams */
	int64_t url_ttl_s, resolve_timeout_s, art_ttl_s;
	int64_t prefetch_bytes, prefetch_ttl_s;
	int64_t resolvers; /* programs at once */
	int64_t resolve_memory, resolve_fragments, resolve_chunk, resolve_retries;

	/* stores, in bytes */
	int64_t bytes_quota, free_floor;
	const char *stream_dir; /* of the byte cache: lib/svc/object.h */
	int64_t stream_quota;

	/* memcached: servers as "host:port" or "/path.sock", separated by blanks; "" for none */
	const char *memcached_servers, *memcached_prefix, *memcached_user, *memcached_password;

	/* the front server's log, which the meter reads; "": none */
	const char *access_log;
	int64_t bandwidth_budget, bandwidth_free; /* bytes a month */
	int64_t bandwidth_alert;		  /* percent of the budget */
	int64_t cost_per_gb;			  /* thousandths */

	/* who asks, behind proxies of ours (CIDRs, by blanks), and how often they may: requests a
	 * minute of a client; 0: as often as they like */
	const char *trusted_proxies;
	enum conf_proxy_field proxy_field;
	int64_t rate_video_info, rate_download, rate_refresh, rate_resolve, rate_api;
	int64_t rate_factor; /* of all of them, in thousandths */

	/* who may, and under which names */
	enum conf_access access;
	const char *htpasswd, *admin_token, *public_url, *cors_origin, *host_name;

	/* the pages */
	const char *site_name, *site_logo, *site_colour;

	const struct conf_source *sources;
	size_t source_count;
	const struct conf_own *channels, *categories;
	size_t channel_count, category_count;
	const char *all_rungs; /* every rung that any channel may have, `ladder` first */

	struct conf_memory *memory;
};

/* Reads the file `path` (NULL: SYSCONFDIR "/sluice/sluice.conf") and the SLUICE_<NAME> variables,
 * which win over the file. `*out` is owned by the caller and does not change afterwards.
 * Fails: FAIL_INPUT for the first mistake, in one sentence with file and line (or the variable);
 * FAIL_MISSING when the file cannot be read. All mistakes are added to `mistakes` (may be NULL), a
 * line each; behind one that leaves the file without sense no others are looked for in it. */
int conf_load(struct conf **out, const char *path, struct buf *mistakes, struct fail *f);
void conf_close(struct conf **c);

/* The ladder of a channel: its own, or that of its category (its name, in any case; "" for none),
 * or the setting. */
const char *conf_ladder(const struct conf *c, const char *id, const char *category);

/* The source of that name, or NULL. */
const struct conf_source *conf_source(const struct conf *c, const char *name);

/* Every effective setting, one a line in the file's own syntax, with its unit and where it came
 * from. Secrets are printed as ********. */
void conf_print(const struct conf *c, FILE *to);

/* The table as an example file, and as the list of a mdoc(7) page. */
void conf_print_example(FILE *to);
void conf_print_man(FILE *to);

#endif
