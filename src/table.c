/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct cell {
	char *text;
	enum gb_colour colour;
};

struct gb_row {
	struct cell cell[GB_TABLE_COLUMNS];
	size_t cells;
	bool line; /* one cell, not in columns */
};

#define GAP 2 /* columns between two cells */

void gb_table_row(struct gb_table *table)
{
	if (table->rows == table->room) {
		size_t room = table->room ? table->room * 2 : 32;
		struct gb_row *more = realloc(table->row, room * sizeof(*more));

		if (!more)
			return;
		table->row = more;
		table->room = room;
	}
	memset(&table->row[table->rows++], 0, sizeof(*table->row));
}

static void add(struct gb_table *table, enum gb_colour colour, const char *format, va_list args)
{
	struct gb_row *row = table->rows ? &table->row[table->rows - 1] : NULL;
	char *text;

	if (!row || row->cells == GB_TABLE_COLUMNS || vasprintf(&text, format, args) < 0)
		return;
	row->cell[row->cells++] = (struct cell){ text, colour };
}

void gb_table_cell(struct gb_table *table, enum gb_colour colour, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(table, colour, format, args);
	va_end(args);
}

void gb_table_line(struct gb_table *table, enum gb_colour colour, const char *format, ...)
{
	va_list args;

	gb_table_row(table);
	table->row[table->rows - 1].line = true;
	va_start(args, format);
	add(table, colour, format, args);
	va_end(args);
}

static void measure(const struct gb_table *table, size_t columns, size_t width[])
{
	size_t total = 0;

	memset(width, 0, GB_TABLE_COLUMNS * sizeof(*width));
	for (size_t r = 0; r < table->rows; r++)
		for (size_t c = 0; !table->row[r].line && c < table->row[r].cells; c++) {
			size_t w = gb_style_width(table->row[r].cell[c].text);

			if (w > width[c])
				width[c] = w;
		}
	for (size_t c = 0; c < GB_TABLE_COLUMNS; c++)
		total += width[c] ? width[c] + GAP : 0;
	if (columns && total > columns + GAP) {
		size_t over = total - GAP - columns, *flexible = &width[table->flexible];

		*flexible = *flexible > over + 8 ? *flexible - over : 8;
	}
}

static void add_cell(const struct cell *cell, size_t width, bool last,
		     const struct gb_style *style, struct gb_text *ret)
{
	size_t wide = gb_style_width(cell->text);
	bool cut = wide > width;

	if (cell->colour != GB_PLAIN)
		gb_text_addf(ret, "%s", gb_style_code(style, cell->colour));
	gb_text_add(ret, cell->text, gb_style_fit(cell->text, cut ? width - 1 : width));
	if (cut)
		gb_text_addf(ret, "%s", style->utf8 ? "…" : "~");
	if (cell->colour != GB_PLAIN)
		gb_text_addf(ret, "%s", gb_style_code(style, GB_PLAIN));
	if (!last)
		gb_text_addf(ret, "%*s", (int)(width - (cut ? width : wide) + GAP), "");
}

void gb_table_text(const struct gb_table *table, const struct gb_style *style,
		   struct gb_text *ret)
{
	size_t width[GB_TABLE_COLUMNS];

	measure(table, style->columns, width);
	for (size_t r = 0; r < table->rows; r++) {
		const struct gb_row *row = &table->row[r];
		size_t last = row->cells;

		while (last && !row->cell[last - 1].text[0])
			last--;
		for (size_t c = 0; c < last; c++)
			add_cell(&row->cell[c],
				 row->line ? gb_style_width(row->cell[c].text) : width[c],
				 c + 1 == last, style, ret);
		gb_text_add(ret, "\n", 1);
	}
}

void gb_table_clear(struct gb_table *table)
{
	for (size_t r = 0; r < table->rows; r++)
		for (size_t c = 0; c < table->row[r].cells; c++)
			free(table->row[r].cell[c].text);
	free(table->row);
	memset(table, 0, sizeof(*table));
}
