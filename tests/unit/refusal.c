/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands against claiming a device, and the word that lifts it. */
#include "pc.h"

#include "disks.h"
#include "need-words.h"
#include "refusal.h"
#include "target.h"

static struct gb_survey survey;
static struct gb_disks disks;
static struct gb_target target;
static struct gb_need_words words;
static struct gb_refusals refusals;
static struct gb_err err;

static void forget(void)
{
	gb_refusals_clear(&refusals);
	gb_need_words_clear(&words);
	gb_target_clear(&target);
	gb_disks_clear(&disks);
	gb_survey_clear(&survey);
	memset(&checks, 0, sizeof(checks));
}

static int clear(void **state)
{
	forget();
	return pc_clear(state);
}

#define MODULES "/lib/modules/6.1.0-1"
#define USB_PORT "pci0000:00/" USB "/usb1/1-1/1-1:1.0"
#define LETTERS "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"

static void keyboard(unsigned n, const char *where, const char *keys)
{
	char path[256], link[256];

	snprintf(path, sizeof(path), "/sys/devices/%s/input/input%u/capabilities/key", where, n);
	tree_put(&tree, path, keys);
	snprintf(path, sizeof(path), "/sys/devices/%s/input/input%u/name", where, n);
	tree_put(&tree, path, "Cherry\n");
	snprintf(path, sizeof(path), "/sys/class/input/input%u", n);
	snprintf(link, sizeof(link), "../../devices/%s/input/input%u", where, n);
	tree_link(&tree, path, link);
}

static int make(void **state)
{
	pc_make(state);
	tree_put(&tree, MODULES "/modules.dep",
		 "kernel/drivers/vfio/pci/vfio-pci.ko:\nkernel/drivers/vfio/vfio_iommu_type1.ko:\n");
	tree_put(&tree, MODULES "/kernel/drivers/vfio/pci/vfio-pci.ko", "");
	tree_put(&tree, MODULES "/kernel/drivers/vfio/vfio_iommu_type1.ko", "");
	tree_put(&tree, MODULES "/modules.builtin", "");
	tree_put(&tree, "/boot/config-6.1.0-1", "#\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n");
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
	tree_put(&tree, "/sys/firmware/acpi/tables/DMAR", "x");
	tree_folder(&tree, "/sys/class/iommu");
	tree_folder(&tree, "/sys/class/iommu/dmar0");
	tree_folder(&tree, "/sys/class/block");
	tree_put(&tree, "/proc/cmdline", "quiet\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.1.0-1\n");
	keyboard(1, "platform/i8042/serio0", LETTERS);
	return 0;
}

static void refuse_all(const char *const *bdf, size_t n, unsigned allow)
{
	struct gb_bdf address;
	int node[4];

	forget();
	read_pc(&survey);
	assert_int_equal(gb_disks_read(tree.root, NULL, &disks, &err), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(gb_bdf_parse(bdf[i], &address));
		node[i] = gb_survey_find(&survey, address);
	}
	assert_int_equal(gb_target_read(&survey, &disks, node, n, &target, &err), 0);
	assert_int_equal(gb_need_words_read(&target, false, NULL, 0, &words, &err), 0);
	assert_int_equal(gb_refusals_read(&target, &disks, &words, allow, &refusals, &err), 0);
	checks = refusals.checks; /* for expect() */
}

static void refuse(const char *bdf, unsigned allow)
{
	refuse_all(&bdf, 1, allow);
}

static void none(void)
{
	for (size_t i = 0; i < refusals.checks.checks; i++)
		print_message("%s: %s [%s]\n", refusals.checks.check[i].id,
			      refusals.checks.check[i].text,
			      or_none(refusals.checks.check[i].evidence));
	assert_int_equal(refusals.standing, 0);
	assert_int_equal(refusals.checks.checks, 0);
}

/* It stands, says its word, and the word lifts it and nothing else does. */
static void lifted_by(const char *bdf, const char *id, unsigned bit, const char *text)
{
	char word[40];

	refuse(bdf, 0);
	expect(id, GB_FAIL, text);
	snprintf(word, sizeof(word), "--allow %s", id);
	expect(id, GB_FAIL, word);
	assert_true(refusals.wanted & bit);
	assert_true(refusals.standing > 0);
	refuse(bdf, (GB_ALLOW_END - 1) & ~bit);
	expect(id, GB_FAIL, word);
	assert_int_equal(refusals.standing, 1);
	refuse(bdf, GB_ALLOW_END - 1);
	expect(id, GB_WARN, "allowed");
	assert_int_equal(refusals.standing, 0);
	assert_true(refusals.lifted & bit);
}

