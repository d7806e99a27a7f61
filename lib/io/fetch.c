/* lib/io/fetch.c - HTTP from upstreams that may be awkward or hostile: libcurl.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/must.h"
#include "lib/http/cidr.h"
#include "lib/http/redact.h"
#include "lib/io/rows.h"

enum { HEADERS_MAX_BYTES = 128 * 1024, HEADERS_MAX = 200, REDIRECTS_MAX = 8, ALLOW_MAX = 32 };

struct transfer {
	struct fetcher *owner;
	struct transfer *next;
	CURL *curl;
	struct fetch_request rq;
	struct cidr allow[ALLOW_MAX];
	size_t allow_count;
	char shown[200]; /* the URL as it may be shown */
	int64_t body_bytes, header_bytes, headers;
	int64_t moved_ms; /* when the last byte came */
	bool head_done, held;
	char refused[64]; /* the private address that was wanted, or "" */
	struct fail why;  /* set by a callback that ended it */
};

struct fetcher {
	CURLM *multi;
	struct transfer *transfers;
};

static bool end_with(struct transfer *t, enum fail_kind kind, const char *what)
{
	if (!t->why.kind)
		fail_set(&t->why, kind, "%s: %s", t->shown, what);
	return false;
}

/* --- callbacks of libcurl --- */

static bool read_address(const struct curl_sockaddr *sa, struct cidr_address *a, uint16_t *port)
{
	if (sa->family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&sa->addr;
		uint8_t v4[4];

		memcpy(v4, &in->sin_addr, 4);
		*a = cidr_from_v4(v4);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (sa->family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)&sa->addr;

		memcpy(a->bytes, &in->sin6_addr, 16);
		*port = ntohs(in->sin6_port);
		return true;
	}
	return false;
}

/* Every connection passes here with the address it goes to, after names and redirects. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *sa)
{
	struct transfer *t = ctx;
	struct cidr_address a;
	uint16_t port;
	bool allowed;

	(void)purpose;
	if (!read_address(sa, &a, &port))
		return CURL_SOCKET_BAD;
	allowed = !cidr_is_private(&a);
	for (size_t i = 0; i < t->allow_count && !allowed; i++)
		allowed = cidr_holds(&t->allow[i], &a, port);
	if (allowed)
		return socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
	if (sa->family == AF_INET)
		inet_ntop(AF_INET, a.bytes + 12, t->refused, sizeof(t->refused));
	else
		inet_ntop(AF_INET6, a.bytes, t->refused, sizeof(t->refused));
	return CURL_SOCKET_BAD;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;

	(void)bytes;
	if (size * count <= 2) /* its end: a head that drips is no answer */
		t->moved_ms = clock_mono_ms();
	t->header_bytes += (int64_t)(size * count);
	if (++t->headers > HEADERS_MAX || t->header_bytes > HEADERS_MAX_BYTES)
		return end_with(t, FAIL_UPSTREAM, "the answer has too many headers");
	return size * count;
}

static void read_head(const struct transfer *t, struct fetch_head *head)
{
	char *type = NULL, *redirect = NULL, *url = NULL;
	curl_off_t length = -1;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &redirect);
	curl_easy_getinfo(t->curl, CURLINFO_EFFECTIVE_URL, &url);
	*head = (struct fetch_head){(int)status, type ? type : "", url ? url : "",
		redirect ? redirect : "", "", "", "", length};
}

/* Of the last answer, redirects left out; "" where it has none, or one that is too long to be
 * one. */
