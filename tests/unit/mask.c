/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What leaves this machine in a report, and what does not. */
#include "fake.h"

#include "mask.h"

static void check(const char *from, const char *to)
{
	struct gb_mask mask = { .host = "tower" };
	struct gb_text text = { 0 };

	gb_mask_text(&mask, from, &text);
	assert_string_equal(text.data, to);
	gb_text_clear(&text);
}

static void ids_are_taken_out(void **state)
{
	(void)state;
	check("root=UUID=0a1b2c3d-1111-2222-3333-444455556666 ro", "root=UUID=[uuid] ro");
	check("root=PARTUUID=8f2c11d0-02 resume=LABEL=swap", "root=PARTUUID=[uuid] resume=LABEL=[label]");
	check("rd.luks.uuid=luks-0a1b2c3d-1111-2222-3333-444455556666",
	      "rd.luks.uuid=[uuid]");
	check("device 0a1b2c3d-1111-2222-3333-444455556666.", "device [uuid].");
	check("x_0a1b2c3d-1111-2222-3333-444455556666", "x_[uuid]");
	check("igc 0000:04:00.0 eth0: MAC: 3c:7c:3f:01:02:03",
	      "igc 0000:04:00.0 eth0: MAC: [serial or MAC]");
	check("claim path=0000:00/01.0 serial=00-04-4b-ff-fe-12-34-56 id=10de:2203",
	      "claim path=0000:00/01.0 serial=[serial] id=10de:2203");
	check("capability 00-04-4b-ff-fe-12-34-56", "capability [serial or MAC]");
	check("usb 1-2: SerialNumber: 4C530001", "usb 1-2: SerialNumber: [serial]");
	check("/dev/disk/by-id/nvme-Samsung_SSD_S5GX-part2 on /",
	      "/dev/disk/by-id/[disk] on /");
	check("/dev/mapper/tower--vg-root", "/dev/mapper/[disk]");
	check("wwn-0x5000c500a1b2c3d4 naa.5000c500a1b2c3d4 0x5000c500a1b2c3d4",
	      "wwn-[id] naa.[id] [id]");
	check("eui.0025385b71b0a1b2", "eui.[id]");
	check("0025385b71b0a1b2", "[id]");
}

static void names_are_taken_out(void **state)
{
	(void)state;
	check("Set hostname to <tower>. tower: towering TOWER", "Set hostname to <[host]>. [host]: towering [host]");
	check("systemd.hostname=desk", "systemd.hostname=[name]");
	check("/home/ann/vm.xml", "/home/[user]");
	check("ip=192.168.1.10::192.168.1.1:255.255.255.0:box", "ip=[network]");
	check("addr 192.168.1.10.", "addr [IP].");
	check("fe80::1ff:fe23 2001:db8:1:2:3:4:5:6 ::1", "[IP] [IP] [IP]");
	check("cryptdevice=\"a b\" x", "cryptdevice=[disk] x");
	check("", "");
}

/* Also what looks a little like it. */
static void the_rest_stays(void **state)
{
	static const char *const stays[] = {
		"0000:01:00.0 10de:2203 1462:5054",
		"10000:e1:00.0: bound to vfio-pci",
		"pci 0000:01:00.0: reg 0x10: [mem 0xfb000000-0xfbffffff 64bit pref]",
		"mem 0x000000fc00000000",
		"claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000",
		"Linux version 6.12.48-1 nouveau 1.3.1 20120801",
		"bios: version 94.02.42.00.a5",
		"vfio-pci.ids=10de:2203,10de:1aef intel_iommu=on",
		"00:01.0 time 12:34:56",
		"driver 2.30.6",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(stays); i++)
		check(stays[i], stays[i]);
}

static void host_name(void **state)
{
	struct gb_mask mask;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	gb_mask_read(tree.root, &mask);
	assert_string_equal(mask.host, "");
	tree_put(&tree, "/proc/sys/kernel/hostname", "(none)\n");
	tree_put(&tree, "/etc/hostname", "tower\n");
	gb_mask_read(tree.root, &mask);
	assert_string_equal(mask.host, "tower");
	tree_put(&tree, "/proc/sys/kernel/hostname", "box\n");
	gb_mask_read(tree.root, &mask);
	assert_string_equal(mask.host, "box");
	tree_clear(&tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_taken_out),
		cmocka_unit_test(names_are_taken_out),
		cmocka_unit_test(the_rest_stays),
		cmocka_unit_test(host_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
