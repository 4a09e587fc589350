/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_EDIT_H
#define GB_EDIT_H

#include <stddef.h>

/* One change of one file: `cut` bytes from `at` on are replaced by `len` bytes of `put`. Every
 * byte before and behind stays. With nothing cut and nothing put, there is nothing to do. */
struct gb_edit {
	size_t at, cut;
	char *put; /* or NULL when len is 0; freed by gb_edit_clear */
	size_t len;
};

void gb_edit_clear(struct gb_edit *edit);

/* The smallest edit that makes `old` into `new`; where several are as small, the one farthest to
 * the right. -ENOMEM. */
int gb_edit_between(const char *old, size_t old_len, const char *new, size_t new_len,
		    struct gb_edit *ret);

/* The text after the edit, terminated; caller frees *ret. -EINVAL when it does not fit the text,
 * -ENOMEM. */
int gb_edit_apply(const char *text, size_t len, const struct gb_edit *edit, char **ret,
		  size_t *ret_len);

#endif
