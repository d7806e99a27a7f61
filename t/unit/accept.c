/* t/unit/accept.c - what a client would rather have.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/accept.h"

#include "t/unit/tap.h"

#define BROWSER                                                                                    \
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"  \
	"*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"

static const struct {
	const char *header, *name;
	int weight;
} weights[] = {
	{NULL, "text/html", ACCEPT_UNSAID},
	{"", "text/html", ACCEPT_UNSAID},
	{"*/*", "text/html", 1000},
	{BROWSER, "text/html", 1000},
	{BROWSER, "application/json", 800},
	{BROWSER, "application/signed-exchange", 700},
	{"application/json", "text/html", ACCEPT_UNSAID},
	{"TEXT/HTML;Q=0.5", "text/html", 500},
	{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/html", 700},
	{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "text/plain", 300},
	{"text/*;q=0.3, text/html;q=0.7, */*;q=0.5", "image/png", 500},
	{"text/htmlx, text/htm", "text/html", ACCEPT_UNSAID},
	{"text/html;q=0", "text/html", 0},
	{"text/html;level=1;q=0.4", "text/html", 400},
	{"text/html ; q = 0.25 ", "text/html", 250},
	{"gzip, deflate, br", "br", 1000},
	{"gzip;q=1.0, identity; q=0.5, *;q=0", "br", 0},
	{"gzip;q=1.0, identity; q=0.5, *;q=0", "identity", 500},
	{"gzip;q=0.001", "gzip", 1},
	{"gzip;q=1.000", "gzip", 1000},
	/* weights that are none: the element is passed over */
	{"gzip;q=1.001", "gzip", ACCEPT_UNSAID},
	{"gzip;q=2", "gzip", ACCEPT_UNSAID},
	{"gzip;q=-1", "gzip", ACCEPT_UNSAID},
	{"gzip;q=0.1234", "gzip", ACCEPT_UNSAID},
	{"gzip;q=", "gzip", ACCEPT_UNSAID},
	{"gzip;q=x, *", "gzip", 1000},
	{",,,;;;,gzip,,", "gzip", 1000},
};

static const struct {
	const char *header;
	bool br, gzip;
	const char *want;
} codings[] = {
	{NULL, true, true, NULL},
	{"", true, true, NULL},
	{"gzip, deflate, br", true, true, "br"},
	{"gzip, deflate, br", false, true, "gzip"},
	{"gzip, deflate, br", true, false, "br"},
	{"gzip, deflate, br", false, false, NULL},
	{"gzip", true, true, "gzip"},
	{"*", true, true, "br"},
	{"identity", true, true, NULL},
	{"gzip;q=1, br;q=0.5", true, true, "gzip"},
	{"br;q=0, gzip;q=0", true, true, NULL},
	{"br;q=0, *", true, true, "gzip"},
	{"identity, br;q=0.5", true, true, NULL},
	{"gzip;q=0.1", false, true, "gzip"},
	{"br;q=oops", true, true, NULL},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++)
		is_int(accept_weight(weights[i].header, weights[i].name), weights[i].weight,
			"'%.40s' weighs %s", weights[i].header ? weights[i].header : "(none)",
			weights[i].name);
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		is_str(accept_coding(codings[i].header, codings[i].br, codings[i].gzip),
			codings[i].want, "'%s' with%s%s",
			codings[i].header ? codings[i].header : "", codings[i].br ? " br" : "",
			codings[i].gzip ? " gzip" : "");
	return tap_done();
}
