/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What software a machine has, and the advice that follows from it. */
#include "fake.h"

#include "site.h"

#define EFIVARS "/sys/firmware/efi/efivars/"
#define LOADER_INFO EFIVARS "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define SECURE_BOOT EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static struct tree tree;
static struct gb_site site;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	tree_clear(&tree);
	return 0;
}

/* An EFI variable: attributes, then UTF-16 with its end. */
static void put_wide(const char *path, const char *text)
{
	char data[256] = { 7 };
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		data[4 + 2 * i] = text[i];
	tree_put_data(&tree, path, data, 4 + 2 * len + 2);
}

static void says(const char *want)
{
	char text[512];

	gb_site_add_word(&site, "intel_iommu=on", text, sizeof(text));
	assert_string_equal(text, want);
}

static void says_removal(const char *want)
{
	char text[512];

	gb_site_remove_word(&site, "iommu=off", text, sizeof(text));
	assert_string_equal(text, want);
}

static void rebuilds(const char *want)
{
	char text[512];

	gb_site_rebuild(&site, text, sizeof(text));
	assert_string_equal(text, want);
}

static void nothing_is_known(void **state)
{
	(void)state;
	gb_site_read(tree.root, &site);
	assert_int_equal(site.distribution, GB_DISTRIBUTION_OTHER);
	assert_int_equal(site.loader, GB_LOADER_OTHER);
	assert_int_equal(site.builder, GB_BUILDER_OTHER);
	assert_int_equal(site.processor, GB_PROCESSOR_OTHER);
	assert_int_equal(site.efi, GB_CANNOT_TELL);
	assert_int_equal(site.secure_boot, GB_CANNOT_TELL);
	assert_string_equal(site.lockdown, "");
	assert_int_equal(site.kernels, 0);
	assert_false(site.initramfs);
	says("add intel_iommu=on to the kernel command line in the boot loader's "
	     "configuration, and reboot");
	rebuilds("build the initramfs of each kernel anew");
}

static void debian_with_grub(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=/vmlinuz-6.12 root=/dev/sda1 ro\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", "#!/bin/sh\nmkinitramfs -o x\n");
	tree_put(&tree, "/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", "6.12.48+deb13-amd64\n");
	tree_put(&tree, "/usr/lib/modules/6.12.48+deb13-amd64/modules.dep", "");
	tree_put(&tree, "/usr/lib/modules/6.9.0/modules.dep", "");
	tree_folder(&tree, "/usr/lib/modules/6.1.0-43-amd64");
	tree_link(&tree, "/lib", "usr/lib");
	tree_folder(&tree, "/sys/firmware/acpi");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.distribution, GB_DEBIAN);
	assert_string_equal(site.name, "Debian GNU/Linux 13 (trixie)");
	assert_int_equal(site.loader, GB_GRUB);
	assert_int_equal(site.builder, GB_INITRAMFS_TOOLS);
	assert_int_equal(site.processor, GB_INTEL);
	assert_string_equal(site.release, "6.12.48+deb13-amd64");
	assert_int_equal(site.kernels, 2);
	assert_string_equal(site.kernel[0], "6.9.0");
	assert_int_equal(site.efi, GB_NO);
	assert_int_equal(site.secure_boot, GB_NO);
	says("write the line GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT "
	     "intel_iommu=on\" to /etc/default/grub.d/zz-local.cfg, run update-grub, and reboot");
	says_removal("take iommu=off out of GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub and "
		     "/etc/default/grub.d, run update-grub, and reboot");
	rebuilds("run update-initramfs -u -k all");
}

/* dracut in the place of initramfs-tools, whose core package stayed. */
static void debian_with_dracut(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n");
	tree_put(&tree, "/usr/sbin/mkinitramfs", "");
	tree_put(&tree, "/usr/sbin/update-initramfs", "#!/bin/sh\nexec dracut --force\n");
	tree_put(&tree, "/usr/bin/dracut", "");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.distribution, GB_DEBIAN);
	assert_int_equal(site.builder, GB_DRACUT);
	rebuilds("run dracut --force --regenerate-all");
}

