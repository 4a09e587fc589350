/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who builds a machine's images, for which kernels, and which files of them are booted. */
#include "fake.h"

#include <sys/statvfs.h>

#include "efi.h"
#include "host.h"
#include "images.h"
#include "text.h"

#define OLD "6.1.0-9-amd64"
#define NEW "6.1.0-10-amd64"
#define MACHINE "0123456789abcdef0123456789abcdef"
#define TOOLS "#!/bin/sh\n# Not for dracut.\nif mkinitramfs ${OPTS} \"${initramfs}.new\"; then\n"
#define DRACUT "#!/bin/sh\n# Taken from mkinitramfs' friends.\nif dracut --force \"${initramfs}\"; then\n"

static struct tree tree;
static struct gb_host host;
static struct gb_site *site;
static struct gb_images images;
static struct gb_err err;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	site = calloc(1, sizeof(*site));
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_images_clear(&images);
	gb_host_close(&host);
	free(site);
	tree_clear(&tree);
	return 0;
}

static void put_kernel(const char *release)
{
	char path[160];

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	tree_put(&tree, path, "");
	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", release);
	tree_put(&tree, path, "kernel");
}

static void put_image(const char *path)
{
	tree_put(&tree, path, "image");
}

static void debian(void)
{
	tree_put(&tree, "/etc/os-release", "ID=debian\n");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-" OLD " root=UUID=1 ro quiet\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", OLD "\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", TOOLS);
	tree_put(&tree, "/usr/sbin/mkinitramfs", "");
	tree_put(&tree, "/etc/kernel/postinst.d/initramfs-tools", "");
	chmod(tree_path(&tree, "/etc/kernel/postinst.d/initramfs-tools"), 0755);
	put_kernel(OLD);
	put_kernel(NEW);
	put_image("/boot/initrd.img-" OLD);
	put_image("/boot/initrd.img-" NEW);
	tree_put(&tree, "/boot/grub/grub.cfg", "menuentry a {\n\tinitrd /boot/initrd.img-" OLD "\n}\n"
		 "menuentry b {\n\tinitrd  /boot/intel-ucode.img ($root)/@/boot/initrd.img-" NEW "\n}\n");
}

static void put_variable(const char *name, const char *text)
{
	struct gb_text wide = { 0 };
	char path[160], file[512] = { 6 };

	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s" GB_EFI_LOADER, name);
	assert_true(gb_efi_encode(text, &wide));
	memcpy(file + 4, wide.data, wide.len);
	tree_put_data(&tree, path, file, wide.len + 4);
	gb_text_clear(&wide);
}

static void put_entry(const char *name, const char *release, const char *rest)
{
	char path[160], text[1024];

	snprintf(path, sizeof(path), "/efi/loader/entries/%s.conf", name);
	snprintf(text, sizeof(text), "title x\nversion %s\noptions root=UUID=1 quiet\n%s", release, rest);
	tree_put(&tree, path, text);
}

#define FOLDER_OF(release) "/" MACHINE "/" release

static void systemd_boot(void)
{
	debian();
	tree_delete(&tree, "/boot/grub/grub.cfg");
	tree_put(&tree, "/proc/cmdline", "initrd=\\x root=UUID=1 quiet\n");
	put_variable("LoaderInfo", "systemd-boot 257");
	put_variable("LoaderEntrySelected", MACHINE "-" OLD ".conf");
	put_entry(MACHINE "-" OLD, OLD, "linux " FOLDER_OF(OLD) "/linux\n"
		  "initrd " FOLDER_OF(OLD) "/initrd.img-" OLD "\n");
	put_entry(MACHINE "-" NEW, NEW, "linux " FOLDER_OF(NEW) "/linux\n"
		  "initrd /microcode.cpio\ninitrd \\" MACHINE "\\" NEW "\\initrd.img-" NEW "\n");
	put_image("/efi" FOLDER_OF(OLD) "/initrd.img-" OLD);
	put_image("/efi" FOLDER_OF(NEW) "/initrd.img-" NEW);
}

static void find(void)
{
	gb_images_clear(&images);
	gb_host_close(&host);
	assert_int_equal(gb_host_open(tree.root, &host, &err), 0);
	gb_site_read(tree.root, site);
	assert_int_equal(gb_images_find(&host, site, &images, &err), 0);
}

