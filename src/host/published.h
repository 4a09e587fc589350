/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PUBLISHED_H
#define GB_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_journal;
struct gb_step;
struct gb_transaction;

/* What is there is copied to where no journal reaches, by programs that only need to be run again
 * when it is another. `lock`: held by the program, too. */

/* *ret_ran: the program of this step has begun. */
int gb_published_run(const struct gb_transaction *t, const struct gb_step *step, int lock,
		     bool *ret_ran, struct gb_err *err);
/* All that have begun, once the files are back. One that fails keeps no other from it. */
int gb_published_again(const struct gb_transaction *t, const struct gb_journal *journal, int lock,
		       struct gb_err *err);

#endif
