/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of an earlier recipe a claim makes unnecessary, how they come back; and what is warned
 * of. */
#include "pc.h"

#include "disks.h"
#include "footprint.h"
#include "retire.h"
#include "target.h"
#include "warning.h"

static struct gb_survey survey;
static struct gb_disks disks;
static struct gb_target target;
static struct gb_retire retire;
static struct gb_footprint footprint;
static struct gb_err err;

static void forget(void)
{
	gb_checks_clear(&checks);
	gb_footprint_clear(&footprint);
	gb_retire_clear(&retire);
	gb_target_clear(&target);
	gb_disks_clear(&disks);
	gb_survey_clear(&survey);
}

static int clear(void **state)
{
	forget();
	return pc_clear(state);
}

static void select_one(const char *bdf)
{
	struct gb_bdf address;
	int node;

	forget();
	read_pc(&survey);
	assert_int_equal(gb_disks_read(tree.root, NULL, &disks, &err), 0);
	assert_true(gb_bdf_parse(bdf, &address));
	node = gb_survey_find(&survey, address);
	assert_int_equal(gb_target_read(&survey, &disks, &node, 1, &target, &err), 0);
	assert_int_equal(gb_retire_read(&target, &retire, &err), 0);
}

/* The file becomes `want` and comes back; the same text: it is not touched. */
static void becomes(const char *path, const char *old, const char *want)
{
	struct gb_retire back;
	struct gb_text left = { 0 };

	tree_put(&tree, path, old);
	select_one(CARD);
	if (!strcmp(old, want)) {
		if (retire.files)
			fail_msg("%s", retire.file[0].text.data);
		tree_delete(&tree, path);
		return;
	}
	if (retire.files != 1)
		fail_msg("%s: %zu files", path, retire.files);
	assert_string_equal(retire.file[0].path, path);
	assert_string_equal(retire.file[0].text.data, want);
	gb_retire_note(&retire, &footprint);
	tree_put(&tree, path, want);
	assert_int_equal(gb_retire_undo(tree.root, &footprint, &back, &left, &err), 0);
	assert_int_equal(back.files, 1);
	assert_null(left.data);
	assert_string_equal(back.file[0].text.data, old);
	assert_int_equal(footprint.traces, 0);
	gb_retire_clear(&back);
	tree_delete(&tree, path);
}

#define MODPROBE "/etc/modprobe.d/vfio.conf"
#define C GB_RETIRED

static void modprobe_lines(void **state)
{
	(void)state;
	becomes(MODPROBE, "# gpu\noptions vfio-pci ids=10de:2203,10de:1aef\n",
		"# gpu\n" C "options vfio-pci ids=10de:2203,10de:1aef\n");
	becomes(MODPROBE, "options vfio_pci ids=10de:2203 disable_vga=1\r\nfoo",
		C "options vfio_pci ids=10de:2203 disable_vga=1\r\nfoo");
	/* one of them stays with the host; or is not there */
	becomes(MODPROBE, "options vfio-pci ids=10de:2203,8086:a780\n",
		"options vfio-pci ids=10de:2203,8086:a780\n");
	becomes(MODPROBE, "options vfio-pci ids=1234:5678\n", "options vfio-pci ids=1234:5678\n");
	becomes(MODPROBE, "options vfio-pci disable_vga=1\n", "options vfio-pci disable_vga=1\n");
	becomes(MODPROBE, "blacklist nouveau\nblacklist i915\nblacklist nvidia\n"
			  "blacklist snd_hda_intel\n",
		C "blacklist nouveau\nblacklist i915\n" C "blacklist nvidia\n"
		  "blacklist snd_hda_intel\n");
	becomes(MODPROBE, "install nouveau /bin/false\ninstall nvidia /sbin/x\n",
		C "install nouveau /bin/false\ninstall nvidia /sbin/x\n");
	becomes(MODPROBE, "softdep nvidia pre: vfio-pci\nsoftdep nvidia pre: vfio-pci i2c\n",
		C "softdep nvidia pre: vfio-pci\nsoftdep nvidia pre: vfio-pci i2c\n");
	/* in several lines: left */
	becomes(MODPROBE, "softdep nvidia \\\npre: vfio-pci\nblacklist \\\nnouveau\n",
		"softdep nvidia \\\npre: vfio-pci\nblacklist \\\nnouveau\n");
	becomes("/etc/modprobe.d/vfio", "blacklist nouveau\n", "blacklist nouveau\n");
	becomes("/usr/lib/modprobe.d/a.conf", "blacklist nouveau\n", "blacklist nouveau\n");
}

