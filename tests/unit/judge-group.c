/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device's IOMMU group and the way to it mean. */
#include "pc.h"

static void judge(const char *bdf)
{
	judge_pc(gb_judge_group, bdf);
}

static void all_is_well(void **state)
{
	(void)state;
	judge(CARD);
	expect("group", GB_PASS, "group 14, with " SOUND " (audio, snd_hda_intel)");
	expect("group-members", GB_PASS, "nothing");
	expect("viable", GB_PASS, "group 14");
	expect("acs-lie", GB_PASS, "agrees");
	expect("acs-path", GB_PASS, "port 0000:00:01.0, on its way to the CPU, isolates: has ACS");
	expect("acs-path", GB_PASS, "capability SV+ TB+ RR+ CR+ UF+ EC- DT-; control SV+ TB- RR+");
	expect("multifunction", GB_PASS, SOUND);
	expect("conventional-bridge", GB_PASS, "no");
	expect("reserved-memory", GB_PASS, "no memory");
	expect_none("requester-alias");
	expect_none("group-joined");
	assert_int_equal(gb_checks_count(&checks, GB_PASS), checks.checks);
	judge(NETWORK);
	expect("group", GB_PASS, "group 6, alone");
	expect("acs-path", GB_PASS, "no port");
}

static void without_a_group(void **state)
{
	(void)state;
	pc_group(GRAPHICS, -1);
	judge(GRAPHICS);
	expect("group", GB_FAIL, "intel_iommu=on");
	pc_no_groups();
	judge(CARD);
	expect("group", GB_WARN, "with " SOUND);
	expect("group", GB_WARN, "rules of Linux");
	expect("viable", GB_PASS, "predicted group");
	expect_none("acs-lie");
	judge(NETWORK);
	expect("group", GB_WARN, "of its own");
}

static void predicted_and_cut(void **state)
{
	(void)state;
	pc_no_groups();
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .acs = 0x1f, .bus = 1,
					    .bytes = 64 });
	pc_shape(ROOT_PORT "/" CARD, (struct shape){ .bytes = 64, .more = true });
	judge(CARD);
	expect("group", GB_UNKNOWN, "can't be told");
	expect("group", GB_UNKNOWN, "as root");
	expect("acs-path", GB_UNKNOWN, "64 bytes");
	expect("conventional-bridge", GB_UNKNOWN, "can't be told");
	expect("multifunction", GB_UNKNOWN, SOUND);
}

static void company(void **state)
{
	(void)state;
	pc_group(USB, 14);
	pc_group("0000:00:01.0", 14);
	judge(CARD);
	expect("group-members", GB_WARN, "group: " USB " (USB, xhci_hcd)");
	expect("viable", GB_WARN, "would refuse it while the host drives " USB);
	pc_driver(USB, "vfio-pci");
	judge(CARD);
	expect("group-members", GB_WARN, USB);
	expect("viable", GB_PASS, "no driver of the host would be left");
	pc_driver(USB, NULL);
	judge(CARD);
	expect("viable", GB_PASS, "");
	/* now it is claimed: its own functions are in the way as well */
	pc_claim(CLAIM_CARD CLAIM_SOUND);
	pc_driver(CARD, "vfio-pci");
	judge(CARD);
	expect("viable", GB_FAIL, "refuses it while the host drives " SOUND);
	pc_driver(SOUND, "pci-stub");
	judge(CARD);
	expect("viable", GB_PASS, "no driver of the host is in it");
}

static void port_without_acs(void **state)
{
	(void)state;
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1 });
	pc_group("0000:00:01.0", 14);
	judge(CARD);
	expect("acs-path", GB_WARN, "port 0000:00:01.0, on its way to the CPU, does not isolate: "
				    "root port without ACS");
	expect("acs-path", GB_WARN, "no ACS capability in 4096 bytes");
	expect("acs-lie", GB_PASS, "agrees");
}

static void port_switched_off(void **state)
{
	(void)state;
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1, .acs = 0x1f, .off = 5 });
	judge(CARD);
	expect("acs-path", GB_FAIL, "SV+ TB- RR+ CR- UF-");
	pc_no_groups(); /* nobody asked for it yet */
	judge(CARD);
	expect("acs-path", GB_PASS, "control SV- TB- RR- CR+ UF+");
}

static void the_lie(void **state)
{
	(void)state;
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1 });
	tree_put(&tree, "/proc/cmdline", "ro pcie_acs_override=downstream,multifunction\n");
	judge(CARD);
	expect("acs-lie", GB_FAIL, "0000:00:01.0 and " CARD " apart");
	expect("acs-lie", GB_FAIL, "0000:00:01.0: root port without ACS; rules of Linux 6.12; "
				   "/proc/cmdline: pcie_acs_override=downstream,multifunction");
	tree_delete(&tree, "/proc/cmdline");
	judge(CARD);
	expect("acs-lie", GB_FAIL, "not isolate them");
	/* without the word the kernel has its reasons, whatever they are */
	tree_put(&tree, "/proc/cmdline", "ro\n");
	judge(CARD);
	expect("acs-lie", GB_UNKNOWN, "knows more");
	/* it is a lie about others too */
	tree_put(&tree, "/proc/cmdline", "pcie_acs_override=downstream\n");
	judge(DISK);
	expect("acs-lie", GB_PASS, "agrees");
}

