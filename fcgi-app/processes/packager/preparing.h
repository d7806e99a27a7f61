/* fcgi-app/processes/packager/preparing.h - what a player asks for soon after a film's master.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_PROCESSES_PACKAGER_PREPARING_H
#define SLUICE_PROCESSES_PACKAGER_PREPARING_H

struct making;
struct parts;

/* The index of film `id` has just been made: publishes the lists of all renditions, and has the
 * init segments made, when nothing else is to be done: those that a player may ask for next at
 * once, the others a moment later. What is missing in the end is made when it is asked for. */
void preparing_begin(const struct making *m, struct parts *p, const char *id);

#endif