/* "RELEASE: PATH PATH; …", a question mark behind what no entry is known to name. */
static void finds(enum gb_builder builder, const char *kernels)
{
	struct gb_text text = { 0 };

	find();
	if (!images.usable)
		fail_msg("%s", images.why);
	assert_int_equal(images.builder, builder);
	gb_text_add(&text, "", 0);
	for (size_t i = 0; i < images.kernels; i++) {
		gb_text_addf(&text, "%s%s:", i ? "; " : "", images.kernel[i].release);
		for (size_t p = 0; p < images.kernel[i].places; p++)
			gb_text_addf(&text, " %s%s", images.kernel[i].place[p].path,
				     images.kernel[i].place[p].named == GB_YES ? "" : "?");
	}
	assert_string_equal(text.data, kernels);
	gb_text_clear(&text);
}

static void refuses(const char *why, const char *hint)
{
	find();
	if (images.usable || !strstr(images.why, why) || !strstr(images.hint, hint))
		fail_msg("%d \"%s\" \"%s\"", images.usable, images.why, images.hint);
}

static void notes(const char *text, const char *fix)
{
	for (size_t i = 0; i < images.notes; i++)
		if (strstr(images.note[i].text, text)) {
			assert_non_null(strstr(images.note[i].fix, fix));
			return;
		}
	fail_msg("no note \"%s\", but %zu others: %s", text, images.notes,
		 images.notes ? images.note[0].text : "");
}

#define BOTH NEW ": /boot/initrd.img-" NEW "; " OLD ": /boot/initrd.img-" OLD

/* ---- who builds ------------------------------------------------------------------------------- */

static void update_initramfs_says_who(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/usr/bin/dracut", "");
	finds(GB_INITRAMFS_TOOLS, BOTH);
	assert_string_equal(images.program, "/usr/sbin/mkinitramfs");
	assert_int_equal(images.notes, 0);
	/* Ubuntu 25.10: the same command, and dracut behind it */
	tree_put(&tree, "/usr/sbin/update-initramfs", DRACUT);
	tree_put(&tree, "/etc/kernel/postinst.d/dracut", "");
	finds(GB_DRACUT, BOTH);
	assert_string_equal(images.program, "/usr/bin/dracut");
	notes("nothing builds an image when a kernel is installed", "");
	chmod(tree_path(&tree, "/etc/kernel/postinst.d/dracut"), 0755);
	finds(GB_DRACUT, BOTH);
	assert_int_equal(images.notes, 0);
	tree_delete(&tree, "/usr/bin/dracut");
	refuses("its program is not there", "");
}

static void a_command_that_was_replaced_is_refused(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/var/lib/dpkg/diversions",
		 "/usr/bin/x\n/usr/bin/x.distrib\nother\n"
		 "/usr/sbin/update-initramfs\n/usr/sbin/update-initramfs.orig\nlive-tools\n");
	finds(GB_INITRAMFS_TOOLS, BOTH);
	notes("replaced by live-tools", "dpkg-divert");
	tree_put(&tree, "/usr/sbin/update-initramfs", "#!/bin/sh\n# mkinitramfs\nexit 0\n");
	refuses("neither that of initramfs-tools nor that of dracut: replaced by live-tools",
		"dpkg-divert");
	tree_put(&tree, "/var/lib/dpkg/diversions",
		 "/usr/sbin/mkinitramfs\n/usr/sbin/mkinitramfs.orig\n:\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", TOOLS);
	refuses("/usr/sbin/mkinitramfs is neither", "dpkg-divert");
	assert_non_null(strstr(images.why, "this machine's owner"));
	tree_delete(&tree, "/var/lib/dpkg/diversions");
	tree_delete(&tree, "/usr/sbin/mkinitramfs");
	refuses("which is not there", "apt install --reinstall");
}

static void others_are_named(void **state)
{
	(void)state;
	debian();
	tree_delete(&tree, "/usr/sbin/update-initramfs");
	tree_put(&tree, "/etc/os-release", "ID=arch\n");
	tree_put(&tree, "/usr/bin/dracut", "");
	tree_put(&tree, "/usr/bin/booster", "");
	refuses("booster builds", "ghost-boot cmdline");
	tree_put(&tree, "/usr/bin/mkinitcpio", "");
	refuses("mkinitcpio builds", "ghost-boot cmdline");
	assert_int_equal(images.builder, GB_MKINITCPIO);
	tree_put(&tree, "/etc/kernel/install.conf", "layout=bls\ninitrd_generator=\"dracut\"\n");
	tree_put(&tree, "/usr/lib/kernel/install.d/50-dracut.install", "");
	finds(GB_DRACUT, BOTH);
	tree_put(&tree, "/etc/kernel/install.conf", "initrd_generator=mine\n");
	tree_delete(&tree, "/usr/bin/mkinitcpio");
	tree_delete(&tree, "/usr/bin/booster");
	refuses("by mine, which is not known", "");
	tree_delete(&tree, "/etc/kernel/install.conf");
	tree_link(&tree, "/etc/kernel/install.d/50-dracut.install", "/dev/null");
	refuses("nothing calls it", "");
	tree_delete(&tree, "/usr/bin/dracut");
	refuses("neither initramfs-tools nor dracut", "");
	tree_put(&tree, "/etc/NIXOS", "");
	refuses("NixOS builds", "");
}

