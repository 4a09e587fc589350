/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host lives on, through everything that can be stacked. */
#include "fake.h"

#include "disks.h"
#include "text.h"

static struct tree tree;
static struct gb_disks disks;
static struct gb_text chain;
static struct gb_err err;
static unsigned minor;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	minor = 0;
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_disks_clear(&disks);
	gb_text_clear(&chain);
	tree_clear(&tree);
	return 0;
}

/* A block device in sysfs: "pci0000:00/0000:00:17.0/ata1/block/sda". */
static void block(const char *where)
{
	char path[256], link[300];
	const char *name = strrchr(where, '/') + 1;

	snprintf(path, sizeof(path), "/sys/devices/%s/slaves", where);
	tree_folder(&tree, path);
	snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	snprintf(link, sizeof(link), "../../devices/%s", where);
	tree_link(&tree, path, link);
	snprintf(path, sizeof(path), "/sys/dev/block/8:%u", ++minor);
	tree_link(&tree, path, link);
}

static void partition(const char *where)
{
	char path[256];

	block(where);
	snprintf(path, sizeof(path), "/sys/devices/%s/partition", where);
	tree_put(&tree, path, "1\n");
}

/* A device made of others, "dm-0", "sda2 sdb2". */
static void stacked(const char *name, const char *slaves)
{
	char path[256], copy[256], *save = NULL;

	snprintf(path, sizeof(path), "virtual/block/%s", name);
	block(path);
	snprintf(copy, sizeof(copy), "%s", slaves);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/slaves/%s", name, s);
		tree_link(&tree, path, "x");
	}
}

#define NVME "pci0000:00/0000:00:06.0/0000:02:00.0/nvme/nvme0/nvme0n1"
#define SATA "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define USB "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host2/target2:0:0/2:0:0:0/block/sdb"

static void usual(void)
{
	block(NVME);
	partition(NVME "/nvme0n1p1");
	partition(NVME "/nvme0n1p2");
	block(SATA);
	partition(SATA "/sda1");
	block(USB);
}

static void read_disks(const struct gb_blkid *blkid)
{
	gb_disks_clear(&disks);
	assert_int_equal(gb_disks_read(tree.root, blkid, &disks, &err), 0);
}

static const struct gb_disk *find(const char *what, enum gb_disk_from from)
{
	for (size_t i = 0; i < disks.disks; i++)
		if (!strcmp(disks.disk[i].what, what) && disks.disk[i].from == from)
			return &disks.disk[i];
	fail_msg("no %s", what);
	return NULL;
}

static void has_chain(const struct gb_disk *disk, enum gb_known placed, const char *want)
{
	gb_text_clear(&chain);
	gb_disk_chain(disk, &chain);
	assert_string_equal(chain.data ? chain.data : "", want);
	if (disk->placed != placed)
		fail_msg("%s: %d: %s", disk->what, disk->placed, disk->why);
}

static void mounted(const char *what, enum gb_known placed, const char *want)
{
	has_chain(find(what, GB_DISK_MOUNTED), placed, want);
}

static void plain_disks_are_placed(void **state)
{
	(void)state;
	usual();
	tree_put(&tree, "/proc/self/mountinfo",
		 "22 1 8:3 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
		 "23 22 8:2 / /boot/efi rw - vfat /dev/nvme0n1p1 rw\n"
		 "24 22 8:6 / /mnt/a\\040stick rw - ext4 /dev/sdb rw\n"
		 "25 22 0:21 / /proc rw - proc proc rw\n"
		 "26 22 0:44 / /srv rw - nfs4 server:/srv rw\n"
		 "nonsense\n\n 1 2 3 - \n");
	read_disks(NULL);
	assert_int_equal(disks.disks, 3);
	mounted("/", GB_YES, "nvme0n1p2 (0000:02:00.0)");
	mounted("/boot/efi", GB_YES, "nvme0n1p1 (0000:02:00.0)");
	mounted("/mnt/a stick", GB_YES, "sdb (0000:00:14.0)");
	assert_true(gb_disk_is_on(&disks.disk[0], (struct gb_bdf){ 0, 2, 0 }));
	assert_false(gb_disk_is_on(&disks.disk[0], (struct gb_bdf){ 0, 3, 0 }));
	assert_true(disks.mounts && disks.fstab);
}

/* LVM on LUKS on RAID on partitions, with a cache in front of one. */
static void stacks_are_followed(void **state)
{
	(void)state;
	usual();
	stacked("bcache0", "sda1 nvme0n1p1");
	stacked("md0", "bcache0 nvme0n1p2");
	stacked("dm-0", "md0");
	stacked("dm-1", "dm-0");
	tree_link(&tree, "/dev/mapper/vg-swap", "../dm-1");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:10 / / rw - ext4 /dev/mapper/vg-root rw\n");
	tree_put(&tree, "/proc/swaps", "Filename Type Size Used Priority\n"
				       "/dev/mapper/vg-swap partition 1 0 -2\n"
				       "/swapfile file 1 0 -3\n");
	read_disks(NULL);
	assert_int_equal(disks.disks, 2);
	mounted("/", GB_YES, "dm-1 on dm-0 on md0 on [bcache0 on [nvme0n1p1 (0000:02:00.0), "
			     "sda1 (0000:00:17.0)], nvme0n1p2 (0000:02:00.0)]");
	assert_true(gb_disk_is_on(find("swap", GB_DISK_SWAPPED), (struct gb_bdf){ 0, 0, 0x17 << 3 }));
}

