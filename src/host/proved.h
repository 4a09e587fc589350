/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PROVED_H
#define GB_PROVED_H

#include <stdbool.h>
#include <stddef.h>

#include "file.h"

struct gb_err;
struct gb_root;
struct gb_store;

/* Images that were read once and found as wished, so that they need not be read again: a file of
 * lines (recordtext). What differs in any of size, times, number and device, or in the wish, was
 * not proved. Losing it costs nothing but time. */

struct gb_proved_line {
	char *path;
	char wish[GB_SHA256_TEXT];
	unsigned long long size, device, inode;
	struct timespec modified, changed;
};

/* Zeroed, an empty one. */
struct gb_proved {
	struct gb_proved_line *line;
	size_t lines;
	bool altered; /* against the file */
};

/* One that is missing, cut or changed by hand is an empty one. *ret is always to be cleared. */
void gb_proved_read(struct gb_root *root, struct gb_proved *ret);
void gb_proved_clear(struct gb_proved *proved);

/* `file` is what was looked at just now (gb_file_glance); `wish` the hash of what was wished. */
bool gb_proved_has(const struct gb_proved *proved, const char *path, const struct gb_file *file,
		   const char *wish);
/* In the place of an older one. No memory: it is not remembered. */
void gb_proved_add(struct gb_proved *proved, const char *path, const struct gb_file *file,
		   const char *wish);
/* All but these paths. */
void gb_proved_keep(struct gb_proved *proved, bool (*keep)(void *ctx, const char *path), void *ctx);
/* Writes it as a whole, by rename, when it was altered. */
int gb_proved_write(struct gb_proved *proved, struct gb_store *store, struct gb_err *err);

#endif