static void fedora_knows_dracut_alone(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/os-release", "ID=fedora\n");
	tree_put(&tree, "/proc/cmdline", "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-" OLD " root=UUID=1 ro\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", OLD "\n");
	tree_put(&tree, "/usr/bin/dracut", "");
	tree_put(&tree, "/usr/bin/mkosi-initrd", "");
	tree_put(&tree, "/boot/grub2/grub.cfg", "blscfg\n");
	tree_put(&tree, "/etc/default/grub", "GRUB_ENABLE_BLSCFG=true\n");
	put_kernel(OLD);
	put_image("/boot/initramfs-" OLD ".img");
	put_image("/boot/initramfs-" OLD "kdump.img");
	put_image("/boot/initramfs-0-rescue-" MACHINE ".img");
	tree_put(&tree, "/boot/vmlinuz-0-rescue-" MACHINE, "");
	tree_put(&tree, "/boot/loader/entries/" MACHINE "-" OLD ".conf",
		 "title Fedora\nversion " OLD "\nlinux /vmlinuz-" OLD "\n"
		 "initrd /initramfs-" OLD ".img $tuned_initrd\noptions root=UUID=1 ro\n");
	tree_put(&tree, "/boot/loader/entries/" MACHINE "-0-rescue.conf",
		 "title Fedora\nversion 0-rescue-" MACHINE "\nlinux /vmlinuz-0-rescue-" MACHINE "\n"
		 "initrd /initramfs-0-rescue-" MACHINE ".img\noptions root=UUID=1 ro\n");
	finds(GB_DRACUT, OLD ": /boot/initramfs-" OLD ".img");
	assert_false(images.as_installed);
	assert_int_equal(images.notes, 0);
}

/* ---- which files ------------------------------------------------------------------------------ */

static void grub_must_name_them(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/boot/grub/grub.cfg", "# initrd /boot/initrd.img-" OLD "\n"
		 "initrd /boot/initrd.img-" NEW "\ninitrd /elsewhere/initrd.img-" OLD "\n"
		 "initrd /boot/initrd.img-" OLD "x\nlinux /boot/initrd.img-" OLD "\n");
	refuses("loads the running kernel's image, /boot/initrd.img-" OLD, "update-grub");
	/* /boot of its own, EFI, quoted, ZFS */
	tree_put(&tree, "/boot/grub/grub.cfg", "\tinitrdefi /initrd.img-" OLD "\n");
	finds(GB_INITRAMFS_TOOLS, NEW ": /boot/initrd.img-" NEW "?; " OLD ": /boot/initrd.img-" OLD);
	notes("no boot entry in /boot/grub/grub.cfg loads /boot/initrd.img-" NEW, "");
	tree_put(&tree, "/boot/grub/grub.cfg", "initrd '/BOOT/debian@/initrd.img-" OLD "'\n"
		 "initrd \"/boot/initrd.img-" NEW "\"");
	finds(GB_INITRAMFS_TOOLS, BOTH);
}

static void a_boot_without_image_is_refused(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/boot/grub/grub.cfg", "initrd /boot/initrd.img-" OLD "\n"
		 "echo 'GRUB_FORCE_PARTUUID set, attempting initrdless boot.'\n");
	refuses("GRUB_FORCE_PARTUUID", "update-grub");
	debian();
	tree_delete(&tree, "/boot/initrd.img-" NEW);
	finds(GB_INITRAMFS_TOOLS, OLD ": /boot/initrd.img-" OLD);
	notes("kernel " NEW " has no image", "");
	tree_delete(&tree, "/boot/initrd.img-" OLD);
	refuses("the running kernel " OLD " has no image", "");
}

