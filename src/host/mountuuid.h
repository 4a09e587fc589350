/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MOUNTUUID_H
#define GB_MOUNTUUID_H

#include <stdbool.h>
#include <stddef.h>

struct gb_mount;
struct gb_root;

/* The UUID of a mounted file system, as udev has read it. mount->source without escapes; its device
 * becomes that of the disk it names. False: not known. */
bool gb_mount_uuid(struct gb_root *root, struct gb_mount *mount, char *ret, size_t size);

#endif
