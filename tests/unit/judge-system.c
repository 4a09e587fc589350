/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules of each kernel, Secure Boot, lockdown, and earlier passthrough set-ups. */
#include "judged.h"

#include "finding.h"

#define MODULES "/lib/modules/6.12/"
#define VFIO "kernel/drivers/vfio/"

static void put_module(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), MODULES "%s", name);
	tree_put(&tree, path, "");
}

/* Like Debian's: all three are files. */
static void put_kernel(void)
{
	tree_put(&tree, MODULES "modules.dep",
		 VFIO "vfio.ko.xz:\n"
		 VFIO "pci/vfio-pci-core.ko.xz: " VFIO "vfio.ko.xz\n"
		 VFIO "pci/vfio-pci.ko.xz: " VFIO "pci/vfio-pci-core.ko.xz " VFIO "vfio.ko.xz\n"
		 VFIO "vfio_iommu_type1.ko.xz: " VFIO "vfio.ko.xz\n");
	tree_put(&tree, MODULES "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	put_module(VFIO "pci/vfio-pci.ko.xz");
	put_module(VFIO "vfio_iommu_type1.ko.xz");
}

static void nothing_is_known(void **state)
{
	(void)state;
	judge(gb_judge_system);
	says("vfio-module", GB_UNKNOWN, "cannot tell");
	says("secure-boot", GB_UNKNOWN, "cannot tell");
	says("lockdown", GB_UNKNOWN, "cannot tell");
	assert_int_equal(checks.checks, 3);
}

static void modules_as_files(void **state)
{
	(void)state;
	put_kernel();
	judge(gb_judge_system);
	says("vfio-module", GB_PASS, "vfio-pci (a module)");
	assert_string_equal(checks.check[0].subject, "kernel 6.12");
	/* modules.dep still names what somebody removed */
	tree_delete(&tree, MODULES VFIO "pci/vfio-pci.ko.xz");
	judge(gb_judge_system);
	says("vfio-module", GB_FAIL, "has no vfio-pci");
}

static void modules_built_in(void **state)
{
	(void)state;
	tree_put(&tree, MODULES "modules.dep", "");
	tree_put(&tree, MODULES "modules.builtin", VFIO "pci/vfio-pci.ko\n" VFIO "vfio_iommu_type1.ko\n");
	judge(gb_judge_system);
	says("vfio-module", GB_PASS, "built in");
}

static void modules_missing(void **state)
{
	(void)state;
	/* a dependency is no module of its own, nor is a longer name */
	tree_put(&tree, MODULES "modules.dep", "kernel/x.ko: " VFIO "pci/vfio-pci.ko\n"
		 VFIO "pci/vfio-pci-core.ko:\n");
	judge(gb_judge_system);
	says("vfio-module", GB_UNKNOWN, "cannot tell");
	tree_put(&tree, MODULES "modules.builtin", "");
	judge(gb_judge_system);
	says("vfio-module", GB_FAIL, "linux-modules-extra-6.12");
	put_kernel();
	tree_delete(&tree, MODULES VFIO "vfio_iommu_type1.ko.xz");
	judge(gb_judge_system);
	says("vfio-module", GB_FAIL, "neither vfio_iommu_type1 nor iommufd");
	tree_put(&tree, MODULES "modules.builtin", "kernel/drivers/iommu/iommufd/iommufd.ko\n");
	judge(gb_judge_system);
	says("vfio-module", GB_PASS, "vfio-pci (a module)");
}

static void every_kernel(void **state)
{
	(void)state;
	put_kernel();
	tree_put(&tree, "/lib/modules/6.9/modules.dep", "");
	tree_put(&tree, "/lib/modules/6.9/modules.builtin", "");
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.13\n");
	judge(gb_judge_system);
	assert_int_equal(count("vfio-module"), 3);
	says("vfio-module", GB_PASS, "/lib/modules/6.12");
	says("vfio-module", GB_FAIL, "/lib/modules/6.9");
	says("vfio-module", GB_WARN, "reboot into an installed kernel");
	tree_folder(&tree, "/sys/module");
	tree_folder(&tree, "/sys/module/vfio_pci");
	judge(gb_judge_system);
	assert_int_equal(count("vfio-module"), 2);
}

static void secure_boot_and_lockdown(void **state)
{
	static const char variable[] =
		"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

	(void)state;
	tree_folder(&tree, "/sys/firmware");
	tree_folder(&tree, "/sys/firmware/efi");
	tree_put(&tree, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	judge(gb_judge_system);
	says("secure-boot", GB_UNKNOWN, "mount -t efivarfs");
	says("lockdown", GB_PASS, "locked down (integrity)");
	tree_put_data(&tree, variable, "\6\0\0\0\1", 5);
	tree_put(&tree, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	judge(gb_judge_system);
	says("secure-boot", GB_PASS, "signed with an enrolled key");
	says("lockdown", GB_PASS, "not locked down");
	tree_put_data(&tree, variable, "\6\0\0\0\0", 5);
	judge(gb_judge_system);
	says("secure-boot", GB_PASS, "Secure Boot is off");
}

static void built_in_rival(void **state)
{
	static const char info[] = "ext4.license=GPL\0xhci_pci.alias=pci:v*d*sv*sd*bc0Csc03i30*\0"
				   "snd_hda_intel.alias=pci:v000010DEd*sv*sd*bc04sc03i00*";

	(void)state;
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.12\n");
	tree_put_data(&tree, MODULES "modules.builtin.modinfo", info, sizeof(info));
	judge(gb_judge_system);
	assert_int_equal(count("drivers-early"), 0);
	tree_put(&tree, "/etc/ghost-boot/claims", "ghost-boot claims 1\n"
		 "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
		 "claim path=0000:00/01.0/00.1 id=10de:1aef subsys=1462:5054 class=040300\n");
	judge(gb_judge_system);
	assert_int_equal(count("drivers-early"), 1);
	says("drivers-early", GB_PASS, "snd_hda_intel is built into this kernel");
}

/* ---- earlier set-ups ---------------------------------------------------------------------- */

static void no_recipe(void **state)
{
	(void)state;
	judge(gb_judge_recipe);
	says("recipes", GB_PASS, "no earlier passthrough set-up");
	assert_int_equal(checks.checks, 1);
}

static void recipe_with_mistakes(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=debian\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", "mkinitramfs");
	tree_put(&tree, "/etc/modprobe.d/vfio.conf", "# mine\n"
		 "options vfio-pci ids=10de:2203 diable_vga=1\nsoftdep nouveau pre: vfio-pci\n");
	judge(gb_judge_recipe);
	says("vfio-option-unknown", GB_WARN, "/etc/modprobe.d/vfio.conf:2: diable_vga=1");
	says("vfio-option-unknown", GB_WARN, "disable_vga is meant");
	says("vfio-option-unknown", GB_WARN, "run update-initramfs -u -k all");
	says("recipes", GB_PASS, "/etc/modprobe.d/vfio.conf:3");
	assert_int_equal(gb_checks_count(&checks, GB_FAIL), 0);
}

/* What the running kernel was told is judged once, where it shows what came of it. */
static void words_are_said_once(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/cmdline", "amd_iommu=on intel_iommu=on iommu=off nointremap "
		 "pci=nommconf,config_acs=x pcie_acs_override=id:10de:2203 iommu=sure\n");
	judge(gb_judge_recipe);
	assert_int_equal(count("amd-iommu-on") + count("iommu-both") + count("iommu-off") +
			 count("intremap") + count("pci-nommconf") + count("acs-override"), 0);
	says("iommu-unknown", GB_WARN, "take iommu=sure out of");
	says("pci-acs", GB_WARN, "config_acs");
}

static void ids_differ_from_ours(void **state)
{
	static const char *const ours[] = { "firmware-table", "iommu-running", "iommu-words",
		"interrupt-remapping", "config-space", "group-rules", "integrated-gpu-group",
		"vfio-module", "secure-boot", "lockdown", "drivers-early", "recipes" };

	(void)state;
	for (int id = 0; id < GB_FINDING_IDS; id++)
		for (size_t i = 0; i < COUNT(ours); i++)
			assert_string_not_equal(gb_finding_kind(id)->id, ours[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_known), TEST(modules_as_files), TEST(modules_built_in),
		TEST(modules_missing), TEST(every_kernel), TEST(secure_boot_and_lockdown),
		TEST(built_in_rival), TEST(no_recipe), TEST(recipe_with_mistakes),
		TEST(words_are_said_once), TEST(ids_differ_from_ours),
	};

	return cmocka_run_group_tests_name("judge-system", tests, NULL, NULL);
}
