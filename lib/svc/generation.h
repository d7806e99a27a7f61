/* lib/svc/generation.h - the next list of a source's channels, written aside and swapped in whole.
 * SPDX-License-Identifier: BSD-2-Clause
 * Readers see the old list until generation_swap() and the new one after it, whatever happens to
 * the process in between. Rows go in by some thousands a transaction; what an import that died left
 * over is removed by the next one. One import at a time on a host: generation_begin() takes the
 * lock {state_dir}/db/import.lock, which its process's end gives back.
 *
 * Fails: FAIL_BUSY when the database cannot be written (db.h says why); the list stays as it
 * was. */
#ifndef SLUICE_SVC_GENERATION_H
#define SLUICE_SVC_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fail.h"
#include "lib/svc/source.h"

struct conf;
struct generation;

struct generation_counts {
	int64_t channels, categories, films, series;
	int64_t episodes; /* that came with their series */
	int64_t before;	  /* channels in the list it replaces */
	int64_t twice;	  /* rows whose key was there already, left out */
};

/* Begins a list for `source`. Fails: FAIL_CONFLICT while another import runs. */
int generation_begin(
	struct generation **out, const struct conf *conf, const char *source, struct fail *f);

/* Where a source puts its rows. Good until the generation is swapped or dropped. */
struct source_sink generation_sink(struct generation *g);

/* Makes the new list the one that is seen, if it is believable: not empty, and not less than half
 * as long as the old one, unless `force`. Films and series are looked at by themselves: those that
 * have not come in whole, or are too few, stay as they were. Always closes *g; says in *counts (may
 * be NULL) what went in. Fails: FAIL_UPSTREAM for a list that is not believable; the old one stays,
 * and why is
 * noted. */
int generation_swap(
	struct generation **g, bool force, struct generation_counts *counts, struct fail *f);

/* Gives the new list up, notes why, and closes *g. Accepts NULL. */
void generation_drop(struct generation **g, const struct fail *why);

#endif
