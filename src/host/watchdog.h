/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_WATCHDOG_H
#define GB_WATCHDOG_H

struct gb_err;
struct gb_root;

/* The hardware watchdog: it restarts the machine unless it is told in time that all is well. systemd
 * takes the first one, /dev/watchdog0, for itself. */

/* Is there one that can be used? 0 or a negative errno, with the reason in *err: there is none, it is
 * only the kernel's timer, which hangs with the kernel, or no systemd would serve it. */
int gb_watchdog_find(struct gb_root *root, struct gb_err *err);

#endif
