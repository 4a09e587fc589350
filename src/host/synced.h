/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SYNCED_H
#define GB_SYNCED_H

#include "plan.h"

struct gb_err;
struct gb_journal;
struct gb_store;
struct gb_transaction;

/* The file systems of a change, each once. */

int gb_synced_all(struct gb_store *store, const struct gb_journal *journal, struct gb_err *err);
/* Those of entries with this mark: written out, so that a boot loader sees it. No failure is one
 * of the change: all is on the disk, and a kernel finds it there. */
void gb_synced_show(const struct gb_transaction *t, const struct gb_journal *journal,
		    enum gb_boot boot);

#endif
