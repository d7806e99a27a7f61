/* t/unit/text.c - names from outside, cleaned and folded.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/text.h"
#include "t/unit/tap.h"

static const struct {
	const char *what, *text, *want;
} cleaned[] = {
	{"plain text stays", "BBC One HD", "BBC One HD"},
	{"blanks at the ends go, runs become one", "  A \t\r\n B\xc2\xa0 ", "A B"},
	{"control bytes go", "A\x01\x1b[31mB\x7f\xc2\x9b", "A[31mB"},
	{"marks of direction go",
		"A\xe2\x80\xae"
		"B\xe2\x81\xa6\xef\xbb\xbf",
		"AB"},
	{"other scripts stay", "\xd0\x9a\xd0\xb8\xd0\xbd\xd0\xbe \xe4\xb8\xad",
		"\xd0\x9a\xd0\xb8\xd0\xbd\xd0\xbe \xe4\xb8\xad"},
	{"four-byte characters stay", "\xf0\x9f\x93\xba TV", "\xf0\x9f\x93\xba TV"},
	{"a stray byte is replaced", "Caf\xe9", "Caf\xef\xbf\xbd"},
	{"a cut sequence is replaced", "\xe4\xb8", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"an overlong form is replaced", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"a surrogate is replaced", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"above U+10FFFF is replaced", "\xf4\x90\x80\x80",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"bytes that never occur are replaced", "\xff\xf8", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"nothing stays nothing", "", ""},
	{"blanks alone are nothing", " \xe3\x80\x80 ", ""},
};

static const struct {
	const char *text, *want;
} folded[] = {
	{"BBC One", "bbc one"},
	{"\xc3\x89lan", "elan"},  /* É */
	{"e\xcc\x81lan", "elan"}, /* e and a combining accent */
	{"Stra\xc3\x9f"
	 "e \xc3\x86"
	 "on",
		"strasse aeon"}, /* ß Æ */
	{"\xc5\x81\xc3\xb3"
	 "d\xc5\xba \xc5\xb9r\xc3\xb3"
	 "d\xc5\x82o",
		"lodz zrodlo"},
	{"TR\xc4\xb0T \xc4\xb1", "trit i"},
	{"Vi\xe1\xbb\x87t Nam", "viet nam"},
	{"\xce\x91\xce\xbd\xcf\x84\xce\xad\xce\xbd\xce\xb1 \xce\xa3\xcf\x82",
		"\xce\xb1\xce\xbd\xcf\x84\xce\xb5\xce\xbd\xce\xb1 \xcf\x83\xcf\x83"},
	{"\xd0\x9f\xd0\x95\xd0\xa0\xd0\x92\xd0\xab\xd0\x99 \xd0\x81",
		"\xd0\xbf\xd0\xb5\xd1\x80\xd0\xb2\xd1\x8b\xd0\xb8 \xd0\xb5"},
	{"Sky \xe1\xb4\xb4\xe1\xb4\xb0 \xe2\x81\xb4\xe1\xb4\xb7", "sky hd 4k"}, /* superior */
	{"\xef\xbc\xae\xef\xbc\xa8\xef\xbc\xab", "nhk"},			/* full width */
	{"\xd8\xa3\xd8\xae\xd9\x8e\xd8\xa8\xd8\xa7\xd8\xb1",
		"\xd8\xa7\xd8\xae\xd8\xa8\xd8\xa7\xd8\xb1"},
	{"3 \xc3\x97 4", "3 \xc3\x97 4"},
	{"\xe4\xb8\xad\xe5\x9b\xbd", "\xe4\xb8\xad\xe5\x9b\xbd"},
};

int main(void)
{
	char to[200], small[4];

	for (size_t i = 0; i < sizeof(cleaned) / sizeof(cleaned[0]); i++) {
		size_t len = text_clean(span_of(cleaned[i].text), to, sizeof(to));
		is_str(to, cleaned[i].want, "%s", cleaned[i].what);
		is_int(len, strlen(to), "and its length is told");
	}
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
		text_fold(span_of(folded[i].text), to, sizeof(to));
		is_str(to, folded[i].want, "'%s' is found without case and accents",
			folded[i].text);
	}
	text_clean(span_of("ab\xe4\xb8\xad"), small, sizeof(small));
	is_str(small, "ab", "what is too long is cut between characters");
	text_clean(span_of("ab c"), small, sizeof(small));
	is_str(small, "ab", "and leaves no blank at the end");
	text_fold(span_of("a\xc3\x9f"
			  "b"),
		small, sizeof(small));
	is_str(small, "ass", "letters that become two may fill it");
	text_clean(span_make("a\0b", 3), to, sizeof(to));
	is_str(to, "ab", "a NUL is a control byte like others");
	return tap_done();
}
