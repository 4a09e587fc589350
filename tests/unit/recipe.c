/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Existing passthrough set-ups, read and explained. */
#include "fake.h"

#include <ctype.h>

#include "ids.h"
#include "lines.h"
#include "modprobe.h"
#include "recipe.h"

/* What is found in one file, as "LINE id; LINE id: detail; …" */
static const char *found_in(struct gb_findings *f)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	gb_findings_sort(f);
	for (size_t i = 0; i < f->findings && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u %s%s%s", i ? "; " : "",
				      f->finding[i].line, gb_finding_kind(f->finding[i].id)->id,
				      f->finding[i].detail[0] ? ": " : "", f->finding[i].detail);
	return text;
}

struct example {
	const char *text, *found;
};

static void check(const char *path, const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gb_findings f = { 0 };

		assert_true(gb_recipe_take(&f, path, examples[i].text, strlen(examples[i].text)));
		if (strcmp(found_in(&f), examples[i].found))
			fail_msg("%s\n  found  %s\n  wanted %s", examples[i].text, found_in(&f),
				 examples[i].found);
		gb_findings_clear(&f);
	}
}

#define CHECK(path, ...) \
	do { \
		static const struct example examples[] = { __VA_ARGS__ }; \
		check(path, examples, COUNT(examples)); \
	} while (0)

static void every_kind_is_explained(void **state)
{
	(void)state;
	for (int i = 0; i < GB_FINDING_IDS; i++) {
		const struct gb_finding_kind *kind = gb_finding_kind((enum gb_finding_id)i);

		assert_non_null(kind->id);
		assert_non_null(kind->means);
		for (const char *c = kind->id; *c; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
				    *c == '-');
		if (kind->weight == GB_MISTAKE || kind->weight == GB_USELESS ||
		    kind->weight == GB_DANGER)
			assert_non_null(kind->wrong);
		if (kind->weight == GB_CONFLICT)
			assert_non_null(kind->conflict);
		assert_non_null(gb_weight_name(kind->weight));
		for (int other = 0; other < i; other++)
			assert_string_not_equal(kind->id,
						gb_finding_kind((enum gb_finding_id)other)->id);
	}
}

static void ids_are_read(void **state)
{
	(void)state;
	CHECK("/etc/modprobe.d/vfio.conf",
	      { "options vfio-pci ids=10de:2203,10de:1aef\n", "1 vfio-ids" },
	      { "  options  vfio_pci\tids=10de:2203 disable_vga=1 # gpu\n", "1 vfio-ids; 1 vfio-option" },
	      { "options vfio-pci \\\n ids=10de:2203\n", "1 vfio-ids" },
	      { "options vfio-pci ids=\"10de:2203,10de:1aef\"\n", "1 vfio-ids" },
	      { "options vfio-pci ids=10de:2203, 10de:1aef\n", "1 vfio-ids; 1 vfio-ids-space" },
	      { "options vfio-pci ids=10de:2203 ,10de:1aef\n",
		"1 vfio-ids; 1 vfio-option-unknown" },
	      { "options vfio-pci ids=10de:2203,10de:2203\n",
		"1 vfio-ids; 1 vfio-ids-twice: twice in one list" },
	      { "options vfio-pci ids=10de:2203,10DE:2203:1462:5054,10de:2203\n",
		"1 vfio-ids; 1 vfio-ids-twice: twice in one list" },
	      { "options vfio-pci ids=01:00.0\n",
		"1 vfio-ids; 1 vfio-ids-format: \"01:00.0\" is skipped" },
	      { "options vfio-pci ids=10de:2203:00000000000000000000000000000000000000000000000000000000"
		"0000000000000000\n",
		"1 vfio-ids; 1 vfio-ids-format: \"10de:2203:000000000000000000000000000000000000000000"
		"00000000000\" is skipped" },
	      { "options vfio-pci ids=10de\n", "1 vfio-ids; 1 vfio-ids-format: \"10de\" is skipped" },
	      { "options vfio-pci vfio-pci.ids=10de:2203\n", "1 vfio-ids-prefix: ids= is meant" },
	      { "#options vfio-pci ids=10de:2203\n", "" },
	      { "options nvidia NVreg_UsePageAttributeTable=1\n", "" });
}

