/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two machines as their boot loaders leave them: Debian with GRUB, and with systemd-boot. */
#ifndef LOADERS_H
#define LOADERS_H

#include "fake.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "efi.h"
#include "grubenv.h"
#include "host.h"

#define OLD "6.1.0-9-amd64"
#define NEW "6.1.0-10-amd64"
#define MACHINE "c123456789abcdef0123456789abcdef"
#define VARIABLES "/sys/firmware/efi/efivars/"

#define GRUB_HEADER "### BEGIN /etc/grub.d/00_header ###\n" \
	"if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n" \
	"if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n   set next_entry=\n" \
	"   save_env next_entry\n   set boot_once=true\nelse\n   set default=\"0\"\nfi\n" \
	"### END /etc/grub.d/00_header ###\n"
#define GRUB_BODY(indent, release, words) \
	indent "\tload_video\n" indent "\tsavedefault\n" \
	indent "\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n" \
	indent "\tinsmod ext2\n" indent "\tsearch --no-floppy --fs-uuid --set=root 1\n" \
	indent "\techo\t'Loading Linux " release " ...'\n" \
	indent "\tlinux\t/boot/vmlinuz-" release " root=UUID=1 ro " words "\n" \
	indent "\techo\t'Loading initial ramdisk ...'\n" \
	indent "\tinitrd\t/boot/intel-ucode.img /boot/initrd.img-" release "\n"
#define GRUB_LINUX "### BEGIN /etc/grub.d/10_linux ###\n" \
	"menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option " \
	"'gnulinux-simple-1' {\n" GRUB_BODY("", NEW, "quiet") "}\n" \
	"submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {\n" \
	"\tmenuentry 'Debian GNU/Linux, with Linux " OLD "' --class os $menuentry_id_option " \
	"'gnulinux-" OLD "-advanced-1' {\n" GRUB_BODY("\t", OLD, "quiet") "\t}\n}\n" \
	"### END /etc/grub.d/10_linux ###\n"
#define GRUB_CUSTOM "### BEGIN /etc/grub.d/41_custom ###\n" \
	"if [ -f  ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\n" \
	"elif [ -z \"${config_directory}\" -a -f  $prefix/custom.cfg ]; then\n" \
	"  source $prefix/custom.cfg\nfi\n### END /etc/grub.d/41_custom ###\n"

static inline void put_variable(const struct tree *tree, const char *name, const char *text)
{
	struct gb_text wide = { 0 };
	char path[160], file[512] = { 6 };

	snprintf(path, sizeof(path), VARIABLES "%s" GB_EFI_LOADER, name);
	assert_true(gb_efi_encode(text, &wide));
	memcpy(file + 4, wide.data, wide.len);
	tree_put_data(tree, path, file, wide.len + 4);
	gb_text_clear(&wide);
}

static inline void put_features(const struct tree *tree, uint8_t bits)
{
	const uint8_t file[12] = { 6, 0, 0, 0, bits };

	tree_put_data(tree, VARIABLES "LoaderFeatures" GB_EFI_LOADER, file, sizeof(file));
}

static inline void put_environment(const struct tree *tree, const char *path, const char *lines)
{
	char block[GB_GRUBENV_SIZE], text[GB_GRUBENV_SIZE];

	snprintf(text, sizeof(text), "# GRUB Environment Block\n%s", lines);
	memset(block, '#', sizeof(block));
	memcpy(block, text, strlen(text));
	tree_put_data(tree, path, block, sizeof(block));
}

static inline void put_both_kernels(const struct tree *tree)
{
	static const char *const releases[] = { OLD, NEW };
	char path[160];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", releases[i]);
		tree_put(tree, path, "");
		snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", releases[i]);
		tree_put(tree, path, "");
		snprintf(path, sizeof(path), "/boot/vmlinuz-%s", releases[i]);
		tree_put(tree, path, "kernel");
		snprintf(path, sizeof(path), "/boot/initrd.img-%s", releases[i]);
		tree_put(tree, path, "image");
	}
	tree_put(tree, "/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
	tree_put(tree, "/proc/sys/kernel/osrelease", NEW "\n");
}

/* Booted by BIOS, all on one ext4. */
static inline void make_grub(const struct tree *tree)
{
	put_both_kernels(tree);
	tree_put(tree, "/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-" NEW " root=UUID=1 ro quiet\n");
	tree_put(tree, "/proc/self/mountinfo", "20 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw\n"
		 "21 20 0:5 / /dev rw - devtmpfs udev rw\n");
	tree_link(tree, "/sys/dev/block/259:2", "../../devices/pci/nvme/nvme0n1/nvme0n1p2");
	tree_folder(tree, "/sys/firmware/acpi");
	tree_put(tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
	tree_put(tree, "/usr/sbin/update-grub",
		 "#!/bin/sh\nset -e\nexec grub-mkconfig -o /boot/grub/grub.cfg \"$@\"\n");
	tree_put(tree, "/usr/sbin/grub-mkconfig", "for x in ${sysconfdir}/default/grub.d/*.cfg ; do\n");
	tree_put(tree, "/boot/grub/grub.cfg", GRUB_HEADER GRUB_LINUX GRUB_CUSTOM);
	put_environment(tree, "/boot/grub/grubenv", "");
}

static inline void put_conf(const struct tree *tree, const char *name, const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "/efi/loader/entries/%s", name);
	tree_put(tree, path, text);
}

#define SYSTEMD_CONF(release) \
	"title Debian GNU/Linux 12\nversion " release "\nmachine-id " MACHINE "\nsort-key debian\n" \
	"options root=UUID=1 ro quiet\nlinux /" MACHINE "/" release "/linux\ninitrd /microcode.cpio\n" \
	"initrd /" MACHINE "/" release "/initrd.img-" release "\n"

static inline void make_systemd(const struct tree *tree)
{
	put_both_kernels(tree);
	tree_put(tree, "/proc/cmdline", "initrd=\\x root=UUID=1 ro quiet\n");
	put_variable(tree, "LoaderInfo", "systemd-boot 257");
	put_features(tree, 0x7f);
	put_variable(tree, "LoaderEntrySelected", MACHINE "-" NEW ".conf");
	put_conf(tree, MACHINE "-" OLD ".conf", SYSTEMD_CONF(OLD));
	put_conf(tree, MACHINE "-" NEW ".conf", SYSTEMD_CONF(NEW));
	tree_put(tree, "/efi/" MACHINE "/" OLD "/linux", "kernel");
	tree_put(tree, "/efi/" MACHINE "/" NEW "/linux", "kernel");
	tree_put(tree, "/efi/" MACHINE "/" OLD "/initrd.img-" OLD, "image");
	tree_put(tree, "/efi/" MACHINE "/" NEW "/initrd.img-" NEW, "image");
}

/* What the folder below can't say of itself: that it lies on ext4. */
static inline int is_ext4(int fd, struct statfs *ret)
{
	(void)fd;
	*ret = (struct statfs){ .f_type = EXT4_SUPER_MAGIC };
	return 0;
}

static inline int no_checkpoint(int fd)
{
	(void)fd;
	return 0;
}

static inline void open_host(const struct tree *tree, struct gb_host *host)
{
	struct gb_err err;

	if (gb_host_open(tree->root, host, &err))
		fail_msg("%s", err.text);
	host->store.disk = is_ext4;
	host->store.checkpoint = no_checkpoint;
}

#endif
