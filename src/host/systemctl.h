/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SYSTEMCTL_H
#define GB_SYSTEMCTL_H

#include <stdbool.h>

struct gb_runner;

/* Asks systemd about units, by "systemctl show". */

/* Gets the answer; both with `ctx`. */
struct gb_systemctl_reader {
	void (*property)(void *ctx, const char *line); /* "Name=value", in systemd's order */
	void (*end)(void *ctx);			       /* of a unit; may come with no property before it */
	void *ctx;
};

/* `argv` ends in NULL. A SIGINT, SIGTERM or SIGHUP that comes meanwhile is raised again afterwards. False:
 * systemd can't be asked, `runner` being NULL say, or has failed; what was read by then may be a part. */
bool gb_systemctl_show(const struct gb_runner *runner, const char *const *argv,
		       const struct gb_systemctl_reader *reader);

#endif
