/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device itself: driver, picture, resets, memory, power, virtual functions. */
#include "pc.h"

#define CARD_FOLDER ROOT_PORT "/" CARD

static void judge(const char *bdf)
{
	judge_pc(gb_judge_device, bdf);
}

static void release(const char *text)
{
	tree_put(&tree, "/proc/sys/kernel/osrelease", text);
}

static void its_driver(void **state)
{
	(void)state;
	judge(CARD);
	expect("driver", GB_PASS, "not claimed; driven by nouveau");
	pc_driver(CARD, NULL);
	judge(CARD);
	expect("driver", GB_PASS, "without a driver");
	pc_driver(CARD, "vfio-pci");
	judge(CARD);
	expect("driver", GB_WARN, "something else gave it away");
	pc_claim(CLAIM_CARD "keep path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n");
	judge(CARD);
	expect("driver", GB_PASS, "claimed, and on vfio-pci");
	judge(GRAPHICS);
	expect("driver", GB_PASS, "kept for the host; driven by i915");
	pc_driver(CARD, NULL);
	judge(CARD);
	expect("driver", GB_FAIL, "no driver has it");
	pc_driver(CARD, "nova-drm");
	judge(CARD);
	expect("driver", GB_FAIL, "claimed for vfio-pci, but nova-drm has it");
	tree_folder(&tree, "/sys/bus/pci/drivers/nova-drm");
	judge(CARD);
	expect("driver", GB_FAIL, "built into the kernel");
	tree_link(&tree, "/sys/bus/pci/drivers/nova-drm/module", "../../../../module/nova_core");
	tree_put(&tree, "/sys/module/nova_core/initstate", "live\n");
	judge(CARD);
	expect("driver", GB_FAIL, "from the module nova_core");
}

static void the_firmwares_picture(void **state)
{
	static const char iomem[] = "c0000000-cfffffff : " CARD "\n  c0000000-c0ffffff : BOOTFB\n"
				    "    c0000000-c0ffffff : simpledrm\n";

	(void)state;
	judge(CARD);
	expect("framebuffer", GB_UNKNOWN, "can't be told");
	tree_put(&tree, "/proc/iomem", "c0000000-cfffffff : " CARD "\n");
	judge(CARD);
	expect("framebuffer", GB_PASS, "not in its memory");
	tree_put(&tree, "/proc/iomem", iomem);
	judge(CARD);
	expect("framebuffer", GB_UNKNOWN, "this kernel's vfio-pci");
	release("6.12.9-amd64\n");
	judge(CARD);
	expect("framebuffer", GB_PASS, "/proc/iomem: simpledrm");
	release("5.15.0\n");
	judge(CARD);
	expect("framebuffer", GB_WARN, "Linux 6.0 or newer");
	release("6.12.9-amd64\n");
	tree_pci(&tree, CARD_FOLDER, "10de:2203 1462:5054 038000", 0);
	judge(CARD);
	expect("framebuffer", GB_WARN, "initcall_blacklist=sysfb_init");
	judge(USB);
	expect_none("framebuffer");
}

static void resets(void **state)
{
	static const struct shape none = { .port = GB_PORT_INTEGRATED };

	(void)state;
	judge(CARD);
	expect("reset", GB_PASS, "by itself (flr)");
	pc_put(CARD_FOLDER, "reset_method", "flr bus\n");
	judge(CARD);
	expect("reset", GB_PASS, "(flr bus)");
	judge(SOUND);
	expect("reset", GB_PASS, "with its bus");
	pc_add(ROOT_PORT "/0000:01:00.2", "10b5:8112 0000:0000 060400",
	       (struct shape){ .port = GB_PORT_TO_PCI, .bus = 2 }, 14, NULL);
	judge(SOUND);
	expect("reset", GB_PASS, "with its bus");
	pc_add(ROOT_PORT "/0000:01:00.2/0000:02:00.0", "1b21:0612 0000:0000 010601",
	       (struct shape){ .port = -1 }, 14, NULL);
	judge(SOUND);
	expect("reset", GB_UNKNOWN, "can't be told");
	tree_delete(&tree, "/sys/bus/pci/devices/0000:02:00.0");
	pc_add(ROOT_PORT "/0000:01:01.0", "1b21:0612 0000:0000 010601",
	       (struct shape){ .port = GB_PORT_ENDPOINT }, 14, NULL);
	judge(SOUND);
	expect("reset", GB_UNKNOWN, "can't be told");
	judge(USB);
	expect("reset", GB_UNKNOWN, "can't be told");
	release("6.1.0-30-amd64\n");
	judge(USB);
	expect("reset", GB_WARN, "without a reboot");
	release("5.10.0\n");
	pc_shape("pci0000:00/" USB, none);
	judge(USB);
	expect("reset", GB_UNKNOWN, "can't be told");
}

