/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MACHINE_H
#define GB_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "device.h"

struct gb_err;
struct gb_root;

#define GB_NOWHERE (-1)

/* The PCI functions known so far: those at the paths of the claims file, or all. */
struct gb_machine {
	struct gb_device *device;
	size_t devices, room;
	int *at;	 /* for each line of the claims file: index of the device at its path */
	struct gb_path *path; /* for each line: its path on this machine (host= applied) */
	size_t lines;
	bool complete;
};

/* Looks up each line's path from its host bridge down. What this costs depends on the claims,
 * not on how many devices the machine has. 0 or -ENOMEM. */
int gb_machine_place(struct gb_root *root, const struct gb_claims *claims,
		     struct gb_machine *ret, struct gb_err *err);
/* Adds every other function. 0, or a negative errno when /sys/bus/pci/devices can't be listed. */
int gb_machine_scan(struct gb_root *root, const struct gb_claims *claims,
		    struct gb_machine *machine, struct gb_err *err);
/* Adds the function at an address, if it is there and not known; returns its index, or
 * GB_NOWHERE. */
int gb_machine_add(struct gb_root *root, struct gb_bdf bdf, struct gb_machine *machine);
void gb_machine_clear(struct gb_machine *machine);

#endif
