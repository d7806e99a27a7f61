/* lib/http/html.c - text that stands in a page.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lib/http/html.h"

void html_escape(struct buf *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_puts(to, "&amp;");
			break;
		case '<':
			buf_puts(to, "&lt;");
			break;
		case '>':
			buf_puts(to, "&gt;");
			break;
		case '"':
			buf_puts(to, "&quot;");
			break;
		case '\'':
			buf_puts(to, "&#39;");
			break;
		default:
			buf_putc(to, *text);
		}
	}
}
