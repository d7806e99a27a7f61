/* lib/http/text.h - names from outside, made fit to show and to search.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_HTTP_TEXT_H
#define SLUICE_HTTP_TEXT_H

#include <stddef.h>

#include "lib/base/span.h"

/* Writes `text` into `to`, of `size` bytes, as well-formed UTF-8 with a NUL: bytes that are none
 * become U+FFFD, control characters and those that change the direction of writing go, blanks of
 * all kinds become single spaces and vanish at both ends; what is too long is cut between
 * characters. Gives the length in bytes. */
size_t text_clean(struct span text, char *to, size_t size);

/* Writes what is left of `text` when case, accents and other marks do not count, so that two names
 * that read alike are alike: "Élan Ω" is "elan ω". Latin, Greek, Cyrillic, Armenian, Hebrew and
 * Arabic, full-width and superior letters; others stay as they are. Cleans and cuts as
 * text_clean(). */
size_t text_fold(struct span text, char *to, size_t size);

#endif
