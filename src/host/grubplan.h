/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBPLAN_H
#define GB_GRUBPLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"

struct gb_err;
struct gb_root;

/* What becomes of /etc/default/grub and its drop-ins, as texts: nothing is planned or written
 * here. */

#define GB_GRUBPLAN_SWAPS_MAX 16

struct gb_grubplan_file {
	char path[320];
	char *old;  /* NULL: it is not there */
	char *text; /* afterwards; NULL: it goes */
	char *line; /* what a want changes in it, before: its own words, or the variable's value */
	/* of a person's file: which words stand now where which stood */
	struct {
		char *now, *was;
	} swap[GB_GRUBPLAN_SWAPS_MAX];
	size_t swaps;
};

#define GB_GRUBPLAN_FILES_MAX 8

struct gb_grubplan {
	/* The first is the one that gets words. Others are a person's that lose one. */
	struct gb_grubplan_file file[GB_GRUBPLAN_FILES_MAX];
	size_t files;
	bool *was;	     /* of each want: it was so already */
	char *always, *line; /* afterwards: what recovery entries get, and what all others do */
};

/* With `drop_in`, in a file of our own, which says no more than it must, and what is to go from a
 * person's files goes there; without, in /etc/default/grub. `always_first`: where that has only
 * GRUB_CMDLINE_LINUX, put words there. Refused, -EINVAL with file, line and reason, is what would
 * not come true: another file that says otherwise, one that is not understood. With `back`, what is
 * not there any more is no reason to refuse. */
int gb_grubplan_make(struct gb_root *root, bool drop_in, bool always_first, bool back,
		     const struct gb_want *want, size_t wants, struct gb_grubplan *ret,
		     struct gb_err *err);
/* What the wants make of another file: a drop-in of a person's, or the main file beside ours. What
 * is not there is no change. Adds it to the plan's files. */
int gb_grubplan_other(struct gb_root *root, const char *path, const struct gb_want *want,
		      size_t wants, struct gb_grubplan *plan, struct gb_err *err);
void gb_grubplan_clear(struct gb_grubplan *plan);

#endif
