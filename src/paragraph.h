/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PARAGRAPH_H
#define GB_PARAGRAPH_H

#include <stddef.h>

struct gb_style;
struct gb_text;

/* A text's words, broken where the terminal ends (style->columns; 0: nowhere) and at its own line breaks.
 * It begins in column `at`, and each line that follows is indented by so many columns. A word that is
 * wider than the terminal is left whole. No line break comes after the last word. */
void gb_paragraph_add(struct gb_text *ret, const struct gb_style *style, size_t at, size_t indent,
		      const char *text);

#endif
