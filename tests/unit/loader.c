/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What booted this machine, and where its command line is kept: one small machine of each kind. */
#include "fake.h"

#include "efi.h"
#include "loader.h"

#define EFIVARS "/sys/firmware/efi/efivars/"

static void put_bytes(const struct tree *tree, const char *name, const void *data, size_t len)
{
	char path[160], file[512] = { 6 };

	snprintf(path, sizeof(path), EFIVARS "%s", name);
	if (len)
		memcpy(file + 4, data, len);
	tree_put_data(tree, path, file, len + 4);
}

static void put_variable(const struct tree *tree, const char *name, const char *text)
{
	char full[128];
	struct gb_text wide = { 0 };

	snprintf(full, sizeof(full), "%s" GB_EFI_LOADER, name);
	assert_true(gb_efi_encode(text, &wide));
	put_bytes(tree, full, wide.data, wide.len);
	gb_text_clear(&wide);
}

static void put_boot_option(const struct tree *tree, const char *path)
{
	uint8_t data[512] = { 1, 0, 0, 0, 'L', 0, 0, 0 };
	size_t len = strlen(path) * 2 + 6;

	data[4] = (uint8_t)(len + 4);
	data[6] = 'L';
	data[10] = 4, data[11] = 4, data[12] = (uint8_t)len;
	for (size_t i = 0; path[i]; i++)
		data[14 + 2 * i] = (uint8_t)path[i];
	memcpy(data + 10 + len, "\x7f\xff\x04\x00", 4);
	put_bytes(tree, "BootCurrent" GB_EFI_GLOBAL, "\x02\x00", 2);
	put_bytes(tree, "Boot0002" GB_EFI_GLOBAL, data, 10 + len + 4);
}

static void make(struct tree *tree, const char *os, const char *cmdline)
{
	tree_make(tree);
	tree_put(tree, "/etc/os-release", os);
	tree_put(tree, "/proc/cmdline", cmdline);
}

static void find(const struct tree *tree, struct gb_loader *ret)
{
	struct gb_efi *efi = NULL;

	gb_efi_open(tree->root, &efi, NULL);
	gb_loader_find(tree->root, efi, ret);
	gb_efi_close(efi);
}

static void expect_loader(const struct tree *tree, enum gb_backend backend, const char *sources,
			  const char *run)
{
	struct gb_loader *l = malloc(sizeof(*l));
	struct gb_text text = { 0 };

	find(tree, l);
	if (!l->usable)
		fail_msg("%s", l->why);
	assert_string_equal(gb_backend_name(l->backend), gb_backend_name(backend));
	gb_text_add(&text, "", 0);
	for (size_t i = 0; i < l->sources; i++)
		gb_text_addf(&text, "%s%s%s", i ? " " : "", l->source[i].path, l->source[i].there ? "" : "?");
	assert_string_equal(text.data, sources);
	text.len = 0;
	gb_text_add(&text, "", 0);
	for (size_t i = 0; l->regenerate[i]; i++)
		gb_text_addf(&text, "%s%s", i ? " " : "", l->regenerate[i]);
	assert_string_equal(text.data, run);
	gb_text_clear(&text);
	free(l);
}

static void expect_refusal(const struct tree *tree, const char *why, const char *hint)
{
	struct gb_loader *l = malloc(sizeof(*l));

	find(tree, l);
	if (l->usable || !strstr(l->why, why) || !strstr(l->hint, hint))
		fail_msg("%d %s: %s", l->usable, l->why, l->hint);
	free(l);
}

/* ---- GRUB ---------------------------------------------------------------------------- */