static void option_names_are_checked(void **state)
{
	(void)state;
	CHECK("/etc/modprobe.d/vfio.conf",
	      { "options vfio-pci diable_vga=1\n", "1 vfio-option-unknown: disable_vga is meant" },
	      { "options vfio-pci disable_vag=1\n", "1 vfio-option-unknown: disable_vga is meant" },
	      { "options vfio-pci multifunction=on\n", "1 vfio-option-unknown" },
	      { "options vfio-pci allow_unsafe_interrupts=1\n", "1 unsafe-interrupts-module" },
	      { "options vfio_iommu_type1 allow_unsafe_interrupts=1\n", "1 unsafe-interrupts" },
	      { "options vfio_iommu_type1 allow_unsafe_interrupts=0\n", "" },
	      { "options vfio enable_unsafe_noiommu_mode=Y\n", "1 unsafe-noiommu" },
	      { "options vfiopci ids=10de:2203\n", "1 module-unknown: vfiopci: vfio_pci is meant" },
	      { "options pci-stub ids=10de:2203\n", "1 stub-ids" },
	      { "options vfio-pci\n", "1 modprobe-line" });
}

static void order_of_loading_is_checked(void **state)
{
	(void)state;
	CHECK("/etc/modprobe.d/vfio.conf",
	      { "softdep nvidia pre: vfio-pci\nsoftdep drm pre: vfio vfio_pci\n",
		"1 softdep; 2 softdep" },
	      { "softdep nvidia pre:vfio-pci\n", "1 softdep-syntax" },
	      { "softdep nvidia vfio-pci\n", "1 softdep-syntax" },
	      { "softdep nvidia pre: pre:vfio-pci\n", "1 softdep-syntax" },
	      { "softdep nvidia post: vfio-pci\n", "1 softdep-post" },
	      { "softdep xhci_hdc pre: vfio-pci\n",
		"1 module-unknown: xhci_hdc: xhci_hcd is meant" },
	      { "softdep nouveua pre: vfio-pci\n", "1 module-unknown: nouveua: nouveau is meant" },
	      { "softdep ehci_hcd pre: vfio-pci\n", "1 softdep" },
	      { "softdep nvidia pre: drm\n", "" },
	      { "blacklist nouveau\nblacklist pcspkr\nblacklist vfio-pci\n",
		"1 blacklist; 3 vfio-blacklisted" },
	      { "blacklist noveau\n", "1 module-unknown: noveau: nouveau is meant" },
	      { "install nvidia /bin/false\ninstall usb-storage /bin/true\n", "1 install-none" },
	      { "install vfio-pci /sbin/vfio-pci-override.sh\n", "1 install-vfio" },
	      { "alias pci:v000010DEd00002203* vfio-pci\n", "1 alias-vfio" },
	      { "vfio-pci ids=10de:2203\n", "1 modprobe-line" },
	      { "add_drivers+=\" vfio \"\n", "1 modprobe-line" },
	      { "frobnicate nvidia\n", "" });
	CHECK("/etc/modprobe.d/vfio", { "options vfio-pci ids=10de:2203\n", "0 file-name" },
	      { "blacklist pcspkr\n", "" });
}

static void old_framebuffers_are_the_distributions(void **state)
{
	(void)state;
	CHECK("/usr/lib/modprobe.d/fbdev-blacklist.conf",
	      { "blacklist nvidiafb\nblacklist nouveau\n", "2 blacklist" });
	CHECK("/etc/modprobe.d/a.conf", { "blacklist nvidiafb\n", "1 blacklist" });
}

