/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disks.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount.h"
#include "root.h"
#include "text.h"

#define STACK_MAX 12	/* levels: a loop device on LVM on LUKS on RAID on partitions is six */
#define PARTS_MAX 1024
#define STEPS_MAX 20000 /* things looked at, whatever the links say */
#define BLOCK "/sys/class/block/"

void gb_disk_doubt(struct gb_disk_walk *walk, const char *format, ...)
{
	struct gb_disk *disk = walk->disk;
	va_list args;

	disk->placed = GB_CANNOT_TELL;
	if (disk->why[0])
		return;
	va_start(args, format);
	vsnprintf(disk->why, sizeof(disk->why), format, args);
	va_end(args);
	for (char *c = disk->why; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static bool follow(struct gb_disk_walk *walk, const char *path, char link[static PATH_MAX])
{
	return gb_root_readlink(walk->root, path, link, PATH_MAX) > 0;
}

/* A part of that name below that one, once; its index, or GB_DISK_TOP when it is there or there
 * are too many. */
static int add_part(struct gb_disk_walk *walk, const char *name, int above)
{
	struct gb_disk *disk = walk->disk;
	struct gb_disk_part *part;

	for (size_t i = 0; i < disk->parts; i++)
		if (!strcmp(disk->part[i].name, name) && disk->part[i].above == above)
			return GB_DISK_TOP;
	if (disk->parts == PARTS_MAX) {
		gb_disk_doubt(walk, "it has more than %d parts", PARTS_MAX);
		return GB_DISK_TOP;
	}
	if (disk->parts == disk->room) {
		size_t room = disk->room ? disk->room * 2 : 8;

		part = realloc(disk->part, room * sizeof(*part));
		if (!part) {
			walk->failed = true;
			return GB_DISK_TOP;
		}
		disk->part = part;
		disk->room = room;
	}
	part = &disk->part[disk->parts];
	*part = (struct gb_disk_part){ .above = above };
	gb_text_copy(part->name, sizeof(part->name), name);
	return (int)disk->parts++;
}

static void place(struct gb_disk_walk *walk, int part, struct gb_bdf bdf)
{
	walk->disk->part[part].placed = true;
	walk->disk->part[part].bdf = bdf;
	walk->found = true;
}

/* ---- what is below a device ----------------------------------------------------------------- */

struct below {
	struct gb_disk_walk *walk;
	const char *folder;
	int part;
	unsigned count;
};

static int walk_slave(void *ctx, const char *name)
{
	struct below *below = ctx;

	below->count++;
	gb_disk_walk(below->walk, name, below->part);
	return 0;
}

/* drivers/nvme/host/multipath.c: a namespace that several controllers may reach hangs on none of
 * them, but on a subsystem that links to all. */
static int place_controller(void *ctx, const char *name)
{
	struct below *below = ctx;
	char path[PATH_MAX], link[PATH_MAX];
	struct gb_bdf bdf;
	int part;

	if (snprintf(path, sizeof(path), "%s/%s", below->folder, name) >= (int)sizeof(path) ||
	    !follow(below->walk, path, link) || !gb_bdf_in_link(link, &bdf))
		return 0;
	part = add_part(below->walk, name, below->part);
	if (part != GB_DISK_TOP)
		place(below->walk, part, bdf);
	below->count++;
	return 0;
}

static bool walk_subsystem(struct gb_disk_walk *walk, const char *link, int part)
{
	const char *at = strstr(link, "/nvme-subsys");
	char folder[PATH_MAX];
	struct below below = { walk, folder, part, 0 };

	/* "/nvme-subsystem/nvme-subsys0/nvme0n1" */
	at = at ? strstr(at + 1, "/nvme-subsys") : NULL;
	if (at && snprintf(folder, sizeof(folder), "/sys/class/nvme-subsystem%.*s",
			   (int)strcspn(at + 1, "/") + 1, at) < (int)sizeof(folder))
		gb_root_list(walk->root, folder, place_controller, &below);
	return below.count;
}

/* drivers/block/loop.c: loop/backing_file */
static bool walk_loop(struct gb_disk_walk *walk, const char *name, int part)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct gb_mount mount = { .device = "" };
	ssize_t len;

	if (snprintf(path, sizeof(path), BLOCK "%s/loop/backing_file", name) >= (int)sizeof(path))
		return false;
	len = gb_root_read(walk->root, path, file, sizeof(file));
	if (len <= 0)
		return false;
	file[strcspn(file, "\n")] = '\0';
	if (!walk->mountinfo || !gb_mount_find(walk->mountinfo, walk->mountinfo_len, file, &mount))
		gb_disk_doubt(walk, "%s is the file %s, on no known mount", name, file);
	else if (strncmp(mount.device, "0:", 2))
		gb_disk_walk_number(walk, mount.device, part);
	else if (!strncmp(mount.source, "/dev/", 5))
		gb_disk_walk(walk, mount.source, part);
	else
		gb_disk_doubt(walk, "%s is the file %s on %s", name, file, mount.source);
	return true;
}

/* What hangs on no PCI function by nature: memory. */
static bool is_memory(const char *name)
{
	return !strncmp(name, "zram", 4) || !strncmp(name, "ram", 3);
}

static void walk_below(struct gb_disk_walk *walk, const char *name, const char *link, int part)
{
	char folder[PATH_MAX];
	struct below below = { walk, folder, part, 0 };

	if (snprintf(folder, sizeof(folder), BLOCK "%s/slaves", name) >= (int)sizeof(folder))
		return;
	gb_root_list(walk->root, folder, walk_slave, &below);
	if (below.count || walk_loop(walk, name, part) || walk_subsystem(walk, link, part))
		return;
	/* a controller of the board itself is on no bus that could be taken away */
	if (is_memory(name) || !strstr(link, "/virtual/"))
		walk->off = true;
	else
		gb_disk_doubt(walk, "what %s is made of is not known", name);
}

/* "../../devices/…/sda/sda2" is a partition of sda. */
static bool is_partition(struct gb_disk_walk *walk, const char *name, char *link,
			 char whole[static 64])
{
	char path[PATH_MAX], *slash = strrchr(link, '/');

	if (!slash ||
	    snprintf(path, sizeof(path), BLOCK "%s/partition", name) >= (int)sizeof(path) ||
	    !gb_root_exists(walk->root, path))
		return false;
	*slash = '\0';
	return gb_text_copy(whole, 64, gb_text_base(link));
}

/* The kernel's name of "/dev/sda1" or "/dev/mapper/root": its links are relative or not, and may
 * lead to each other ("/dev/vg/root", "/dev/disk/by-id/…"). */
static bool kernel_name(struct gb_disk_walk *walk, const char *node, char ret[static 64])
{
	char path[PATH_MAX], link[PATH_MAX];

	if (strncmp(node, "/dev/", 5))
		return gb_text_copy(ret, 64, node);
	gb_text_copy(path, sizeof(path), node);
	for (unsigned i = 0; i < 8 && follow(walk, path, link); i++)
		gb_text_copy(path, sizeof(path), link);
	return gb_text_copy(ret, 64, gb_text_base(path));
}

void gb_disk_walk(struct gb_disk_walk *walk, const char *node, int above)
{
	char name[64], whole[64], path[PATH_MAX], link[PATH_MAX];
	struct gb_bdf bdf;
	int part;

	if (!kernel_name(walk, node, name) || walk->depth == STACK_MAX || ++walk->steps > STEPS_MAX) {
		gb_disk_doubt(walk, "too much is stacked below %.60s", node);
		return;
	}
	snprintf(path, sizeof(path), BLOCK "%s", name);
	if (!name[0] || name[0] == '.' || !follow(walk, path, link)) {
		gb_disk_doubt(walk, "%.100s is not there now", node);
		return;
	}
	part = add_part(walk, name, above);
	if (part == GB_DISK_TOP)
		return;
	walk->depth++;
	if (gb_bdf_in_link(link, &bdf))
		place(walk, part, bdf);
	else if (is_partition(walk, name, link, whole))
		gb_disk_walk(walk, whole, part);
	else
		walk_below(walk, name, link, part);
	walk->depth--;
}

void gb_disk_walk_number(struct gb_disk_walk *walk, const char *number, int above)
{
	char path[PATH_MAX], link[PATH_MAX];

	if (snprintf(path, sizeof(path), "/sys/dev/block/%.32s", number) < (int)sizeof(path) &&
	    follow(walk, path, link))
		gb_disk_walk(walk, gb_text_base(link), above);
	else
		gb_disk_doubt(walk, "block device %.32s is not there now", number);
}

/* ---- btrfs ----------------------------------------------------------------------------------- */

struct btrfs {
	struct gb_disk_walk *walk;
	const char *name;
	bool found;
};

static int same_name(void *ctx, const char *name)
{
	return !strcmp(name, ctx);
}

static int walk_member(void *ctx, const char *name)
{
	gb_disk_walk(ctx, name, GB_DISK_TOP);
	return 0;
}

/* fs/btrfs/sysfs.c: /sys/fs/btrfs/UUID/devices links all disks of a mounted file system. */
static int look_at_btrfs(void *ctx, const char *uuid)
{
	struct btrfs *search = ctx;
	struct gb_root *root = search->walk->root;
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "/sys/fs/btrfs/%s/devices", uuid) >=
		    (int)sizeof(folder) ||
	    gb_root_list(root, folder, same_name, (void *)search->name) != 1)
		return 0;
	gb_root_list(root, folder, walk_member, search->walk);
	search->found = true;
	return 1;
}

