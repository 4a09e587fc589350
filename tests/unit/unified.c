/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unified kernel images: which booted, what makes them, which belong to which kernel, and how a new
 * one is made. */
#include "fake.h"
#include "unified.h"

#include "efi.h"
#include "host.h"
#include "images.h"
#include "plan.h"

#define OLD "6.1.0-9-amd64"
#define NEW "6.12.0-2-amd64"
#define ID "0123456789abcdef0123456789abcdef"
#define FOLDER "/efi/EFI/Linux/"
#define RUNNING FOLDER ID "-" NEW ".efi"
#define LINE "root=UUID=1 ro quiet"

static struct tree tree;
static struct gb_host host;
static struct gb_site *site;
static struct gb_images images;
static struct gb_err err;

static void put_bytes(const char *name, const void *data, size_t len)
{
	char path[200], file[512] = { 6 };

	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s", name);
	memcpy(file + 4, data, len);
	tree_put_data(&tree, path, file, len + 4);
}

static void put_variable(const char *name, const char *text)
{
	struct gb_text wide = { 0 };
	char full[160];

	snprintf(full, sizeof(full), "%s" GB_EFI_LOADER, name);
	assert_true(gb_efi_encode(text, &wide));
	put_bytes(full, wide.data, wide.len);
	gb_text_clear(&wide);
}

static void put_unified(const char *path, const char *line, const char *more)
{
	struct gb_text made = { 0 };

	unified_begin(&made);
	unified_text(&made, ".cmdline", line);
	if (more)
		unified_text(&made, more, "x");
	unified_text(&made, ".initrd", "image");
	tree_put_data(&tree, path, made.data, made.len);
	gb_text_clear(&made);
}

static void put_kernel(const char *release)
{
	char path[160];

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	tree_put(&tree, path, "");
	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", release);
	tree_put(&tree, path, "kernel");
	snprintf(path, sizeof(path), "/boot/initrd.img-%s", release);
	tree_put(&tree, path, "image");
	snprintf(path, sizeof(path), FOLDER ID "-%s.efi", release);
	put_unified(path, LINE, NULL);
}

/* Debian 13 with systemd-boot, initramfs-tools and systemd-ukify. */
static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	site = calloc(1, sizeof(*site));
	tree_put(&tree, "/etc/os-release", "ID=debian\n");
	tree_put(&tree, "/etc/machine-id", ID "\n");
	tree_put(&tree, "/proc/cmdline", LINE " systemd.machine_id=" ID "\n");
	tree_put(&tree, "/proc/sys/kernel/osrelease", NEW "\n");
	tree_put(&tree, "/usr/sbin/update-initramfs", "mkinitramfs -o\n");
	tree_put(&tree, "/usr/sbin/mkinitramfs", "");
	tree_put(&tree, "/etc/kernel/postinst.d/initramfs-tools", "");
	chmod(tree_path(&tree, "/etc/kernel/postinst.d/initramfs-tools"), 0755);
	tree_put(&tree, "/usr/bin/kernel-install", "");
	tree_put(&tree, "/usr/bin/ukify", "");
	tree_put(&tree, "/usr/lib/kernel/install.d/60-ukify.install", "");
	tree_put(&tree, "/usr/lib/kernel/uki.conf", "#[UKI]\n#SecureBootPrivateKey=/x\n");
	tree_put(&tree, "/etc/kernel/install.conf", "layout=uki\n");
	tree_put(&tree, "/etc/kernel/cmdline", LINE "\n");
	put_kernel(OLD);
	put_kernel(NEW);
	put_variable("LoaderInfo", "systemd-boot 257");
	put_variable("StubInfo", "systemd-stub 257");
	put_variable("LoaderEntrySelected", ID "-" NEW ".efi");
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

static void find(void)
{
	gb_images_clear(&images);
	gb_host_close(&host);
	assert_int_equal(gb_host_open(tree.root, &host, &err), 0);
	gb_site_read(tree.root, site);
	assert_int_equal(gb_images_find(&host, site, &images, &err), 0);
}