static void make_debian(struct tree *tree)
{
	make(tree, "ID=debian\n", "BOOT_IMAGE=/vmlinuz-6.1 root=UUID=1 ro quiet\n");
	tree_put(tree, "/boot/grub/grub.cfg", "");
	tree_put(tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
	tree_put(tree, "/usr/sbin/update-grub",
		 "#!/bin/sh\nset -e\nexec grub-mkconfig -o /boot/grub/grub.cfg \"$@\"\n");
	tree_put(tree, "/usr/sbin/grub-mkconfig", "for x in ${sysconfdir}/default/grub.d/*.cfg ; do\n");
}

static void knows_grub_with_drop_ins(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree);
	tree_folder(&tree, "/sys/firmware/acpi");
	expect_loader(&tree, GB_BACKEND_GRUB_DROP_IN,
		      "/etc/default/grub /etc/default/grub.d/zz-ghost-boot.cfg?",
		      "grub-mkconfig -o /boot/grub/grub.cfg");
	put_variable(&tree, "LoaderInfo", "GRUB 2.12");
	put_boot_option(&tree, "\\EFI\\debian\\shimx64.efi");
	expect_loader(&tree, GB_BACKEND_GRUB_DROP_IN,
		      "/etc/default/grub /etc/default/grub.d/zz-ghost-boot.cfg?",
		      "grub-mkconfig -o /boot/grub/grub.cfg");
	/* systemd-boot's remains prove nothing */
	tree_put(&tree, "/boot/efi/loader/entries/old.conf", "linux /x\noptions y\n");
	expect_loader(&tree, GB_BACKEND_GRUB_DROP_IN,
		      "/etc/default/grub /etc/default/grub.d/zz-ghost-boot.cfg?",
		      "grub-mkconfig -o /boot/grub/grub.cfg");
	tree_put(&tree, "/usr/sbin/update-grub", "#!/bin/sh\ncp /root/grub.cfg /boot/grub/\n");
	expect_refusal(&tree, "update-grub is not the usual", "run update-grub");
	tree_delete(&tree, "/usr/sbin/update-grub");
	tree_delete(&tree, "/boot/grub/grub.cfg");
	expect_refusal(&tree, "is /boot mounted", "mount /boot");
	tree_clear(&tree);
}

static void knows_grub_without(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree, "ID=arch\n", "BOOT_IMAGE=/vmlinuz-linux root=UUID=1 rw\n");
	tree_put(&tree, "/boot/grub/grub.cfg", "");
	tree_put(&tree, "/usr/bin/grub-mkconfig", ". ${sysconfdir}/default/grub\n");
	expect_loader(&tree, GB_BACKEND_GRUB_FILE, "/etc/default/grub?",
		      "grub-mkconfig -o /boot/grub/grub.cfg");
	tree_clear(&tree);

	make(&tree, "ID=opensuse-tumbleweed\n", "BOOT_IMAGE=/boot/vmlinuz root=UUID=1\n");
	tree_put(&tree, "/boot/grub2/grub.cfg", "");
	tree_put(&tree, "/etc/default/grub", "");
	expect_loader(&tree, GB_BACKEND_GRUB_FILE, "/etc/default/grub",
		      "grub2-mkconfig -o /boot/grub2/grub.cfg");
	tree_put(&tree, "/boot/grub/grub.cfg", "");
	expect_refusal(&tree, "nothing says which is used", "remove");
	tree_clear(&tree);
}