/* GRUB's files are left over: what booted says so itself. */
static void booted_by_systemd_boot(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=debian\n");
	tree_put(&tree, "/boot/grub/grub.cfg", "");
	put_wide(LOADER_INFO, "systemd-boot 257.8-1");
	tree_put_data(&tree, SECURE_BOOT, "\6\0\0\0\1", 5);
	tree_put(&tree, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.loader, GB_SYSTEMD_BOOT);
	assert_int_equal(site.secure_boot, GB_YES);
	assert_int_equal(site.efi, GB_YES);
	assert_string_equal(site.lockdown, "integrity");
	says("add intel_iommu=on to the one line of /etc/kernel/cmdline (begin it with that of "
	     "/proc/cmdline if there is none), run kernel-install add RELEASE "
	     "/boot/vmlinuz-RELEASE for each kernel, and reboot");
	put_wide(LOADER_INFO, "GRUB 2.12");
	tree_put_data(&tree, SECURE_BOOT, "\6\0\0\0\0", 5);
	gb_site_read(tree.root, &site);
	assert_int_equal(site.loader, GB_GRUB);
	assert_int_equal(site.secure_boot, GB_NO);
	tree_put_data(&tree, SECURE_BOOT, "\6\0\0", 3);
	put_wide(LOADER_INFO, "");
	tree_put(&tree, "/proc/cmdline", "initrd=\\EFI\\debian\\initrd root=/dev/sda1");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.loader, GB_SYSTEMD_BOOT);
	assert_int_equal(site.secure_boot, GB_CANNOT_TELL);
}

static void fedora(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=\"fedora\"\n");
	tree_folder(&tree, "/boot/loader");
	tree_folder(&tree, "/boot/loader/entries");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=(hd1,gpt6)/vmlinuz root=UUID=0 ro\n");
	tree_put(&tree, "/usr/sbin/dracut", "");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.loader, GB_GRUB_BLS);
	says("run grubby --update-kernel=ALL --args=intel_iommu=on, and reboot");
	says_removal("run grubby --update-kernel=ALL --remove-args=iommu=off, and reboot");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=/x ostree=/ostree/boot.1/0\n");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.distribution, GB_OSTREE);
	says("run rpm-ostree kargs --append=intel_iommu=on, and reboot");
	rebuilds("run rpm-ostree initramfs --enable");
}

static void proxmox(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=debian\n");
	tree_put(&tree, "/usr/bin/pveversion", "");
	tree_put(&tree, "/etc/kernel/proxmox-boot-uuids", "AAAA-BBBB\n");
	tree_put(&tree, "/proc/cmdline", "initrd=\\EFI\\proxmox\\6.8.12-4-pve\\initrd.img\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", "mkinitramfs");
	gb_site_read(tree.root, &site);
	assert_int_equal(site.distribution, GB_PROXMOX);
	assert_int_equal(site.loader, GB_PROXMOX_BOOT);
	says("add intel_iommu=on to the first line of /etc/kernel/cmdline, run proxmox-boot-tool "
	     "refresh, and reboot");
	rebuilds("run update-initramfs -u -k all and proxmox-boot-tool refresh");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=/vmlinuz-6.8.12-4-pve\n");
	gb_site_read(tree.root, &site);
	says("write the line GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT "
	     "intel_iommu=on\" to /etc/default/grub.d/zz-local.cfg, run proxmox-boot-tool "
	     "refresh, and reboot");
}