/* "RELEASE: PATH PATH", a star behind unified ones. */
static void finds(size_t kernel, const char *wanted)
{
	struct gb_text text = { 0 };

	find();
	if (!images.usable)
		fail_msg("%s", images.why);
	gb_text_addf(&text, "%s:", images.kernel[kernel].release);
	for (size_t i = 0; i < images.kernel[kernel].places; i++)
		gb_text_addf(&text, " %s%s", images.kernel[kernel].place[i].path,
			     images.kernel[kernel].place[i].unified ? "*" : "");
	assert_string_equal(text.data, wanted);
	gb_text_clear(&text);
}

static void refuses(const char *why, const char *hint)
{
	find();
	if (images.usable || !strstr(images.why, why) || !strstr(images.hint, hint))
		fail_msg("%d \"%s\" \"%s\"", images.usable, images.why, images.hint);
}

static bool notes(const char *text)
{
	for (size_t i = 0; i < images.notes; i++)
		if (strstr(images.note[i].text, text))
			return true;
	return false;
}

/* ---- the one that booted -------------------------------------------------------------------- */

static void the_booted_one_is_found(void **state)
{
	(void)state;
	find();
	assert_string_equal(host.loader->entry, RUNNING);
	assert_string_equal(host.loader->boot, "/efi");
	assert_int_equal(host.loader->proof[GB_PROOF_ENTRY].weight, 4);
	/* in lower case, with a counter that went down in this boot */
	tree_delete(&tree, RUNNING);
	put_unified(FOLDER "0123456789ABCDEF0123456789abcdef-" NEW "+2-1.efi", LINE, NULL);
	find();
	assert_string_equal(host.loader->entry,
			    FOLDER "0123456789ABCDEF0123456789abcdef-" NEW "+2-1.efi");
	/* built anew since, with another line */
	put_unified(RUNNING, LINE " ghost.claim=on", NULL);
	tree_delete(&tree, FOLDER "0123456789ABCDEF0123456789abcdef-" NEW "+2-1.efi");
	find();
	assert_string_equal(host.loader->entry, RUNNING);
	assert_int_equal(host.loader->proof[GB_PROOF_ENTRY].weight, 0);
	assert_non_null(strstr(host.loader->proof[GB_PROOF_ENTRY].text, "lacks its ghost.claim=on"));
	/* another ESP's copy of it: the one with the line; of two with none, neither */
	put_unified("/boot/efi/EFI/Linux/" ID "-" NEW ".efi", LINE, NULL);
	find();
	assert_string_equal(host.loader->entry, "/boot/efi/EFI/Linux/" ID "-" NEW ".efi");
	put_unified("/boot/efi/EFI/Linux/" ID "-" NEW ".efi", LINE " x", NULL);
	refuses("2 unified images may be the booted one", "");
	assert_string_equal(host.loader->entry, "");
}

static void the_firmware_may_have_started_it(void **state)
{
	(void)state;
	tree_delete(&tree, "/sys/firmware/efi/efivars/LoaderInfo" GB_EFI_LOADER);
	tree_delete(&tree, "/sys/firmware/efi/efivars/LoaderEntrySelected" GB_EFI_LOADER);
	refuses("can't be told", "");
	put_variable("StubImageIdentifier", "\\EFI\\Linux\\" ID "-" NEW ".efi");
	finds(1, NEW ": /boot/initrd.img-" NEW " " RUNNING "*");
	assert_int_equal(host.loader->family, GB_FAMILY_STUB);
}

static void an_esp_that_is_not_mounted_is_named(void **state)
{
	(void)state;
	tree_delete(&tree, RUNNING);
	refuses("was booted, but is not to be found", "");
	put_variable("LoaderDevicePartUUID", "ab-cd");
	tree_link(&tree, "/dev/disk/by-partuuid/ab-cd", "../../sda1");
	tree_put(&tree, "/proc/self/mounts", "/dev/sdb1 /boot/efi vfat rw 0 0\n");
	put_unified("/boot/efi/EFI/Linux/" ID "-" NEW ".efi", LINE, NULL);
	refuses("was booted, but is not to be found", "mount /efi");
}

/* ---- which there are ------------------------------------------------------------------------ */

