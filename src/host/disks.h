/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DISKS_H
#define GB_DISKS_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "config.h"

struct gb_err;
struct gb_root;

/* What the host lives on: every file system and swap that is in use, and those that it says it
 * will use (/etc/fstab, the command line, the boot loader's own partition), down through whatever
 * is stacked, to PCI functions. No device is opened but by libblkid. */

enum gb_disk_from { GB_DISK_MOUNTED, GB_DISK_SWAPPED, GB_DISK_FSTAB, GB_DISK_CMDLINE,
		    GB_DISK_LOADER };

/* A block device of a chain. */
struct gb_disk_part {
	char name[64];	/* the kernel's: "dm-0", "nvme0n1p2" */
	int above;	/* the part that is made of this one; GB_DISK_TOP: none */
	bool placed;	/* it hangs on a PCI function */
	struct gb_bdf bdf;
};

#define GB_DISK_TOP (-1)

struct gb_disk {
	enum gb_disk_from from;
	char *what;   /* "/", "/boot/efi", "swap", "root=" */
	char *source; /* as said there: "UUID=…", "/dev/mapper/vg-root", "rpool/ROOT (zfs)" */
	struct gb_disk_part *part; /* from the top down */
	size_t parts, room;
	/* Yes: every PCI function it hangs on is among its parts. No: it hangs on none (network,
	 * memory). Cannot tell: on those, perhaps on more. */
	enum gb_known placed;
	char why[160]; /* why that can't be told; or "" */
};

struct gb_disks {
	struct gb_disk *disk;
	size_t disks, room;
	bool failed;	     /* out of memory */
	bool mounts, fstab;  /* these could be read, or there is none */
};

/* Devices by what is written on them. `each` is called with every device ("/dev/sda2") whose
 * `tag` ("UUID", "LABEL", "PARTUUID", "PARTLABEL") has that value, and of that type unless it is
 * NULL. Returns how many, or a negative errno: then there may be more. */
struct gb_blkid {
	int (*find)(void *ctx, const char *tag, const char *value, const char *type,
		    void (*each)(void *each_ctx, const char *device), void *each_ctx);
	void *ctx;
};
/* libblkid on the running system: only root may look at devices, others see what udev and the
 * knows (-EACCES). Devices are looked at once, at the first call. (blkid.c) */
void gb_blkid_system(struct gb_blkid *ret);
void gb_blkid_close(struct gb_blkid *blkid);

/* `blkid` NULL: only udev's links below /dev/disk; so for any root but "/". 0 or -ENOMEM. *ret is
 * always to be cleared. */
int gb_disks_read(struct gb_root *root, const struct gb_blkid *blkid, struct gb_disks *ret,
		  struct gb_err *err);
void gb_disks_clear(struct gb_disks *disks);

/* "dm-1 on dm-0 on [nvme0n1p3 (0000:02:00.0), sda1 (0000:00:17.0)]" */
struct gb_text;
void gb_disk_chain(const struct gb_disk *disk, struct gb_text *ret);
const char *gb_disk_from_name(enum gb_disk_from from); /* "/etc/fstab" */
/* A device mapper's attribute of a part, "uuid" or "name"; "" where it has none. */
void gb_disk_dm(struct gb_root *root, const char *part, const char *file, char *ret, size_t size);
bool gb_disk_is_on(const struct gb_disk *disk, struct gb_bdf bdf);

/* ---- its parts ---------------------------------------------------------------------------- */

struct gb_disk_walk {
	struct gb_root *root;
	const struct gb_blkid *blkid;
	struct gb_disk *disk;
	const char *mountinfo; /* for loop devices; or NULL */
	size_t mountinfo_len;
	unsigned depth, steps;
	bool found, off, failed; /* off: something is on no PCI function */
};

/* Adds a device and all it is made of. Names are the kernel's or nodes below /dev.
 * (disks-walk.c) */
void gb_disk_walk(struct gb_disk_walk *walk, const char *name, int above);
void gb_disk_walk_number(struct gb_disk_walk *walk, const char *number, int above); /* "259:2" */
void gb_disk_walk_tag(struct gb_disk_walk *walk, const char *tag, const char *value,
		      const char *type);
/* All disks of a mounted btrfs, by one of them; false when it is none. */
bool gb_disk_walk_btrfs(struct gb_disk_walk *walk, const char *node);
__attribute__((format(printf, 2, 3)))
void gb_disk_doubt(struct gb_disk_walk *walk, const char *format, ...);

#endif
