/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TABLE_H
#define GB_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "style.h"

struct gb_text;

/* Cells in columns. On a narrow terminal the column that `flexible` names gives way first, its
 * text cut with an ellipsis; then those of `spare` are left out, one after the other. The others
 * keep their width. Zero-initialise, fill, look at the text's `failed`, clear. */
#define GB_TABLE_COLUMNS 12
#define GB_TABLE_SPARE 4

struct gb_table {
	struct gb_row *row;
	size_t rows, room;
	size_t flexible, narrowest; /* before others are left out; 0: 16 columns */
	unsigned right;			     /* columns set to the right, as bits */
	unsigned char spare[GB_TABLE_SPARE]; /* columns, never the first; 0: no more */
	bool failed;			     /* out of memory */
};

void gb_table_row(struct gb_table *table);
/* The next cell of the last row. */
__attribute__((format(printf, 3, 4)))
void gb_table_cell(struct gb_table *table, enum gb_colour colour, const char *format, ...);
/* A line of its own, not in columns. A long one goes on below, two columns further in than it
 * began. */
__attribute__((format(printf, 3, 4)))
void gb_table_line(struct gb_table *table, enum gb_colour colour, const char *format, ...);
void gb_table_text(const struct gb_table *table, const struct gb_style *style,
		   struct gb_text *ret);
void gb_table_clear(struct gb_table *table);

#endif
