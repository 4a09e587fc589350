/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBCUSTOM_H
#define GB_GRUBCUSTOM_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct gb_err;

/* custom.cfg, beside GRUB's configuration and read at its end, is its owner's. What is ours in it
 * stands between two lines, behind all that was there, and goes again without a trace. */

#define GB_GRUBCUSTOM_MAX (1u << 20) /* bytes */

/* The text with `ours` (lines) in it, instead of what was there of us; NULL takes that away. `data`
 * NULL: there is no file. *ret_left: something that is not ours is in it. -EINVAL with the reason,
 * where our lines do not stand as we write them; -ENOMEM. The caller clears *ret. */
int gb_grubcustom_change(const char *data, size_t len, const char *ours, struct gb_text *ret,
			 bool *ret_left, struct gb_err *err);
/* What is ours in it; *ret_len 0 when there is nothing. Points into `data`. */
int gb_grubcustom_find(const char *data, size_t len, const char **ret, size_t *ret_len,
		       struct gb_err *err);

#endif