static void module_lists_are_read(void **state)
{
	(void)state;
	CHECK("/etc/modules", { "# x\nvfio\nvfio_pci\n", "2 modules-load" },
	      { "vfio_pci ids=10de:2203\n", "1 modules-arguments" },
	      { "nouveau\nvfio_pci\n", "1 rival-first; 2 modules-load" },
	      { "loop\nnouveau\n", "" }, { "vfio_virqfd\n", "1 vfio-virqfd" },
	      { "vfio_pic\n", "1 module-unknown: vfio_pic: vfio_pci is meant" });
	CHECK("/etc/initramfs-tools/modules",
	      { "vfio\nvfio_pci ids=10de:2203\nnvidia\n",
		"1 initramfs-modules; 2 vfio-ids; 3 rival-early" },
	      { "softdep nvidia pre: vfio-pci\n", "1 modules-syntax" },
	      { "vfio vfio_iommu_type1 vfio_pci ids=10de:2203\n",
		"1 modules-syntax; 1 initramfs-modules" });
	CHECK("/etc/dracut.conf.d/vfio.conf",
	      { "force_drivers+=\" vfio vfio_pci \"\n", "1 dracut-force-drivers" },
	      { "add_drivers+=\"vfio vfio_pci\"\n", "1 dracut-add-drivers; 1 dracut-spaces" },
	      { "add_drivers=\"vfio vfio_pci\"\n", "1 dracut-add-drivers" },
	      { "force_drivers+=' amdgpu vfio_pci '\n", "1 rival-first; 1 dracut-force-drivers" },
	      { "omit_drivers+=\" nouveau \"\n", "1 dracut-omit-drivers" },
	      { "omit_drivers+=\" vfio_pci \"\n", "1 vfio-blacklisted" },
	      { "kernel_cmdline+=\" intel_iommu=on \"\n", "1 dracut-cmdline" },
	      { "kernel_cmdline=\"rd.driver.pre=vfio-pci\"\n", "1 rd-driver-pre" },
	      { "hostonly_cmdline=\"quiet=1\"\n",
		"1 dracut-cmdline: hostonly_cmdline takes yes or no" },
	      { "add_dracutmodules+=\" vfio \"\n", "1 dracut-module" }, { "hostonly=yes\n", "" });
	CHECK("/etc/dracut.conf.d/vfio", { "force_drivers+=\" vfio_pci \"\n", "0 file-name" });
	CHECK("/etc/mkinitcpio.conf",
	      { "MODULES=(vfio_pci vfio)\nHOOKS=(base udev modconf)\n", "1 mkinitcpio-modules" },
	      { "MODULES=(\n  vfio_pci # x amdgpu\n  amdgpu\n)\nHOOKS=(base kms)\n",
		"2 mkinitcpio-modules; 3 rival-early; 5 mkinitcpio-kms; 5 mkinitcpio-modconf" },
	      { "MODULES=\"vfio_pci\"\nFILES=(vfio_pci)\n", "1 mkinitcpio-modules" },
	      { "# MODULES=(vfio_pci)\nMODULES=()\nHOOKS=(kms)\n", "" });
}

