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

int gb_watchdog_find(struct gb_root *root, char *ret, size_t size, struct gb_err *err)
{
	if (!gb_root_exists(root, SYSTEMD))
		return gb_fail(err, EOPNOTSUPP, "systemd does not run this machine, and nothing else is "
						"known to serve its watchdog");
	if (gb_root_read(root, IDENTITY, ret, size) <= 0)
		return gb_fail(err, ENOENT, "this machine has no watchdog, or its driver is not loaded (%s)",
			       IDENTITY);
	ret[strcspn(ret, "\n")] = '\0';
	if (!strcmp(ret, SOFTDOG))
		return gb_fail(err, EOPNOTSUPP, "its watchdog is the kernel's own timer, which hangs when "
						"the kernel does (%s)", IDENTITY);
	return 0;
}
