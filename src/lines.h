/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LINES_H
#define GB_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Configuration files of other programs, line by line and word by word. */

#define GB_LINE_MAX 4096 /* longer lines are cut: no program writes any */

/* Calls `each` with every line, terminated and without its end; a backslash before the end joins
 * it with the next. `number` is that of its first line, from 1. A NUL byte ends a line. */
typedef void (*gb_line_fn)(void *ctx, unsigned number, const char *line);
void gb_lines_each(const char *data, size_t len, gb_line_fn each, void *ctx);

/* The next word at *at, which moves behind it, without its quotes; cut when it does not fit.
 * False at the end. The kernel reads its command line and module options in this way
 * (lib/cmdline.c, next_arg); GRUB turns k="a b" into "k=a b". */
bool gb_lines_word(const char **at, char *word, size_t size);

/* What follows `prefix` in `text`, or NULL when it does not begin so. Dashes and underscores are
 * the same, as in the kernel (kernel/params.c, parameq). */
const char *gb_lines_after(const char *text, const char *prefix);

#endif