static void command_line_is_read(void **state)
{
	(void)state;
	CHECK("/proc/cmdline", { "quiet root=/dev/sda1 ghost.claim=on\n", "" },
	      { "vfio-pci.ids=10de:2203,10de:1aef", "1 cmdline-vfio-ids" },
	      { "vfio_pci.ids=10de:2203, 10de:1aef", "1 vfio-ids-space; 1 cmdline-vfio-ids" },
	      { "vfio-pci.disable_vga=1 vfio-pci.diable_vga=1",
		"1 vfio-option; 1 vfio-option-unknown: disable_vga is meant" },
	      { "vfio_iommu_type1.allow_unsafe_interrupts=1", "1 unsafe-interrupts" },
	      { "intel_iommu=on iommu=pt", "1 intel-iommu; 1 iommu-pt" },
	      { "intel_iommu=on,igfx_off",
		"1 intel-iommu; 1 intel-iommu: not for the integrated display" },
	      { "amd_iommu=on", "1 amd-iommu-on" },
	      { "amd_iommu=fullflush", "1 amd-iommu" },
	      { "intel_iommu=on amd_iommu=on", "1 intel-iommu; 1 amd-iommu-on; 1 iommu-both" },
	      { "intel_iommu=off", "1 iommu-off" },
	      { "intel_iommu=,,yes", "1 iommu-unknown" },
	      { "iommu=on", "1 iommu-unknown: iommu=on" },
	      { "iommu=soft iommu.strict=1", "1 iommu-word; 1 iommu-word" },
	      { "pcie_acs_override=downstream,multifunction", "1 acs-override" },
	      { "modprobe.blacklist=nouveau,pcspkr module_blacklist=amdgpu rd.driver.blacklist=noveau",
		"1 module-unknown: noveau: nouveau is meant; 1 cmdline-blacklist; 1 module-blacklist" },
	      { "rd.driver.pre=vfio-pci rd.driver.pre=ahci", "1 rd-driver-pre" },
	      { "video=efifb:off video=HDMI-A-1:1920x1080", "1 video-off" },
	      { "video=vesafb:off,efifb:off", "1 video-list: only vesafb is turned off" },
	      { "initcall_blacklist=sysfb_init nomodeset", "1 sysfb; 1 nomodeset" },
	      { "pci=noats,realloc pci=nommconf", "1 pci-noats; 1 pci-nommconf" },
	      { "pci=disable_acs_redir=pci:8086:a340", "1 pci-acs" },
	      { "intremap=no_x2apic_optout intremap=off", "1 intremap" },
	      { "pci-stub.ids=10de:2203", "1 stub-ids" },
	      { "\"vfio-pci.ids=10de:2203 x\"",
		"1 vfio-ids-format: \"10de:2203 x\" is skipped; 1 cmdline-vfio-ids" },
	      { "-- intel_iommu=off", "" });
}

static void programs_are_noticed(void **state)
{
	(void)state;
	CHECK("/etc/initramfs-tools/scripts/init-top/gpu",
	      { "#!/bin/sh\n# driver_override\nD=0000:0c:00.0\necho vfio-pci >$D/driver_override\n",
		"4 script: 0000:0c:00.0" },
	      { "echo 0000:01:00.0 0000:01:00.1 0000:02:00.0 0000:02:00.1 0000:02:00.0\n"
		"echo 0000:03:00.0 0000:03:00.1 0000:04:00.0 >/sys/bus/pci/drivers/vfio-pci/bind\n",
		"2 script: 0000:01:00.0, 0000:01:00.1, 0000:02:00.0, 0000:02:00.1" },
	      { "#!/bin/sh\necho hello\n", "" });
	CHECK("/etc/libvirt/hooks/qemu",
	      { "virsh nodedev-detach pci_0000_01_00_0\nvirsh nodedev-detach pci_0000_01_00_1\n",
		"1 libvirt-hook: 0000:01:00.0, 0000:01:00.1" });
	CHECK("/etc/udev/rules.d/10-vfio.rules", { "SUBSYSTEM==\"vfio\", GROUP=\"kvm\"\n", "" },
	      { "ACTION==\"add\", ATTR{driver_override}=\"vfio-pci\"\n", "1 udev-rule" });
	CHECK("/etc/driverctl.d/pci-0000:01:00.0", { "vfio-pci\n", "1 driverctl" });
	CHECK("/etc/driverctl.d/vmbus-1", { "uio_hv_generic\n", "" });
}

static void only_known_places_are_read(void **state)
{
	struct gb_findings f = { 0 };

	(void)state;
	assert_false(gb_recipe_take(&f, "/etc/passwd", "vfio", 4));
	gb_findings_clear(&f);
}

/* ---- a whole machine ------------------------------------------------------------------- */

static void driver(const struct tree *tree, const char *bdf, const char *name)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", name);
	tree_link(tree, path, target);
}

