/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bootdefault.h"
#include "cmdplan.h"
#include "err.h"
#include "grubenv.h"
#include "grubmenu.h"
#include "host.h"
#include "mount.h"
#include "oneshot.h"
#include "root.h"
#include "store.h"

/* Would GRUB take next_entry, and take it away again, by itself? It writes through no file system,
 * only to the blocks that the file has (grub-core/commands/loadenv.c). */

static void refuse_config(struct gb_oneshot *ret, const char *cfg, const char *what)
{
	gb_oneshot_refuse(ret, "", "%s %s, so GRUB can't be told to boot an entry once", cfg, what);
}

static void check_config(struct gb_host *host, struct gb_oneshot *ret)
{
	const char *cfg = gb_cmdplan_grub_cfg(host);
	struct gb_grubmenu menu;
	struct gb_err err = { "" };

	if (gb_bootdefault_menu(host, NULL, &menu, &err))
		return gb_oneshot_refuse(ret, "", "%.350s", err.text);
	if (!menu.once)
		refuse_config(ret, cfg, "does not read next_entry");
	else if (menu.odd)
		gb_oneshot_refuse(ret, "", "line %u of %s sets GRUB's default anew, so next_entry would not "
				  "be obeyed", menu.odd, menu.odd_custom ? "custom.cfg" : cfg);
	else if (!menu.custom)
		refuse_config(ret, cfg, "does not read custom.cfg (41_custom), where the entry would be");
	gb_grubmenu_clear(&menu);
}

/* ---- the file system -------------------------------------------------------------------- */

static const char *kind_of(const char *name)
{
	if (!strncmp(name, "dm-", 3))
		return "LVM, LUKS or another mapped device";
	if (!strncmp(name, "md", 2))
		return "a software RAID";
	if (!strncmp(name, "loop", 4))
		return "a loop device";
	return NULL;
}

static void check_device(struct gb_host *host, const char *path, int fd, struct gb_oneshot *ret)
{
	char link[64], target[256], number[32];
	const char *name, *kind;
	struct gb_mount mount = { .device = "" };
	struct stat st;

	if (!gb_mount_of(host->root, path, &mount))
		return gb_oneshot_refuse(ret, "", "what %s lies on can't be told from /proc/self/mountinfo",
					 path);
	if (fstat(fd, &st) < 0)
		return gb_oneshot_refuse(ret, "", "%s: %s", path, strerror(errno));
	snprintf(number, sizeof(number), "%u:%u", major(st.st_dev), minor(st.st_dev));
	snprintf(link, sizeof(link), "/sys/dev/block/%s", mount.device);
	if ((gb_root_is_real(host->root) && strcmp(number, mount.device) != 0) ||
	    gb_root_readlink(host->root, link, target, sizeof(target)) < 0)
		return gb_oneshot_refuse(ret, "", "what %s lies on can't be told: no block device is known "
					 "for %s", path, mount.point);
	name = gb_text_base(target);
	kind = kind_of(name);
	if (kind)
		gb_oneshot_refuse(ret, "", "GRUB can't write its environment, %s: it is on %s (%s), so an "
				  "entry to boot once would be booted for ever", path, kind, name);
	else if (strstr(mount.options, "data=journal"))
		gb_oneshot_refuse(ret, "", "%s is mounted with data=journal: what GRUB writes there, Linux "
				  "would take back", mount.point);
}

/* Those that GRUB knows blocks of, and that keep a file at them. */
static const char *system_name(const struct statfs *fs)
{
	switch ((unsigned long)fs->f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case MSDOS_SUPER_MAGIC: return NULL;
	case BTRFS_SUPER_MAGIC: return "btrfs";
	case F2FS_SUPER_MAGIC: return "f2fs";
	case SQUASHFS_MAGIC: return "squashfs";
	case OVERLAYFS_SUPER_MAGIC: return "overlayfs";
	case TMPFS_MAGIC: return "tmpfs";
	case 0x2fc12fc1: return "ZFS"; /* OpenZFS: include/sys/zfs_vfsops_os.h */
	case 0xca451a4e: return "bcachefs";
	default: return "a file system that is not known for it";
	}
}

