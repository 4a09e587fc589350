/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_COUNTDOWN_H
#define GB_COUNTDOWN_H

#include <stdbool.h>

struct gb_root;

/* In front of the rescue shell of a trial, and only there: true after so many seconds in which nobody
 * came. False at once where this boot is no trial, where a passphrase is asked for, and for good once
 * a key was pressed at any console: then somebody is there.
 *
 * Below another root than / it has only standard input. */
bool gb_countdown(struct gb_root *root, unsigned seconds);

/* At once, for where nothing is mounted that matters. Returns where it fails; below another root than /
 * it only says so. */
void gb_countdown_restart(struct gb_root *root);

#endif
