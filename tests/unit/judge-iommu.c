/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an IOMMU is there and runs, and if not, why: one reason at a time. */
#include "judged.h"

#define TABLES "/sys/firmware/acpi/tables"
#define CONFIG "/boot/config-6.12"

/* A table with one unit, at 0xfed90000 unless `address` says otherwise. */
static void put_dmar(uint8_t flags, uint8_t address, size_t len)
{
	uint8_t table[64] = { 'D', 'M', 'A', 'R', 64, [36] = 38, [37] = flags, [50] = 16, [52] = 1 };
	uint8_t sum = 0;

	table[58] = address;
	for (size_t i = 0; i < sizeof(table); i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	tree_put_data(&tree, TABLES "/DMAR", table, len);
}

static void put_intel(void)
{
	put_dmar(1, 0xd9, 64);
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
	tree_put(&tree, "/proc/cmdline", "root=/dev/sda1 ro\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.12\n");
	tree_folder(&tree, "/sys/class");
	tree_folder(&tree, "/sys/class/iommu");
}

static void nothing_is_known(void **state)
{
	(void)state;
	judge(gb_judge_iommu);
	says("firmware-table", GB_UNKNOWN, "cannot tell");
	says("iommu-running", GB_UNKNOWN, "cannot tell");
	assert_int_equal(checks.checks, 2);
}

static void all_is_well(void **state)
{
	(void)state;
	put_intel();
	put_groups();
	judge(gb_judge_iommu);
	says("firmware-table", GB_PASS, "Intel's DMAR");
	says("firmware-table", GB_PASS, "1 unit");
	says("iommu-running", GB_PASS, "4 groups");
	says("iommu-running", GB_PASS, "dmar0");
}

static void firmware_without_table(void **state)
{
	(void)state;
	put_intel();
	tree_delete(&tree, TABLES "/DMAR");
	judge(gb_judge_iommu);
	says("firmware-table", GB_FAIL, "VT-d");
	says("iommu-running", GB_FAIL, "the firmware describes none");
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
	judge(gb_judge_iommu);
	says("firmware-table", GB_FAIL, "AMD-Vi");
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: fpu ht hypervisor lahf_lm\n");
	judge(gb_judge_iommu);
	says("firmware-table", GB_FAIL, "this is a virtual machine");
	tree_put(&tree, "/proc/xen/capabilities", "control_d\n");
	judge(gb_judge_iommu);
	says("firmware-table", GB_FAIL, "AMD-Vi");
	put_groups();
	judge(gb_judge_iommu);
	says("firmware-table", GB_PASS, "neither Intel's nor AMD's");
}

static void damaged_table(void **state)
{
	(void)state;
	put_intel();
	put_dmar(1, 0, 64);
	judge(gb_judge_iommu);
	says("firmware-table", GB_WARN, "without an address");
	put_dmar(1, 0xd9, 50);
	judge(gb_judge_iommu);
	says("firmware-table", GB_WARN, "cut to 50");
	put_dmar(1, 0xd9, 20);
	judge(gb_judge_iommu);
	says("firmware-table", GB_WARN, "no such table");
}

static void word_turns_it_off(void **state)
{
	(void)state;
	put_intel();
	tree_put(&tree, "/proc/cmdline", "ro intel_iommu=igfx_off,off\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "the kernel command line turns it off");
	says("iommu-running", GB_FAIL, "take intel_iommu=igfx_off,off out of");
	/* the other make's word does nothing here, and what follows -- is for init */
	tree_put(&tree, "/proc/cmdline", "ro amd_iommu=off -- iommu=off\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "intel_iommu=on");
	tree_put(&tree, "/proc/cmdline", "ro iommu=off\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "/proc/cmdline: iommu=off");
}

static void word_is_missing(void **state)
{
	(void)state;
	put_intel();
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "many kernels want the word intel_iommu=on");
	says("iommu-running", GB_FAIL, "add intel_iommu=on");
	tree_put(&tree, CONFIG, "\nCONFIG_INTEL_IOMMU=y\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "this kernel wants the word intel_iommu=on");
	tree_put(&tree, "/proc/cmdline", "ro intel_iommu=on\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "cannot tell why");
}

static void kernel_decides(void **state)
{
	(void)state;
	put_intel();
	tree_put(&tree, CONFIG, "\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "cannot tell why");
	says("iommu-running", GB_FAIL, "DEFAULT_ON=y");
	tree_put(&tree, CONFIG, "\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "cannot tell why");
	tree_put(&tree, CONFIG, "\nCONFIG_AMD_IOMMU=y\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "built without Intel's");
}

static void amd(void **state)
{
	(void)state;
	put_intel();
	tree_delete(&tree, TABLES "/DMAR");
	tree_put(&tree, TABLES "/IVRS", "IVRS");
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
	judge(gb_judge_iommu);
	says("firmware-table", GB_WARN, "AMD's IVRS");
	says("iommu-running", GB_FAIL, "cannot tell why");
	tree_put(&tree, "/proc/cmdline", "ro intel_iommu=off\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "cannot tell why");
	tree_put(&tree, "/proc/cmdline", "ro amd_iommu=off\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "take amd_iommu=off out of");
	tree_put(&tree, "/proc/cmdline", "ro\n");
	tree_put(&tree, CONFIG, "\nCONFIG_INTEL_IOMMU=y\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "built without AMD's");
}

static void only_pretended(void **state)
{
	(void)state;
	put_intel();
	put_group(GPU, 0);
	tree_put(&tree, "/sys/kernel/iommu_groups/0/name", "vfio-noiommu\n");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "vfio only pretends");
}

static void unit_without_groups(void **state)
{
	(void)state;
	put_intel();
	tree_folder(&tree, "/sys/class/iommu/ivhd0");
	judge(gb_judge_iommu);
	says("iommu-running", GB_FAIL, "none of the devices looked at has a group");
	says("iommu-running", GB_FAIL, "ivhd0");
}

/* ---- interrupts -------------------------------------------------------------------------- */

static void interrupts(void **state)
{
	(void)state;
	put_intel();
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_UNKNOWN, "/proc/interrupts");
	tree_put(&tree, "/proc/interrupts", "  CPU0\n 0: 3 IR-IO-APIC 2-edge timer\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_PASS, "IR- chips");
	/* arm64: the interrupt translation service isolates them */
	tree_put(&tree, "/proc/interrupts", "  CPU0\n 24: 3 ITS-PCI-MSI 1 Edge nvme\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_UNKNOWN, "/proc/interrupts");
	tree_put(&tree, "/proc/interrupts", "  CPU0\n 0: 3 IO-APIC 2-edge timer\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "VFIO refuses");
	says("interrupt-remapping", GB_WARN, "dmesg");
}

static void interrupts_not_remapped(void **state)
{
	static const char ecap[] = "/sys/class/iommu/dmar0/intel-iommu/ecap";

	(void)state;
	put_intel();
	tree_put(&tree, "/proc/interrupts", " 0: 3 IO-APIC 2-edge timer\n 24: 3 PCI-MSI 1-edge nvme\n");
	tree_put(&tree, ecap, "f0108a\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "dmesg");
	tree_put(&tree, ecap, "f01002\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "ecap without bit 3");
	put_dmar(0, 0xd9, 64);
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "is not offered");
	tree_put(&tree, "/proc/cmdline", "intremap=off,nosid");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "take intremap=off,nosid out of");
}

static void unsafe_interrupts(void **state)
{
	(void)state;
	put_intel();
	tree_put(&tree, "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n");
	tree_put(&tree, "/proc/interrupts", " 0: 3 IO-APIC 2-edge timer\n 24: 3 PCI-MSI 1-edge nvme\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "a guest can send the host any");
	tree_put(&tree, "/proc/interrupts", " 24: 3 IR-PCI-MSI 1-edge nvme\n");
	judge(gb_judge_interrupts);
	says("interrupt-remapping", GB_WARN, "serves nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_known), TEST(all_is_well), TEST(firmware_without_table),
		TEST(damaged_table), TEST(word_turns_it_off), TEST(word_is_missing),
		TEST(kernel_decides), TEST(amd), TEST(only_pretended), TEST(unit_without_groups),
		TEST(interrupts), TEST(interrupts_not_remapped), TEST(unsafe_interrupts),
	};

	return cmocka_run_group_tests_name("judge-iommu", tests, NULL, NULL);
}