static void each_kernel_has_its_own(void **state)
{
	(void)state;
	finds(0, OLD ": /boot/initrd.img-" OLD " " FOLDER ID "-" OLD ".efi*");
	finds(1, NEW ": /boot/initrd.img-" NEW " " RUNNING "*");
	assert_int_equal(images.notes, 0);
	/* a counter; other systems', other releases' */
	put_unified(FOLDER ID "-" NEW "+3.efi", LINE, NULL);
	put_unified(FOLDER "other-" NEW ".efi", LINE, NULL);
	put_unified(FOLDER ID "-" NEW "0.efi", LINE, NULL);
	put_unified(FOLDER ID "-" NEW ".efi.bak", LINE, NULL);
	put_unified(FOLDER NEW ".efi", LINE, NULL);
	finds(1, NEW ": /boot/initrd.img-" NEW " " FOLDER ID "-" NEW "+3.efi* " RUNNING "*");
	tree_put(&tree, "/efi/loader/entries/old.conf", "");
	find();
	assert_true(notes("there are entries in /efi/loader/entries, which stay"));
	tree_delete(&tree, "/efi/loader/entries/old.conf");
	/* dracut's plugin for kernel-install leaves none in /boot; Fedora's kernels lie there, too */
	tree_delete(&tree, "/boot/initrd.img-" OLD);
	tree_delete(&tree, "/boot/vmlinuz-" OLD);
	tree_put(&tree, "/lib/modules/" OLD "/vmlinuz", "");
	finds(0, OLD ": " FOLDER ID "-" OLD ".efi*");
	assert_string_equal(images.kernel[0].kernel, "/lib/modules/" OLD "/vmlinuz");
	/* nothing boots what was left in /boot */
	tree_put(&tree, "/boot/initrd.img-" OLD, "");
	tree_delete(&tree, FOLDER ID "-" OLD ".efi");
	finds(0, OLD ": /boot/initrd.img-" OLD);
	assert_true(notes("no boot entry in /efi loads /boot/initrd.img-" OLD));
}

static void what_others_make_is_refused(void **state)
{
	(void)state;
	tree_put(&tree, "/etc/kernel/install.conf", "layout=bls\n");
	refuses("not told to make them (layout=bls)", "layout=uki");
	tree_put(&tree, "/etc/kernel/install.conf", "layout=uki\nuki_generator=dracut\n");
	refuses("made by dracut", "ghost-boot cmdline");
	tree_put(&tree, "/etc/kernel/install.conf", "layout=uki\nuki_generator=ukify\n");
	tree_link(&tree, "/etc/kernel/install.d/60-ukify.install", "/dev/null");
	refuses("ukify, which makes them for kernel-install, is not there", "systemd-ukify");
	tree_delete(&tree, "/etc/kernel/install.d/60-ukify.install");
	tree_delete(&tree, "/usr/bin/ukify");
	refuses("ukify, which makes them for kernel-install, is not there", "systemd-ukify");
	tree_put(&tree, "/usr/lib/systemd/ukify", "");
	find();
	assert_string_equal(images.unified.program, "/usr/lib/systemd/ukify");
	tree_put(&tree, "/etc/kernel/devicetree", "x.dtb\n");
	refuses("device tree", "");
	tree_delete(&tree, "/etc/kernel/devicetree");
	put_unified(RUNNING, LINE, ".profile");
	refuses("several profiles", "");
	put_unified(FOLDER "mine.efi", LINE, NULL);
	put_variable("LoaderEntrySelected", "mine.efi");
	refuses("none that kernel-install gives", "");
	assert_true(notes("mine.efi booted"));
}

/* ---- signing -------------------------------------------------------------------------------- */

static void secure_boot(uint8_t on)
{
	put_bytes("SecureBoot" GB_EFI_GLOBAL, &on, 1);
}

static void a_key_is_needed_with_secure_boot(void **state)
{
	(void)state;
	secure_boot(1);
	refuses("Secure Boot is on, and no key", "SecureBootPrivateKey=");
	secure_boot(0);
	find();
	assert_true(images.usable);
	secure_boot(1);
	tree_put(&tree, "/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey = /root/key.pem\n");
	find();
	assert_true(images.usable && images.unified.is_signed);
	assert_string_equal(images.unified.config, "/etc/kernel/uki.conf");
	assert_string_equal(images.unified.key, "");
	tree_put(&tree, "/etc/kernel/uki.conf", "[UKI]\nSecureBootCertificateName=mine\n");
	find();
	assert_true(images.usable && images.unified.is_signed);
	tree_put(&tree, "/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey=\n");
	refuses("Secure Boot is on, and no key", "SecureBootPrivateKey=");
}

