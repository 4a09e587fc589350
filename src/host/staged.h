/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_STAGED_H
#define GB_STAGED_H

#include <stdbool.h>
#include <stddef.h>

struct gb_entry;
struct gb_file;
struct gb_journal;
struct gb_place;
struct gb_step;
struct gb_store;

/* A new file that a program made under a name of ours, and the places it takes. It stays until all
 * is done, so that a call after one that was ended can tell it from somebody else's; only on FAT,
 * where a file has one name, the last place takes it. */

/* The new file takes the place of entry n, dressed as what is there; what it then is goes into the
 * entry. Synced, with its folder. The same bytes there already: nothing. */
int gb_staged_place(struct gb_store *store, struct gb_journal *journal, size_t n,
		    const struct gb_step *step, const struct gb_place *place, const char *aside);
/* Are these the bytes that were put there, as far as can be told? */
bool gb_staged_is(struct gb_store *store, const struct gb_entry *entry,
		  const struct gb_file *now);
/* Removes the staged file of an entry, and what its builder has left beside it: its name with
 * anything from '.' or '~' on behind it, or a '.' before it. */
int gb_staged_sweep(struct gb_store *store, const struct gb_journal *journal, size_t n,
		    const struct gb_place *place);

#endif
