/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GETTY_H
#define GB_GETTY_H

struct gb_root;
struct gb_runner;

/* Who started a terminal's login, and does it let somebody in unasked? systemd is asked for the unit
 * whose main process it is, since the getty turned into it, and may have left no word of its own. */

enum gb_getty {
	GB_GETTY_UNKNOWN, /* no unit's, or of a unit that is not plainly agetty's, or systemd can't be asked */
	GB_GETTY_ASKS,
	GB_GETTY_AUTOMATIC, /* its unit's words or credentials name a user, or may */
};

/* Of the login with this number. `runner` may be NULL. */
enum gb_getty gb_getty_of(struct gb_root *root, const struct gb_runner *runner, long pid);

#endif
