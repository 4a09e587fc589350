/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is using a device: processes, disks, interfaces, on synthetic /proc and /sys. */
#include "fake.h"

#include "use.h"

#define GPU "/sys/devices/pci0000:00/0000:00:02.0"
#define DISK "/sys/devices/pci0000:00/0000:00:06.0"
#define NIC "/sys/devices/pci0000:00/0000:00:19.0"
#define NAMESPACE DISK "/nvme/nvme0/nvme0n1"
#define MOUNTINFO(rest) "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n" rest

static struct tree tree;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_pci(&tree, "pci0000:00/0000:00:02.0", "10de:2203 1462:5054 030000", 0);
	tree_put(&tree, GPU "/drm/card1/dev", "226:1\n");
	tree_put(&tree, GPU "/drm/card1/uevent", "MAJOR=226\nMINOR=1\nDEVNAME=dri/card1\n");
	tree_put(&tree, GPU "/drm/renderD129/dev", "226:129\n");
	tree_put(&tree, GPU "/drm/renderD129/uevent",
		 "DEVNAME=dri/renderD129\nDEVTYPE=drm_minor\n");
	tree_link(&tree, GPU "/drm/card1/device", "../../../0000:00:02.0");

	tree_pci(&tree, "pci0000:00/0000:00:06.0", "15b7:5030 15b7:5030 010802", 0);
	tree_put(&tree, NAMESPACE "/dev", "259:0\n");
	tree_folder(&tree, NAMESPACE "/holders");
	tree_put(&tree, NAMESPACE "/nvme0n1p2/dev", "259:2\n");
	tree_folder(&tree, NAMESPACE "/nvme0n1p2/holders");

	tree_pci(&tree, "pci0000:00/0000:00:19.0", "8086:1521 8086:0001 020000", 0);
	tree_put(&tree, NIC "/net/enp0s25/flags", "0x1002\n");

	tree_put(&tree, "/proc/self/mountinfo", MOUNTINFO(""));
	tree_put(&tree, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
	tree_put(&tree, "/proc/41/comm", "sleep\n");
	tree_link(&tree, "/proc/41/fd/0", "/dev/null");
	tree_link(&tree, "/proc/41/fd/1", "socket:[12]");
	tree_folder(&tree, "/proc/42/fd");
	tree_put(&tree, "/proc/42/comm", "Xorg\n");
	tree_put(&tree, "/proc/version", "Linux\n");
	return 0;
}

static int clear(void **state)
{
	(void)state;
	tree_clear(&tree);
	return 0;
}

static void check_use(const char *bdf, const char *want)
{
	char who[160] = "";
	struct gb_bdf address;
	int r;

	assert_true(gb_bdf_parse(bdf, &address));
	r = gb_use_find(tree.root, address, who, sizeof(who));
	if (r != (*want ? 1 : 0) || strcmp(who, want))
		fail_msg("%s: %d, %s; wanted %s", bdf, r, who, want);
}

static void nobody(void **state)
{
	(void)state;
	check_use("0000:00:02.0", "");
	check_use("0000:00:06.0", "");
	check_use("0000:00:19.0", "");
}

static void a_process_with_a_node_open(void **state)
{
	(void)state;
	/* names that only begin alike */
	tree_link(&tree, "/proc/42/fd/7", "/dev/dri/card10");
	tree_link(&tree, "/proc/42/fd/8", "/dev/dri/card");
	check_use("0000:00:02.0", "");
	tree_link(&tree, "/proc/42/fd/9", "/dev/dri/renderD129");
	check_use("0000:00:02.0", "Xorg (pid 42) has /dev/dri/renderD129 open");
	check_use("0000:00:06.0", "");
	tree_delete(&tree, "/proc/42/fd/9");
	tree_link(&tree, "/proc/42/fd/12", "/dev/dri/card1");
	check_use("0000:00:02.0", "Xorg (pid 42) has /dev/dri/card1 open");
}

static void a_mounted_disk(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/self/mountinfo",
		 MOUNTINFO("30 22 259:20 / /mnt rw - ext4 /dev/nvme1n1 rw\n"));
	check_use("0000:00:06.0", "");
	tree_put(&tree, "/proc/self/mountinfo",
		 MOUNTINFO("30 22 259:2 / /home rw - ext4 /dev/nvme0n1p2 rw\n"));
	check_use("0000:00:06.0", "nvme0n1p2 is mounted");
	check_use("0000:00:02.0", "");
	tree_put(&tree, "/proc/self/mountinfo",
		 MOUNTINFO("30 22 259:0 / /home rw - ext4 /dev/nvme0n1 rw\n"));
	check_use("0000:00:06.0", "nvme0n1 is mounted");
}

/* btrfs has device numbers of its own in mountinfo, and names one of its disks there. */
static void a_disk_of_a_btrfs(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/self/mountinfo",
		 MOUNTINFO("30 22 0:25 /@ /home rw - btrfs /dev/sdb rw,subvol=/@\n"));
	tree_folder(&tree, "/sys/fs/btrfs/features");
	tree_link(&tree, "/sys/fs/btrfs/0a1b/devices/sdb", "../../../../sdb");
	check_use("0000:00:06.0", "");
	tree_link(&tree, "/sys/fs/btrfs/0a1b/devices/nvme0n1p2", "../../../../nvme0n1p2");
	check_use("0000:00:06.0", "nvme0n1p2 is mounted");
}

static void a_swapped_on_disk(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
		 "/dev/nvme0n1p20                         partition\t1024\t0\t-2\n");
	check_use("0000:00:06.0", "");
	tree_put(&tree, "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
		 "/dev/nvme0n1p2                          partition\t1024\t0\t-2\n");
	check_use("0000:00:06.0", "nvme0n1p2 is swapped on");
}

static void a_stacked_disk(void **state)
{
	(void)state;
	tree_link(&tree, NAMESPACE "/nvme0n1p2/holders/dm-0", "../../../../../virtual/block/dm-0");
	check_use("0000:00:06.0", "nvme0n1p2 carries another block device");
}

static void an_interface_that_is_up(void **state)
{
	(void)state;
	tree_put(&tree, NIC "/net/enp0s25/flags", "0x1003\n");
	check_use("0000:00:19.0", "enp0s25 is up");
	check_use("0000:00:06.0", "");
}

static void what_is_not_there(void **state)
{
	char who[64];
	struct gb_bdf bdf = { 0, 0x7f, 0 };

	(void)state;
	assert_int_equal(gb_use_find(tree.root, bdf, who, sizeof(who)), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
	static const struct CMUnitTest tests[] = {
		TEST(nobody),		    TEST(a_process_with_a_node_open),
		TEST(a_mounted_disk),	    TEST(a_disk_of_a_btrfs),
		TEST(a_swapped_on_disk),    TEST(a_stacked_disk),
		TEST(an_interface_that_is_up), TEST(what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
