/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SHELL_COMMAND_H
#define GB_SHELL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;

/* Commands whose output is part of a value, $(...) and `...`: passed over, never run. */

/* From the dollar sign or backquote at *at, which moves behind the end; `quoted`: inside double
 * quotes. -EINVAL, with "line 3: why" in err, for what shells may end elsewhere, or may not take
 * for a command at all. */
int gb_shell_skip_command(const char *data, size_t len, size_t *at, bool quoted,
			  struct gb_err *err);

/* The number, from 1, of the line that this byte is in. */
unsigned gb_shell_line(const char *data, size_t at);
/* -EINVAL, "line 3: why" */
int gb_shell_refuse(const char *data, size_t at, const char *why, struct gb_err *err);

#endif
