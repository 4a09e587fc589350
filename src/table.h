/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TABLE_H
#define GB_TABLE_H

#include <stddef.h>

#include "style.h"

struct gb_text;

/* Cells in columns. The column that `flexible` names gives way on a narrow terminal, then its
 * text is cut with an ellipsis; the others keep their width. */
#define GB_TABLE_COLUMNS 12

struct gb_table {
	struct gb_row *row;
	size_t rows, room;
	size_t flexible;
};

void gb_table_row(struct gb_table *table);
/* The next cell of the last row. */
__attribute__((format(printf, 3, 4)))
void gb_table_cell(struct gb_table *table, enum gb_colour colour, const char *format, ...);
/* A line of its own, not in columns. */
__attribute__((format(printf, 3, 4)))
void gb_table_line(struct gb_table *table, enum gb_colour colour, const char *format, ...);
void gb_table_text(const struct gb_table *table, const struct gb_style *style,
		   struct gb_text *ret);
void gb_table_clear(struct gb_table *table);

#endif
