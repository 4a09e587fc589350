/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "root.h"

static int real_open(void *ctx, const char *path)
{
	return gb_root_open_device(ctx, path);
}

static int real_status(void *ctx, int fd, uint32_t *ret_flags)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	(void)ctx;
	if (ioctl(fd, (int)VFIO_GROUP_GET_STATUS, &status) < 0)
		return -errno;
	*ret_flags = status.flags;
	return 0;
}

static void real_close(void *ctx, int fd)
{
	(void)ctx;
	close(fd);
}

void gb_vfio_of(struct gb_root *root, struct gb_vfio *ret)
{
	*ret = (struct gb_vfio){ real_open, real_status, real_close, root };
}

/* drivers/vfio/group.c vfio_group_fops_open: EBUSY when it is open already. A group without an
 * IOMMU has a file of another name (vfio_group_alloc). */
static enum gb_vfio_answer judge_open(const struct gb_vfio *vfio, int group, int error)
{
	char path[48];
	int fd;

	switch (error) {
	case EBUSY:
		return GB_VFIO_IN_USE;
	case EACCES:
	case EPERM:
		return GB_VFIO_DENIED;
	case ENOENT:
	case ENXIO:
	case ENODEV:
		break;
	default:
		return GB_VFIO_FAILED;
	}
	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%d", group);
	fd = vfio->open(vfio->ctx, path);
	if (fd >= 0)
		vfio->close(vfio->ctx, fd);
	return fd == -ENOENT || fd == -ENXIO || fd == -ENODEV ? GB_VFIO_ABSENT : GB_VFIO_NO_IOMMU;
}

enum gb_vfio_answer gb_vfio_ask(const struct gb_vfio *vfio, int group, int *ret_error)
{
	uint32_t flags = 0;
	char path[48];
	int fd, r;

	*ret_error = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	fd = vfio->open(vfio->ctx, path);
	if (fd < 0) {
		*ret_error = -fd;
		return judge_open(vfio, group, -fd);
	}
	r = vfio->status(vfio->ctx, fd, &flags);
	vfio->close(vfio->ctx, fd);
	if (r) {
		*ret_error = -r;
		return GB_VFIO_FAILED;
	}
	return flags & VFIO_GROUP_FLAGS_VIABLE ? GB_VFIO_VIABLE : GB_VFIO_NOT_VIABLE;
}
