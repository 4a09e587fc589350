/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BUILT_H
#define GB_BUILT_H

#include <stddef.h>

struct gb_err;
struct gb_plan;
struct gb_transaction;

/* Runs the program of a step and looks at what it has made: on the disk, there, written anew,
 * good. `lock`: held by the program, too. */
int gb_built_run(const struct gb_transaction *t, const struct gb_plan *plan, size_t step, int lock,
		 struct gb_err *err);

#endif