/* Its blocks: data in its inode, compressed, encrypted, shared or not written yet has none of its
 * own that GRUB could write. A file system that does not tell, FAT, has them. */
static int map_file(int fd, uint32_t *ret_flags, uint64_t *ret_length)
{
	char space[sizeof(struct fiemap) + sizeof(struct fiemap_extent)]
		__attribute__((aligned(__alignof__(struct fiemap)))) = { 0 };
	struct fiemap *map = (struct fiemap *)(void *)space;

	map->fm_length = GB_GRUBENV_SIZE;
	map->fm_flags = FIEMAP_FLAG_SYNC;
	map->fm_extent_count = 1;
	if (ioctl(fd, FS_IOC_FIEMAP, map) < 0)
		return -errno;
	*ret_flags = map->fm_mapped_extents ? map->fm_extents[0].fe_flags : 0;
	*ret_length = map->fm_mapped_extents ? map->fm_extents[0].fe_length : 0;
	return 0;
}

static void check_blocks(struct gb_host *host, const char *path, int fd, struct gb_oneshot *ret)
{
	const uint32_t bad = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED |
			     FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_DATA_TAIL |
			     FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_SHARED;
	uint64_t length = 0;
	uint32_t flags = 0;
	int r = (host->store.blocks ? host->store.blocks : map_file)(fd, &flags, &length);

	if (r == -EOPNOTSUPP || r == -ENOTTY)
		return;
	if (r || length < GB_GRUBENV_SIZE || flags & bad)
		gb_oneshot_refuse(ret, "grub-editenv FILE create, after moving the old one away",
				  "GRUB can't write its environment, %s: its bytes are in no block of their "
				  "own", path);
}

static void refuse_read_only(struct gb_host *host, const char *path, struct gb_oneshot *ret)
{
	struct gb_mount mount = { .point = "" };
	char hint[sizeof(ret->hint)];

	if (!gb_mount_of(host->root, path, &mount) ||
	    snprintf(hint, sizeof(hint), "mount -o remount,rw %s", mount.point) >= (int)sizeof(hint))
		hint[0] = '\0';
	gb_oneshot_refuse(ret, hint, "%s is on a file system that is mounted read-only", path);
	ret->read_only = true;
}

static void check_system(struct gb_host *host, const char *path, int fd, struct gb_oneshot *ret)
{
	const char *name;
	struct statfs fs = { 0 };
	bool read_only = false;
	uint64_t bytes;
	int r = (host->store.disk ? host->store.disk : fstatfs)(fd, &fs);

	if (!r)
		r = gb_store_space(&host->store, fd, &bytes, &read_only);
	if (r)
		return gb_oneshot_refuse(ret, "", "%s: its file system can't be looked at", path);
	name = system_name(&fs);
	if (name)
		gb_oneshot_refuse(ret, "", "GRUB can't write its environment, %s: it is on %s, so an entry "
				  "to boot once would be booted for ever", path, name);
	else if (read_only)
		refuse_read_only(host, path, ret);
}

/* ---- the file ------------------------------------------------------------------------------ */

static const char *hint_of(int r)
{
	return r == -ENOENT ? "grub-editenv FILE create" :
	       r == -EINVAL ? "grub-editenv FILE create, after moving the old one away" : "";
}

static void check_file(struct gb_host *host, struct gb_oneshot *ret)
{
	struct gb_oneshot_env env;
	struct gb_err err = { "" };
	int r = gb_oneshot_env_open(host, O_RDONLY, &env, &err);

	if (r)
		return gb_oneshot_refuse(ret, hint_of(r), "%.380s", err.text);
	check_system(host, env.path, env.fd, ret);
	if (!ret->why[0])
		check_device(host, env.path, env.fd, ret);
	if (!ret->why[0])
		check_blocks(host, env.path, env.fd, ret);
	close(env.fd);
}

void gb_oneshot_gate(struct gb_host *host, struct gb_oneshot *ret)
{
	check_config(host, ret);
	if (!ret->why[0])
		check_file(host, ret);
}
