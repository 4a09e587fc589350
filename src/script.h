/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SCRIPT_H
#define GB_SCRIPT_H

#include <stddef.h>

struct gb_findings;

/* Programs and rules that bind devices themselves. They are not understood, only noticed: one
 * finding a file, at its first such line, with the addresses it names. */
void gb_script_read(struct gb_findings *f, const char *data, size_t len);
void gb_script_read_hook(struct gb_findings *f, const char *data, size_t len); /* libvirt's */
void gb_script_read_rules(struct gb_findings *f, const char *data, size_t len); /* udev's */
/* A file of /etc/driverctl.d: `name` is "pci-0000:01:00.0", the text a driver's name. */
void gb_script_read_driverctl(struct gb_findings *f, const char *name, const char *data,
			      size_t len);

#endif