static void a_card_that_stays(void **state)
{
	(void)state;
	pc_add("pci0000:00/0000:00:03.0", "10de:2203 1462:5054 030000",
	       (struct shape){ .port = GB_PORT_INTEGRATED }, 30, "nvidia");
	becomes(MODPROBE, "options vfio-pci ids=10de:2203\nblacklist nouveau\n",
		"options vfio-pci ids=10de:2203\nblacklist nouveau\n");
}

static void lists_of_modules(void **state)
{
	(void)state;
	becomes("/etc/initramfs-tools/modules", "# x\nvfio\nvfio_pci ids=1:2\next4\nvfio_iommu_type1\n",
		"# x\n" C "vfio\n" C "vfio_pci ids=1:2\next4\n" C "vfio_iommu_type1\n");
	becomes("/etc/dracut.conf.d/v.conf", "force_drivers+=\" vfio_pci vfio \"\nhostonly=yes\n",
		C "force_drivers+=\" vfio_pci vfio \"\nhostonly=yes\n");
	becomes("/etc/dracut.conf.d/v.conf", "force_drivers+=\" vfio_pci i915 \"\n",
		"force_drivers+=\" vfio_pci i915 \"\n");
	becomes("/etc/dracut.conf.d/v.conf", "add_drivers+=\" vfio\n vfio_pci \"\n",
		"add_drivers+=\" vfio\n vfio_pci \"\n");
	becomes("/etc/dracut.conf.d/v.conf", "add_drivers+=\" vfio \"; foo\n",
		"add_drivers+=\" vfio \"; foo\n");
}

static void words(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/cmdline",
		 "quiet vfio-pci.ids=10de:2203,10de:1aef modprobe.blacklist=nouveau "
		 "rd.driver.pre=vfio-pci rd.driver.blacklist=i915 iommu=pt "
		 "module_blacklist=nouveau,i915\n");
	select_one(CARD);
	assert_int_equal(retire.wants, 3);
	assert_string_equal(retire.want[0].word, "vfio-pci.ids=10de:2203,10de:1aef");
	assert_string_equal(retire.want[1].word, "modprobe.blacklist=nouveau");
	assert_string_equal(retire.want[2].word, "rd.driver.pre=vfio-pci");
	assert_int_equal(retire.want[0].mode, GB_WANT_GONE);
	tree_put(&tree, "/proc/cmdline", "vfio-pci.ids=10de:2203,8086:a780\n");
	select_one(CARD);
	assert_int_equal(retire.wants, 0);
}

static void others_changes_stay(void **state)
{
	struct gb_retire back;
	struct gb_text left = { 0 };

	(void)state;
	tree_put(&tree, MODPROBE, "blacklist nouveau\nblacklist nvidia\n");
	select_one(CARD);
	gb_retire_note(&retire, &footprint);
	tree_put(&tree, MODPROBE, "# new\n" C "blacklist nouveau\noptions a b=1\n");
	assert_int_equal(gb_retire_undo(tree.root, &footprint, &back, &left, &err), 0);
	assert_string_equal(back.file[0].text.data, "# new\nblacklist nouveau\noptions a b=1\n");
	assert_string_equal(left.data, MODPROBE ": not there any more, so it is not brought back: "
					C "blacklist nvidia\n");
	gb_text_clear(&left);
	gb_retire_clear(&back);
}

/* ---- warnings -------------------------------------------------------------------------------- */

static void warn(const char *bdf)
{
	select_one(bdf);
	gb_warnings_read(&target, &disks, &checks);
	assert_false(checks.failed);
}

static void nothing_to_warn_of(void **state)
{
	(void)state;
	warn(CARD);
	assert_int_equal(checks.checks, 0);
}

static void programs_that_look_for_it(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/X11/xorg.conf.d/20-gpu.conf",
		 "Section \"Device\"\n\tBusID \"PCI:1:0:0\"\n\tBusID \"PCI:0@0:2:0\"\nEndSection\n");
	tree_put(&tree, "/etc/prime-discrete", "on-demand\n");
	tree_put(&tree, "/etc/systemd/system/multi-user.target.wants/nvidia-persistenced.service", "");
	warn(CARD);
	expect("xorg-busid", GB_WARN, "/etc/X11/xorg.conf.d/20-gpu.conf, line 2");
	expect("prime-select", GB_WARN, "on-demand");
	expect("unit-fails", GB_WARN, "systemctl disable nvidia-persistenced.service");
	assert_int_equal(checks.checks, 3);
	warn(GRAPHICS);
	expect("xorg-busid", GB_WARN, "line 3");
	assert_int_equal(checks.checks, 1);
	/* another of that maker stays */
	pc_add("pci0000:00/0000:00:03.0", "10de:2204 1462:5054 030000",
	       (struct shape){ .port = GB_PORT_INTEGRATED }, 30, "nvidia");
	warn(CARD);
	assert_int_equal(checks.checks, 1);
}

