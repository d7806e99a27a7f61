/* lib/http/text.c - names from outside, made fit to show and to search.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/must.h"

enum { REPLACEMENT = 0xFFFD, DROPPED = 0 };

/* Takes a character off the front of *text, which is not empty; REPLACEMENT for a byte that begins
 * none. RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static uint32_t take(struct span *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text->ptr;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
	bool good = n > 0 && n <= text->len && p[0] < 0xF8;

	for (size_t i = 1; good && i < n; i++) {
		good = (p[i] & 0xC0) == 0x80;
		code = code << 6 | (p[i] & 0x3F);
	}
	if (!good || code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
		n = 1;
		code = REPLACEMENT;
	}
	*text = span_make(text->ptr + n, text->len - n);
	return code;
}

struct output {
	char *to;
	size_t len, size;
	bool blank; /* one is due before the next character */
};

/* Adds a character and the blank before it; false when both do not fit. */
static bool put(struct output *out, uint32_t code)
{
	unsigned char bytes[5], *p = bytes;

	if (out->blank && out->len)
		*p++ = ' ';
	if (code < 0x80) {
		*p++ = (unsigned char)code;
	} else if (code < 0x800) {
		*p++ = (unsigned char)(0xC0 | code >> 6);
		*p++ = (unsigned char)(0x80 | (code & 0x3F));
	} else if (code < 0x10000) {
		*p++ = (unsigned char)(0xE0 | code >> 12);
		*p++ = (unsigned char)(0x80 | (code >> 6 & 0x3F));
		*p++ = (unsigned char)(0x80 | (code & 0x3F));
	} else {
		*p++ = (unsigned char)(0xF0 | code >> 18);
		*p++ = (unsigned char)(0x80 | (code >> 12 & 0x3F));
		*p++ = (unsigned char)(0x80 | (code >> 6 & 0x3F));
		*p++ = (unsigned char)(0x80 | (code & 0x3F));
	}
	if ((size_t)(p - bytes) >= out->size - out->len)
		return false;
	memcpy(out->to + out->len, bytes, (size_t)(p - bytes));
	out->len += (size_t)(p - bytes);
	out->blank = false;
	return true;
}

