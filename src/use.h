/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_USE_H
#define GB_USE_H

#include <stddef.h>

#include "address.h"

struct gb_root;

/* Is somebody using what hangs on this function: a process with one of its device nodes open, a
 * mounted, swapped-on or stacked disk, a network interface that is up? Returns 1 and who in
 * `ret`, 0 when nobody is, a negative errno when that can't be told. A snapshot: the answer can
 * be old when it arrives. */
int gb_use_find(struct gb_root *root, struct gb_bdf bdf, char *ret, size_t size);

#endif