bool gb_disk_walk_btrfs(struct gb_disk_walk *walk, const char *node)
{
	char name[64];
	struct btrfs search = { walk, name, false };

	if (kernel_name(walk, node, name))
		gb_root_list(walk->root, "/sys/fs/btrfs", look_at_btrfs, &search);
	return search.found;
}

/* ---- by what is written on them ------------------------------------------------------------- */

/* udev's escapes in names of links (systemd: src/basic/device-nodes.c, encode_devnode_name). */
static void encode(const char *value, char *ret, size_t size)
{
	size_t at = 0;

	for (const unsigned char *c = (const unsigned char *)value; *c && at + 5 < size; c++)
		if (isalnum(*c) || strchr("#+-.:=@_", *c) || *c >= 0x80)
			ret[at++] = (char)*c;
		else
			at += (size_t)snprintf(ret + at, size - at, "\\x%02x", *c);
	ret[at] = '\0';
}

static void walk_found(void *ctx, const char *device)
{
	gb_disk_walk(ctx, device, GB_DISK_TOP);
}

/* Of several devices with one label udev links only one: a file system of one disk has one. */
static bool walk_link(struct gb_disk_walk *walk, const char *tag, const char *value)
{
	char path[PATH_MAX], link[PATH_MAX], encoded[512], folder[16];
	size_t i;

	for (i = 0; i < sizeof(folder) - 1 && tag[i]; i++)
		folder[i] = (char)tolower((unsigned char)tag[i]);
	folder[i] = '\0';
	encode(value, encoded, sizeof(encoded));
	snprintf(path, sizeof(path), "/dev/disk/by-%s/%s", folder, encoded);
	if (!follow(walk, path, link))
		return false;
	gb_disk_walk(walk, gb_text_base(link), GB_DISK_TOP);
	return true;
}

void gb_disk_walk_tag(struct gb_disk_walk *walk, const char *tag, const char *value,
		      const char *type)
{
	const struct gb_blkid *blkid = walk->blkid;
	int found = blkid ? blkid->find(blkid->ctx, tag, value, type, walk_found, walk) : -EACCES;
	bool linked = found <= 0 && walk_link(walk, tag, value);

	if (found <= 0 && !linked)
		gb_disk_doubt(walk, found == 0 ? "%s=%.80s is not there now" :
						 "where %s=%.80s is can't be told", tag, value);
	else if (found < 0 && type) /* of many disks, perhaps */
		gb_disk_doubt(walk, "whether %s=%.80s has more disks can't be told", tag, value);
}