static void block(const char *name, const char *number, const char *where)
{
	char path[128], link[256];

	snprintf(link, sizeof(link), "../../devices/%s/%s", where, name);
	snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	tree_link(&tree, path, link);
	snprintf(path, sizeof(path), "/sys/dev/block/%s", number);
	tree_link(&tree, path, link);
	snprintf(path, sizeof(path), "/sys/devices/%s/%s/size", where, name);
	tree_put(&tree, path, "1\n");
}

#define ON_DISK DISK_PORT "/" DISK "/nvme/nvme0"
#define ON_USB USB_PORT "/host2/block"

/* ---- a card ---------------------------------------------------------------------------------- */

static void nothing_stands_against_a_card(void **state)
{
	(void)state;
	block("nvme0n1", "259:0", ON_DISK);
	tree_put(&tree, "/proc/self/mountinfo", "22 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	refuse(CARD, 0);
	none();
	refuse(SOUND, 0);
	none();
}

static void the_last_display(void **state)
{
	(void)state;
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "0\n");
	pc_driver(CARD, "vfio-pci");
	lifted_by(GRAPHICS, "last-display", GB_ALLOW_LAST_DISPLAY, CARD ": vfio-pci");
	pc_driver(CARD, "nouveau");
	pc_claim(CLAIM_CARD CLAIM_SOUND);
	lifted_by(GRAPHICS, "last-display", GB_ALLOW_LAST_DISPLAY, CARD ": claimed");
	/* its line was told already; and that it is the boot display goes without saying */
	pc_claim(CLAIM_CARD CLAIM_SOUND "claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 "
		 "class=030000 allow=last-display\n");
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "1\n");
	refuse(GRAPHICS, 0);
	assert_int_equal(refusals.standing, 0);
	assert_int_equal(refusals.checks.checks, 1);
}

/* Of a host that shows nothing on a screen, as servers with an accelerator. */
static void a_3d_controller_is_no_last_display(void **state)
{
	(void)state;
	tree_delete(&tree, "/sys/bus/pci/devices/" GRAPHICS);
	lifted_by(CARD, "last-display", GB_ALLOW_LAST_DISPLAY, "no other of class 0300");
	tree_pci(&tree, ROOT_PORT "/" CARD, "10de:2335 10de:18be 030200", 0);
	refuse(CARD, 0);
	none();
}

static void the_boot_display(void **state)
{
	(void)state;
	lifted_by(GRAPHICS, "boot-display", GB_ALLOW_BOOT_DISPLAY, "boot_vga: 1");
	pc_claim("claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000 "
		 "allow=boot-display\n");
	refuse(GRAPHICS, 0);
	assert_int_equal(refusals.standing, 0);
	expect("boot-display", GB_WARN, "allowed");
}

/* ---- keyboard --------------------------------------------------------------------------------- */

static void the_only_keyboard(void **state)
{
	(void)state;
	refuse(USB, 0);
	none();
	tree_delete(&tree, "/sys/class/input/input1");
	refuse(USB, 0);
	none(); /* a host without any */
	keyboard(2, USB_PORT "/0003:046A.0001", LETTERS);
	keyboard(3, "platform/i8042/serio1", "70000 0 0 0 0\n"); /* a mouse */
	keyboard(4, "virtual/x", LETTERS);			  /* a program's */
	lifted_by(USB, "keyboard", GB_ALLOW_KEYBOARD, "/sys/class/input/input2: Cherry");
	refuse(CARD, 0);
	none();
	keyboard(5, "pci0000:00/0000:00:06.0/x", "fffffffe\n");
	refuse(USB, 0);
	none();
}

static void keyboards_that_cannot_be_seen(void **state)
{
	(void)state;
	tree_delete(&tree, "/sys/class/input/input1");
	assert_int_equal(rmdir(tree_path(&tree, "/sys/class/input")), 0);
	refuse(USB, 0);
	expect("keyboard", GB_UNKNOWN, "--allow keyboard");
	assert_int_equal(refusals.standing, 1);
	refuse(CARD, 0);
	none();
}

/* ---- disks and network ------------------------------------------------------------------------ */

