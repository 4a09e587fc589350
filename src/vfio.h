/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_VFIO_H
#define GB_VFIO_H

#include <stdint.h>

struct gb_root;

/* VFIO's own word on an IOMMU group, /dev/vfio/N. A group file opens only once, so asking may make
 * a virtual machine that starts at the same moment fail. */

enum gb_vfio_answer {
	GB_VFIO_VIABLE,
	GB_VFIO_NOT_VIABLE,
	GB_VFIO_IN_USE,	 /* a virtual machine has it: so it was viable */
	GB_VFIO_ABSENT,	 /* no member is on a VFIO driver, or VFIO is not loaded */
	GB_VFIO_DENIED,	 /* only root may ask */
	GB_VFIO_NO_IOMMU, /* VFIO has it without an IOMMU: not isolated at all */
	GB_VFIO_FAILED,	 /* see the error */
};

/* The calls to the kernel, for tests to replace. Each returns 0 (open: a descriptor) or a
 * negative errno. */
struct gb_vfio {
	int (*open)(void *ctx, const char *path);
	int (*status)(void *ctx, int fd, uint32_t *ret_flags);
	void (*close)(void *ctx, int fd);
	void *ctx;
};

void gb_vfio_of(struct gb_root *root, struct gb_vfio *ret);
/* *ret_error is a positive errno, 0 for none. */
enum gb_vfio_answer gb_vfio_ask(const struct gb_vfio *vfio, int group, int *ret_error);

#endif
