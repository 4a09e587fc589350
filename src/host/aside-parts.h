/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ASIDE_PARTS_H
#define GB_ASIDE_PARTS_H

#include "aside.h"
#include "file.h"

struct gb_place;

/* What replacing a file and bringing it back have in common. */

/* What to write: bytes, or all of a descriptor. */
struct gb_bytes {
	const void *data;
	size_t len;
	int fd; /* -1: data */
};

void gb_aside_name(size_t n, char ret[48]);
/* A file or a link under the name beside, dressed and synced, ready to take its place. -EBADMSG:
 * it has not the bytes that `file` says. */
int gb_aside_make(struct gb_store *store, int folder, const char *aside,
		  const struct gb_file *file, const struct gb_bytes *bytes);
int gb_aside_make_folder(struct gb_store *store, const struct gb_place *place,
			 const struct gb_file *file);
/* The one beside takes the place; what was there waits under its name, or is in the journal. */
int gb_aside_swap(struct gb_store *store, struct gb_journal *journal, size_t n,
		  const struct gb_place *place, const char *aside);

#endif
