/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_NEEDS_H
#define GB_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

struct gb_root;

/* What the running host stands on, function by function: disks that are mounted or swapped on,
 * through whatever is stacked on them, and network interfaces that are up. */

enum gb_need_kind { GB_NEED_DISK, GB_NEED_NETWORK };

struct gb_need {
	enum gb_need_kind kind;
	struct gb_bdf bdf;
	int node;	/* in the survey's topology, or GB_NOWHERE; set by the survey */
	bool route;	/* the default route goes this way */
	char what[112]; /* "nvme0n1p2 is mounted on /", for a person */
};

struct gb_needs {
	struct gb_need *need;
	size_t needs, room;
	bool disks, network; /* the kernel's lists of these could be read */
	char lost[96];	     /* a file system whose disks can't be told: "rpool/ROOT (zfs)"; or "" */
};

/* 0 or -ENOMEM. *ret is always to be cleared. Opens no device. */
int gb_needs_read(struct gb_root *root, struct gb_needs *ret);
void gb_needs_clear(struct gb_needs *needs);

#endif
