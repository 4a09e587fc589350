/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LOADS_H
#define GB_LOADS_H

#include <stdbool.h>
#include <stddef.h>

/* Does this line load that module? One function for each kind of file. Dashes and underscores in
 * the module's name are the same. */

/* Lists of one module a line: modules-load.d, /etc/initramfs-tools/modules. */
bool gb_loads_in_list(const char *line, const char *module);
/* "modprobe -q nouveau", "insmod /lib/modules/.../nouveau.ko" */
bool gb_loads_in_script(const char *line, const char *module);
/* modprobe.d's softdep; for the sake of which module goes to `wants`. */
bool gb_loads_in_softdep(const char *line, const char *module, char *wants, size_t size);
/* A word of the command line, "rd.driver.pre=", that lists modules; it goes to `what`, cut. */
bool gb_loads_in_word(const char *line, const char *word, const char *module, char *what,
		      size_t size);
/* force_drivers of dracut.conf(5), which becomes rd.driver.pre= in the image. */
bool gb_loads_in_dracut(const char *line, const char *module);
/* modules.alias, for a device of that modalias; the alias goes to `ret`. */
bool gb_loads_by_alias(const char *line, const char *modalias, const char *module, char *ret,
		       size_t size);

#endif
