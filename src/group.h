/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GROUP_H
#define GB_GROUP_H

#include <stddef.h>

#include "predict.h"

struct gb_err;
struct gb_root;

/* The kernel's IOMMU groups, and what the prediction has to say to them. */

/* Sets the group of every device of the machine; returns how many have one. */
size_t gb_group_read(struct gb_root *root, struct gb_machine *machine);

enum gb_difference_kind {
	GB_UNPROVEN, /* the kernel has two apart, and config bytes that would tell are missing */
	GB_SPLIT,    /* the kernel has two apart that its rules hold together */
	GB_JOINED,   /* the kernel has two together that its rules hold apart */
	GB_LEFT_OUT, /* the kernel has groups, but none for `a`; b is GB_NOWHERE */
};

struct gb_difference {
	enum gb_difference_kind kind;
	int a, b; /* nodes */
};

struct gb_differences {
	struct gb_difference *difference;
	size_t differences;
};

/* The kernel's groups against the prediction. One difference names two functions; each group of
 * the kernel's that is concerned appears in at least one. None where the kernel has no groups. */
int gb_group_compare(const struct gb_prediction *prediction, struct gb_differences *ret,
		     struct gb_err *err);
void gb_differences_clear(struct gb_differences *differences);

const char *gb_difference_name(enum gb_difference_kind kind);

#endif