static void what_is_left_of_a_kernel_is_none(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/lib/modules/5.10.0-1-amd64/modules.dep", "");
	put_image("/boot/initrd.img-5.10.0-1-amd64");
	put_image("/boot/initrd.img-" OLD ".bak");
	put_image("/boot/initrd.img-" OLD ".dpkg-bak");
	finds(GB_INITRAMFS_TOOLS, BOTH);
	assert_true(images.kernel[1].running);
	tree_delete(&tree, "/boot/vmlinuz-" OLD);
	tree_delete(&tree, "/boot/vmlinuz-" NEW);
	refuses("is /boot mounted?", "");
}

static void the_loaders_copy_counts(void **state)
{
	(void)state;
	systemd_boot();
	finds(GB_INITRAMFS_TOOLS,
	      NEW ": /boot/initrd.img-" NEW "? /efi" FOLDER_OF(NEW) "/initrd.img-" NEW "; " OLD
		  ": /boot/initrd.img-" OLD "? /efi" FOLDER_OF(OLD) "/initrd.img-" OLD);
	/* built right into the ESP, as kernel-install does with dracut; no kernel in /boot */
	tree_delete(&tree, "/boot/initrd.img-" OLD);
	tree_delete(&tree, "/boot/vmlinuz-" OLD);
	tree_put(&tree, "/efi" FOLDER_OF(OLD) "/linux", "");
	tree_delete(&tree, "/boot/initrd.img-" NEW);
	finds(GB_INITRAMFS_TOOLS, NEW ": /efi" FOLDER_OF(NEW) "/initrd.img-" NEW "; " OLD ": /efi"
				  FOLDER_OF(OLD) "/initrd.img-" OLD);
	assert_string_equal(images.kernel[1].kernel, "/efi" FOLDER_OF(OLD) "/linux");
	tree_delete(&tree, "/efi" FOLDER_OF(NEW) "/initrd.img-" NEW);
	finds(GB_INITRAMFS_TOOLS, OLD ": /efi" FOLDER_OF(OLD) "/initrd.img-" OLD);
	notes("which is not there", "");
}

static void entries_lead_nowhere_else(void **state)
{
	static const char *const bad[] = {
		"initrd /../etc/shadow\n", "initrd /a/../../etc/shadow\n", "initrd /a//b\n",
		"initrd /a\tb\n", "initrd \\..\\x\n", "initrd /a\ninitrd /b\n", "initrd /a/..\n",
	};

	(void)state;
	systemd_boot();
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[256];

		snprintf(text, sizeof(text), "linux " FOLDER_OF(NEW) "/linux\n%s", bad[i]);
		put_entry(MACHINE "-" NEW, NEW, text);
		refuses("loads several images", "");
	}
	put_entry(MACHINE "-" NEW, NEW, "linux " FOLDER_OF(NEW) "/linux\n");
	find();
	notes("a boot entry of kernel " NEW " loads no image", "");
}

static void entries_tell_their_kernel(void **state)
{
	struct gb_image_entry entry;

	(void)state;
	systemd_boot();
	find();
	/* the file that is booted says more than a version that a person wrote */
	put_entry("a", "Version 1", "linux /vmlinuz-" NEW "\ninitrd /x\n");
	assert_true(gb_images_read_entry(&host, site, "/efi/loader/entries/a.conf", &entry));
	assert_string_equal(entry.release, NEW);
	assert_string_equal(entry.image[0], "/efi/x");
	put_entry("a", OLD, "linux /" NEW "/linux\n");
	assert_true(gb_images_read_entry(&host, site, "/efi/loader/entries/a.conf", &entry));
	assert_string_equal(entry.release, NEW);
	put_entry("a", OLD, "linux /linux\n");
	assert_true(gb_images_read_entry(&host, site, "/efi/loader/entries/a.conf", &entry));
	assert_string_equal(entry.release, OLD);
	put_entry("a", "1", "linux /x" NEW "/linux\n");
	assert_true(gb_images_read_entry(&host, site, "/efi/loader/entries/a.conf", &entry));
	assert_string_equal(entry.release, "");
	assert_false(gb_images_read_entry(&host, site, "/efi/loader/entries/b.conf", &entry));
}

/* Debian 13 with dracut, and a person's own addition. */
static void an_entry_may_load_two(void **state)
{
	(void)state;
	systemd_boot();
	put_entry(MACHINE "-" NEW, NEW, "linux " FOLDER_OF(NEW) "/linux\n"
		  "initrd /my-acpi.cpio\ninitrd " FOLDER_OF(NEW) "/initrd\n"
		  "initrd " FOLDER_OF(NEW) "/initrd.img-" NEW "\n");
	put_image("/efi" FOLDER_OF(NEW) "/initrd");
	finds(GB_INITRAMFS_TOOLS,
	      NEW ": /boot/initrd.img-" NEW "? /efi" FOLDER_OF(NEW) "/initrd /efi" FOLDER_OF(NEW)
		  "/initrd.img-" NEW "; " OLD ": /boot/initrd.img-" OLD "? /efi" FOLDER_OF(OLD)
		  "/initrd.img-" OLD);
}

