/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DIFF_H
#define GB_DIFF_H

#include <stdbool.h>
#include <stddef.h>

struct gb_style;
struct gb_text;

/* How one text becomes another, line by line with three lines around, as diff -u shows it, each
 * line after `indent`. Bytes that could harm a terminal are shown as \xNN. Nothing for equal
 * texts. Texts with more than 2048 lines between their first and their last difference are shown
 * as replaced there. */
void gb_diff(const char *old, size_t old_len, const char *now, size_t now_len,
	     const char *indent, const struct gb_style *style, struct gb_text *text);

/* Is it text for people: no NUL byte, and not larger than 256 KiB? */
bool gb_diff_is_text(const char *data, size_t len);

#endif