static void the_systems_disk(void **state)
{
	static const char *const mounts[] = { "/", "/boot", "/boot/efi", "/usr" };
	char text[128];

	(void)state;
	block("nvme0n1", "259:0", ON_DISK);
	pc_group(DISK, 14);
	for (size_t i = 0; i < COUNT(mounts); i++) {
		snprintf(text, sizeof(text), "22 1 259:0 / %s rw - ext4 /dev/nvme0n1 rw\n", mounts[i]);
		tree_put(&tree, "/proc/self/mountinfo", text);
		refuse(CARD, GB_ALLOW_END - 1);
		expect("system-disk", GB_FAIL, mounts[i]);
		expect("system-disk", GB_FAIL, DISK);
		assert_int_equal(refusals.firm, 1);
		assert_null(strstr(checks.check[0].fix, "--allow"));
	}
	/* said twice, named once */
	tree_put(&tree, "/etc/fstab", "/dev/nvme0n1 /usr ext4 defaults 0 2\n");
	refuse(CARD, GB_ALLOW_END - 1);
	assert_null(strstr(checks.check[0].text, "/usr, /usr"));
	expect("system-disk", GB_FAIL, "/etc/fstab: /usr is /dev/nvme0n1");
	tree_delete(&tree, "/etc/fstab");
	tree_put(&tree, "/proc/self/mountinfo", "");
	tree_put(&tree, "/proc/cmdline", "root=/dev/nvme0n1 quiet\n");
	refuse(CARD, GB_ALLOW_END - 1);
	expect("system-disk", GB_FAIL, "/proc/cmdline: root= is /dev/nvme0n1");
	/* selected itself, and told so, it goes */
	refuse(DISK, GB_ALLOW_END - 1 - GB_ALLOW_SYSTEM_DISK);
	expect("system-disk", GB_FAIL, "--allow system-disk: the host does not start");
	assert_int_equal(refusals.firm, 0);
	lifted_by(DISK, "system-disk", GB_ALLOW_SYSTEM_DISK, "root= is /dev/nvme0n1");
}

static void another_disk(void **state)
{
	(void)state;
	block("nvme0n1", "259:0", ON_DISK);
	tree_put(&tree, "/etc/fstab", "/dev/nvme0n1 /srv ext4 defaults 0 2\n");
	lifted_by(DISK, "storage", GB_ALLOW_STORAGE, "/etc/fstab: /srv is /dev/nvme0n1");
	tree_put(&tree, "/etc/fstab", "");
	tree_put(&tree, "/proc/swaps", "Filename Type Size Used Priority\n/dev/nvme0n1 partition 1 0 -2\n");
	lifted_by(DISK, "storage", GB_ALLOW_STORAGE, "/proc/swaps: swap is /dev/nvme0n1");
	tree_put(&tree, "/proc/swaps", "");
	/* by its class alone */
	lifted_by(DISK, "storage", GB_ALLOW_STORAGE, "is a storage controller (selected)");
	block("sda", "8:0", ON_USB);
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:0 / /media/stick rw - vfat /dev/sda rw\n");
	lifted_by(USB, "storage", GB_ALLOW_STORAGE, "/media/stick is /dev/sda");
}

static void disks_that_cannot_be_followed(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/self/mountinfo", "22 1 0:30 / / rw - zfs rpool/ROOT rw\n");
	refuse(CARD, 0);
	none();
	refuse(USB, 0);
	none(); /* no disk hangs on it */
	block("sda", "8:0", ON_USB);
	refuse(USB, 0);
	expect("storage", GB_UNKNOWN, "rpool/ROOT");
	expect("storage", GB_UNKNOWN, "--allow storage");
	assert_int_equal(refusals.standing, 1);
	refuse(USB, GB_ALLOW_STORAGE);
	assert_int_equal(refusals.standing, 0);
	tree_delete(&tree, "/proc/self/mountinfo");
	refuse(USB, 0);
	expect("storage", GB_UNKNOWN, "/proc/self/mountinfo");
}

static void the_network(void **state)
{
	(void)state;
	lifted_by(NETWORK, "network", GB_ALLOW_NETWORK, "is a network controller (selected)");
	tree_link(&tree, "/sys/class/net/eno1", "../../devices/pci0000:00/" NETWORK "/net/eno1");
	tree_put(&tree, "/sys/devices/pci0000:00/" NETWORK "/net/eno1/flags", "0x1003\n");
	tree_put(&tree, "/sys/devices/pci0000:00/" NETWORK "/net/eno1/operstate", "up\n");
	lifted_by(NETWORK, "network", GB_ALLOW_NETWORK, "the host's network goes through it: eno1");
	pc_group(NETWORK, 14);
	refuse(CARD, 0);
	expect("network", GB_FAIL, NETWORK);
}