static void not_to_be_told(void **state)
{
	(void)state;
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1, .bytes = 64 });
	judge(CARD);
	expect("acs-lie", GB_UNKNOWN, "config space could not be read");
	expect("acs-path", GB_UNKNOWN, "can't be told");
	tree_delete(&tree, "/sys/devices/" ROOT_PORT "/" CARD "/config");
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .bus = 1, .acs = 0x1f });
	judge(CARD);
	expect("acs-lie", GB_UNKNOWN, CARD "/config");
}

static void kept_together(void **state)
{
	(void)state;
	pc_group(NETWORK, 14);
	judge(CARD);
	expect("group-joined", GB_WARN, NETWORK);
}

static void below_a_conventional_bridge(void **state)
{
	(void)state;
	pc_add(ROOT_PORT "/0000:01:00.2", "10b5:8112 0000:0000 060400",
	       (struct shape){ .port = GB_PORT_TO_PCI, .bus = 2 }, 20, NULL);
	pc_add(ROOT_PORT "/0000:01:00.2/0000:02:00.0", "102b:0532 0000:0000 030000",
	       (struct shape){ .port = -1 }, 20, NULL);
	judge("0000:02:00.0");
	expect("conventional-bridge", GB_WARN, "0000:01:00.2");
	expect("acs-path", GB_PASS, "port 0000:00:01.0");
}

static void memory_of_the_firmware(void **state)
{
	(void)state;
	pc_reserve(14, "0x000000008b800000 0x000000008fffffff direct-relaxable\n"
		       "0x00000000fee00000 0x00000000feefffff msi\n");
	judge(CARD);
	expect("reserved-memory", GB_PASS, "direct-relaxable 0x000000008b800000-");
	pc_reserve(14, "0x000000008b800000 0x000000008fffffff direct\n");
	judge(CARD);
	expect("reserved-memory", GB_FAIL, "VFIO refuses");
	expect("reserved-memory", GB_FAIL, "group 14");
	tree_delete(&tree, "/sys/kernel/iommu_groups/14/reserved_regions");
	judge(CARD);
	expect("reserved-memory", GB_UNKNOWN, "No such file");
}

/* A DMAR whose one RMRR names 00:14.0, USB, or 00:1f.6, network. */
static void put_rmrr(uint8_t device, uint8_t function)
{
	uint8_t table[48 + 32] = "DMAR";

	table[4] = sizeof(table);
	table[48] = 1; /* RMRR */
	table[50] = 32;
	put_word(table, 56, 0x8b800000);
	put_word(table, 64, 0x8fffffff);
	table[72] = 1; /* endpoint */
	table[73] = 8;
	table[78] = device;
	table[79] = function;
	tree_put_data(&tree, "/sys/firmware/acpi/tables/DMAR", table, sizeof(table));
}

static void memory_of_the_firmware_in_its_table(void **state)
{
	(void)state;
	pc_no_groups();
	judge(USB);
	expect_none("reserved-memory");
	put_rmrr(0x14, 0);
	judge(USB);
	expect("reserved-memory", GB_PASS, "direct-relaxable 0x8b800000-0x8fffffff");
	judge(NETWORK);
	expect("reserved-memory", GB_PASS, "no memory");
	put_rmrr(0x1f, 6);
	judge(NETWORK);
	expect("reserved-memory", GB_FAIL, "direct 0x8b800000-0x8fffffff");
}

static void said_once(void **state)
{
	struct gb_survey survey;
	size_t viable = 0, ports = 0, groups = 0;

	(void)state;
	gb_checks_clear(&checks);
	read_pc(&survey);
	for (int i = 0; i < (int)survey.topology.nodes; i++)
		if (survey.topology.node[i].device->group == 14)
			gb_judge_group(&survey, i, &checks);
	for (size_t i = 0; i < checks.checks; i++) {
		viable += !strcmp(checks.check[i].id, "viable");
		ports += !strcmp(checks.check[i].id, "acs-path");
		groups += !strcmp(checks.check[i].id, "group");
	}
	assert_int_equal(viable, 1);
	assert_int_equal(ports, 1);
	assert_int_equal(groups, 2);
	gb_survey_clear(&survey);
}

#define test(name) cmocka_unit_test_setup_teardown(name, pc_make, pc_clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_is_well),
		test(without_a_group),
		test(predicted_and_cut),
		test(company),
		test(port_without_acs),
		test(port_switched_off),
		test(the_lie),
		test(not_to_be_told),
		test(kept_together),
		test(below_a_conventional_bridge),
		test(memory_of_the_firmware),
		test(memory_of_the_firmware_in_its_table),
		test(said_once),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	gb_checks_clear(&checks);
	return failed;
}
