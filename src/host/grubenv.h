/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBENV_H
#define GB_GRUBENV_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;

/* GRUB's environment block, the file grubenv: 1024 bytes of NAME=VALUE lines, filled up with '#'
 * (grub-core/lib/envblk.c, util/grub-editenv.c). GRUB itself writes its blocks in place, without
 * knowing the file system, and so can't make it longer. */
#define GB_GRUBENV_SIZE 1024

bool gb_grubenv_is(const char *data, size_t len);
/* The value, unescaped; -ENOENT when it is not set, -E2BIG when it does not fit, -EINVAL when
 * `data` is no such block. */
int gb_grubenv_get(const char *data, size_t len, const char *name, char *ret, size_t size);
/* Sets it, or takes it away with `value` NULL; every other line stays as it is. Already so changes
 * no byte. -ENOSPC when it does not fit, -EINVAL for a block, name or value that GRUB could not
 * read; the reason in err, the block then as it was. */
int gb_grubenv_set(char *data, size_t len, const char *name, const char *value,
		   struct gb_err *err);

#endif