static void others(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=endeavouros\nID_LIKE=arch\n");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=/vmlinuz-linux root=UUID=0 rw\n");
	tree_put(&tree, "/usr/bin/mkinitcpio", "");
	gb_site_read(tree.root, &site);
	says("add intel_iommu=on to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run "
	     "grub-mkconfig -o /boot/grub/grub.cfg, and reboot");
	rebuilds("run mkinitcpio -P");
	tree_put(&tree, "/etc/os-release", "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n");
	gb_site_read(tree.root, &site);
	says("add intel_iommu=on to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run "
	     "grub2-mkconfig -o /boot/grub2/grub.cfg, and reboot");
	tree_put(&tree, "/boot/loader/entries/a.conf", "");
	gb_site_read(tree.root, &site);
	says("add intel_iommu=on to the one line of /etc/kernel/cmdline, run sdbootutil "
	     "update-all-entries, and reboot");
	tree_put(&tree, "/etc/os-release", "ID=pop\nID_LIKE=\"ubuntu debian\"\n");
	tree_put(&tree, "/usr/bin/kernelstub", "");
	put_wide(LOADER_INFO, "systemd-boot 249");
	gb_site_read(tree.root, &site);
	says("run kernelstub -a intel_iommu=on, and reboot");
	says_removal("run kernelstub -d iommu=off, and reboot");
}

static void in_an_image(void **state)
{
	(void)state;
	tree_put(&tree, "/conf/initramfs.conf", "");
	tree_put(&tree, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\n");
	gb_site_read(tree.root, &site);
	assert_true(site.initramfs);
	assert_int_equal(site.builder, GB_INITRAMFS_TOOLS);
	assert_int_equal(site.distribution, GB_DEBIAN);
	assert_int_equal(site.processor, GB_AMD);
	tree_delete(&tree, "/conf/initramfs.conf");
	tree_put(&tree, "/etc/initrd-release", "ID=fedora\n");
	tree_put(&tree, "/lib/dracut-lib.sh", "");
	gb_site_read(tree.root, &site);
	assert_true(site.initramfs);
	assert_int_equal(site.builder, GB_DRACUT);
	assert_int_equal(site.distribution, GB_FEDORA);
}

/* Nothing that a file holds may end the program, or move a cursor. */
static void hostile(void **state)
{
	char junk[700];

	(void)state;
	memset(junk, 0xff, sizeof(junk));
	tree_put_data(&tree, LOADER_INFO, junk, sizeof(junk));
	tree_put_data(&tree, SECURE_BOOT, junk, sizeof(junk));
	tree_put_data(&tree, "/proc/cpuinfo", "vendor_id", 9);
	tree_put(&tree, "/sys/kernel/security/lockdown", "[");
	tree_put(&tree, "/etc/os-release", "PRETTY_NAME=\"a\033[2Jb\"\nID=\"\nID_LIKE=\n");
	gb_site_read(tree.root, &site);
	assert_string_equal(site.name, "a?[2Jb");
	assert_int_equal(site.loader, GB_LOADER_OTHER);
	assert_int_equal(site.secure_boot, GB_CANNOT_TELL);
	assert_string_equal(site.lockdown, "");
}

static void kernel_config(void **state)
{
	char value[8];

	(void)state;
	assert_false(gb_site_kernel_config(tree.root, "6.12", "INTEL_IOMMU", value, sizeof(value)));
	assert_false(gb_site_kernel_config(tree.root, "", "INTEL_IOMMU", value, sizeof(value)));
	tree_put(&tree, "/boot/config-6.12", "#\nCONFIG_INTEL_IOMMU=y\nCONFIG_VFIO_PCI=m\n"
		 "# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\nCONFIG_LOCALVERSION=\"\"\n");
	assert_true(gb_site_kernel_config(tree.root, "6.12", "INTEL_IOMMU", value, sizeof(value)));
	assert_string_equal(value, "y");
	assert_true(gb_site_kernel_config(tree.root, "6.12", "VFIO_PCI", value, sizeof(value)));
	assert_string_equal(value, "m");
	assert_true(gb_site_kernel_config(tree.root, "6.12", "INTEL_IOMMU_DEFAULT_ON", value,
					  sizeof(value)));
	assert_string_equal(value, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_known), TEST(debian_with_grub), TEST(debian_with_dracut),
		TEST(booted_by_systemd_boot), TEST(fedora), TEST(proxmox), TEST(others),
		TEST(in_an_image), TEST(hostile), TEST(kernel_config),
	};

	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
