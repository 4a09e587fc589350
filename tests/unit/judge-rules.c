/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the kernel's command line, and the kernel's groups against the rules. */
#include "judged.h"

static void put_words(const char *words)
{
	tree_put(&tree, "/proc/cmdline", words);
}

static void words_of_no_use(void **state)
{
	(void)state;
	judge(gb_judge_words);
	says("iommu-words", GB_UNKNOWN, "cannot tell");
	put_words("ro quiet intel_iommu=on -- amd_iommu=on\n");
	judge(gb_judge_words);
	says("iommu-words", GB_PASS, "no useless or harmful word");
	assert_int_equal(checks.checks, 1);
	put_words("intel_iommu=on iommu=pt\n");
	judge(gb_judge_words);
	says("iommu-words", GB_PASS, "passthrough is the same without it");
	/* an Intel machine, by its host bridge */
	put_words("amd_iommu=on\n");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "this machine is Intel's");
	assert_int_equal(count("iommu-words"), 1);
	tree_put(&tree, "/proc/cpuinfo", "vendor_id : AuthenticAMD\n");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "is no option of the kernel's");
	put_words("intel_iommu=on\n");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "this machine is AMD's");
}

static void both_vendors_words(void **state)
{
	(void)state;
	tree_put(&tree, "/sys/devices/" HOST "/vendor", "0x1234\n");
	tree_put(&tree, "/sys/devices/" HOST "/modalias",
		 "pci:v00001234d0000A700sv00008086sd00007270bc06sc00i00\n");
	put_words("intel_iommu=on amd_iommu=on\n");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "a machine has only one of them");
}

static void harmful_words(void **state)
{
	static const char *const words[] = {
		"nointremap", "intremap=off", "intremap=nosid,on", "pci=nommconf",
		"vfio_iommu_type1.allow-unsafe-interrupts=1", "vfio.enable_unsafe_noiommu_mode=1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		char evidence[128];

		put_words(words[i]);
		judge(gb_judge_words);
		snprintf(evidence, sizeof(evidence), "/proc/cmdline: %s", words[i]);
		says("iommu-words", GB_WARN, evidence);
	}
}

static void groups_are_true(void **state)
{
	(void)state;
	put_groups();
	judge(gb_judge_rules);
	says("acs-override", GB_PASS, "separates all");
	says("config-space", GB_PASS, "5 functions");
	says("integrated-gpu-group", GB_PASS, "0000:00:02.0");
	assert_int_equal(count("group-rules"), 0);
}

static void override_lies(void **state)
{
	(void)state;
	put_groups();
	put_group(AUDIO, 7);
	judge(gb_judge_rules);
	says("acs-override", GB_WARN, "a newer kernel");
	says("acs-override", GB_WARN, "0000:01:00.0 and 0000:01:00.1");
	put_words("quiet pcie_acs_override=downstream,multifunction");
	judge(gb_judge_rules);
	says("acs-override", GB_FAIL, "can reach each other's memory");
	says("acs-override", GB_FAIL, "take pcie_acs_override=downstream,multifunction out of");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "makes groups look isolated that are not");
}

static void override_does_nothing(void **state)
{
	(void)state;
	put_groups();
	put_words("pcie_acs_override=downstream");
	judge(gb_judge_rules);
	says("acs-override", GB_PASS, "separates all");
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "does nothing here");
}

/* Bytes that a user is not shown: what is apart may be so by right, or by the patch. */
static void override_cannot_be_told(void **state)
{
	static const uint8_t header[64] = { 0xde, 0x10, 3, 0x22, [6] = 0x10, [0x0e] = 0x80 };

	(void)state;
	put_groups();
	put_group(AUDIO, 7);
	tree_put_data(&tree, "/sys/devices/" GPU "/config", header, sizeof(header));
	tree_put_data(&tree, "/sys/devices/" AUDIO "/config", header, sizeof(header));
	judge(gb_judge_rules);
	says("acs-override", GB_UNKNOWN, "1 pair of devices in different groups is");
	says("config-space", GB_UNKNOWN, "2 of 5 functions");
	says("config-space", GB_UNKNOWN, "as root");
	put_words("pcie_acs_override=multifunction");
	judge(gb_judge_rules);
	says("acs-override", GB_WARN, "the override is on");
}

static void no_groups(void **state)
{
	(void)state;
	put_words("pcie_acs_override=downstream");
	judge(gb_judge_rules);
	says("acs-override", GB_UNKNOWN, "without groups");
	assert_int_equal(count("integrated-gpu-group"), 0);
	judge(gb_judge_words);
	says("iommu-words", GB_WARN, "cannot tell what it does here");
}

static void rules_disagree(void **state)
{
	(void)state;
	put_groups();
	put_group(IGPU, 1);
	judge(gb_judge_rules);
	says("group-rules", GB_WARN, "holds devices together");
	says("group-rules", GB_WARN, "0000:00:02.0");
	put_group(IGPU, 3);
	tree_delete(&tree, "/sys/devices/" AUDIO "/iommu_group");
	judge(gb_judge_rules);
	says("group-rules", GB_WARN, "0000:01:00.1");
	says("group-rules", GB_WARN, "leaves them out");
}

static void display_without_group(void **state)
{
	(void)state;
	put_groups();
	tree_delete(&tree, "/sys/devices/" IGPU "/iommu_group");
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.12\n");
	tree_put(&tree, "/boot/config-6.12", "\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n");
	judge(gb_judge_rules);
	says("integrated-gpu-group", GB_WARN, "INTGPU_OFF=y");
	says("integrated-gpu-group", GB_WARN, "add intel_iommu=on");
	assert_int_equal(count("group-rules"), 0);
	/* the only one that is looked at */
	tree_delete(&tree, "/sys/bus/pci/devices/0000:00:00.0");
	tree_delete(&tree, "/sys/bus/pci/devices/0000:00:01.0");
	tree_delete(&tree, "/sys/bus/pci/devices/0000:01:00.0");
	tree_delete(&tree, "/sys/bus/pci/devices/0000:01:00.1");
	put_words("intel_iommu=on,igfx_off");
	judge(gb_judge_rules);
	says("integrated-gpu-group", GB_WARN, "take intel_iommu=on,igfx_off out of");
}

static void extended_space_is_hidden(void **state)
{
	uint8_t space[256] = { 0x86, 0x80, 1, 0, [6] = 0x10, [0x34] = 0x40, [0x40] = 0x10,
			       [0x42] = 0x42 };

	(void)state;
	put_groups();
	space[0x0e] = 1;
	tree_put_data(&tree, "/sys/devices/" PORT "/config", space, sizeof(space));
	put_words("pci=nommconf,noats");
	judge(gb_judge_rules);
	says("config-space", GB_UNKNOWN, "take pci=nommconf,noats out of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_of_no_use), TEST(both_vendors_words), TEST(harmful_words),
		TEST(groups_are_true), TEST(override_lies), TEST(override_does_nothing),
		TEST(override_cannot_be_told), TEST(no_groups), TEST(rules_disagree),
		TEST(display_without_group), TEST(extended_space_is_hidden),
	};

	return cmocka_run_group_tests_name("judge-rules", tests, NULL, NULL);
}
