/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_COUNTDOWN_H
#define GB_COUNTDOWN_H

struct gb_root;

/* In front of the rescue shell of a trial, and only there: restarts the machine after so many
 * seconds, or returns. It returns at once where this boot is no trial, where a passphrase is asked
 * for, and for good once a key was pressed at any console: then somebody is there.
 *
 * Below another root than / it says so instead of restarting, and has only standard input. */
void gb_countdown(struct gb_root *root, unsigned seconds);

#endif