static void file_systems_of_many_disks(void **state)
{
	(void)state;
	usual();
	tree_link(&tree, "/sys/fs/btrfs/aaaa/devices/sda1", "x");
	tree_link(&tree, "/sys/fs/btrfs/aaaa/devices/nvme0n1p2", "x");
	tree_folder(&tree, "/sys/fs/btrfs/features");
	tree_put(&tree, "/proc/self/mountinfo",
		 "22 1 0:30 /@ / rw - btrfs /dev/sda1 rw\n"
		 "23 22 0:31 / /data rw - bcachefs /dev/sdb:/dev/nvme0n1p1 rw\n"
		 "24 22 0:32 / /gone rw - btrfs /dev/sdz rw\n");
	read_disks(NULL);
	mounted("/", GB_YES, "nvme0n1p2 (0000:02:00.0), sda1 (0000:00:17.0)");
	mounted("/data", GB_YES, "nvme0n1p1 (0000:02:00.0), sdb (0000:00:14.0)");
	mounted("/gone", GB_CANNOT_TELL, "");
}

/* drivers/nvme/host/multipath.c */
static void nvme_of_many_paths(void **state)
{
	(void)state;
	block("virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	tree_link(&tree, "/sys/class/nvme-subsystem/nvme-subsys0",
		  "../../devices/virtual/nvme-subsystem/nvme-subsys0");
	tree_link(&tree, "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  "../../../pci0000:00/0000:00:06.0/0000:02:00.0/nvme/nvme0");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:1 / / rw - xfs /dev/nvme0n1 rw\n");
	read_disks(NULL);
	mounted("/", GB_YES, "nvme0n1 on nvme0 (0000:02:00.0)");
}

static void files_and_memory(void **state)
{
	(void)state;
	usual();
	block("virtual/block/loop0"); /* 8:7 */
	block("virtual/block/zram0");
	block("virtual/block/nbd0"); /* 8:9 */
	block("platform/soc/mmc0/block/mmcblk0"); /* 8:10 */
	tree_put(&tree, "/sys/class/block/loop0/loop/backing_file", "/data/image\n");
	tree_put(&tree, "/proc/self/mountinfo",
		 "22 1 8:10 / / rw - ext4 /dev/mmcblk0 rw\n"
		 "23 22 8:5 / /data rw - ext4 /dev/sda1 rw\n"
		 "24 22 8:7 / /mnt rw - ext4 /dev/loop0 rw\n"
		 "25 22 8:9 / /net rw - ext4 /dev/nbd0 rw\n");
	tree_put(&tree, "/proc/swaps", "Filename\n/dev/zram0 partition 1 0 100\n");
	read_disks(NULL);
	mounted("/", GB_NO, "mmcblk0");
	mounted("/mnt", GB_YES, "loop0 on sda1 (0000:00:17.0)");
	mounted("/net", GB_CANNOT_TELL, "nbd0");
	has_chain(find("swap", GB_DISK_SWAPPED), GB_NO, "zram0");
}

/* Not only what is mounted. */
static void what_is_named_counts(void **state)
{
	static const char esp[] = "\6\0\0\0A\0B\0C\0D\0-\0" "1\0\0";

	(void)state;
	usual();
	tree_link(&tree, "/dev/disk/by-uuid/1234-ABCD", "../../nvme0n1p1");
	tree_link(&tree, "/dev/disk/by-label/my\\x20data", "../../sda1");
	tree_link(&tree, "/dev/disk/by-partuuid/abcd-1", "../../nvme0n1p1");
	tree_put(&tree, "/etc/fstab",
		 "# UUID=x / ext4\n"
		 "UUID=\"1234-ABCD\" /boot/efi vfat noauto 0 0\n"
		 "LABEL=my\\040data /data ext4 nofail\n"
		 "/dev/sdb none swap sw\n/swapfile none swap\ntmpfs /tmp tmpfs\n"
		 "UUID=missing /old ext4\nserver:/x /nfs nfs\n/data/x /bind none bind\n");
	tree_put(&tree, "/proc/cmdline",
		 "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro resume=8:5 resume= \"root=PARTUUID="
		 "1/PARTNROFF=2\"\n");
	tree_put_data(&tree, "/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-"
			     "b6c7-440b29bb8c4f", esp, sizeof(esp));
	read_disks(NULL);
	has_chain(find("/boot/efi", GB_DISK_FSTAB), GB_YES, "nvme0n1p1 (0000:02:00.0)");
	has_chain(find("/data", GB_DISK_FSTAB), GB_YES, "sda1 (0000:00:17.0)");
	has_chain(find("swap", GB_DISK_FSTAB), GB_YES, "sdb (0000:00:14.0)");
	has_chain(find("/old", GB_DISK_FSTAB), GB_CANNOT_TELL, "");
	has_chain(find("root=", GB_DISK_CMDLINE), GB_YES, "nvme0n1p2 (0000:02:00.0)");
	has_chain(find("resume=", GB_DISK_CMDLINE), GB_YES, "sda1 (0000:00:17.0)");
	has_chain(find("ESP", GB_DISK_LOADER), GB_YES, "nvme0n1p1 (0000:02:00.0)");
	assert_int_equal(disks.disks, 8);
	assert_int_equal(disks.disk[6].placed, GB_CANNOT_TELL);
	assert_false(disks.mounts);
}