static bool is_blank(uint32_t code)
{
	return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0xA0 ||
	       code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
	       code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Controls, marks of direction, the byte order mark, non-characters. */
static bool is_hidden(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
	       code == 0x200B || code == 0x200E || code == 0x200F ||
	       (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
	       code == 0xFEFF || (code & 0xFFFE) == 0xFFFE;
}

/* The base letters of stretches of the Latin blocks, one a character: a capital stands for two
 * letters, '*' for none. */
static const struct {
	uint32_t first;
	const char *letters;
} latin[] = {
	{0xC0, "aaaaaaAceeeeiiiidnooooo*ouuuuyTSaaaaaaAceeeeiiiidnooooo*ouuuuyTy"},
	{0x100, "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiIIjjkkkllllllllll"
		"nnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"},
	{0x1A0, "oo"},
	{0x1AF, "uu"},
	{0x1CD, "aaiioouuuuuuuuuu"},
	{0x1E6, "ggkkoo"},
	{0x218, "sstt"},
	{0x1E00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnn"
		 "oooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzz"},
	{0x1E96, "htwyasssS*"},
	{0x1EA0, "aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooo"
		 "uuuuuuuuuuuuuuyyyyyyyy"},
};

/* Stretches whose characters move by `by`; with `even` only the capitals, which are the even
 * ones. */
static const struct {
	uint32_t first, last;
	int by;
	bool even;
} moved[] = {
	{'A', 'Z', 32, false},
	{0x391, 0x3A9, 32, false}, /* Greek */
	{0x400, 0x40F, 80, false},
	{0x410, 0x42F, 32, false}, /* Cyrillic */
	{0x460, 0x480, 1, true},
	{0x48A, 0x4BE, 1, true},
	{0x4D0, 0x52E, 1, true},
	{0x531, 0x556, 48, false},	  /* Armenian */
	{0xFF01, 0xFF5E, -0xFEE0, false}, /* full width */
	{0x2080, 0x2089, '0' - 0x2080, false},
	{0x2074, 0x2079, '0' - 0x2070, false},
};

static const struct {
	uint32_t from, to;
} single[] = {
	{0x386, 0x3B1},
	{0x388, 0x3B5},
	{0x389, 0x3B7},
	{0x38A, 0x3B9},
	{0x38C, 0x3BF},
	{0x38E, 0x3C5},
	{0x38F, 0x3C9},
	{0x390, 0x3B9},
	{0x3CA, 0x3B9},
	{0x3CB, 0x3C5},
	{0x3AC, 0x3B1},
	{0x3AD, 0x3B5},
	{0x3AE, 0x3B7},
	{0x3AF, 0x3B9},
	{0x3B0, 0x3C5},
	{0x3C2, 0x3C3},
	{0x3CC, 0x3BF},
	{0x3CD, 0x3C5},
	{0x3CE, 0x3C9}, /* Greek */
	{0x439, 0x438},
	{0x450, 0x435},
	{0x451, 0x435},
	{0x453, 0x433},
	{0x457, 0x456},
	{0x45C, 0x43A},
	{0x45D, 0x438},
	{0x45E, 0x443},
	{0x491, 0x433}, /* Cyrillic */
	{0x622, 0x627},
	{0x623, 0x627},
	{0x625, 0x627},
	{0x671, 0x627},
	{0x649, 0x64A}, /* Arabic */
	{0xB2, '2'},
	{0xB3, '3'},
	{0xB9, '1'},
	{0x2070, '0'}, /* superior */
	{0x1D30, 'd'},
	{0x1D34, 'h'},
	{0x1D37, 'k'},
	{0x1D41, 'u'},
	{0x1D42, 'w'},
	{0x1D48, 'd'},
	{0x02B0, 'h'},
	{0x1D4F, 'k'},
	{0x1D58, 'u'},
	{0x1DA0, 'f'},
	{0x1D3F, 'r'},
	{0x1D2C, 'a'},
	{0xA7F3, 'f'},
};

/* Marks that are written on the letter before them, and the Arabic stroke that lengthens. */
static bool is_mark(uint32_t code)
{
	return (code >= 0x300 && code <= 0x36F) || (code >= 0x591 && code <= 0x5BD) ||
	       (code >= 0x610 && code <= 0x61A) || (code >= 0x64B && code <= 0x65F) ||
	       code == 0x670 || code == 0x640 || (code >= 0xFE00 && code <= 0xFE0F);
}

static uint32_t fold(uint32_t code)
{
	if (is_mark(code))
		return DROPPED;
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		if (code >= moved[i].first && code <= moved[i].last &&
			!(moved[i].even && code % 2)) {
			code = (uint32_t)((int)code + moved[i].by);
			break;
		}
	}
	/* Full-width capitals have become capitals by now, Cyrillic ones small letters. */
	if (code >= 'A' && code <= 'Z')
		return code + 32;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (code == single[i].from)
			return single[i].to;
	}
	return code;
}

/* The base letters of a Latin letter, NULL when it is none of those in the table. */
static const char *latin_letters(uint32_t code, char one[2])
{
	for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++) {
		if (code < latin[i].first || code >= latin[i].first + strlen(latin[i].letters))
			continue;
		one[0] = latin[i].letters[code - latin[i].first];
		one[1] = '\0';
		switch (one[0]) {
		case '*':
			return NULL;
		case 'A':
			return "ae";
		case 'I':
			return "ij";
		case 'O':
			return "oe";
		case 'S':
			return "ss";
		case 'T':
			return "th";
		default:
			return one;
		}
	}
	return NULL;
}

static bool put_folded(struct output *out, uint32_t code)
{
	char one[2];
	const char *letters = code < 0x80 ? NULL : latin_letters(code, one);

	if (!letters) {
		code = fold(code);
		return code == DROPPED || put(out, code);
	}
	for (; *letters; letters++) {
		if (!put(out, (unsigned char)*letters))
			return false;
	}
	return true;
}

static size_t rewrite(
	struct span text, char *to, size_t size, bool (*write)(struct output *out, uint32_t code))
{
	struct output out = {.to = to, .size = size};

	must(size > 0);
	while (text.len) {
		uint32_t code = take(&text);
		if (is_blank(code))
			out.blank = true;
		else if (!is_hidden(code) && !write(&out, code))
			break;
	}
	must(out.len < size);
	to[out.len] = '\0';
	return out.len;
}

size_t text_clean(struct span text, char *to, size_t size)
{
	return rewrite(text, to, size, put);
}

size_t text_fold(struct span text, char *to, size_t size)
{
	return rewrite(text, to, size, put_folded);
}