/* DER as it is: a PEM file is decoded in the tests of imageproof. */
#define CERTIFICATE "\x30\x82 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"

static void put_signed(const char *certificate)
{
	struct gb_text made = { 0 };

	unified_begin(&made);
	unified_text(&made, ".cmdline", LINE);
	unified_text(&made, ".initrd", "image");
	unified_sign(&made, certificate, strlen(certificate));
	tree_put_data(&tree, RUNNING, made.data, made.len);
	gb_text_clear(&made);
}

static void the_firmware_takes_that_key(void **state)
{
	(void)state;
	secure_boot(1);
	tree_put(&tree, "/etc/kernel/uki.conf", "[UKI]\nSecureBootPrivateKey=/root/key.pem\n"
		 "SecureBootCertificate=/root/c.pem\n");
	refuses("the certificate for Secure Boot: /root/c.pem", "");
	tree_put(&tree, "/root/c.pem", CERTIFICATE);
	refuses("the unified image that booted is not signed with /root/c.pem", "kernel-install add");
	put_signed(&CERTIFICATE[1]);
	refuses("the unified image that booted is not signed with /root/c.pem", "kernel-install add");
	put_signed("x" CERTIFICATE "x");
	find();
	assert_true(images.usable && images.unified.is_signed);
	/* without Secure Boot it does not matter */
	put_unified(RUNNING, LINE, NULL);
	secure_boot(0);
	find();
	assert_true(images.usable);
}

static void the_key_may_be_sbctls(void **state)
{
	(void)state;
	secure_boot(1);
	put_signed(CERTIFICATE);
	tree_put(&tree, "/usr/lib/kernel/install.d/91-sbctl.install", "");
	refuses("Secure Boot is on, and no key", "SecureBootPrivateKey=");
	tree_put(&tree, "/var/lib/sbctl/keys/db/db.key", "");
	refuses("Secure Boot is on, and no key", "SecureBootPrivateKey=");
	tree_put(&tree, "/var/lib/sbctl/keys/db/db.pem", CERTIFICATE);
	find();
	assert_true(images.usable && images.unified.is_signed);
	assert_string_equal(images.unified.key, "/var/lib/sbctl/keys/db/db.key");
	tree_link(&tree, "/etc/kernel/install.d/91-sbctl.install", "/dev/null");
	refuses("Secure Boot is on, and no key", "SecureBootPrivateKey=");
}

/* ---- a new one ------------------------------------------------------------------------------ */

static void line_of(const char *from, const char *wanted)
{
	struct gb_text text = { 0 };

	gb_images_line(&images, from, &text);
	assert_string_equal(text.data, wanted);
	gb_text_clear(&text);
}

/* As 60-ukify.install puts it together. */
static void the_line_is_kernel_installs(void **state)
{
	(void)state;
	find();
	line_of("  a  b=\"c  d\"\t e\n", "a b=\"c d\" e systemd.machine_id=" ID);
	line_of("systemd.machine_id=1 a", "systemd.machine_id=1 a");
	line_of("", "systemd.machine_id=" ID);
	tree_put(&tree, "/etc/machine-id", "another\n");
	find();
	line_of("a b", "a b");
	line_of("", "");
}

static void expect_step(const struct gb_plan *plan, size_t step, const char *wanted)
{
	struct gb_text text = { 0 };

	for (size_t i = 0; plan->step[step].argv && plan->step[step].argv[i]; i++)
		gb_text_addf(&text, "%s%s", i ? "|" : "", plan->step[step].argv[i]);
	if (!plan->step[step].argv)
		gb_text_addf(&text, "%s>%s", plan->step[step].staged, plan->step[step].touch->path);
	assert_string_equal(text.data, wanted);
	gb_text_clear(&text);
}

#define STAGED "/boot/.ghost-boot-" NEW ".img"
#define UKI FOLDER ".ghost-boot-" NEW ".uki"
#define LIB "/var/lib/ghost-boot/.ghost-boot-" NEW ".img"

static void plan_for(struct gb_plan *plan, size_t steps)
{
	const struct gb_image_wish wish = { .program = "/usr/sbin/ghost-claim", .line = "a b" };

	gb_plan_clear(plan);
	find();
	for (size_t i = 0; i < images.kernels; i++)
		images.kernel[i].good = false;
	assert_int_equal(gb_images_plan(&host, &images, &wish, plan, &err), steps);
}

