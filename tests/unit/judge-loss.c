/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would be lost with a device, and whether it may be given away. */
#include "pc.h"

#define BLOCK(name) "/sys/class/block/" name
#define NVME "../../devices/" DISK_PORT "/" DISK "/nvme/nvme0/nvme0n1"
#define STICK "../../devices/pci0000:00/" USB "/usb1/1-2/1-2:1.0/host2/target2/2:0:0:0/block/sda"
#define MOUNT(number, point, type, source) \
	"30 1 " number " / " point " rw,relatime shared:1 - " type " " source " rw\n"

static void judge(const char *bdf)
{
	judge_pc(gb_judge_loss, bdf);
}

static void block(const char *name, const char *number, const char *link)
{
	char path[128], up[256];

	snprintf(path, sizeof(path), BLOCK("%s"), name);
	tree_link(&tree, path, link);
	snprintf(path, sizeof(path), "/sys/dev/block/%s", number);
	snprintf(up, sizeof(up), "%s", link);
	tree_link(&tree, path, up);
	snprintf(path, sizeof(path), "/sys/%s", link + strlen("../../"));
	tree_folder(&tree, path);
}

/* Device mapper or MD: made of others. */
static void stack(const char *name, const char *number, const char *slave)
{
	char link[128], path[192];

	snprintf(link, sizeof(link), "../../devices/virtual/block/%s", name);
	block(name, number, link);
	snprintf(path, sizeof(path), "/sys/devices/virtual/block/%s/slaves/%s", name, slave);
	tree_put(&tree, path, "");
}

static void mounts(const char *text)
{
	tree_put(&tree, "/proc/self/mountinfo", text);
}

static void the_picture(void **state)
{
	(void)state;
	judge(CARD);
	expect("last-display", GB_PASS, "another display, " GRAPHICS);
	expect("boot-display", GB_PASS, "not on it");
	judge(GRAPHICS);
	expect("last-display", GB_PASS, CARD);
	expect("boot-display", GB_WARN, GRAPHICS "/boot_vga: 1");
	tree_delete(&tree, "/sys/devices/" ROOT_PORT "/" CARD "/boot_vga");
	judge(CARD);
	expect("boot-display", GB_UNKNOWN, "can't be told");
	tree_put(&tree, "/proc/iomem", "c0000000-cfffffff : " CARD "\n  c0000000-c0ffffff : BOOTFB\n");
	judge(CARD);
	expect("boot-display", GB_WARN, "/proc/iomem: BOOTFB");
	judge(USB);
	expect_none("last-display");
	expect_none("boot-display");
}

static void the_last_picture(void **state)
{
	(void)state;
	pc_claim(CLAIM_GRAPHICS "keep path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 "
		 "class=030000\n");
	judge(CARD);
	expect("last-display", GB_FAIL, "no other display");
	judge(GRAPHICS);
	expect("last-display", GB_PASS, CARD);
	/* vfio-pci has the other, whoever gave it */
	tree_delete(&tree, "/etc/ghost-boot/claims");
	pc_driver(GRAPHICS, "vfio-pci");
	judge(CARD);
	expect("last-display", GB_FAIL, "no other display");
	/* it would go with the card */
	pc_driver(GRAPHICS, "i915");
	pc_group(GRAPHICS, 14);
	judge(CARD);
	expect("last-display", GB_FAIL, "no other display");
	expect("display-in-group", GB_FAIL, GRAPHICS);
	/* it may go with the card */
	pc_driver(GRAPHICS, "vfio-pci");
	pc_no_groups();
	pc_shape(ROOT_PORT, (struct shape){ .bus = 1, .bytes = 64 });
	pc_add(ROOT_PORT "/0000:01:01.0", "102b:0532 0000:0000 030000",
	       (struct shape){ .bytes = 64 }, -1, NULL);
	judge(CARD);
	expect("last-display", GB_UNKNOWN, "0000:01:01.0 may go with it");
	pc_driver("0000:01:01.0", "vfio-pci");
	/* a server that is reached by network */
	pc_group(GRAPHICS, 0);
	pc_driver(GRAPHICS, "vfio-pci");
	pc_claim("claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000 "
		 "allow=last-display\n");
	judge(CARD);
	expect("last-display", GB_WARN, "no other display");
}

