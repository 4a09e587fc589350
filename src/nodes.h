/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_NODES_H
#define GB_NODES_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

struct gb_root;
struct gb_text;

/* The device nodes by which programs reach a function, one a line: "/dev/dri/card1\n". Those the
 * kernel made for what is below it, NVIDIA's own, and those of its IOMMU group, which it shares.
 * Adds to *ret. 0 or a negative errno: -ENOENT when there is no such function. */
int gb_nodes_find(struct gb_root *root, struct gb_bdf bdf, struct gb_text *ret);

/* Who has them open. */
struct gb_opener {
	int pid;
	const char *node; /* "/dev/dri/card1" */
};

/* Calls `each` once for each process and node of those lines that it has open or mapped, until it
 * returns non-zero, and returns that; else 0 or a negative errno. *ret_all, which may be NULL: every
 * process could be looked into; else there may be more. */
typedef int (*gb_opener_fn)(void *ctx, const struct gb_opener *opener);
int gb_nodes_openers(struct gb_root *root, const char *nodes, gb_opener_fn each, void *ctx,
		     bool *ret_all);
/* The name of a process, printable ASCII; "" when it is gone. */
#define GB_PROCESS_MAX 32
void gb_process_name(struct gb_root *root, int pid, char ret[static GB_PROCESS_MAX]);

#endif
