/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BUILT_H
#define GB_BUILT_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_plan;
struct gb_transaction;

/* Runs the program of a step and looks at what it has made: on the disk, there, written anew,
 * good. `lock`: held by the program, too. */
int gb_built_run(const struct gb_transaction *t, const struct gb_plan *plan, size_t step, int lock,
		 struct gb_err *err);

/* Runs one, and judges how it ended. *ret_ran: it was started, whatever came of it. */
int gb_built_command(const struct gb_transaction *t, char *const *argv, unsigned timeout_s, int lock,
		     bool *ret_ran, struct gb_err *err);

#endif
