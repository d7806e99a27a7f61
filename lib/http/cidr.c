/* lib/http/cidr.c - which addresses may be reached.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/num.h"

struct cidr_address cidr_from_v4(const uint8_t bytes[4])
{
	struct cidr_address a = {{[10] = 0xff, [11] = 0xff}};

	memcpy(a.bytes + 12, bytes, 4);
	return a;
}

/* inet_pton takes the plain spellings only, which is what a configuration should hold. */
static bool parse_address(struct span text, struct cidr_address *out, int *width)
{
	char word[64];
	uint8_t v4[4];

	if (!span_copy(text, word, sizeof(word)))
		return false;
	if (inet_pton(AF_INET, word, v4) == 1) {
		*out = cidr_from_v4(v4);
		*width = 32;
		return true;
	}
	*width = 128;
	return inet_pton(AF_INET6, word, out->bytes) == 1;
}

static bool parse_ports(struct span text, struct cidr *c)
{
	struct span first;
	int64_t low, high;

	span_next(&text, '-', &first);
	if (!num_parse(first, 1, 65535, &low))
		return false;
	high = low;
	if (text.ptr && !num_parse(text, low, 65535, &high))
		return false;
	c->first_port = (uint16_t)low;
	c->last_port = (uint16_t)high;
	return true;
}

/* Cuts the ports off: behind "]:" for what stands in brackets, behind a single ':' otherwise. */
static bool split_ports(struct span *text, struct span *ports)
{
	const char *colon;

	*ports = (struct span){NULL, 0};
	if (text->len && text->ptr[0] == '[') {
		const char *end = memchr(text->ptr, ']', text->len);
		size_t inside = end ? (size_t)(end - text->ptr) : 0;

		if (!end)
			return false;
		*ports = span_make(end + 1, text->len - inside - 1);
		*text = span_make(text->ptr + 1, inside - 1);
		if (ports->len == 0)
			ports->ptr = NULL;
		else if (ports->ptr[0] != ':')
			return false;
		else
			*ports = span_make(ports->ptr + 1, ports->len - 1);
		return true;
	}
	colon = text->len ? memchr(text->ptr, ':', text->len) : NULL;
	if (colon && !memchr(colon + 1, ':', text->len - (size_t)(colon + 1 - text->ptr))) {
		*ports = span_make(colon + 1, text->len - (size_t)(colon + 1 - text->ptr));
		text->len = (size_t)(colon - text->ptr);
	}
	return true;
}

bool cidr_parse(struct span text, struct cidr *out)
{
	struct cidr c = {.first_port = 1, .last_port = 65535};
	struct span ports, address;
	int64_t bits;
	int width;

	if (!split_ports(&text, &ports))
		return false;
	span_next(&text, '/', &address);
	if (!parse_address(address, &c.base, &width))
		return false;
	bits = width;
	if (text.ptr && !num_parse(text, 0, width, &bits))
		return false;
	if (ports.ptr && !parse_ports(ports, &c))
		return false;
	c.bits = (int)bits + 128 - width;
	*out = c;
	return true;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, (size_t)whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool cidr_holds(const struct cidr *c, const struct cidr_address *a, uint16_t port)
{
	return same_bits(c->base.bytes, a->bytes, c->bits) && port >= c->first_port &&
	       port <= c->last_port;
}

static bool v4_is_private(const uint8_t *v4)
{
	static const struct {
		uint8_t base[4];
		int bits;
	} ranges[] = {
		{{0, 0, 0, 0}, 8},
		{{10, 0, 0, 0}, 8},
		{{100, 64, 0, 0}, 10},
		{{127, 0, 0, 0}, 8},
		{{169, 254, 0, 0}, 16},
		{{172, 16, 0, 0}, 12},
		{{192, 0, 0, 0}, 24},
		{{192, 0, 2, 0}, 24},
		{{192, 168, 0, 0}, 16},
		{{192, 88, 99, 0}, 24},
		{{168, 63, 129, 16}, 32}, /* a cloud's own, beside 169.254 */
		{{198, 18, 0, 0}, 15},
		{{198, 51, 100, 0}, 24},
		{{203, 0, 113, 0}, 24},
		{{224, 0, 0, 0}, 3},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (same_bits(ranges[i].base, v4, ranges[i].bits))
			return true;
	}
	return false;
}

bool cidr_is_private(const struct cidr_address *a)
{
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff}, zero[16];
	static const uint8_t nat64[16] = {0, 0x64, 0xff, 0x9b}, six_to_four[16] = {0x20, 0x02};
	static const uint8_t protocols[16] = {0x20, 0x01}; /* Teredo, benchmarks, ORCHID */
	static const uint8_t documentation[16] = {0x20, 1, 0xd, 0xb8}, more[16] = {0x3f, 0xff};
	static const uint8_t global[16] = {0x20};

	if (same_bits(a->bytes, mapped, 96))
		return v4_is_private(a->bytes + 12);
	if (same_bits(a->bytes, nat64, 96))
		return v4_is_private(a->bytes + 12);
	if (same_bits(a->bytes, six_to_four, 16))
		return v4_is_private(a->bytes + 2);
	if (same_bits(a->bytes, zero, 96) || same_bits(a->bytes, protocols, 23) ||
		same_bits(a->bytes, documentation, 32) || same_bits(a->bytes, more, 20))
		return true;
	/* Of the rest only 2000::/3 is given out (RFC 4291 2.4); all else is local or reserved. */
	return !same_bits(a->bytes, global, 3);
}
