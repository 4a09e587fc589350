/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_OCCUPANTS_H
#define GB_OCCUPANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "config.h"
#include "nodes.h"

struct gb_root;

/* Which processes use which functions: those that have one of their device nodes open or mapped. A
 * snapshot. The node of an IOMMU group counts for every function asked about that is in it. */
struct gb_occupant {
	size_t function; /* of those asked about */
	int pid;
	char name[GB_PROCESS_MAX]; /* printable ASCII, like `user` */
	char user[33];		   /* by the root's own /etc/passwd, else the number; "" not known */
	char nodes[160];	   /* "/dev/dri/card1, /dev/dri/renderD129", cut */
};

struct gb_occupants {
	struct gb_occupant *occupant; /* by function, then process */
	size_t occupants;
	bool *reachable; /* for each function: it has nodes */
	bool all;	 /* every process could be looked into */
};

/* 0 or -ENOMEM. *ret is always to be cleared. */
int gb_occupants_find(struct gb_root *root, const struct gb_bdf *function, size_t functions,
		      struct gb_occupants *ret);
void gb_occupants_clear(struct gb_occupants *occupants);

/* Is anybody using it? Where some process could not be looked into, nobody is never the answer. */
enum gb_known gb_occupants_any(const struct gb_occupants *occupants, size_t function);

#endif
