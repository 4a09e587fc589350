/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "paragraph.h"

#include <stdbool.h>
#include <string.h>

#include "style.h"
#include "text.h"

static size_t width(const char *word, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((unsigned char)word[i] & 0xc0) != 0x80; /* UTF-8: a byte that begins one */
	return columns;
}

void gb_paragraph_add(struct gb_text *ret, const struct gb_style *style, size_t at, size_t indent,
		      const char *text)
{
	const size_t edge = style->columns ? style->columns : (size_t)-1;

	for (bool first = true; *text; first = false) {
		const size_t len = strcspn(text, " \n"), wide = width(text, len);

		if (!first && (text[-1] == '\n' || at + 1 + wide > edge)) {
			gb_text_addf(ret, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			gb_text_add(ret, " ", 1);
			at++;
		}
		gb_text_add(ret, text, len);
		at += wide;
		text += len;
		text += *text != '\0';
	}
}
