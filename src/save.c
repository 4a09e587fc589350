/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "record.h"
#include "root.h"

#define FOLDER GB_RECORDS "/save"

/* O_EXCL: what is mounted, swapped on or carries another device can't be opened (open(2)). */
static int check_device(void *ctx, const char *device)
{
	struct stat st;
	int fd;

	(void)ctx;
	fd = open(device, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode)) {
		close(fd);
		return -ENOTBLK;
	}
	close(fd);
	return 0;
}

/* fs/fat/inode.c: FAT is not mounted without tables for both character sets. Distributions' own
 * second one differs; "default" is in the kernel itself (fs/nls/nls_base.c), and what we call a
 * file is ASCII. So vfat and nls_cp437 are all that an image needs. */
#define FAT_OPTIONS "codepage=437,iocharset=default"

static int mount_device(void *ctx, const char *device, const char *folder, const char *type)
{
	const char *options = strcmp(type, "vfat") ? NULL : FAT_OPTIONS;

	(void)ctx;
	return mount(device, folder, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0 ? -errno
											   : 0;
}

static int unmount_device(void *ctx, const char *folder)
{
	(void)ctx;
	return umount2(folder, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}

void gb_mounter_open(struct gb_mounter *ret)
{
	*ret = (struct gb_mounter){ check_device, mount_device, unmount_device, NULL };
	/* Else it is seen by all for a moment; the rootfs of an image can't be split off. */
	if (!unshare(CLONE_NEWNS))
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* Tried in turn: the kernel says EINVAL when it is another one, ENODEV when it knows none of that
 * name, after asking modprobe for it. */
static const char *const types[] = { "vfat", "ext4", "ext3", "ext2" };

/* What its first sector says is on it: the names that FAT, exFAT and NTFS put there. */
static const char *find_type(struct gb_root *root, const char *device)
{
	static const struct {
		size_t at;
		const char *magic, *name;
	} known[] = {
		{ 82, "FAT32", "FAT" },	 { 54, "FAT1", "FAT" },	  { 3, "EXFAT", "exFAT" },
		{ 3, "NTFS", "NTFS" },	 { 0, "LUKS", "LUKS" },	  { 0, "XFSB", "XFS" },
	};
	char sector[513];
	ssize_t n = gb_root_read(root, device, sector, sizeof(sector));

	for (size_t i = 0; n == 512 && i < sizeof(known) / sizeof(*known); i++)
		if (!memcmp(sector + known[i].at, known[i].magic, strlen(known[i].magic)))
			return known[i].name;
	return NULL;
}

static int explain(const char *device, const char *type, int vfat, struct gb_err *err)
{
	if (type && strcmp(type, "FAT"))
		return gb_fail(err, EINVAL, "%s: has %s on it; FAT or ext is needed", device, type);
	if (type && vfat == -EINVAL)
		return gb_fail(err, ENODEV,
			       "%s: its FAT can't be mounted: it is damaged, or the kernel module "
			       "nls_cp437 is not here", device);
	if (type || vfat == -ENODEV)
		return gb_fail(err, ENODEV,
			       "%s: %s, and the kernel modules for FAT are not here (vfat, "
			       "nls_cp437)", device,
			       type ? "has FAT on it" : "no ext file system is on it");
	return gb_fail(err, EINVAL, "%s: no FAT or ext file system is on it", device);
}

static int mount_some(struct gb_root *root, const struct gb_mounter *mounter, const char *device,
		      const char **ret_type, struct gb_err *err)
{
	const char *found = find_type(root, device);
	size_t tries = !found ? sizeof(types) / sizeof(*types) : !strcmp(found, "FAT");
	int r = 0, vfat = 0;

	/* each vain try is a line of the kernel's on the console of a rescue shell */
	for (size_t i = 0; i < tries; i++) {
		r = mounter->mount(mounter->ctx, device, FOLDER, types[i]);
		if (!r) {
			*ret_type = types[i];
			return 0;
		}
		if (i == 0)
			vfat = r;
		if (r != -EINVAL && r != -ENODEV)
			return gb_fail(err, -r, "%s: %s", device,
				       r == -EROFS || r == -EACCES ? "it is write-protected"
								   : strerror(-r));
	}
	return explain(device, found, vfat, err);
}

/* gb_root_publish replaces files; here none may be. */
static int write_all(int fd, const char *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return n ? -errno : -EIO;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int write_file(struct gb_root *root, const char *name, const char *data, size_t len)
{
	char folder[PATH_MAX];
	int parent, fd, r;

	snprintf(folder, sizeof(folder), "%s" FOLDER,
		 gb_root_is_real(root) ? "" : gb_root_dir(root));
	parent = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, data, len);
	if (fd >= 0 && close(fd) < 0 && !r)
		r = -errno;
	if (fd >= 0 && r) /* half a report is none */
		unlinkat(parent, name, 0);
	if (!r && (fsync(parent) < 0 || syncfs(parent) < 0))
		r = -errno;
	close(parent);
	return r;
}

int gb_save(struct gb_root *root, const struct gb_mounter *mounter, const char *device,
	    const char *name, const char *data, size_t len, const char **ret_type,
	    struct gb_err *err)
{
	const char *type = NULL;
	int r = mounter->check(mounter->ctx, device), undone;

	if (r)
		return gb_fail(err, -r, "%s: %s", device,
			       r == -ENOTBLK ? "is no disk or partition"
			       : r == -EBUSY ? "is in use: mounted, or part of something else"
					     : strerror(-r));
	r = gb_root_mkdir(root, GB_RECORDS);
	if (!r)
		r = gb_root_mkdir(root, FOLDER);
	if (r)
		return gb_fail(err, -r, FOLDER ": %s", strerror(-r));
	r = mount_some(root, mounter, device, &type, err);
	if (r)
		return r;
	r = write_file(root, name, data, len);
	undone = mounter->unmount(mounter->ctx, FOLDER);
	if (r)
		return gb_fail(err, -r, "%s on %s: %s", name, device,
			       r == -EEXIST ? "is there already, and stays as it is"
					    : strerror(-r));
	if (undone)
		return gb_fail(err, -undone, "%s is written, but %s can't be unmounted: %s", name,
			       device, strerror(-undone));
	*ret_type = type;
	return 0;
}
