/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BELOW_H
#define GB_BELOW_H

#include "address.h"

struct gb_root;

/* Calls `each` for every name that sysfs has below a function, links left out, with the folder
 * that it is in, until it returns more than 0, and returns that; else 0 or a negative errno. What
 * is in a folder comes before the folder. */
typedef int (*gb_below_fn)(void *ctx, const char *folder, const char *name);
int gb_below_walk(struct gb_root *root, struct gb_bdf bdf, gb_below_fn each, void *ctx);

#endif
