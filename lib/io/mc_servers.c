/* lib/io/mc_servers.c - the list of memcached servers as it is written in the configuration.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/io/mc_servers.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/num.h"

enum { PORT_DEFAULT = 11211 };

static int refuse(struct span item, const char *why, struct fail *f)
{
	return fail_set(f, FAIL_INPUT, "The memcached server \"%.*s\" %s",
		(int)(item.len < 80 ? item.len : 80), item.ptr, why);
}

static int parse_path(struct span item, struct mc_server_name *out, struct fail *f)
{
	struct sockaddr_un address;

	if (item.len >= sizeof(address.sun_path) || !span_copy(item, out->host, sizeof(out->host)))
		return refuse(item, "is too long for the path of a socket", f);
	out->port = 0;
	return 0;
}

static int parse_port(
	struct span item, struct span port, struct mc_server_name *out, struct fail *f)
{
	int64_t number = PORT_DEFAULT;

	if (port.ptr && !num_parse(port, 1, UINT16_MAX, &number))
		return refuse(item, "has a port that is no number from 1 to 65535", f);
	out->port = (uint16_t)number;
	return 0;
}

static int parse_host(struct span item, struct mc_server_name *out, struct fail *f)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	bool bracket = span_starts(item, "[");
	struct span rest = item, host, port = {0};

	if (bracket) {
		rest = span_make(item.ptr + 1, item.len - 1);
		if (!span_next(&rest, ']', &host) || !rest.ptr)
			return refuse(item, "has no \"]\" after its address", f);
		if (rest.len && rest.ptr[0] != ':')
			return refuse(item, "has something other than a port after \"]\"", f);
		if (rest.len)
			port = span_make(rest.ptr + 1, rest.len - 1);
	} else {
		span_next(&rest, ':', &host);
		port = rest;
	}
	if (!span_copy(host, out->host, sizeof(out->host)) || !*out->host)
		return refuse(item, "has no name, or one that is too long", f);
	if (strspn(out->host, bracket ? "0123456789abcdefABCDEF:.%" : plain) != host.len)
		return refuse(item, "has a character in its name that no host name has", f);
	if (!bracket && port.ptr && memchr(port.ptr, ':', port.len))
		return refuse(item, "has two colons: write an IPv6 address as [::1]:11211", f);
	return parse_port(item, port, out, f);
}

int mc_servers_parse(
	const char *text, struct mc_server_name *out, size_t max, size_t *count, struct fail *f)
{
	const char *blanks = " \t\r\n";

	*count = 0;
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		struct span item = span_make(text, strcspn(text, blanks));
		int rc;

		if (*count == max)
			return fail_set(
				f, FAIL_INPUT, "There are more than %zu memcached servers", max);
		if (!span_copy(item, out[*count].text, sizeof(out[*count].text)))
			return refuse(item, "is too long", f);
		rc = item.ptr[0] == '/' ? parse_path(item, &out[*count], f)
					: parse_host(item, &out[*count], f);
		if (rc < 0)
			return -1;
		++*count;
		text += item.len;
	}
	return 0;
}

static bool look_up(struct mc_server_name *name, int family, int flags)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL;
	bool good;

	if (getaddrinfo(name->host, NULL, &hints, &found) != 0 || !found)
		return false;
	good = getnameinfo(found->ai_addr, found->ai_addrlen, name->host, sizeof(name->host), NULL,
		       0, NI_NUMERICHOST) == 0;
	freeaddrinfo(found);
	return good;
}

void mc_servers_look_up(struct mc_server_name *name)
{
	if (name->host[0] == '/')
		return;
	if (!look_up(name, AF_UNSPEC, AI_NUMERICHOST) && !look_up(name, AF_INET, 0) &&
		!look_up(name, AF_INET6, 0))
		name->host[0] = '\0';
}
