/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGE_H
#define GB_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "cpio.h"
#include "unpack.h"

struct gb_err;
struct gb_root;

/* An initramfs image: parts after each other, each one or more uncompressed archives or one
 * compressed piece of such; zeros between. Read once from front to end, in bounded memory. */

#define GB_IMAGE_PARTS 16
#define GB_IMAGE_SIZE_MAX (UINT64_C(4) << 30) /* unpacked: more never fits beside a kernel */

struct gb_image_part {
	enum gb_packing packing;
	uint64_t offset, packed, unpacked; /* bytes */
};

struct gb_image {
	uint64_t size; /* of the file, as it was read */
	uint64_t unpacked;
	size_t entries, archives;
	struct gb_image_part part[GB_IMAGE_PARTS]; /* the first of them */
	size_t parts;
};

/* Gives every entry to the sink. 0, or a negative errno with an error that goes on after the
 * image's name: -EBADMSG: damaged, so that the kernel would stop there too; -ENOTSUP and -E2BIG:
 * not read for a reason of ours, which says nothing about the image; or that of the file. */
int gb_image_read(struct gb_root *root, const char *path, const struct gb_cpio_sink *sink,
		  struct gb_image *ret, struct gb_err *err);
/* The same of `length` bytes of an open file, as in a unified kernel image; UINT64_MAX: all. */
int gb_image_read_part(int fd, uint64_t offset, uint64_t length, const struct gb_cpio_sink *sink,
		       struct gb_image *ret, struct gb_err *err);

#endif