static void host(const struct tree *tree)
{
	tree_pci(tree, "pci0000:00/0000:00:00.0", "1022:1480 1022:1480 060000", 0);
	tree_pci(tree, "pci0000:00/0000:00:01.0", "1022:1483 1022:1483 060400", 1);
	tree_pci(tree, "pci0000:00/0000:00:01.0/0000:01:00.0", "10de:2206 1462:3892 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:01.0/0000:01:00.1", "10de:1aef 1462:3892 040300", 0);
	tree_pci(tree, "pci0000:00/0000:00:02.0", "1022:1483 1022:1483 060400", 2);
	tree_pci(tree, "pci0000:00/0000:00:02.0/0000:02:00.0", "10de:2206 1462:3892 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:02.0/0000:02:00.2", "10de:1ad8 1462:3892 0c0330", 0);
	tree_pci(tree, "pci0000:00/0000:00:03.0", "144d:a809 144d:a801 010802", 0);
	tree_pci(tree, "pci0000:00/0000:00:04.0", "1022:149c 1022:149c 0c0330", 0);
	tree_pci(tree, "pci0000:00/0000:00:06.0", "1d87:3588 1d87:3588 088000", 0);
	tree_pci(tree, "pci0000:00/0000:00:06.1", "1d87:3588 1d87:3588 088000", 0);
	tree_pci(tree, "pci0000:00/0000:00:05.0", "8086:15f3 8086:0000 020000", 0);
	tree_put(tree, "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/boot_vga", "1\n");
	driver(tree, "0000:01:00.0", "nvidia");
	driver(tree, "0000:01:00.1", "snd_hda_intel");
	driver(tree, "0000:02:00.2", "xhci_hcd");
	driver(tree, "0000:00:03.0", "nvme");
	driver(tree, "0000:00:04.0", "xhci_hcd");
	driver(tree, "0000:00:05.0", "vfio-pci");
}

static const char *read_host(const struct tree *tree)
{
	static char text[4096];
	struct gb_claims claims = { 0 };
	struct gb_machine machine = { 0 };
	struct gb_findings f;
	struct gb_err err;

	if (gb_machine_scan(tree->root, &claims, &machine, &err))
		fail_msg("%s", err.text);
	assert_int_equal(gb_recipe_read(tree->root, &machine, &f, &err), 0);
	assert_int_equal(f.left_out, 0);
	snprintf(text, sizeof(text), "%s", found_in(&f));
	gb_findings_clear(&f);
	gb_machine_clear(&machine);
	return text;
}

static void ids_are_held_against_the_machine(void **state)
{
	static const struct example examples[] = {
		{ "10de:2206",
		  "1 vfio-ids; 1 vfio-ids-host: 0000:01:00.0 is the display this machine booted with, "
		  "driven by nvidia; 1 vfio-ids-several: 2 devices have it" },
		{ "10de:1ad8", "1 vfio-ids" }, /* a companion of a card that may go */
		{ "144d:a809",
		  "1 vfio-ids; 1 vfio-ids-host: 0000:00:03.0 is storage, driven by nvme" },
		{ "1022:149c",
		  "1 vfio-ids; 1 vfio-ids-host: 0000:00:04.0 is USB, perhaps the keyboard's, driven by "
		  "xhci_hcd" },
		{ "8086:15f3", "1 vfio-ids" }, /* where it is meant to be */
		{ "10de:2208", "1 vfio-ids; 1 vfio-ids-absent" },
		{ "1d87:3588", "1 vfio-ids" }, /* two functions of one device */
		{ "144d:a809:144d:ffff", "1 vfio-ids; 1 vfio-ids-absent" },
		{ "144d:a809:10de", "1 vfio-ids; 1 vfio-ids-absent" },
		{ "144d:a809:ffffffff:ffffffff:020000:ff0000", "1 vfio-ids; 1 vfio-ids-absent" },
		{ "144d:a809:ffffffff:ffffffff:010802:ffffff",
		  "1 vfio-ids; 1 vfio-ids-host: 0000:00:03.0 is storage, driven by nvme" },
	};
	struct tree tree;
	char line[128];

	(void)state;
	tree_make(&tree);
	host(&tree);
	for (size_t i = 0; i < COUNT(examples); i++) {
		snprintf(line, sizeof(line), "options vfio-pci ids=%s\n", examples[i].text);
		tree_put(&tree, "/etc/modprobe.d/vfio.conf", line);
		assert_string_equal(read_host(&tree), examples[i].found);
	}
	tree_clear(&tree);
}