static void a_blind_prompt(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/cmdline", "rd.luks.uuid=1234\n");
	warn(CARD);
	expect_none("blind-prompt");
	pc_put(ROOT_PORT "/" CARD, "boot_vga", "1\n");
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "0\n");
	warn(CARD);
	expect("blind-prompt", GB_WARN, "i915, for " GRAPHICS);
	tree_put(&tree, "/proc/cmdline", "quiet\n");
	warn(CARD);
	expect_none("blind-prompt");
	tree_put(&tree, "/sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n");
	tree_link(&tree, "/sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
	tree_link(&tree, "/sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 253:0 / / rw - ext4 /dev/mapper/root rw\n");
	warn(CARD);
	expect("blind-prompt", GB_WARN, "/ is on dm-0: CRYPT-LUKS2");
}

/* As a_blind_prompt, with the card in place of the boot display. */
static void crypttab_says(const char *text)
{
	pc_put(ROOT_PORT "/" CARD, "boot_vga", "1\n");
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "0\n");
	tree_put(&tree, "/etc/crypttab", text);
	warn(CARD);
}

static void what_crypttab_says_of_prompts(void **state)
{
	(void)state;
	crypttab_says(" #x UUID=1 none luks,initramfs\ndata UUID=1 none initramfsx,luks\nx\n");
	expect_none("blind-prompt");
	crypttab_says("data UUID=1 none luks\n\nroot UUID=2 none luks,discard,initramfs\n");
	expect("blind-prompt", GB_WARN, "/etc/crypttab, line 3: root");
	crypttab_says("root UUID=2 - x-initrd.attach\n");
	expect("blind-prompt", GB_WARN, "/etc/crypttab, line 1: root");
	crypttab_says("swap UUID=2 /dev/urandom swap,initramfs\nroot UUID=2 none keyscript=x,initramfs\n"
		      "a UUID=2 none initramfs,fido2-device=auto\n");
	expect_none("blind-prompt");
	/* the root disk's line tells, whether it says that it is in the image or not */
	tree_put(&tree, "/etc/fstab", "/dev/mapper/root / ext4 defaults 0 1\n");
	crypttab_says("root UUID=2 none luks\n");
	expect("blind-prompt", GB_WARN, "/ is /dev/mapper/root: /etc/crypttab, line 1");
	crypttab_says("root UUID=2 /key luks\n");
	expect_none("blind-prompt");
	tree_put(&tree, "/etc/fstab", "");
	tree_put(&tree, "/sys/devices/virtual/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n");
	tree_put(&tree, "/sys/devices/virtual/block/dm-0/dm/name", "root\n");
	tree_link(&tree, "/sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
	tree_link(&tree, "/sys/dev/block/253:0", "../../devices/virtual/block/dm-0");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 253:0 / / rw - ext4 /dev/mapper/root rw\n");
	crypttab_says("root UUID=2 /key luks\n");
	expect_none("blind-prompt");
	crypttab_says("root UUID=2 none luks\n");
	expect("blind-prompt", GB_WARN, "/ is on root: /etc/crypttab, line 1");
	expect_none("sealed-disk");
}

static void a_disk_that_the_tpm_unlocks(void **state)
{
	(void)state;
	crypttab_says("root UUID=2 none initramfs,tpm2-device=auto\n");
	expect("sealed-disk", GB_WARN, "/etc/crypttab, line 1: root");
	expect_none("blind-prompt");
	crypttab_says("root UUID=2 none initramfs,x-tpm2-device=auto\n");
	expect_none("sealed-disk");
	crypttab_says("");
	tree_put(&tree, "/proc/cmdline", "rd.luks.uuid=1 rd.luks.options=1=tpm2-device=auto\n");
	warn(CARD);
	expect("sealed-disk", GB_WARN, "/proc/cmdline: rd.luks.options=1=tpm2-device=auto");
	expect_none("blind-prompt");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, pc_make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(modprobe_lines),
		TEST(a_card_that_stays),
		TEST(lists_of_modules),
		TEST(words),
		TEST(others_changes_stay),
		TEST(nothing_to_warn_of),
		TEST(programs_that_look_for_it),
		TEST(a_blind_prompt),
		TEST(what_crypttab_says_of_prompts),
		TEST(a_disk_that_the_tpm_unlocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
