/* fcgi-app/door/admin.c - who may do more than watch.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "fcgi-app/door/admin.h"

#include <stdio.h>
#include <string.h>

#include "lib/io/conf.h"
#include "lib/io/sign.h"

enum { ORIGIN_BYTES = 300 };

static bool has_token(const struct request *rq, const char *wanted)
{
	static const char scheme[] = "Bearer ";
	struct span token = span_of(request_header(rq, "HTTP_X_SLUICE_TOKEN"));
	struct span bearer = span_of(request_header(rq, "HTTP_AUTHORIZATION"));

	if (span_starts(bearer, scheme))
		token = span_make(
			bearer.ptr + sizeof(scheme) - 1, bearer.len - (sizeof(scheme) - 1));
	return sign_equal(token, span_of(wanted));
}

/* Nobody's address: a front server that listens on a socket of this host. */
static bool is_loopback(const char *address)
{
	return !address || !*address || strcmp(address, "unix:") == 0 ||
	       strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0;
}

/* Whether the request was made for a name of this host: another one leads here too, where somebody
 * means to have browsers ask us (DNS rebinding). */
static bool is_local_host(const char *host)
{
	struct span rest = span_of(host), name;

	if (!host || span_starts(rest, "[::1]"))
		return !host || rest.len == 5 || rest.ptr[5] == ':';
	span_next(&rest, ':', &name);
	if (span_is_nocase(name, "localhost"))
		return true;
	return span_starts(name, "127.") && strspn(name.ptr, "0123456789.") >= name.len;
}

/* Browsers say where the page is from that asks. */
static bool is_own_page(const struct request *rq, const char *host)
{
	const char *origin = fcgi_param(rq->x, "HTTP_ORIGIN");
	const char *site = fcgi_param(rq->x, "HTTP_SEC_FETCH_SITE");
	char own[ORIGIN_BYTES];

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (!origin)
		return true;
	snprintf(own, sizeof(own), "http://%s", host ? host : "");
	if (strcmp(origin, own) == 0)
		return true;
	snprintf(own, sizeof(own), "https://%s", host ? host : "");
	return strcmp(origin, own) == 0;
}

static bool came_through_proxy(const struct request *rq)
{
	static const char *const fields[] = {
		"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fcgi_param(rq->x, fields[i]))
			return true;
	}
	return false;
}

bool admin_is_here(const struct request *rq, const struct conf *conf)
{
	const char *host = fcgi_param(rq->x, "HTTP_HOST");

	if (*conf->admin_token)
		return has_token(rq, conf->admin_token);
	return is_loopback(fcgi_param(rq->x, "REMOTE_ADDR")) && !came_through_proxy(rq) &&
	       is_local_host(host) && is_own_page(rq, host);
}

bool admin_or_user(const struct request *rq, const struct conf *conf)
{
	const char *user = request_header(rq, "REMOTE_USER");

	return (conf->access == ACCESS_PASSWORD && user && *user) || admin_is_here(rq, conf);
}

int admin_require(const struct request *rq, struct reply *r, struct fail *f)
{
	r->private_cors = true;
	if (admin_is_here(rq, r->conf))
		return 0;
	return fail_set(f, FAIL_FORBIDDEN, "%s",
		*r->conf->admin_token
			? "This is the administrator's: send admin_token as X-Sluice-Token"
			: "This is the administrator's: ask from this host, or set admin_token");
}
