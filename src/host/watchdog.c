/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "root.h"

/* Documentation/ABI/testing/sysfs-class-watchdog */
#define IDENTITY "/sys/class/watchdog/watchdog0/identity"
#define SOFTDOG "Software Watchdog" /* drivers/watchdog/softdog.c */
#define SYSTEMD "/run/systemd/system" /* sd_booted(3) */

int gb_watchdog_find(struct gb_root *root, struct gb_err *err)
{
	char name[80];

	if (!gb_root_exists(root, SYSTEMD))
		return gb_fail(err, EOPNOTSUPP, "systemd does not run this machine, and nothing else is "
						"known to serve its watchdog");
	if (gb_root_read(root, IDENTITY, name, sizeof(name)) <= 0)
		return gb_fail(err, ENOENT, "this machine has no watchdog, or its driver is not loaded (%s)",
			       IDENTITY);
	name[strcspn(name, "\n")] = '\0';
	if (!strcmp(name, SOFTDOG))
		return gb_fail(err, EOPNOTSUPP, "its watchdog is the kernel's own timer, which hangs when "
						"the kernel does (%s)", IDENTITY);
	return 0;
}