static void a_new_one_is_made_of_a_new_image(void **state)
{
	struct gb_plan plan = { 0 };

	(void)state;
	tree_folder(&tree, "/var/lib");
	tree_folder(&tree, "/var/lib/ghost-boot");
	plan_for(&plan, 8);
	expect_step(&plan, 4, "/usr/sbin/mkinitramfs|-o|" STAGED "|" NEW);
	expect_step(&plan, 5, "/usr/bin/ukify|build|--linux|/boot/vmlinuz-" NEW "|--initrd|" STAGED
		    "|--uname|" NEW "|--cmdline| a b|--config|/usr/lib/kernel/uki.conf|--output|" UKI);
	expect_step(&plan, 6, STAGED ">/boot/initrd.img-" NEW);
	expect_step(&plan, 7, UKI ">" RUNNING);
	for (size_t i = 0; i < plan.steps; i++)
		assert_int_equal(plan.step[i].boot, GB_BOOT_IMAGE);
	/* none in /boot; sbctl's key */
	tree_delete(&tree, "/boot/initrd.img-" NEW);
	tree_delete(&tree, "/usr/lib/kernel/uki.conf");
	tree_put(&tree, "/etc/kernel/install.d/91-sbctl.install", "");
	tree_put(&tree, "/usr/share/secureboot/keys/db/db.key", "");
	tree_put(&tree, "/usr/share/secureboot/keys/db/db.pem", "");
	plan_for(&plan, 7);
	expect_step(&plan, 4, "/usr/sbin/mkinitramfs|-o|" LIB "|" NEW);
	expect_step(&plan, 5, "/usr/bin/ukify|build|--linux|/boot/vmlinuz-" NEW "|--initrd|" LIB
		    "|--uname|" NEW "|--cmdline| a b|--secureboot-private-key|"
		    "/usr/share/secureboot/keys/db/db.key|--secureboot-certificate|"
		    "/usr/share/secureboot/keys/db/db.pem|--output|" UKI);
	expect_step(&plan, 6, UKI ">" RUNNING);
	gb_plan_clear(&plan);
}

/* They get what update-initramfs gives them: an image, and no EFI program. */
static void hooks_get_the_image(void **state)
{
	struct gb_plan plan = { 0 };

	(void)state;
	tree_folder(&tree, "/var/lib");
	tree_folder(&tree, "/var/lib/ghost-boot");
	tree_put(&tree, "/etc/initramfs/post-update.d/mine", "");
	chmod(tree_path(&tree, "/etc/initramfs/post-update.d/mine"), 0755);
	plan_for(&plan, 10);
	expect_step(&plan, 8, "/etc/initramfs/post-update.d/mine|" OLD "|/boot/initrd.img-" OLD);
	expect_step(&plan, 9, "/etc/initramfs/post-update.d/mine|" NEW "|/boot/initrd.img-" NEW);
	tree_delete(&tree, "/boot/initrd.img-" NEW);
	plan_for(&plan, 8);
	expect_step(&plan, 6, UKI ">" RUNNING);
	expect_step(&plan, 7, "/etc/initramfs/post-update.d/mine|" OLD "|/boot/initrd.img-" OLD);
	gb_plan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_booted_one_is_found, make, clear),
		cmocka_unit_test_setup_teardown(the_firmware_may_have_started_it, make, clear),
		cmocka_unit_test_setup_teardown(an_esp_that_is_not_mounted_is_named, make, clear),
		cmocka_unit_test_setup_teardown(each_kernel_has_its_own, make, clear),
		cmocka_unit_test_setup_teardown(what_others_make_is_refused, make, clear),
		cmocka_unit_test_setup_teardown(a_key_is_needed_with_secure_boot, make, clear),
		cmocka_unit_test_setup_teardown(the_firmware_takes_that_key, make, clear),
		cmocka_unit_test_setup_teardown(the_key_may_be_sbctls, make, clear),
		cmocka_unit_test_setup_teardown(the_line_is_kernel_installs, make, clear),
		cmocka_unit_test_setup_teardown(a_new_one_is_made_of_a_new_image, make, clear),
		cmocka_unit_test_setup_teardown(hooks_get_the_image, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
