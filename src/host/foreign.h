/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_FOREIGN_H
#define GB_FOREIGN_H

struct gb_store;
struct gb_text;

/* What somebody else has changed of the files that a change was writing when it was interrupted: adds how
 * they differ from what it wrote, line by line where both are text. Only reads; what can't be read adds
 * nothing. */
void gb_foreign_show(struct gb_store *store, struct gb_text *details);

#endif