static void copy_header(const struct transfer *t, const char *name, char *to, size_t size)
{
	struct curl_header *h = NULL;

	to[0] = '\0';
	if (curl_easy_header(t->curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK &&
		strlen(h->value) < size)
		snprintf(to, size, "%s", h->value);
}

static bool give_head(struct transfer *t)
{
	char content_range[100], validator[200], encoding[40];
	struct fetch_head head;

	if (t->head_done)
		return true;
	t->head_done = true;
	read_head(t, &head);
	copy_header(t, "Content-Range", content_range, sizeof(content_range));
	copy_header(t, "ETag", validator, sizeof(validator));
	if (!*validator)
		copy_header(t, "Last-Modified", validator, sizeof(validator));
	copy_header(t, "Content-Encoding", encoding, sizeof(encoding));
	head.content_range = content_range;
	head.validator = validator;
	head.encoding = encoding;
	row_add(t->rq.row, SOURCE_REFUSED, head.status >= 400);
	if (t->rq.on_head && t->rq.on_head(t->rq.ctx, &head) == FETCH_STOP)
		return end_with(t, FAIL_GONE, "not wanted any more");
	return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	enum fetch_verdict verdict = FETCH_GO_ON;
	size_t len = size * count;

	t->moved_ms = clock_mono_ms();
	if (!give_head(t))
		return 0;
	t->body_bytes += (int64_t)len;
	row_add(t->rq.row, SOURCE_BYTES, (int64_t)len);
	if (t->rq.max_bytes && t->body_bytes > t->rq.max_bytes)
		return end_with(t, FAIL_UPSTREAM, "the answer is too large");
	if (t->rq.on_data)
		verdict = t->rq.on_data(t->rq.ctx, bytes, len);
	if (verdict == FETCH_HOLD) {
		must(t->owner);
		t->held = true;
		t->body_bytes -= (int64_t)len;
		row_add(t->rq.row, SOURCE_BYTES, -(int64_t)len);
		return CURL_WRITEFUNC_PAUSE;
	}
	if (verdict == FETCH_STOP)
		return end_with(t, FAIL_GONE, "not wanted any more");
	return len;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct transfer *t = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	if (t->rq.stall_ms && !t->held && clock_mono_ms() - t->moved_ms > t->rq.stall_ms) {
		end_with(t, FAIL_TIMEOUT, "nothing came for too long");
		return 1;
	}
	return 0;
}

/* --- setting up and ending --- */

static int read_policy(struct transfer *t, const struct fetch_policy *policy, struct fail *f)
{
	for (size_t i = 0; i < policy->allow_count; i++) {
		if (t->allow_count == ALLOW_MAX ||
			!cidr_parse(span_of(policy->allow[i]), &t->allow[t->allow_count++]))
			return fail_set(f, FAIL_INPUT, "allow: \"%s\" is no CIDR[:port[-port]]",
				policy->allow[i]);
	}
	return 0;
}

static void set_range(struct transfer *t)
{
	char text[48];

	if (!t->rq.length)
		return;
	snprintf(text, sizeof(text), "%lld-%lld", (long long)t->rq.offset,
		(long long)(t->rq.offset + t->rq.length - 1));
	curl_easy_setopt(t->curl, CURLOPT_RANGE, text); /* copied */
}

static void set_options(struct transfer *t)
{
	const struct fetch_request *rq = &t->rq;
	CURL *c = t->curl;

	curl_easy_setopt(c, CURLOPT_URL, rq->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* Providers count idle connections: none is kept. */
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, rq->user_agent ? rq->user_agent : "sluice");
	curl_easy_setopt(c, CURLOPT_REFERER, rq->referrer);
	curl_easy_setopt(c, CURLOPT_INTERFACE, rq->egress);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, rq->follow > 0 ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS,
		(long)(rq->follow < REDIRECTS_MAX ? rq->follow : REDIRECTS_MAX));
	curl_easy_setopt(c, CURLOPT_UNRESTRICTED_AUTH, 0L);
	if (rq->compressed)
		curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	curl_easy_setopt(
		c, CURLOPT_CONNECTTIMEOUT_MS, (long)(rq->connect_ms ? rq->connect_ms : 10000));
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)rq->total_ms);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
}

static void transfer_free(struct transfer *t)
{
	if (t->curl)
		curl_easy_cleanup(t->curl);
	free(t);
}

static int transfer_make(const struct fetch_request *rq, struct transfer **out, struct fail *f)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (!t || !(t->curl = curl_easy_init())) {
		free(t);
		return fail_set(f, FAIL_INTERNAL, "There is no memory to fetch");
	}
	t->rq = *rq;
	row_add(rq->row, SOURCE_REQUESTS, 1);
	t->moved_ms = clock_mono_ms();
	redact_url(rq->url, t->shown, sizeof(t->shown));
	if (read_policy(t, &rq->policy, f) < 0) {
		transfer_free(t);
		return -1;
	}
	set_options(t);
	set_range(t);
	*out = t;
	return 0;
}

/* Why it ended, in our kinds and words; kind FAIL_NONE for a clean end. */
static struct fail verdict(const struct transfer *t, CURLcode code)
{
	struct fail f = t->why;
	long connects = 0;

	if (code == CURLE_OK || f.kind)
		return f;
	if (t->refused[0]) {
		fail_set(&f, FAIL_FORBIDDEN,
			"%s: %s is a private address; allow it in the source's `allow` list",
			t->shown, t->refused);
		return f;
	}
	curl_easy_getinfo(t->curl, CURLINFO_NUM_CONNECTS, &connects);
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: /* and HTTP/0.9, which anything may be */
		fail_set(&f, connects && !t->header_bytes ? FAIL_UPSTREAM : FAIL_INPUT,
			"%s: this is no %s", t->shown,
			connects && !t->header_bytes ? "HTTP" : "http or https address");
		break;
	case CURLE_OPERATION_TIMEDOUT:
		fail_set(&f, FAIL_TIMEOUT, "%s: no answer in time", t->shown);
		break;
	default: /* libcurl's own words hold no part of the URL but the host */
		fail_set(&f, FAIL_UPSTREAM, "%s: %s", t->shown, curl_easy_strerror(code));
	}
	return f;
}

/* How it ended, which is counted. */
static struct fail end_of(const struct transfer *t, CURLcode code)
{
	struct fail f = verdict(t, code);

	if (f.kind && f.kind != FAIL_GONE)
		row_add(t->rq.row, SOURCE_FAILURES + (int)f.kind, 1);
	return f;
}