static void by_class(void **state)
{
	(void)state;
	judge(CARD);
	expect("storage-in-group", GB_PASS, "no storage");
	expect("network-in-group", GB_PASS, "no network device");
	expect("display-in-group", GB_PASS, "no other display");
	pc_group(DISK, 14);
	pc_group(NETWORK, 14);
	judge(CARD);
	expect("storage-in-group", GB_FAIL, DISK " (storage, nvme)");
	expect("network-in-group", GB_FAIL, NETWORK " (network, e1000e)");
	pc_driver(NETWORK, "vfio-pci");
	judge(CARD);
	expect("network-in-group", GB_WARN, NETWORK);
	/* two pictures of one card are its own */
	pc_add(ROOT_PORT "/0000:01:00.2", "10de:2204 1462:5054 038000",
	       (struct shape){ .port = GB_PORT_ENDPOINT }, 14, NULL);
	judge(CARD);
	expect("display-in-group", GB_WARN, "0000:01:00.2");
}

static void by_class_if_at_all(void **state)
{
	(void)state;
	pc_no_groups();
	pc_add(ROOT_PORT "/0000:01:00.2", "1b21:0612 1462:5054 010601",
	       (struct shape){ .bytes = 64 }, -1, NULL);
	judge(CARD);
	expect("storage-in-group", GB_UNKNOWN, "may be in its group and would go with it: 0000:01:00.2");
	pc_shape(ROOT_PORT "/0000:01:00.2", (struct shape){ .port = GB_PORT_ENDPOINT });
	judge(CARD);
	expect("storage-in-group", GB_FAIL, "is in its group");
}

static void a_mounted_disk(void **state)
{
	(void)state;
	block("nvme0n1", "259:0", NVME);
	block("nvme0n1p2", "259:2", NVME "/nvme0n1p2");
	pc_group(DISK, 14);
	judge(CARD);
	expect("disk-behind-group", GB_PASS, "uses no disk");
	mounts(MOUNT("0:23", "/proc", "proc", "proc") MOUNT("259:2", "/", "ext4", "/dev/nvme0n1p2"));
	judge(CARD);
	expect("disk-behind-group", GB_FAIL, "/dev/nvme0n1p2 is mounted on /");
	judge(DISK);
	expect("disk-behind-group", GB_FAIL, "is mounted on /");
	judge(NETWORK);
	expect("disk-behind-group", GB_PASS, "uses no disk");
	pc_group(DISK, 15);
	judge(CARD);
	expect("disk-behind-group", GB_PASS, "nothing in its group can have a disk");
	mounts("");
	tree_put(&tree, "/proc/swaps", "Filename Type Size Used Priority\n"
				       "/dev/nvme0n1p2 partition 8 0 -2\n/swap file 8 0 -2\n");
	judge(DISK);
	expect("disk-behind-group", GB_FAIL, "/dev/nvme0n1p2 is swapped on");
	tree_delete(&tree, "/proc/self/mountinfo");
	tree_delete(&tree, "/proc/swaps");
	judge(DISK);
	expect("disk-behind-group", GB_UNKNOWN, "it may be on " DISK);
}

