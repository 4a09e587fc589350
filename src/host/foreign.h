/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_FOREIGN_H
#define GB_FOREIGN_H

#include <stdbool.h>

struct gb_store;
struct gb_text;

/* What somebody else has changed of the files that a change had begun to write when it was interrupted: adds
 * how they differ from what it wrote, line by line where both are text. `aloud`: others hear it, as those do
 * who read the system's journal, and files that not everybody may read are only named. Only reads; what can't
 * be read adds nothing. */
void gb_foreign_show(struct gb_store *store, bool aloud, struct gb_text *details);

#endif
