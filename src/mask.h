/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MASK_H
#define GB_MASK_H

#include "text.h"

struct gb_root;

/* Takes out of a text what tells one machine from another of its kind: serial numbers, MAC and IP
 * addresses, UUIDs, disk and world-wide names, labels, names of host and users. In doubt it takes
 * too much. PCI addresses and IDs stay. */
struct gb_mask {
	char host[65]; /* or "" */
};

void gb_mask_read(struct gb_root *root, struct gb_mask *ret);
/* Adds the text, masked; what was taken out shows its kind: "[uuid]". */
void gb_mask_text(const struct gb_mask *mask, const char *text, struct gb_text *ret);

#endif