/* A pool of two disks, and a btrfs that isn't mounted. */
static int fake_find(void *ctx, const char *tag, const char *value, const char *type,
		     void (*each)(void *each_ctx, const char *device), void *each_ctx)
{
	if (!strcmp(tag, "LABEL") && !strcmp(value, "rpool") && !strcmp(type, "zfs_member")) {
		each(each_ctx, "/dev/sda1");
		each(each_ctx, "/dev/nvme0n1p2");
		return ctx ? -EACCES : 2;
	}
	if (!strcmp(tag, "UUID") && !strcmp(value, "f00") && !strcmp(type, "btrfs")) {
		each(each_ctx, "/dev/sdb");
		each(each_ctx, "/dev/sda1");
		return 2;
	}
	return 0;
}

static void members_are_found_by_label(void **state)
{
	struct gb_blkid blkid = { fake_find, NULL };

	(void)state;
	usual();
	tree_put(&tree, "/proc/self/mountinfo", "22 1 0:30 / / rw - zfs rpool/ROOT/debian rw\n");
	tree_put(&tree, "/proc/cmdline", "root=ZFS=rpool/ROOT/debian\n");
	tree_put(&tree, "/etc/fstab", "UUID=f00 /data btrfs subvol=x\n");
	read_disks(&blkid);
	mounted("/", GB_YES, "nvme0n1p2 (0000:02:00.0), sda1 (0000:00:17.0)");
	has_chain(find("root=", GB_DISK_CMDLINE), GB_YES,
		  "nvme0n1p2 (0000:02:00.0), sda1 (0000:00:17.0)");
	has_chain(find("/data", GB_DISK_FSTAB), GB_YES, "sda1 (0000:00:17.0), sdb (0000:00:14.0)");
	/* nobody but root sees them all */
	blkid.ctx = &blkid;
	read_disks(&blkid);
	assert_int_equal(find("/", GB_DISK_MOUNTED)->placed, GB_CANNOT_TELL);
	read_disks(NULL);
	assert_int_equal(find("/", GB_DISK_MOUNTED)->placed, GB_CANNOT_TELL);
}

static void loops_end(void **state)
{
	(void)state;
	stacked("dm-0", "dm-1 dm-2 dm-3");
	stacked("dm-1", "dm-0 dm-2 dm-3");
	stacked("dm-2", "dm-0 dm-1 dm-3");
	stacked("dm-3", "dm-0 dm-1 dm-2");
	tree_link(&tree, "/dev/mapper/a", "b");
	tree_link(&tree, "/dev/mapper/b", "a");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/dm-0 rw\n");
	tree_put(&tree, "/etc/fstab", "/dev/mapper/a /a ext4\n/dev/../.. /b ext4\nX /c auto\n");
	read_disks(NULL);
	assert_int_equal(find("/", GB_DISK_MOUNTED)->placed, GB_CANNOT_TELL);
	assert_int_equal(find("/a", GB_DISK_FSTAB)->placed, GB_CANNOT_TELL);
	assert_int_equal(find("/b", GB_DISK_FSTAB)->placed, GB_CANNOT_TELL);
	assert_int_equal(find("/c", GB_DISK_FSTAB)->placed, GB_CANNOT_TELL);
}

static void live_systems_cannot_tell(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/self/mountinfo", "22 1 0:30 / / rw - overlay overlay rw\n");
	read_disks(NULL);
	mounted("/", GB_CANNOT_TELL, "");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 0:30 / / rw - nfs4 server:/root rw\n");
	read_disks(NULL);
	mounted("/", GB_NO, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		TEST(plain_disks_are_placed),
		TEST(stacks_are_followed),
		TEST(file_systems_of_many_disks),
		TEST(nvme_of_many_paths),
		TEST(files_and_memory),
		TEST(what_is_named_counts),
		TEST(members_are_found_by_label),
		TEST(loops_end),
		TEST(live_systems_cannot_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