static void memory(void **state)
{
	(void)state;
	judge(CARD);
	expect_none("bars");
	pc_put(CARD_FOLDER, "resource",
	       "0x00000000a0000000 0x00000000a0ffffff 0x0000000000040200\n"
	       "0x0000004000000000 0x00000043ffffffff 0x000000000014220c\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	       "0x0000000000000000 0x000000000000007f 0x0000000000040101\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	judge(CARD);
	expect("bars", GB_PASS, "BAR 0 of 16 MiB, BAR 1 of 16 GiB above 4 GiB");
	pc_put(CARD_FOLDER, "resource",
	       "0x00000000a0000000 0x00000000a0ffffff 0x0000000000040200\n"
	       "0x0000000000000000 0x00000003ffffffff 0x000000000014220c\n"
	       "0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n");
	judge(CARD);
	expect("bars", GB_WARN, "BAR 1 has no address");
	expect("bars", GB_WARN, "Above 4G Decoding");
	pc_put(CARD_FOLDER, "resource", "0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n");
	judge(CARD);
	expect("bars", GB_UNKNOWN, "no memory of its own can be seen");
}

static void put_rebar(uint32_t can, uint32_t control)
{
	uint8_t space[4096] = { 0 };

	put_word(space, 0x00, 0x12341234);
	put_word(space, 0x04, 0x00100000);
	put_word(space, 0x34, 0x40);
	put_word(space, 0x40, 0x00020010);
	put_word(space, 0x100, 0x00010015);
	put_word(space, 0x104, can);
	put_word(space, 0x108, control);
	tree_put_data(&tree, "/sys/devices/" CARD_FOLDER "/config", space, sizeof(space));
}

static void resizing(void **state)
{
	(void)state;
	put_rebar(0x7fc0 << 4, 8 << 8 | 1 << 5 | 1);
	judge(CARD);
	expect("resizable-bar", GB_PASS, "BAR 1 is 256 MiB, and can be resized, before a driver has "
					 "it, up to 16 GiB");
	put_rebar(0x7fc0 << 4, 14 << 8 | 1 << 5 | 1);
	judge(CARD);
	expect("resizable-bar", GB_PASS, "BAR 1 is 16 GiB, the most it can be");
	put_rebar(0x10 << 4, 4 << 8 | 1 << 5 | 1);
	judge(CARD);
	expect_none("resizable-bar");
	put_rebar(0xffffffff, 0xffff3f21); /* what no card has */
	judge(CARD);
	expect("resizable-bar", GB_PASS, "too much");
}

static void judge_asleep(const char *bdf)
{
	struct gb_survey survey;
	struct gb_bdf address;
	struct gb_err err;

	gb_checks_clear(&checks);
	assert_int_equal(gb_survey_read(tree.root, 0, NULL, NULL, 0, &survey, &err), 0);
	assert_true(gb_bdf_parse(bdf, &address));
	gb_judge_device(&survey, gb_survey_find(&survey, address), &checks);
	gb_survey_clear(&survey);
}

static void power(void **state)
{
	(void)state;
	judge(CARD);
	expect_none("power");
	pc_put(CARD_FOLDER, "power_state", "D3cold\n");
	pc_put(CARD_FOLDER, "power/runtime_status", "suspended\n");
	pc_put(CARD_FOLDER, "d3cold_allowed", "1\n");
	judge(CARD);
	expect("power", GB_PASS, "D3cold, suspended; may lose power");
	judge_asleep(CARD);
	expect("power", GB_WARN, "asleep in D3cold");
	expect("power", GB_WARN, "d3cold_allowed: 1");
	expect_none("config-cut");
}

static void cut_short(void **state)
{
	(void)state;
	judge(CARD);
	expect_none("config-cut");
	pc_shape(CARD_FOLDER, (struct shape){ .bytes = 64 });
	judge(CARD);
	expect("config-cut", GB_UNKNOWN, "only 64 bytes");
	tree_delete(&tree, "/sys/devices/" CARD_FOLDER "/config");
	judge(CARD);
	expect("config-cut", GB_UNKNOWN, "nothing of its config space");
}

static void virtual_functions(void **state)
{
	(void)state;
	judge(CARD);
	expect_none("sriov");
	pc_put(CARD_FOLDER, "sriov_totalvfs", "7\n");
	pc_put(CARD_FOLDER, "sriov_numvfs", "0\n");
	judge(CARD);
	expect("sriov", GB_PASS, "0 of 7");
	pc_put(CARD_FOLDER, "sriov_numvfs", "2\n");
	judge(CARD);
	expect("sriov", GB_WARN, "2 of 7");
	pc_link(SOUND, "physfn", "../" CARD);
	judge(SOUND);
	expect("virtual", GB_WARN, "can't be claimed at boot");
}

static void lanes(void **state)
{
	(void)state;
	judge(CARD);
	expect_none("link");
	pc_put(CARD_FOLDER, "current_link_width", "16\n");
	pc_put(CARD_FOLDER, "max_link_width", "16\n");
	pc_put(CARD_FOLDER, "current_link_speed", "2.5 GT/s PCIe\n");
	judge(CARD);
	expect("link", GB_PASS, "16 of its 16 lanes, at 2.5 GT/s PCIe");
	pc_put(CARD_FOLDER, "current_link_width", "4\n");
	judge(CARD);
	expect("link", GB_WARN, "4 of its 16 lanes");
	pc_put(CARD_FOLDER, "current_link_width", "255\n");
	judge(CARD);
	expect_none("link");
}

#define test(name) cmocka_unit_test_setup_teardown(name, pc_make, pc_clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(its_driver),
		test(the_firmwares_picture),
		test(resets),
		test(memory),
		test(resizing),
		test(power),
		test(cut_short),
		test(virtual_functions),
		test(lanes),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	gb_checks_clear(&checks);
	return failed;
}
