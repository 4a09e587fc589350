/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RECIPE_H
#define GB_RECIPE_H

#include "finding.h"

struct gb_err;

/* Reads everything on this root that may be an existing passthrough set-up: modprobe.d, the lists
 * of modules of systemd, initramfs-tools, dracut and mkinitcpio, the running command line,
 * driverctl, scripts and hooks. `machine` says what IDs catch and may be NULL; its devices'
 * drivers are read from the same root. Never opens a device. 0 or -ENOMEM; *ret is always to be cleared
 * with gb_findings_clear. */
int gb_recipe_read(struct gb_root *root, const struct gb_machine *machine,
		   struct gb_findings *ret, struct gb_err *err);

/* One file as if it stood at `path`, which says what reads it; true when something does. */
bool gb_recipe_take(struct gb_findings *f, const char *path, const char *data, size_t len);

#endif
