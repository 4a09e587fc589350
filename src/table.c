/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <stdarg.h>
#include <stdint.h>
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

#define GAP 2	     /* columns between two cells */
#define NARROWEST 16 /* that the flexible column gets before others are left out */

static struct gb_row *last_row(const struct gb_table *table)
{
	return table->rows && !table->failed ? &table->row[table->rows - 1] : NULL;
}

void gb_table_row(struct gb_table *table)
{
	if (table->rows == table->room) {
		size_t room = table->room ? table->room * 2 : 32;
		struct gb_row *more = realloc(table->row, room * sizeof(*more));

		if (!more) {
			table->failed = true;
			return;
		}
		table->row = more;
		table->room = room;
	}
	memset(&table->row[table->rows++], 0, sizeof(*table->row));
}

__attribute__((format(printf, 3, 0)))
static void add(struct gb_table *table, enum gb_colour colour, const char *format, va_list args)
{
	struct gb_row *row = last_row(table);
	char *text;

	if (!row || row->cells == GB_TABLE_COLUMNS)
		return;
	if (vasprintf(&text, format, args) < 0) {
		table->failed = true;
		return;
	}
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
	if (last_row(table))
		last_row(table)->line = true;
	va_start(args, format);
	add(table, colour, format, args);
	va_end(args);
}

static size_t total(const size_t width[])
{
	size_t sum = 0;

	for (size_t c = 0; c < GB_TABLE_COLUMNS; c++)
		sum += width[c] ? width[c] + GAP : 0;
	return sum ? sum - GAP : 0;
}

static void measure(const struct gb_table *table, size_t columns, size_t width[])
{
	size_t least = table->narrowest ? table->narrowest : NARROWEST;
	size_t *flexible = &width[table->flexible], wished, rest;

	memset(width, 0, GB_TABLE_COLUMNS * sizeof(*width));
	for (size_t r = 0; r < table->rows; r++)
		for (size_t c = 0; !table->row[r].line && c < table->row[r].cells; c++) {
			size_t w = gb_style_width(table->row[r].cell[c].text);

			if (w > width[c])
				width[c] = w;
		}
	if (!columns || total(width) <= columns)
		return;
	wished = *flexible;
	*flexible = wished < least ? wished : least;
	for (size_t i = 0; i < GB_TABLE_SPARE && total(width) > columns; i++)
		if (table->spare[i])
			width[table->spare[i]] = 0;
	rest = total(width) - *flexible;
	*flexible = rest < columns ? columns - rest : 1;
	if (*flexible > wished)
		*flexible = wished;
}

static void add_colour(const struct gb_style *style, enum gb_colour colour, enum gb_colour code,
		       struct gb_text *ret)
{
	if (colour != GB_PLAIN)
		gb_text_addf(ret, "%s", gb_style_code(style, code));
}

static void add_cell(const struct cell *cell, size_t width, bool right, bool last,
		     const struct gb_style *style, struct gb_text *ret)
{
	size_t wide = gb_style_width(cell->text);
	bool cut = wide > width;
	size_t blank = cut ? 0 : width - wide;

	if (right)
		gb_text_addf(ret, "%*s", (int)blank, "");
	if (cell->text[0])
		add_colour(style, cell->colour, cell->colour, ret);
	gb_text_add(ret, cell->text, gb_style_fit(cell->text, cut ? width - 1 : width));
	if (cut)
		gb_text_addf(ret, "%s", style->utf8 ? "…" : "~");
	if (cell->text[0])
		add_colour(style, cell->colour, GB_PLAIN, ret);
	if (!last)
		gb_text_addf(ret, "%*s", (int)((right ? 0 : blank) + GAP), "");
}

/* Words, broken at the edge of the terminal. */
static void add_line(const struct cell *cell, const struct gb_style *style, struct gb_text *ret)
{
	const char *word = cell->text;
	size_t edge = style->columns ? style->columns : SIZE_MAX;
	size_t indent = strspn(word, " "), at = 0;

	add_colour(style, cell->colour, cell->colour, ret);
	while (*word) {
		size_t blanks = strspn(word, " "), bytes = blanks + strcspn(word + blanks, " ");
		size_t wide = 0;

		for (size_t i = 0; i < bytes; i++)
			wide += ((unsigned char)word[i] & 0xc0) != 0x80;
		if (at && at + wide > edge) {
			gb_text_addf(ret, "\n%*s", (int)indent + 2, "");
			at = indent + 2;
			word += blanks;
			bytes -= blanks;
			wide -= blanks;
		}
		gb_text_add(ret, word, bytes);
		at += wide;
		word += bytes;
	}
	add_colour(style, cell->colour, GB_PLAIN, ret);
}

static void add_row(const struct gb_table *table, const struct gb_row *row, const size_t width[],
		    const struct gb_style *style, struct gb_text *ret)
{
	size_t last = row->cells;

	while (last && (!row->cell[last - 1].text[0] || !width[last - 1]))
		last--;
	for (size_t c = 0; c < last; c++)
		if (width[c])
			add_cell(&row->cell[c], width[c], table->right >> c & 1, c + 1 == last,
				 style, ret);
}

void gb_table_text(const struct gb_table *table, const struct gb_style *style,
		   struct gb_text *ret)
{
	size_t width[GB_TABLE_COLUMNS];

	measure(table, style->columns, width);
	for (size_t r = 0; r < table->rows; r++) {
		const struct gb_row *row = &table->row[r];

		if (!row->line)
			add_row(table, row, width, style, ret);
		else if (row->cells)
			add_line(&row->cell[0], style, ret);
		gb_text_add(ret, "\n", 1);
	}
	ret->failed |= table->failed;
}

void gb_table_clear(struct gb_table *table)
{
	for (size_t r = 0; r < table->rows; r++)
		for (size_t c = 0; c < table->row[r].cells; c++)
			free(table->row[r].cell[c].text);
	free(table->row);
	memset(table, 0, sizeof(*table));
}
