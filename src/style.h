/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_STYLE_H
#define GB_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a reader wants text: what he sees it on. All texts for people are made with one of these. */
struct gb_style {
	bool colour;	/* a terminal, and NO_COLOR is not set (no-color.org) */
	bool utf8;	/* lines and arrows beyond ASCII */
	size_t columns; /* of the terminal; 0: no limit, it is a file or a pipe */
};

enum gb_colour { GB_PLAIN, GB_BOLD, GB_DIM, GB_RED, GB_GREEN, GB_YELLOW, GB_BLUE, GB_CYAN };

/* Asks the terminal, NO_COLOR, TERM and the locale's names; the one place that does. */
void gb_style_detect(FILE *out, struct gb_style *ret);
/* The sequence that begins a colour, or an empty string. GB_PLAIN ends it. */
const char *gb_style_code(const struct gb_style *style, enum gb_colour colour);
/* Columns that a UTF-8 text takes; wide characters count as one. */
size_t gb_style_width(const char *text);
/* How many bytes of a text fit into so many columns. */
size_t gb_style_fit(const char *text, size_t columns);

#endif
