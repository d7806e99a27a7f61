/* lib/base/num.c - whole numbers out of text, and sums that do not wrap.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/num.h"

bool num_parse(struct span text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = text.len && text.ptr[0] == '-';
	int64_t value = 0;

	if (text.len == (size_t)negative)
		return false;
	/* Counted downwards, because INT64_MIN has no positive twin. */
	for (size_t i = negative; i < text.len; i++) {
		char c = text.ptr[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, c - '0', &value))
			return false;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return false;
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

int num_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool num_parse_hex(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > 16)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = num_hex_digit(text.ptr[i]);
		if (digit < 0)
			return false;
		value = value << 4 | (uint64_t)digit;
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

bool num_add(int64_t a, int64_t b, int64_t *out)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

bool num_mul(int64_t a, int64_t b, int64_t *out)
{
	int64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

void num_print_hex(const void *bytes, size_t size, char *to)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i++) {
		to[2 * i] = "0123456789abcdef"[b[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[b[i] & 15];
	}
	to[2 * size] = '\0';
}
