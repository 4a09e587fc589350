/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CLAIMSFILE_ROWS_H
#define GB_CLAIMSFILE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "text.h"

struct gb_err;
struct gb_footprint;

/* The lines of a claims file while it is changed, and which of them are ours. */

struct gb_row {
	char *text; /* terminated, without its end */
	size_t len;
	bool ended;	      /* by a newline */
	unsigned number;      /* as it was read; of a new one, beyond those */
	struct gb_line *line; /* what it says, where it is a claim or keep line that holds */
};

struct gb_row_note {
	char *text, *was;
};

struct gb_rows {
	struct gb_row **row;
	size_t rows;
	unsigned last; /* number given */
	struct gb_row_note *note; /* the footprint's, of this file */
	size_t notes;
	size_t problems; /* that the parser has with the file as it was */
	bool made;	 /* there was no file */
	bool failed;	 /* out of memory */
};

/* `data` NULL: no file. Without a header it gets one. -EINVAL when the file as a whole can't be
 * read. *ret is always to be cleared. */
int gb_rows_read(const char *data, size_t len, const struct gb_footprint *footprint,
		 struct gb_rows *ret, struct gb_err *err);
void gb_rows_clear(struct gb_rows *rows);

/* Where a new row goes: at the end, or before a last one that is not ended, which was cut short. */
size_t gb_rows_end(const struct gb_rows *rows);
size_t gb_rows_index(const struct gb_rows *rows, const struct gb_row *row);
struct gb_row *gb_rows_find(const struct gb_rows *rows, const char *text);
bool gb_rows_is_ours(const struct gb_rows *rows, const struct gb_row *row);

/* Both are noted. `line` is copied; NULL for a row that says nothing. NULL when out of memory. */
struct gb_row *gb_rows_insert(struct gb_rows *rows, size_t at, const char *text,
			      const struct gb_line *line);
void gb_rows_replace(struct gb_rows *rows, struct gb_row *row, const char *text,
		     const struct gb_line *line);
/* The row as it was before us: another text, or gone. One that is not ours goes as well. */
void gb_rows_take_back(struct gb_rows *rows, struct gb_row *row);
/* All that is noted; returns how many can't be found any more. Where somebody has changed our lines
 * and something is still claimed, what the host keeps stays kept, and noted. */
size_t gb_rows_take_all_back(struct gb_rows *rows);

/* 0 or -ENOMEM. */
int gb_rows_text(const struct gb_rows *rows, struct gb_text *ret);
int gb_rows_note(const struct gb_rows *rows, struct gb_footprint *footprint);
bool gb_rows_are_bare(const struct gb_rows *rows); /* our header, or nothing */

#endif
