/* lib/http/range.h - one byte range of a known size.           RFC 9110 sections 14.1.2, 14.2
 * SPDX-License-Identifier: BSD-2-Clause
 * Several ranges, other units and bad syntax are no errors: the field is ignored (14.2). */
#ifndef SLUICE_HTTP_RANGE_H
#define SLUICE_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct range {
	int64_t first, last; /* bytes, both inclusive, 0 <= first <= last < size */
};

enum range_result { RANGE_NONE, RANGE_OK, RANGE_UNSATISFIABLE };

/* Reads `header`, the value of a Range field or NULL, for a body of `size` bytes (>= 0).
 * RANGE_OK             *out is set: answer 206 with those bytes.
 * RANGE_NONE           answer 200 with all; *out untouched.
 * RANGE_UNSATISFIABLE  answer 416, naming the size; *out untouched. */
enum range_result range_parse(const char *header, int64_t size, struct range *out);

/* Reads the value of a Content-Range field, "bytes 0-99/1000" (section 14.4). False, with both
 * untouched, for anything else, a size that is not known ("*") and a part outside of it
 * included. */
bool range_of_content(const char *header, struct range *part, int64_t *size);

#endif
