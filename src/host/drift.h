/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DRIFT_H
#define GB_DRIFT_H

#include <stddef.h>

struct gb_err;
struct gb_file;
struct gb_store;
struct gb_text;

/* Is the file at `place` as `expected`? -ESTALE when somebody has changed it; then *details gets
 * how, line by line from `old` (NULL: not known), where both are text. A name for a person is
 * in `path`. */
int gb_drift_check(struct gb_store *store, const char *path, const char *place,
		   const struct gb_file *expected, const char *old, size_t old_len,
		   struct gb_text *details, struct gb_err *err);

#endif
