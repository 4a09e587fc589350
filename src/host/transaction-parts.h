/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRANSACTION_PARTS_H
#define GB_TRANSACTION_PARTS_H

#include <signal.h>

#include "journal.h"
#include "transaction.h"

struct gb_plan;

/* What making a change and recovering from one have in common: its two ends. */

struct gb_transaction_work {
	const struct gb_transaction *t;
	struct gb_store *store;
	const struct gb_plan *plan;
	struct gb_journal journal;
	enum gb_boot boot; /* what has changed since it was last written out */
	int lock;
	sigset_t signals, before;
};

/* -EINTR when somebody wants it to end; each such signal counts once. */
int gb_transaction_stopped(const struct gb_transaction_work *work, struct gb_err *err);
/* What a boot loader reads has changed, and now something of another kind is to: with power cut
 * between the two it must see the first. */
void gb_transaction_turn_to(struct gb_transaction_work *work, enum gb_boot boot);
/* All is applied and on the disk: what is left can't change the outcome. */
int gb_transaction_finish(struct gb_transaction_work *work, struct gb_err *err);
/* All as before; *ret_end is changed where that can't be. */
int gb_transaction_bring_back(struct gb_transaction_work *work, enum gb_end *ret_end,
			      struct gb_err *err);
/* The last of it: all files are as before already. */
int gb_transaction_end_back(struct gb_transaction_work *work, enum gb_end *ret_end,
			    struct gb_err *err);

#endif
