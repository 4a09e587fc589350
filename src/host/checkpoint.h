/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CHECKPOINT_H
#define GB_CHECKPOINT_H

#include <stdbool.h>

struct statfs;

/* A file system as one sees it who replays no journal: GRUB, with ext4 and XFS. What was synced
 * may be in the journal alone, and would be missed after a power cut. */

/* Writes all of the file system of `fd` to its places. 0 when it is so; or a negative errno: then
 * it is synced, no more (-EOPNOTSUPP: this kernel can't, or it is /, which is never frozen). */
int gb_checkpoint(int fd);

/* What it calls, for tests. */
struct gb_checkpoint_calls {
	void *ctx;
	int (*disk)(int fd, struct statfs *ret);
	int (*sync)(int fd);
	int (*ioctl)(void *ctx, int fd, unsigned long request, void *argument);
	bool (*is_root)(int fd); /* of this system: is it what / is on? */
	int patience_ms; /* so long may it stay frozen */
};
int gb_checkpoint_by(const struct gb_checkpoint_calls *calls, int fd);

#endif
