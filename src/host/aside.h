/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ASIDE_H
#define GB_ASIDE_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_journal;
struct gb_step;
struct gb_store;

/* One file of a change, replaced and brought back. The new one is written beside it, as
 * .ghost-boot-N.tmp, and changes places with the old one, which so waits in the same folder
 * until all is done: bringing it back is a rename, for which a full disk has room, and it is the
 * very same file. On FAT, and where the two can't change places, the old one is replaced and
 * comes back from the journal. N is the entry's index in the journal. */

/* Puts what the step wants in the entry's place; of a staged file, the entry's `after` is known
 * then. Synced, with its folder. */
int gb_aside_apply(struct gb_store *store, struct gb_journal *journal, size_t n,
		   const struct gb_step *step, struct gb_err *err);
/* Back to what was before, whatever is there now; already so is success. What is neither the old
 * nor ours is left (-ESTALE) unless `force`. */
int gb_aside_restore(struct gb_store *store, const struct gb_journal *journal, size_t n,
		     bool force, struct gb_err *err);
/* Removes the old file that waits, the staged one, or the folder that is to go, if it is empty
 * then. To be called in the entries' order. */
int gb_aside_clean(struct gb_store *store, const struct gb_journal *journal, size_t n,
		   struct gb_err *err);

#endif