static void a_stack_of_disks(void **state)
{
	(void)state;
	/* LVM on LUKS on a partition of MD on two disks, one of them on USB */
	block("nvme0n1p3", "259:3", NVME "/nvme0n1p3");
	block("sda", "8:0", STICK);
	stack("md0", "9:0", "nvme0n1p3");
	tree_put(&tree, "/sys/devices/virtual/block/md0/slaves/sda", "");
	block("md0p1", "259:9", "../../devices/virtual/block/md0/md0p1");
	tree_put(&tree, "/sys/devices/virtual/block/md0/md0p1/partition", "1\n");
	stack("dm-0", "254:0", "md0p1");
	stack("dm-1", "254:1", "dm-0");
	mounts(MOUNT("254:1", "/home", "ext4", "/dev/mapper/vg-home"));
	judge(DISK);
	expect("disk-behind-group", GB_FAIL, "/dev/mapper/vg-home is mounted on /home");
	judge(USB);
	expect("disk-behind-group", GB_FAIL, "/home");
	/* a knot that no kernel ties */
	tree_put(&tree, "/sys/devices/virtual/block/dm-0/slaves/dm-1", "");
	judge(NETWORK);
	expect("disk-behind-group", GB_UNKNOWN, "it may be on");
}

static void disks_without_a_number(void **state)
{
	(void)state;
	block("nvme0n1p2", "259:2", NVME "/nvme0n1p2");
	block("sda", "8:0", STICK);
	tree_put(&tree, "/sys/fs/btrfs/features/raid56", "");
	tree_put(&tree, "/sys/fs/btrfs/1234-5678/devices/nvme0n1p2", "");
	tree_put(&tree, "/sys/fs/btrfs/1234-5678/devices/sda", "");
	mounts(MOUNT("0:30", "/", "btrfs", "/dev/nvme0n1p2"));
	judge(USB);
	expect("disk-behind-group", GB_FAIL, "mounted on /");
	judge(DISK);
	expect("disk-behind-group", GB_FAIL, "mounted on /");
	mounts(MOUNT("0:31", "/srv", "bcachefs", "/dev/nvme0n1p2:/dev/sda"));
	judge(USB);
	expect("disk-behind-group", GB_FAIL, "mounted on /srv");
	mounts(MOUNT("0:32", "/", "zfs", "rpool/ROOT"));
	judge(DISK);
	expect("disk-behind-group", GB_UNKNOWN, "rpool/ROOT (zfs)");
	judge(CARD);
	expect("disk-behind-group", GB_PASS, "nothing in its group can have a disk");
}