/* --- one alone --- */

int fetch_run(const struct fetch_request *rq, struct fail *f)
{
	struct transfer *t;
	struct fail why;
	CURLcode code;

	if (transfer_make(rq, &t, f) < 0)
		return -1;
	code = curl_easy_perform(t->curl);
	if (code == CURLE_OK && !give_head(t)) /* an answer without a body */
		code = CURLE_WRITE_ERROR;
	why = end_of(t, code);
	transfer_free(t);
	if (!why.kind)
		return 0;
	*f = why;
	return -1;
}

/* --- streams --- */

int fetcher_open(struct fetcher **out, struct fail *f)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher || !(fetcher->multi = curl_multi_init())) {
		free(fetcher);
		return fail_set(f, FAIL_INTERNAL, "There is no memory to fetch");
	}
	*out = fetcher;
	return 0;
}

void fetcher_close(struct fetcher **fetcher)
{
	if (!*fetcher)
		return;
	while ((*fetcher)->transfers) {
		struct transfer *t = (*fetcher)->transfers;
		transfer_stop(&t);
	}
	curl_multi_cleanup((*fetcher)->multi);
	free(*fetcher);
	*fetcher = NULL;
}

int fetcher_start(struct fetcher *fetcher, const struct fetch_request *rq, struct transfer **out,
	struct fail *f)
{
	struct transfer *t;

	if (transfer_make(rq, &t, f) < 0)
		return -1;
	t->owner = fetcher;
	t->next = fetcher->transfers;
	fetcher->transfers = t;
	curl_multi_add_handle(fetcher->multi, t->curl);
	*out = t;
	return 0;
}

void transfer_stop(struct transfer **transfer)
{
	struct transfer *t = *transfer, **at;

	if (!t)
		return;
	for (at = &t->owner->transfers; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	curl_multi_remove_handle(t->owner->multi, t->curl);
	transfer_free(t);
	*transfer = NULL;
}

void transfer_resume(struct transfer *t)
{
	t->held = false;
	t->moved_ms = clock_mono_ms();
	curl_easy_pause(t->curl, CURLPAUSE_CONT);
}

static void finish(struct fetcher *fetcher)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(fetcher->multi, &left))) {
		CURLcode code = m->data.result;
		struct transfer *t;
		struct fetch_request rq;
		struct fail why;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		if (code == CURLE_OK && !give_head(t)) /* an answer without a body */
			code = CURLE_WRITE_ERROR;
		why = end_of(t, code);
		rq = t->rq;
		transfer_stop(&t);
		if (rq.on_done)
			rq.on_done(rq.ctx, &why);
	}
}

void fetcher_poll(struct fetcher *fetcher, struct pollfd *own, unsigned count, int wait_ms)
{
	struct curl_waitfd extra[FETCHER_OWN_MAX];
	int running;

	must(count <= FETCHER_OWN_MAX);
	curl_multi_perform(fetcher->multi, &running);
	finish(fetcher);
	for (unsigned i = 0; i < count; i++) /* the flags have their own names there */
		extra[i] = (struct curl_waitfd){own[i].fd,
			(short)((own[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
				(own[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
			0};
	curl_multi_poll(fetcher->multi, extra, count, wait_ms, NULL);
	if (count) /* asked again, because libcurl leaves out that a peer hung up */
		poll(own, count, 0);
	curl_multi_perform(fetcher->multi, &running);
	finish(fetcher);
}

void fetch_url_escape(const char *text, struct buf *to)
{
	char *escaped = curl_easy_escape(NULL, text, 0);

	if (escaped)
		buf_puts(to, escaped);
	else
		to->failed = true;
	curl_free(escaped);
}

/* The scheme of an address that is not fetched, for a sentence. */
static int refuse_scheme(CURLU *u, struct fail *f)
{
	char *scheme = NULL;

	curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	fail_set(f, FAIL_UPSTREAM, "The source's playlist leads to %.20s, which is not fetched",
		scheme ? scheme : "nowhere");
	curl_free(scheme);
	return -1;
}

int fetch_url_join(const char *base, struct span reference, struct buf *to, struct fail *f)
{
	char text[FETCH_URL_BYTES], *joined = NULL;
	CURLU *u = curl_url();
	int result = 0;

	buf_clear(to);
	if (!u || !span_copy(reference, text, sizeof(text)) ||
		curl_url_set(u, CURLUPART_URL, base, 0) ||
		curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) ||
		curl_url_get(u, CURLUPART_URL, &joined, 0))
		result = fail_set(f, FAIL_UPSTREAM,
			"The source's playlist names something that is no address");
	else if (strncmp(joined, "http://", 7) != 0 && strncmp(joined, "https://", 8) != 0)
		result = refuse_scheme(u, f);
	else if (!buf_puts(to, joined))
		result = fail_set(
			f, FAIL_UPSTREAM, "The source's playlist names too long an address");
	curl_free(joined);
	curl_url_cleanup(u);
	return result;
}