static void the_last_ids_win(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, "/proc/cmdline", "quiet\n");
	tree_put(&tree, "/etc/modprobe.d/a.conf", "options vfio-pci ids=10de:0001,10de:0002\n");
	tree_put(&tree, "/usr/lib/modprobe.d/b.conf", "options vfio-pci ids=10de:0003\n");
	tree_folder(&tree, "/sys/bus/pci/devices");
	assert_string_equal(read_host(&tree),
			    "1 vfio-ids; 1 vfio-ids-overridden: /usr/lib/modprobe.d/b.conf:1 comes "
			    "later; 1 vfio-ids");
	/* a file in /etc stands for those of its name elsewhere */
	tree_put(&tree, "/etc/modprobe.d/b.conf", "# nothing\n");
	assert_string_equal(read_host(&tree), "1 vfio-ids");
	tree_put(&tree, "/proc/cmdline", "vfio-pci.ids=10de:0004\n");
	assert_string_equal(read_host(&tree),
			    "1 cmdline-vfio-ids; 1 vfio-ids; 1 vfio-ids-overridden: /proc/cmdline:1 "
			    "comes later");
	tree_clear(&tree);
}

static void the_command_line_wins_whenever_read(void **state)
{
	static const char cmdline[] = "vfio-pci.ids=10de:0001",
			  options[] = "options vfio-pci ids=10de:0002\n";
	struct gb_findings f = { 0 };

	(void)state;
	for (int first = 0; first < 2; first++) {
		for (int turn = 0; turn < 2; turn++)
			if (turn == first)
				gb_recipe_take(&f, "/proc/cmdline", cmdline, strlen(cmdline));
			else
				gb_recipe_take(&f, "/etc/modprobe.d/a.conf", options,
					       strlen(options));
		gb_ids_judge(&f);
		assert_non_null(strstr(found_in(&f), "vfio-ids-overridden: /proc/cmdline:1"));
		assert_null(strstr(found_in(&f), "overridden: /etc"));
		gb_findings_clear(&f);
	}
}

static void drivers_in_use_are_named(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	host(&tree);
	tree_put(&tree, "/proc/cmdline", "intel_iommu=on\n");
	tree_put(&tree, "/etc/modprobe.d/a.conf", "blacklist snd-hda-intel\nblacklist nouveau\n");
	tree_put(&tree, "/etc/driverctl.d/pci-0000:09:00.0", "vfio-pci\n");
	assert_string_equal(read_host(&tree),
			    "1 intel-iommu; 1 iommu-other-vendor; 1 blacklist: snd_hda_intel drives "
			    "0000:01:00.1 now; 2 blacklist; 1 driverctl: nothing is there now");
	tree_clear(&tree);
}

static void virqfd_is_looked_for(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/sys/bus/pci/devices");
	tree_put(&tree, "/etc/modules", "vfio_virqfd\n");
	assert_string_equal(read_host(&tree), "1 vfio-virqfd");
	tree_put(&tree, "/lib/modules/6.1.0-1/modules.dep", "");
	tree_put(&tree, "/lib/modules/6.1.0-1/kernel/drivers/vfio/vfio_virqfd.ko.xz", "");
	assert_string_equal(read_host(&tree), "");
	tree_put(&tree, "/lib/modules/6.12.0-1/modules.dep", "");
	assert_string_equal(read_host(&tree),
			    "1 vfio-virqfd: kernel 6.12.0-1 has no such module");
	tree_clear(&tree);
}

