/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IOMEM_H
#define GB_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct gb_err;
struct gb_root;

/* /proc/iomem: who holds which memory. A line is below another when its range is inside it. */

#define GB_IOMEM_FILE "/proc/iomem"
#define GB_IOMEM_SIZE_MAX (8u << 20) /* bytes; a line takes about 50 */

struct gb_range {
	uint64_t start, end; /* both 0 in a file read without CAP_SYS_ADMIN */
	unsigned depth;	     /* levels of indentation */
	const char *name;
};

struct gb_iomem {
	char *text; /* the names' */
	struct gb_range *range;
	size_t ranges, room;
	unsigned deepest;
	bool hidden; /* the addresses are zeroed: only indentation tells what is below what */
};

/* 0 or -ENOMEM; lines that make no sense are left out. *ret is always to be cleared. */
int gb_iomem_parse(const char *data, size_t len, struct gb_iomem *ret, struct gb_err *err);
int gb_iomem_read(struct gb_root *root, struct gb_iomem *ret, struct gb_err *err);
void gb_iomem_clear(struct gb_iomem *iomem);

/* The next range inside one of the function's BARs: a driver's, or a firmware framebuffer's. NULL
 * after the last. A walk starts zeroed. */
struct gb_iomem_walk {
	size_t at;
	const struct gb_range *bar; /* the one that the last answer is in */
};
const struct gb_range *gb_iomem_next(const struct gb_iomem *iomem, struct gb_bdf bdf,
				     struct gb_iomem_walk *walk);

/* A name that firmware's picture has: "BOOTFB" is the memory, the others are drivers of it. */
bool gb_iomem_is_framebuffer(const char *name);
/* The firmware framebuffer in a BAR of this function, the driver if one has it, else the memory.
 * 1 with *ret; 0: none; -ENODATA: the file can't tell (no BAR of it is listed, or the addresses
 * are hidden where the indentation ends). */
int gb_iomem_framebuffer(const struct gb_iomem *iomem, struct gb_bdf bdf,
			 const struct gb_range **ret);

#endif
