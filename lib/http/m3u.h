/* lib/http/m3u.h - lists of channels: M3U with the attributes of M3U-plus.
 * SPDX-License-Identifier: BSD-2-Clause
 * There is no standard; this reads what such lists hold: attributes in any order and case, with or
 * without quotes, with quotes and '=' inside of values; #EXTGRP; #EXTVLCOPT and #KODIPROP for the
 * player's name and the referrer; "url|User-Agent=..&Referer=.."; a byte order mark; CR LF. What
 * stands behind #EXTM3U counts for entries that do not say it themselves: user-agent,
 * http-referrer, catchup-days. What players alone need (tvg-shift, url-tvg, aspect ratios,
 * adaptive.license…) is passed over. It takes a list in pieces of any size and remembers one entry.
 */
#ifndef SLUICE_HTTP_M3U_H
#define SLUICE_HTTP_M3U_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/span.h"

enum { M3U_LINE_MAX = 16384 /* bytes; a longer line is no line */ };

/* Texts as they stand in the list, trimmed, good during the call; empty where there is none. */
struct m3u_entry {
	struct span name;	/* behind the comma */
	struct span guide_id;	/* tvg-id */
	struct span guide_name; /* tvg-name */
	struct span logo;	/* tvg-logo */
	struct span group;	/* group-title, or #EXTGRP */
	struct span number;	/* tvg-chno, ch-number */
	struct span days;	/* catchup-days, tvg-rec, timeshift */
	struct span agent, referrer;
	struct span url; /* may be relative to the list's own */
};

typedef bool m3u_fn(void *ctx, const struct m3u_entry *entry);

struct m3u {
	struct buf line, head;			 /* what stands behind #EXTM3U */
	struct buf info, group, agent, referrer; /* of the entry that has begun */
	m3u_fn *each;
	void *ctx;
	int64_t lines, entries;
	bool too_long; /* the line that has begun */
	bool has_head; /* #EXTM3U came */
	bool is_none;  /* what it begins with stands in no list: a web page, a message, a picture */
	bool stopped;
};

/* `each` says whether to go on. */
void m3u_init(struct m3u *m, m3u_fn *each, void *ctx);
void m3u_release(struct m3u *m); /* accepts a zeroed one */

/* Takes the next piece. False when it is no list, `each` has said so, or there is no memory. */
bool m3u_feed(struct m3u *m, const void *bytes, size_t len);

/* There is no more: the last line needs no end. */
bool m3u_end(struct m3u *m);

#endif