/* ---- never ------------------------------------------------------------------------------------ */

static void bridges(void **state)
{
	(void)state;
	refuse("0000:00:01.0", GB_ALLOW_END - 1);
	expect("bridge", GB_FAIL, "select what is behind it, " CARD);
	assert_int_equal(refusals.firm, 1);
	assert_int_equal(refusals.wanted, 0);
	pc_put("pci0000:00/" NETWORK, "physfn", "");
	refuse(NETWORK, GB_ALLOW_END - 1);
	expect("virtual-function", GB_FAIL, "physfn");
}

static void what_the_file_keeps(void **state)
{
	const char *const both[] = { CARD, USB };

	(void)state;
	pc_group(USB, 14);
	pc_claim("keep path=0000:00/14.0 id=8086:7ae0 subsys=1462:7d91 class=0c0330\n");
	refuse(CARD, GB_ALLOW_END - 1);
	expect("kept", GB_FAIL, "/etc/ghost-boot/claims, line 2");
	assert_int_equal(refusals.firm, 1);
	refuse_all(both, 2, 0);
	none();
}

/* ---- machine and device ------------------------------------------------------------------------- */

static void no_iommu(void **state)
{
	(void)state;
	pc_no_groups();
	rmdir(tree_path(&tree, "/sys/class/iommu/dmar0"));
	/* built in, and off all the same */
	lifted_by(CARD, "no-iommu", GB_ALLOW_NO_IOMMU, "cannot tell why");
	/* a word that is added will do */
	tree_put(&tree, "/boot/config-6.1.0-1", "#\nCONFIG_INTEL_IOMMU=y\n");
	refuse(CARD, 0);
	none();
	/* where none is built in, no word helps */
	tree_put(&tree, "/boot/config-6.1.0-1", "#\n");
	lifted_by(CARD, "no-iommu", GB_ALLOW_NO_IOMMU, "built without Intel's");
	tree_delete(&tree, "/sys/firmware/acpi/tables/DMAR");
	lifted_by(CARD, "no-iommu", GB_ALLOW_NO_IOMMU, "switch on VT-d");
}

static void a_kernel_without_vfio(void **state)
{
	(void)state;
	tree_put(&tree, "/lib/modules/6.2.0-1/modules.dep", "");
	tree_put(&tree, "/lib/modules/6.2.0-1/modules.builtin", "");
	tree_put(&tree, "/boot/config-6.2.0-1", "#\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n");
	lifted_by(CARD, "no-vfio", GB_ALLOW_NO_VFIO, "kernel 6.2.0-1");
	tree_put(&tree, "/lib/modules/6.2.0-1/modules.builtin",
		 "kernel/drivers/vfio/pci/vfio-pci.ko\nkernel/drivers/vfio/vfio_iommu_type1.ko\n");
	refuse(CARD, 0);
	none();
}

static void unfit_devices(void **state)
{
	(void)state;
	pc_reserve(14, "0x0000000000000000 0x0000000000ffffff direct\n");
	lifted_by(CARD, "unfit", GB_ALLOW_UNFIT, "VFIO refuses it");
	pc_reserve(14, "");
	/* a bridge with a driver of the host's in the group */
	pc_add("pci0000:00/0000:00:1f.0", "8086:7a86 1462:7d91 060100",
	       (struct shape){ .port = -1 }, 14, "lpc_ich");
	lifted_by(CARD, "unfit", GB_ALLOW_UNFIT, "0000:00:1f.0 (bridge, lpc_ich)");
	pc_driver("0000:00:1f.0", NULL);
	refuse(CARD, 0);
	none();
	pc_group(GRAPHICS, -1);
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "0\n");
	lifted_by(GRAPHICS, "unfit", GB_ALLOW_UNFIT, "can't be passed through");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_stands_against_a_card),
		TEST(the_last_display),
		TEST(a_3d_controller_is_no_last_display),
		TEST(the_boot_display),
		TEST(the_only_keyboard),
		TEST(keyboards_that_cannot_be_seen),
		TEST(the_systems_disk),
		TEST(another_disk),
		TEST(disks_that_cannot_be_followed),
		TEST(the_network),
		TEST(bridges),
		TEST(what_the_file_keeps),
		TEST(no_iommu),
		TEST(a_kernel_without_vfio),
		TEST(unfit_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
