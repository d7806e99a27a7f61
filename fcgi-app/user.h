/* fcgi-app/user.h - who may come in: the htpasswd file that the front server reads.
 * SPDX-License-Identifier: BSD-2-Clause
 * A user has a token of 128 random bits, told once when it is made, and used as the password. The
 * file holds "name:{SHA}…" lines: the token cannot be guessed, so a slow hash would only cost the
 * front server time at every segment. */
#ifndef SLUICE_USER_H
#define SLUICE_USER_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/fail.h"

struct conf;

/* Whether those are the words of a command that there is. */
bool user_is_called_so(int count, char *const *words);

/* `sluice user add NAME` (a new token for one that is there), `user del NAME`, `user list`.
 * `words` are those after "user". Prints the token or the names to `out`.
 * Fails: FAIL_INPUT for a wrong name, FAIL_MISSING to delete one that is not there,
 * FAIL_INTERNAL when the file cannot be written. */
int user_run(const struct conf *conf, int count, char *const *words, FILE *out, struct fail *f);

#endif