/* ---- what does nothing in silence ------------------------------------------------------------- */

static int read_only(int fd, struct statvfs *ret)
{
	(void)fd;
	*ret = (struct statvfs){ .f_flag = ST_RDONLY };
	return 0;
}

static void what_does_nothing_is_told(void **state)
{
	(void)state;
	debian();
	tree_put(&tree, "/etc/initramfs-tools/update-initramfs.conf",
		 "# update_initramfs=yes\nupdate_initramfs=yes\nupdate_initramfs='no' # here\n");
	finds(GB_INITRAMFS_TOOLS, BOTH);
	notes("update_initramfs=no", "set update_initramfs=yes");
	tree_put(&tree, "/etc/initramfs-tools/update-initramfs.conf", "update_initramfs=all\n");
	finds(GB_INITRAMFS_TOOLS, BOTH);
	assert_int_equal(images.notes, 0);
	host.store.space = read_only;
	gb_images_clear(&images);
	assert_int_equal(gb_images_find(&host, site, &images, &err), 0);
	assert_true(images.usable);
	notes("/boot is mounted read-only", "remount,rw");
}

static void hooks_after_it_are_kept(void **state)
{
	static const char *const names[] = { "zz-flash-kernel", "a.dpkg-old", "systemd-boot", "b c",
					     "proxmox-boot-sync", "readme" };

	(void)state;
	debian();
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[160];

		snprintf(path, sizeof(path), "/etc/initramfs/post-update.d/%s", names[i]);
		tree_put(&tree, path, "");
		chmod(tree_path(&tree, path), strcmp(names[i], "readme") ? 0755 : 0644);
	}
	tree_put(&tree, "/usr/share/initramfs/post-update.d/aa", "");
	chmod(tree_path(&tree, "/usr/share/initramfs/post-update.d/aa"), 0755);
	finds(GB_INITRAMFS_TOOLS, BOTH);
	assert_int_equal(images.hooks, 2);
	assert_string_equal(images.hook[0], "/usr/share/initramfs/post-update.d/aa");
	assert_string_equal(images.hook[1], "/etc/initramfs/post-update.d/zz-flash-kernel");
}

static void loaders_that_build_themselves_are_refused(void **state)
{
	(void)state;
	systemd_boot();
	put_variable("StubInfo", "systemd-stub 257");
	refuses("unified kernel images", "");
	tree_delete(&tree, "/sys/firmware/efi/efivars/StubInfo" GB_EFI_LOADER);
	tree_delete(&tree, "/sys/firmware/efi/efivars/LoaderEntrySelected" GB_EFI_LOADER);
	debian();
	tree_put(&tree, "/proc/cmdline", "root=UUID=1 ro quiet\n");
	put_variable("LoaderInfo", "rEFInd 0.14");
	refuses("boot loader that is not known", "boot loader's configuration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(update_initramfs_says_who, make, clear),
		cmocka_unit_test_setup_teardown(a_command_that_was_replaced_is_refused, make, clear),
		cmocka_unit_test_setup_teardown(others_are_named, make, clear),
		cmocka_unit_test_setup_teardown(fedora_knows_dracut_alone, make, clear),
		cmocka_unit_test_setup_teardown(grub_must_name_them, make, clear),
		cmocka_unit_test_setup_teardown(a_boot_without_image_is_refused, make, clear),
		cmocka_unit_test_setup_teardown(what_is_left_of_a_kernel_is_none, make, clear),
		cmocka_unit_test_setup_teardown(the_loaders_copy_counts, make, clear),
		cmocka_unit_test_setup_teardown(entries_lead_nowhere_else, make, clear),
		cmocka_unit_test_setup_teardown(an_entry_may_load_two, make, clear),
		cmocka_unit_test_setup_teardown(entries_tell_their_kernel, make, clear),
		cmocka_unit_test_setup_teardown(what_does_nothing_is_told, make, clear),
		cmocka_unit_test_setup_teardown(hooks_after_it_are_kept, make, clear),
		cmocka_unit_test_setup_teardown(loaders_that_build_themselves_are_refused, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