static void files_are_found_where_they_lie(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/sys/bus/pci/devices");
	tree_put(&tree, "/etc/modules", "vfio_pci\n");
	tree_link(&tree, "/etc/modules-load.d/modules.conf", "../modules");
	tree_put(&tree, "/etc/modprobe.d/vfio.conf", "install vfio-pci /usr/bin/pick.sh\n");
	tree_put(&tree, "/usr/bin/pick.sh", "#!/bin/sh\necho x >/sys/bus/pci/drivers/vfio-pci/new_id\n");
	tree_put(&tree, "/etc/libvirt/hooks/qemu.d/win/prepare/begin/start.sh", "modprobe vfio\n");
	tree_put(&tree, "/usr/lib/dracut/modules.d/20vfio/pick.sh", "echo vfio-pci\n");
	tree_put(&tree, "/usr/lib/dracut/modules.d/90kernel-modules/x.sh", "echo vfio-pci\n");
	tree_put(&tree, "/etc/udev/rules.d/60-ghost-boot.rules", "driver_override\n");
	tree_link(&tree, "/etc/libvirt/hooks/loop", ".");
	assert_string_equal(read_host(&tree),
			    "1 install-vfio; 2 script; 1 modules-load; 1 script; 1 libvirt-hook");
	tree_clear(&tree);
}

static void too_much_is_counted(void **state)
{
	enum { LINES = GB_FINDINGS_MAX + 10 };
	static const char line[] = "blacklist nouveau\n";
	char *text = calloc(LINES, sizeof(line));
	struct gb_findings f = { 0 };

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		strcat(text + i * (sizeof(line) - 1), line);
	assert_true(gb_recipe_take(&f, "/etc/modprobe.d/a.conf", text, strlen(text)));
	assert_int_equal(f.findings, GB_FINDINGS_MAX);
	assert_int_equal(f.left_out, 10);
	gb_findings_clear(&f);
	free(text);
}

static void long_lines_are_cut(void **state)
{
	char *text = malloc(3 * GB_LINE_MAX);
	struct gb_findings f = { 0 };

	(void)state;
	memset(text, 'x', 3 * GB_LINE_MAX);
	memcpy(text, "options vfio-pci ", 17);
	memcpy(text + 2 * GB_LINE_MAX, "\\\nids=10de:2203", 16);
	text[3 * GB_LINE_MAX - 1] = '\n';
	assert_true(gb_recipe_take(&f, "/etc/modprobe.d/a.conf", text, 3 * GB_LINE_MAX));
	assert_string_equal(found_in(&f), "1 vfio-option-unknown");
	gb_findings_clear(&f);
	free(text);
}

static void odd_bytes_do_no_harm(void **state)
{
	static const char text[] = "options vfio-pci\tids=\033[2J\nblack\0list\noptions vfio-pci \\";
	struct gb_findings f = { 0 };

	(void)state;
	assert_true(gb_recipe_take(&f, "/etc/modprobe.d/a.conf", text, sizeof(text) - 1));
	assert_string_equal(found_in(&f), "1 vfio-ids; 1 vfio-ids-format: \"?[2J\" is skipped; "
					  "4 vfio-option-unknown");
	assert_string_equal(f.finding[0].words, "ids=?[2J");
	gb_findings_clear(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_explained),
		cmocka_unit_test(ids_are_read),
		cmocka_unit_test(option_names_are_checked),
		cmocka_unit_test(order_of_loading_is_checked),
		cmocka_unit_test(old_framebuffers_are_the_distributions),
		cmocka_unit_test(module_lists_are_read),
		cmocka_unit_test(command_line_is_read),
		cmocka_unit_test(programs_are_noticed),
		cmocka_unit_test(only_known_places_are_read),
		cmocka_unit_test(ids_are_held_against_the_machine),
		cmocka_unit_test(the_last_ids_win),
		cmocka_unit_test(the_command_line_wins_whenever_read),
		cmocka_unit_test(drivers_in_use_are_named),
		cmocka_unit_test(virqfd_is_looked_for),
		cmocka_unit_test(files_are_found_where_they_lie),
		cmocka_unit_test(too_much_is_counted),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(odd_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