static void knows_fedoras_three_stores(void **state)
{
	struct gb_loader *l = malloc(sizeof(*l));
	struct tree tree;

	(void)state;
	make(&tree, "ID=fedora\n", "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.11 root=UUID=1 ro rhgb\n");
	tree_put(&tree, "/boot/grub2/grub.cfg", "");
	tree_put(&tree, "/etc/default/grub", "GRUB_ENABLE_BLSCFG=true\nGRUB_CMDLINE_LINUX=\"rhgb\"\n");
	tree_put(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro rhgb\n");
	tree_put(&tree, "/boot/loader/entries/m-6.11.conf",
		 "linux /vmlinuz-6.11\noptions root=UUID=1 ro rhgb $tuned_params\n");
	tree_put(&tree, "/boot/loader/entries/m-6.9.conf", "linux /vmlinuz-6.9\noptions root=UUID=1 ro\n");
	expect_loader(&tree, GB_BACKEND_GRUB_BLS, "/etc/default/grub /etc/kernel/cmdline "
		      "/boot/loader/entries/m-6.11.conf /boot/loader/entries/m-6.9.conf", "");
	find(&tree, l);
	assert_string_equal(l->entry, "/boot/loader/entries/m-6.11.conf");
	assert_int_equal(l->proof[GB_PROOF_ENTRY].says, GB_FAMILY_GRUB);
	assert_int_equal(l->score, 6);
	free(l);
	/* even where the file is not understood */
	tree_put(&tree, "/etc/default/grub", "if true; then GRUB_ENABLE_BLSCFG=true; fi\n");
	expect_loader(&tree, GB_BACKEND_GRUB_BLS, "/etc/default/grub /etc/kernel/cmdline "
		      "/boot/loader/entries/m-6.11.conf /boot/loader/entries/m-6.9.conf", "");
	tree_put(&tree, "/etc/default/grub", "GRUB_ENABLE_BLSCFG=false\n");
	expect_loader(&tree, GB_BACKEND_GRUB_FILE, "/etc/default/grub",
		      "grub2-mkconfig -o /boot/grub2/grub.cfg");
	tree_clear(&tree);
}

/* ---- systemd-boot -------------------------------------------------------------------- */

static void make_systemd(struct tree *tree, const char *os)
{
	make(tree, os, "initrd=\\m\\6.12\\initrd.img root=UUID=1 ro quiet\n");
	put_variable(tree, "LoaderInfo", "systemd-boot 257.7-1");
	put_bytes(tree, "LoaderFeatures" GB_EFI_LOADER, "\x7f\0\0\0\0\0\0\0", 8);
	put_variable(tree, "LoaderEntrySelected", "m-6.12+3.conf");
	put_boot_option(tree, "\\EFI\\SYSTEMD\\SYSTEMD-BOOTX64.EFI");
	tree_put(tree, "/usr/bin/kernel-install", "");
	tree_put(tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet\n");
	tree_put(tree, "/efi/loader/entries/M-6.12+2-1.conf",
		 "linux /m/6.12/linux\ninitrd /m/6.12/initrd.img\noptions root=UUID=1 ro\noptions quiet\n");
}

static void knows_systemd_boot(void **state)
{
	struct gb_loader *l = malloc(sizeof(*l));
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	expect_loader(&tree, GB_BACKEND_SYSTEMD, "/etc/kernel/cmdline /efi/loader/entries/M-6.12+2-1.conf",
		      "");
	find(&tree, l);
	assert_string_equal(l->boot, "/efi");
	assert_string_equal(l->entry, "/efi/loader/entries/M-6.12+2-1.conf");
	assert_true(l->features_known && !l->each_kernel && l->features == 0x7f);
	assert_int_equal(l->score, 3 + 1 + 2 + 2 + 4);
	for (size_t i = 0; i < GB_PROOFS; i++)
		assert_true(l->proof[i].id && l->proof[i].text[0]);
	tree_put(&tree, "/proc/cmdline", "root=UUID=1 ro\n");
	find(&tree, l);
	assert_non_null(strstr(l->proof[GB_PROOF_ENTRY].text, "lacks its quiet"));
	assert_string_equal(l->entry, "");
	free(l);
	tree_clear(&tree);

	make_systemd(&tree, "ID=arch\n");
	tree_delete(&tree, "/etc/kernel/cmdline");
	expect_loader(&tree, GB_BACKEND_SYSTEMD,
		      "/etc/kernel/cmdline? /efi/loader/entries/M-6.12+2-1.conf", "");
	tree_clear(&tree);
}

static void tells_esps_apart(void **state)
{
	static const char entry[] = "linux /m/6.12/linux\noptions root=UUID=1 ro\n";
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_put(&tree, "/boot/efi/loader/entries/m-6.12+2-1.conf", entry);
	expect_refusal(&tree, "several folders", "unmount");
	put_variable(&tree, "LoaderDevicePartUUID", "AB-CD");
	tree_link(&tree, "/dev/disk/by-partuuid/ab-cd", "../../nvme1n1p1");
	tree_put(&tree, "/proc/self/mounts", "/dev/nvme0n1p1 /efi vfat rw 0 0\n"
		 "/dev/nvme1n1p1 /boot/efi vfat rw 0 0\n");
	expect_loader(&tree, GB_BACKEND_SYSTEMD,
		      "/etc/kernel/cmdline /boot/efi/loader/entries/m-6.12+2-1.conf",
		      "");
	tree_clear(&tree);
}

static void notices_an_unmounted_esp(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_delete(&tree, "/efi/loader/entries/M-6.12+2-1.conf");
	expect_refusal(&tree, "is the ESP mounted", "mount /efi");
	/* another ESP's entries are not taken for it */
	tree_put(&tree, "/boot/efi/loader/entries/other.conf", "linux /x\noptions y\n");
	put_variable(&tree, "LoaderDevicePartUUID", "ab-cd");
	tree_link(&tree, "/dev/disk/by-partuuid/ab-cd", "../../sda1");
	tree_put(&tree, "/proc/self/mounts", "/dev/sdb1 /boot/efi vfat rw 0 0\n");
	expect_refusal(&tree, "is the ESP mounted", "mount /efi");
	/* nor is its copy of the very entry */
	tree_put(&tree, "/boot/efi/loader/entries/m-6.12.conf", "linux /x\noptions root=UUID=1\n");
	expect_refusal(&tree, "is the ESP mounted", "mount /efi");
	tree_put(&tree, "/proc/self/mounts", "systemd-1 /efi autofs rw 0 0\n/dev/sda1 /efi vfat rw 0 0\n");
	tree_put(&tree, "/efi/loader/entries/m-6.12+3.conf", "linux /x\noptions root=UUID=1\n");
	expect_loader(&tree, GB_BACKEND_SYSTEMD,
		      "/etc/kernel/cmdline /efi/loader/entries/m-6.12+3.conf",
		      "");
	tree_clear(&tree);
}

/* ---- others -------------------------------------------------------------------------- */

static void knows_unified_images(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=arch\n");
	put_variable(&tree, "StubInfo", "systemd-stub 257");
	put_variable(&tree, "LoaderEntrySelected", "arch-linux.efi");
	tree_put(&tree, "/proc/cmdline", "root=UUID=1 rw\n");
	tree_put(&tree, "/usr/bin/mkinitcpio", "");
	expect_loader(&tree, GB_BACKEND_UKI, "/etc/kernel/cmdline", "mkinitcpio -P");
	tree_clear(&tree);

	make(&tree, "ID=debian\n", "root=UUID=1 ro\n");
	put_variable(&tree, "StubInfo", "systemd-stub 257");
	expect_refusal(&tree, "what makes them is not known", "anew");
	put_boot_option(&tree, "\\EFI\\Linux\\debian.efi");
	tree_put(&tree, "/usr/bin/kernel-install", "");
	expect_loader(&tree, GB_BACKEND_UKI, "/etc/kernel/cmdline?",
		      "kernel-install add RELEASE /boot/vmlinuz-RELEASE");
	tree_clear(&tree);
}

static void knows_proxmox(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_put(&tree, "/usr/bin/pveversion", "");
	tree_put(&tree, "/etc/kernel/proxmox-boot-uuids", "AAAA-BBBB\n");
	expect_loader(&tree, GB_BACKEND_PROXMOX, "/etc/kernel/cmdline", "proxmox-boot-tool refresh");
	tree_clear(&tree);

	make_debian(&tree);
	tree_put(&tree, "/usr/bin/pveversion", "");
	tree_put(&tree, "/etc/kernel/proxmox-boot-uuids", "AAAA-BBBB\n");
	expect_loader(&tree, GB_BACKEND_GRUB_DROP_IN,
		      "/etc/default/grub /etc/default/grub.d/zz-ghost-boot.cfg?",
		      "proxmox-boot-tool refresh");
	tree_clear(&tree);
}

static void knows_suses_entries(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=opensuse-tumbleweed\n");
	tree_put(&tree, "/usr/bin/sdbootutil", "");
	expect_loader(&tree, GB_BACKEND_SUSE, "/etc/kernel/cmdline", "sdbootutil update-all-entries");
	tree_clear(&tree);
}

static void leaves_others_alone(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree, "ID=fedora\n", "BOOT_IMAGE=/x root=UUID=1 ostree=/ostree/boot.1/fedora\n");
	expect_refusal(&tree, "rpm-ostree", "rpm-ostree kargs");
	tree_clear(&tree);
	make_systemd(&tree, "ID=pop\nID_LIKE=\"ubuntu debian\"\n");
	tree_put(&tree, "/usr/bin/kernelstub", "");
	expect_refusal(&tree, "kernelstub", "kernelstub -a");
	tree_clear(&tree);
	make(&tree, "ID=debian\n", "root=UUID=1 ro\n");
	expect_refusal(&tree, "nothing says", "command line");
	put_variable(&tree, "LoaderInfo", "rEFInd 0.14");
	expect_refusal(&tree, "not known", "command line");
	tree_clear(&tree);
}

static void refuses_conflicts(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree);
	put_variable(&tree, "LoaderInfo", "systemd-boot 257");
	expect_refusal(&tree, "LoaderInfo says \"systemd-boot 257\", but /proc/cmdline has BOOT_IMAGE=",
		       "");
	tree_clear(&tree);
	make(&tree, "ID=debian\n", "initrd=\\x root=UUID=1\n");
	tree_folder(&tree, "/sys/firmware/acpi");
	expect_refusal(&tree, "booted by BIOS, but /proc/cmdline has initrd=\\", "");
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_grub_with_drop_ins),
		cmocka_unit_test(knows_grub_without),
		cmocka_unit_test(knows_fedoras_three_stores),
		cmocka_unit_test(knows_systemd_boot),
		cmocka_unit_test(tells_esps_apart),
		cmocka_unit_test(notices_an_unmounted_esp),
		cmocka_unit_test(knows_unified_images),
		cmocka_unit_test(knows_proxmox),
		cmocka_unit_test(knows_suses_entries),
		cmocka_unit_test(leaves_others_alone),
		cmocka_unit_test(refuses_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
