/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SAVE_H
#define GB_SAVE_H

#include <stddef.h>

struct gb_err;
struct gb_root;

/* How file systems are mounted. An interface, so that tests can fail on demand. Each returns 0 or
 * a negative errno. */
struct gb_mounter {
	/* The device exists, is a block device, and nobody uses it: -ENOTBLK, -EBUSY. */
	int (*check)(void *ctx, const char *device);
	int (*mount)(void *ctx, const char *device, const char *folder, const char *type);
	int (*unmount)(void *ctx, const char *folder);
	void *ctx;
};

/* The running system's, in a mount namespace of this process: what is mounted is seen by nobody
 * else, and gone with it whatever happens. */
void gb_mounter_open(struct gb_mounter *ret);

/* Writes a new file to the top folder of a FAT or ext file system that is mounted for that only.
 * Never overwrites: when `name` is there, nothing is written (-EEXIST). What was written is on the
 * disk when it returns 0, and the type of its file system in *ret_type. Else a negative errno:
 * -ENOTBLK and -EBUSY when the device was refused, -EINVAL when neither is on it, -ENODEV when
 * the kernel can't mount FAT. */
int gb_save(struct gb_root *root, const struct gb_mounter *mounter, const char *device,
	    const char *name, const char *data, size_t len, const char **ret_type,
	    struct gb_err *err);

#endif