static void a_disk_of_several_controllers(void **state)
{
	(void)state;
	block("nvme0n1", "259:0", "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	tree_link(&tree, "/sys/class/nvme-subsystem/nvme-subsys0",
		  "../../devices/virtual/nvme-subsystem/nvme-subsys0");
	tree_link(&tree, "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  "../../../" DISK_PORT "/" DISK "/nvme/nvme0");
	mounts(MOUNT("259:0", "/", "ext4", "/dev/nvme0n1"));
	judge(DISK);
	expect("disk-behind-group", GB_FAIL, "/dev/nvme0n1 is mounted on /");
}

static void the_network(void **state)
{
	(void)state;
	tree_link(&tree, "/sys/class/net/eno1", "../../devices/pci0000:00/" NETWORK "/net/eno1");
	pc_put("pci0000:00/" NETWORK, "net/eno1/flags", "0x1002\n");
	judge(NETWORK);
	expect("network-behind-group", GB_PASS, "uses no network interface");
	pc_put("pci0000:00/" NETWORK, "net/eno1/flags", "0x1003\n");
	judge(NETWORK);
	expect("network-behind-group", GB_WARN, "eno1 is up");
	tree_put(&tree, "/proc/net/route",
		 "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
		 "br0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
	judge(NETWORK);
	expect("network-behind-group", GB_WARN, "eno1 is up");
	pc_put("pci0000:00/" NETWORK, "net/eno1/upper_br0", "");
	judge(NETWORK);
	expect("network-behind-group", GB_FAIL, "eno1 is up and has the default route");
	tree_delete(&tree, "/proc/net/route");
	tree_put(&tree, "/proc/net/ipv6_route",
		 "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		 "fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eno1\n");
	judge(NETWORK);
	expect("network-behind-group", GB_FAIL, "default route");
	judge(CARD);
	expect("network-behind-group", GB_PASS, "can have a network interface");
}

static void before_the_root_file_system(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/initrd-release", "ID=debian\n");
	tree_put(&tree, "/proc/net/route", "");
	judge(DISK);
	expect("disk-behind-group", GB_UNKNOWN, "this is the initramfs");
	expect("network-behind-group", GB_UNKNOWN, "this is the initramfs");
	expect_none("keep-in-group");
	pc_claim(CLAIM_CARD "keep path=0000:00/06.0/00.0 id=15b7:5030 subsys=15b7:5030 class=010802\n");
	judge(CARD);
	expect_none("keep-in-group");
	pc_group(DISK, 14);
	judge(CARD);
	expect("keep-in-group", GB_FAIL, DISK " (storage, nvme)");
	expect("keep-in-group", GB_FAIL, "/etc/ghost-boot/claims");
}

static void said_once(void **state)
{
	struct gb_survey survey;
	size_t lines;

	(void)state;
	judge(CARD);
	lines = checks.checks;
	read_pc(&survey);
	for (int i = 0; i < (int)survey.topology.nodes; i++)
		if (survey.topology.node[i].device->id.class == 0x040300)
			gb_judge_loss(&survey, i, &checks);
	assert_int_equal(checks.checks, lines);
	gb_survey_clear(&survey);
	judge(SOUND);
	expect("storage-in-group", GB_PASS, SOUND);
}

/* ---- the one word for a list --------------------------------------------------------------- */

static enum gb_fitness fitness;

static void judge_word(const struct gb_survey *survey, int node, struct gb_checks *reasons)
{
	fitness = gb_judge_fitness(survey, node, reasons);
}

static void check_fitness(const char *bdf, enum gb_fitness want)
{
	judge_pc(judge_word, bdf);
	if (fitness != want)
		fail_msg("%s is %s, not %s", bdf, gb_fitness_name(fitness), gb_fitness_name(want));
	assert_int_equal(gb_checks_count(&checks, GB_PASS), 0);
}

static void fit_or_not(void **state)
{
	(void)state;
	check_fitness(CARD, GB_FIT);
	assert_int_equal(checks.checks, 0);
	pc_group(USB, 14);
	check_fitness(CARD, GB_FIT);
	expect("group-members", GB_WARN, USB);
	pc_group(DISK, 14);
	check_fitness(CARD, GB_UNFIT);
	expect("storage-in-group", GB_FAIL, DISK);
	pc_group(USB, 5);
	pc_group(DISK, 15);
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1, .bytes = 64 });
	check_fitness(CARD, GB_FITNESS_UNKNOWN);
	expect("acs-lie", GB_UNKNOWN, "");
	pc_driver(GRAPHICS, "vfio-pci"); /* what fails, fails all the same */
	check_fitness(CARD, GB_UNFIT);
	expect("acs-lie", GB_UNKNOWN, "");
}

static void fit_if_it_were_on(void **state)
{
	(void)state;
	pc_no_groups();
	check_fitness(CARD, GB_FIT);
	expect("group", GB_WARN, "the kernel has no IOMMU groups");
	pc_shape(ROOT_PORT "/" SOUND, (struct shape){ .bytes = 64 });
	check_fitness(CARD, GB_FITNESS_UNKNOWN);
	pc_shape(ROOT_PORT "/" SOUND, (struct shape){ .port = GB_PORT_ENDPOINT });
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1 });
	check_fitness(CARD, GB_FIT);
	expect("acs-path", GB_WARN, "root port without ACS");
}

#define test(name) cmocka_unit_test_setup_teardown(name, pc_make, pc_clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_picture),
		test(the_last_picture),
		test(by_class),
		test(by_class_if_at_all),
		test(a_mounted_disk),
		test(a_stack_of_disks),
		test(disks_without_a_number),
		test(a_disk_of_several_controllers),
		test(the_network),
		test(before_the_root_file_system),
		test(said_once),
		test(fit_or_not),
		test(fit_if_it_were_on),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	gb_checks_clear(&checks);
	return failed;
}
