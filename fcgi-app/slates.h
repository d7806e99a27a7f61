/* fcgi-app/slates.h - the pictures that say why a channel has nothing to show, made by ffmpeg.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_SLATES_H
#define SLUICE_SLATES_H

#include "lib/base/fail.h"

/* Makes {dir}/{reason}/{rendition}.ts for every reason and every rung that a ladder may have; what
 * is there is replaced. Without a font the pictures have no words. Fails: as child_start();
 * FAIL_UPSTREAM when ffmpeg cannot do it. */
int slates_make(const char *ffmpeg, const char *dir, struct fail *f);

#endif
