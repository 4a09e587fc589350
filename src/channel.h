/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CHANNEL_H
#define GB_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"

struct gb_root;

/* By which way the driver that holds a device came into the kernel. */
enum gb_channel_kind {
	GB_CHANNEL_BUILT_IN,
	GB_CHANNEL_MODULES_LOAD, /* systemd-modules-load: a file of it, or a word for it */
	GB_CHANNEL_DRIVER_PRE,	 /* dracut: rd.driver.pre=, force_drivers */
	GB_CHANNEL_SCRIPT,	 /* a script or unit of the image that names it */
	GB_CHANNEL_SOFTDEP,	 /* wanted by another module in modprobe.d or by its author */
	GB_CHANNEL_COLDPLUG,	 /* udev, by the device's alias */
	GB_CHANNEL_DEPENDENCY,	 /* another module needs it */
	GB_CHANNEL_MODULES,	 /* initramfs-tools' list, which is loaded after coldplug */
	GB_CHANNEL_DRIVER_POST,	 /* dracut: rd.driver.post= */
};

struct gb_channel {
	enum gb_channel_kind kind;
	char where[200]; /* "/etc/modules-load.d/gpu.conf:3" */
	char what[100];	 /* what stands there, or "" */
};

#define GB_CHANNELS_MAX 4

/* All that would bring it, the earliest in a boot first; none: nobody can tell. */
struct gb_channels {
	char module[GB_DRIVER_MAX]; /* that the driver is in; "" when it is built in */
	struct gb_channel channel[GB_CHANNELS_MAX];
	size_t channels;
};

/* Reads what this root still has of the lists: in an image those of the image, on a host those
 * that go into the next one. */
void gb_channel_find(struct gb_root *root, struct gb_bdf bdf, const char *driver,
		     struct gb_channels *ret);
const char *gb_channel_name(enum gb_channel_kind kind); /* "modules-load", stable */
/* "loaded by systemd-modules-load" */
const char *gb_channel_text(enum gb_channel_kind kind);
/* What would stop it, without a full stop; NULL: nothing needs to, a claim comes before it. */
const char *gb_channel_mend(enum gb_channel_kind kind);

#endif
