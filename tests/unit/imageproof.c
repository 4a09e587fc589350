/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image must be before it is used; each part of it taken away once. */
#include "fake.h"
#include "made.h"
#include "unified.h"

#include "check.h"
#include "imageproof.h"

#define IMAGE "/boot/initrd.img-6.1.0-test"
#define RELEASE "6.1.0-test"
#define MODULES "usr/lib/modules/" RELEASE "/"
#define CLAIMS "ghost-boot claims 1\n" \
	       "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
#define OURS "/usr/sbin/ghost-claim --verify\n"
#define UNIT "[Unit]\nDefaultDependencies=no\n" \
	     "Before=sysinit.target systemd-modules-load.service systemd-udevd.service\n" \
	     "Before=dracut-cmdline.service\n[Service]\nExecStart=-/usr/sbin/ghost-claim\n"

static struct tree tree;
static struct gb_text made;
static struct gb_checks checks;
static struct gb_imageplan plan;
static struct gb_err err;
static const char *without; /* a file that is left out */

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_put(&tree, "/usr/sbin/ghost-claim", "\x7f" "ELF, ours");
	plan = (struct gb_imageplan){ .image = IMAGE, .release = RELEASE,
				      .program = "/usr/sbin/ghost-claim", .claims = CLAIMS,
				      .claims_len = strlen(CLAIMS) };
	without = NULL;
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_checks_clear(&checks);
	gb_text_clear(&made);
	tree_clear(&tree);
	return 0;
}

static void put(const char *name, unsigned mode, const char *text)
{
	if (!without || strcmp(without, name))
		made_file(&made, name, mode, text);
}

static void link_to_ours(const char *name)
{
	if (!without || strcmp(without, name))
		made_link(&made, name, "ghost-claim");
}

static void put_modules(const char *suffix)
{
	char dep[512], path[128];
	const char *const files[] = { "vfio-pci", "vfio-pci-core", "vfio", "vfio_iommu_type1" };

	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), MODULES "kernel/%s.ko%s", files[i], suffix);
		put(path, PLAIN, "module");
	}
	snprintf(dep, sizeof(dep), "kernel/vfio-pci.ko%s: kernel/vfio-pci-core.ko%s kernel/vfio.ko%s\n"
				   "kernel/vfio_iommu_type1.ko%s: kernel/vfio.ko%s\n",
		 suffix, suffix, suffix, suffix, suffix);
	put(MODULES "modules.dep", PLAIN, dep);
	put(MODULES "modules.dep.bin", PLAIN, "binary");
	put(MODULES "modules.builtin", PLAIN, "kernel/drivers/iommu/iommufd.ko\n");
}

/* What both builders put in. */
static void begin(const char *suffix)
{
	gb_text_clear(&made);
	made_folders(&made, "etc etc/ghost-boot usr usr/sbin usr/lib usr/lib/modules "
			    "usr/lib/modules/" RELEASE " " MODULES "kernel");
	put("usr/sbin/ghost-claim", PROGRAM, "\x7f" "ELF, ours");
	link_to_ours("usr/sbin/ghost-diag");
	link_to_ours("usr/sbin/ghost-verify");
	put("etc/ghost-boot/claims", PLAIN, CLAIMS);
	put_modules(suffix);
}

static void initramfs_tools(const char *order)
{
	begin(".xz");
	made_folders(&made, "conf conf/conf.d scripts scripts/init-top");
	put("conf/conf.d/00-ghost-boot", PLAIN, OURS);
	put("conf/conf.d/resume", PLAIN, "modprobe later\n");
	put("scripts/init-top/00_ghost_boot", PROGRAM, OURS);
	put("scripts/init-top/000_rival", PROGRAM, "#!/bin/sh\n# insmod\n/sbin/modprobe nouveau\n");
	put("scripts/init-top/udev", PROGRAM, "udevd\n");
	put("scripts/init-top/ORDER", PLAIN, order);
}

static void dracut(const char *hooks, bool systemd)
{
	char path[128];

	begin("");
	made_folders(&made, "etc/conf.d etc/systemd etc/systemd/system usr/lib/dracut var var/lib "
			    "var/lib/dracut");
	snprintf(path, sizeof(path), "%s %s/cmdline", hooks, hooks);
	made_folders(&made, path);
	snprintf(path, sizeof(path), "%s/cmdline/00-ghost-claim.sh", hooks);
	put(path, PROGRAM, OURS);
	snprintf(path, sizeof(path), "%s/cmdline/01-early.sh", hooks);
	put(path, PROGRAM, "modprobe later\n");
	if (!systemd)
		return;
	made_folders(&made, "usr/lib/systemd usr/lib/systemd/system "
			    "usr/lib/systemd/system/sysinit.target.wants "
			    "usr/lib/systemd/system/dracut-mount.service.d");
	put("usr/lib/systemd/systemd", PROGRAM, "\x7f" "ELF");
	put("usr/lib/systemd/system/ghost-claim.service", PLAIN, UNIT);
	put("usr/lib/systemd/system/systemd-udevd.service", PLAIN,
	    "[Unit]\nDefaultDependencies=no\n");
	put("usr/lib/systemd/system/modprobe@.service", PLAIN,
	    "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=-/sbin/modprobe -abq %i\n");
	put("usr/lib/systemd/system/after-udev.service", PLAIN,
	    "[Unit]\nDefaultDependencies=no\nAfter=systemd-udevd.service\nWants=modprobe@drm.service\n"
	    "[Service]\nExecStart=modprobe b\n");
	put("usr/lib/systemd/system/usual.service", PLAIN, "[Service]\nExecStart=/sbin/modprobe c\n");
	put("usr/lib/systemd/system/unused.service", PLAIN,
	    "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=modprobe d\n");
	if (!without || strcmp(without, "link"))
		put("usr/lib/systemd/system/sysinit.target.wants/ghost-claim.service",
		    S_IFLNK | 0777, "../ghost-claim.service");
	put("usr/lib/systemd/system/sysinit.target.wants/after-udev.service", S_IFLNK | 0777, "x");
	put("usr/lib/systemd/system/sysinit.target.wants/usual.service", S_IFLNK | 0777, "x");
}

static void prove(void)
{
	gb_checks_clear(&checks);
	made_end(&made);
	tree_put_data(&tree, IMAGE, made.data, made.len);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
}

static void shows(const char *id, enum gb_mark mark, const char *words)
{
	for (size_t i = 0; i < checks.checks; i++) {
		const struct gb_check *check = &checks.check[i];

		if (strcmp(check->id, id))
			continue;
		if (check->mark != mark)
			fail_msg("%s: %s, %s", id, gb_mark_name(check->mark), check->text);
		if (!strstr(check->text, words) && !(check->evidence && strstr(check->evidence, words)))
			fail_msg("%s: no \"%s\" in \"%s\", \"%s\"", id, words, check->text,
				 check->evidence ? check->evidence : "");
		return;
	}
	fail_msg("no %s", id);
}

static void all_pass(void)
{
	for (size_t i = 0; i < checks.checks; i++)
		if (checks.check[i].mark != GB_PASS)
			fail_msg("%s: %s: %s", checks.check[i].id,
				 gb_mark_name(checks.check[i].mark), checks.check[i].text);
	assert_int_equal(checks.checks, 7);
}

#define GOOD_ORDER "/scripts/init-top/00_ghost_boot \"$@\"\n" \
		   "[ -e /conf/param.conf ] && . /conf/param.conf\n/scripts/init-top/udev \"$@\"\n"

static void whole_images_pass(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	prove();
	all_pass();
	dracut("usr/lib/dracut/hooks", false);
	prove();
	all_pass();
	dracut("var/lib/dracut/hooks", false);
	prove();
	all_pass();
	dracut("var/lib/dracut/hooks", true);
	prove();
	all_pass();
}

static void left_out(const char *file, const char *id, enum gb_mark mark, const char *words)
{
	without = file;
	initramfs_tools(GOOD_ORDER);
	prove();
	shows(id, mark, words);
	without = NULL;
}

static void what_is_left_out_is_missed(void **state)
{
	(void)state;
	left_out("usr/sbin/ghost-claim", "image-tools", GB_FAIL, "not in it");
	left_out("usr/sbin/ghost-verify", "image-tools", GB_FAIL, "ghost-verify is missing");
	left_out("usr/sbin/ghost-diag", "image-tools", GB_FAIL, "ghost-diag is missing");
	left_out("etc/ghost-boot/claims", "image-claims", GB_FAIL, "no claims");
	left_out(MODULES "kernel/vfio-pci.ko.xz", "image-modules", GB_FAIL, "vfio-pci");
	left_out(MODULES "kernel/vfio.ko.xz", "image-modules", GB_FAIL, "(kernel/vfio.ko.xz)");
	left_out(MODULES "kernel/vfio_iommu_type1.ko.xz", "image-modules", GB_WARN, "type1");
	left_out(MODULES "modules.dep.bin", "image-modules", GB_FAIL, "the list of modules");
	left_out("scripts/init-top/00_ghost_boot", "image-order", GB_FAIL, "before udev");
	left_out("scripts/init-top/ORDER", "image-order", GB_FAIL, "before udev");
}

static void ours_must_be_the_same(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_file(&made, "usr/sbin/ghost-claim", PROGRAM, "\x7f" "ELF, olds");
	made_file(&made, "etc/ghost-boot/claims", PLAIN, CLAIMS "\n");
	prove();
	shows("image-tools", GB_FAIL, "not the installed one");
	shows("image-claims", GB_FAIL, "not the planned ones");
	initramfs_tools(GOOD_ORDER);
	made_file(&made, "usr/sbin/ghost-claim", PLAIN, "\x7f" "ELF, ours");
	prove();
	shows("image-tools", GB_FAIL, "can't be executed");
	tree_delete(&tree, "/usr/sbin/ghost-claim");
	prove();
	shows("image-tools", GB_UNKNOWN, "can't be told");
}

static void modules_may_be_built_in(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_file(&made, MODULES "modules.dep", PLAIN, "");
	made_file(&made, MODULES "modules.builtin", PLAIN,
		  "kernel/drivers/vfio/pci/vfio-pci.ko\nkernel/drivers/vfio/vfio_iommu_type1.ko");
	prove();
	shows("image-modules", GB_PASS, RELEASE);
	plan.release = "6.1.0-other";
	prove();
	shows("image-modules", GB_FAIL, "6.1.0-other");
}

static void rivals_are_named(void **state)
{
	(void)state;
	initramfs_tools("/scripts/init-top/000_rival \"$@\"\n" GOOD_ORDER);
	prove();
	all_pass(); /* the snippet comes before all scripts */
	without = "conf/conf.d/00-ghost-boot";
	initramfs_tools("/scripts/init-top/000_rival \"$@\"\n" GOOD_ORDER);
	prove();
	shows("image-rivals", GB_FAIL, "scripts/init-top/000_rival:3");
	without = NULL;
	initramfs_tools("/scripts/init-top/udev \"$@\"\n" GOOD_ORDER);
	prove();
	shows("image-order", GB_FAIL, "before udev");
	initramfs_tools(GOOD_ORDER);
	made_file(&made, "conf/conf.d/00-a", PLAIN, "X=y\n");
	made_file(&made, "conf/conf.d/00-b", PLAIN, "\n\tmodprobe -q amdgpu");
	prove();
	shows("image-order", GB_PASS, "conf/conf.d/00-a, conf/conf.d/00-b");
	shows("image-rivals", GB_FAIL, "by conf/conf.d/00-b:2");
	dracut("var/lib/dracut/hooks", false);
	made_file(&made, "etc/conf.d/x.conf", PLAIN, "insmod x.ko\n");
	made_file(&made, "var/lib/dracut/hooks/cmdline/00-a.sh", PROGRAM, "modprobe_it=1; modprobe.d\n");
	prove();
	shows("image-rivals", GB_FAIL, "by etc/conf.d/x.conf:1");
	shows("image-order", GB_PASS, "00-a.sh");
}

static void unit(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "usr/lib/systemd/system/%s", name);
	made_file(&made, path, PLAIN, text);
	snprintf(path, sizeof(path), "usr/lib/systemd/system/sysinit.target.wants/%s", name);
	made_link(&made, path, "x");
}

static void rival_units_are_named(void **state)
{
	(void)state;
	dracut("var/lib/dracut/hooks", true);
	made_file(&made, "usr/sbin/script", PROGRAM, "#!/bin/sh\n\nmodprobe nvidia\n");
	unit("rival.service", "[Unit]\nDefaultDependencies = no\n[Service]\n"
			      "ExecStartPre=-/bin/sh /usr/sbin/script\n");
	unit("puller.service", "[Unit]\nDefaultDependencies=no\nWants=modprobe@nouveau.service \\\n"
			       " modprobe@fuse.service\n");
	unit("mended.service", "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=modprobe x\n");
	made_folders(&made, "etc/systemd/system/mended.service.d");
	made_file(&made, "etc/systemd/system/mended.service.d/a.conf", PLAIN,
		  "[Unit]\nAfter=ghost-claim.service\n");
	unit("between.service", "[Unit]\nDefaultDependencies=no\nAfter=mended.service\n[Service]\n"
				"ExecStart=insmod /x.ko\n");
	prove();
	shows("image-order", GB_PASS, "ghost-claim.service");
	shows("image-rivals", GB_WARN, "by rival.service, modprobe@nouveau.service");
	assert_null(strstr(checks.check[5].text, "mended"));
	assert_null(strstr(checks.check[5].text, "between"));
	assert_null(strstr(checks.check[5].text, "fuse"));
}

static void our_unit_can_be_lost(void **state)
{
	(void)state;
	dracut("var/lib/dracut/hooks", true);
	made_link(&made, "etc/systemd/system/ghost-claim.service", "/dev/null");
	prove();
	shows("image-order", GB_FAIL, "masked");
	without = "link";
	dracut("var/lib/dracut/hooks", true);
	prove();
	shows("image-order", GB_FAIL, "no sysinit.target.wants");
	without = "usr/lib/systemd/system/ghost-claim.service";
	dracut("var/lib/dracut/hooks", true);
	prove();
	shows("image-order", GB_FAIL, "not there");
}

/* The kernel makes no folders: what comes before its own is left out. */
static void files_without_a_folder(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_file(&made, "kernel/x86/microcode.bin", PLAIN, "x");
	prove();
	shows("image-readable", GB_WARN, "kernel/x86/microcode.bin");
	initramfs_tools(GOOD_ORDER);
	made_file(&made, "kernel/x86/microcode.bin", PLAIN, "x");
	made_file(&made, "etc/rules/60-ghost-boot.rules", PLAIN, "x");
	made_file(&made, "etc/rules/61-ghost-boot.rules", PLAIN, "x");
	prove();
	shows("image-readable", GB_FAIL, "for 3 files: etc/rules/60-ghost-boot.rules");
	/* without claims nobody misses it */
	plan.claims = NULL;
	prove();
	shows("image-readable", GB_WARN, "files of it out");
}

static void damage_and_doubt_differ(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	tree_put_data(&tree, IMAGE, made.data, made.len - 200);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("image-readable", GB_FAIL, "damaged");
	assert_int_equal(checks.checks, 1);
	gb_checks_clear(&checks);
	tree_delete(&tree, IMAGE);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("image-readable", GB_FAIL, "not there");
	gb_checks_clear(&checks);
	tree_folder(&tree, IMAGE);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("image-readable", GB_UNKNOWN, "can't be told");
}

static void sizes_are_compared(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	plan.previous = made.len * 3;
	prove();
	shows("image-size", GB_FAIL, "less than half");
	plan.previous = made.len / 3;
	prove();
	shows("image-size", GB_WARN, "more than twice");
}

/* For `disable`: nothing of ours need be in it. */
static void no_claims_may_be_wanted(void **state)
{
	(void)state;
	plan.claims = NULL;
	initramfs_tools(GOOD_ORDER);
	prove();
	shows("image-claims", GB_FAIL, "still has claims");
	without = "etc/ghost-boot/claims";
	initramfs_tools("");
	prove();
	shows("image-claims", GB_PASS, "no claims");
	assert_int_equal(checks.checks, 3);
}

/* ---- unified images -------------------------------------------------------------------------- */

#define KERNEL "/boot/vmlinuz-" RELEASE
#define OSREL "NAME=\"Debian\"\nID=debian\n"

static struct gb_unifiedplan unified = { "a b", KERNEL, false, NULL };

/* An EFI program, with what follows its headers. */
static void make_kernel(struct gb_text *to, const char *rest)
{
	unified_begin(to);
	gb_text_addf(to, "%s", rest);
}

/* Of 80 bytes, as DER begins; and the same as a file. */
#define NOISE "0123456789abcdefghijklmnopqrstuvwxyz!"
#define CERTIFICATE "\x30\x82\x00\x4c" NOISE NOISE "##"
#define PEM "text before\n-----BEGIN CERTIFICATE-----\n" \
	    "MIIATDAxMjM0NTY3ODlhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eiEwMTIzNDU2\r\n" \
	    "Nzg5YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXohIyM=\n" \
	    "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA\n"

static void put_signature(struct gb_text *to)
{
	unified_sign(to, "head " CERTIFICATE " tail", 5 + sizeof(CERTIFICATE) - 1 + 5);
}

/* All of a good one, but `instead` of the section of that name. */
static void prove_unified(const char *name, const char *instead, bool is_signed)
{
	struct gb_text all = { 0 }, kernel = { 0 };
	const char *const texts[][2] = { { ".osrel", OSREL }, { ".cmdline", "a b" },
					 { ".uname", RELEASE } };

	make_kernel(&kernel, "kernel");
	tree_put_data(&tree, KERNEL, kernel.data, kernel.len);
	unified_begin(&all);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i][0], name))
			unified_text(&all, texts[i][0], texts[i][1]);
	if (strcmp(".linux", name))
		unified_section(&all, ".linux", kernel.data, kernel.len);
	if (strcmp(".initrd", name))
		unified_section(&all, ".initrd", made.data, made.len);
	if (instead)
		unified_text(&all, name, instead);
	if (is_signed)
		put_signature(&all);
	tree_put_data(&tree, IMAGE, all.data, all.len);
	gb_checks_clear(&checks);
	plan.unified = &unified;
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	gb_text_clear(&kernel);
	gb_text_clear(&all);
}

static void each_part_of_a_unified_one_counts(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_end(&made);
	prove_unified("", NULL, false);
	for (size_t i = 0; i < checks.checks; i++)
		assert_int_equal(checks.check[i].mark, GB_PASS);
	assert_int_equal(checks.checks, 7 + 3);
	plan.previous = made.len * 3;
	prove_unified("", NULL, false);
	shows("image-size", GB_FAIL, "less than half");
	plan.previous = 0;
	prove_unified(".cmdline", "a  b", false);
	shows("unified-line", GB_FAIL, "not the planned one");
	prove_unified(".cmdline", "x a b c", false);
	shows("unified-line", GB_FAIL, "not the planned one");
	prove_unified(".cmdline", NULL, false);
	shows("unified-line", GB_FAIL, "no kernel command line");
	prove_unified(".uname", RELEASE "0", false);
	shows("unified-kernel", GB_FAIL, "does not say");
	prove_unified(".linux", "kernel", false);
	shows("unified-kernel", GB_FAIL, "not the installed one");
	prove_unified(".linux", NULL, false);
	shows("unified-kernel", GB_FAIL, "no kernel");
	prove_unified(".osrel", "VERSION_CODENAME=x\n", false);
	shows("unified-system", GB_FAIL, "would not show it");
	prove_unified(".initrd", NULL, false);
	shows("image-readable", GB_FAIL, "no image in it");
	prove_unified(".initrd", "no archive", false);
	shows("image-readable", GB_FAIL, "damaged");
	/* the claims are looked for in the part, too */
	without = "etc/ghost-boot/claims";
	initramfs_tools(GOOD_ORDER);
	made_end(&made);
	prove_unified("", NULL, false);
	shows("image-claims", GB_FAIL, "no claims");
	tree_put(&tree, IMAGE, "no program");
	gb_checks_clear(&checks);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("image-readable", GB_FAIL, "is no EFI program");
}

static void a_signature_is_wanted_where_there_is_a_key(void **state)
{
	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_end(&made);
	unified.is_signed = true;
	prove_unified("", NULL, false);
	shows("unified-signature", GB_FAIL, "not signed");
	prove_unified("", NULL, true);
	shows("unified-signature", GB_PASS, "signed");
	unified.certificate = "/etc/kernel/c.pem";
	tree_put(&tree, "/etc/kernel/c.pem", PEM);
	prove_unified("", NULL, true);
	shows("unified-signature", GB_PASS, "/etc/kernel/c.pem");
	tree_put_data(&tree, "/etc/kernel/c.pem", CERTIFICATE, sizeof(CERTIFICATE) - 1);
	prove_unified("", NULL, true);
	shows("unified-signature", GB_PASS, "/etc/kernel/c.pem");
	tree_put_data(&tree, "/etc/kernel/c.pem", CERTIFICATE "x", sizeof(CERTIFICATE));
	prove_unified("", NULL, true);
	shows("unified-signature", GB_FAIL, "not signed with this machine's certificate");
	/* what can't be read says nothing against it, and nothing for one without a signature */
	tree_put(&tree, "/etc/kernel/c.pem", "\x30\x82");
	prove_unified("", NULL, true);
	shows("unified-signature", GB_UNKNOWN, "/etc/kernel/c.pem: is no certificate");
	tree_put(&tree, "/etc/kernel/c.pem", "-----BEGIN CERTIFICATE-----\n0\n-----END CERTIFICATE-----\n");
	prove_unified("", NULL, true);
	shows("unified-signature", GB_UNKNOWN, "/etc/kernel/c.pem: is no certificate");
	/* its end begins within its beginning */
	tree_put(&tree, "/etc/kernel/c.pem", "-----BEGIN CERTIFICATE-----END CERTIFICATE-----\n");
	prove_unified("", NULL, true);
	shows("unified-signature", GB_UNKNOWN, "/etc/kernel/c.pem: is no certificate");
	tree_delete(&tree, "/etc/kernel/c.pem");
	prove_unified("", NULL, true);
	shows("unified-signature", GB_UNKNOWN, "/etc/kernel/c.pem: No such file");
	prove_unified("", NULL, false);
	shows("unified-signature", GB_FAIL, "not signed, though");
	unified.certificate = NULL;
	unified.is_signed = false;
}

/* As ukify signs a kernel that is not, with the machine's own key. */
static void the_kernel_in_it_may_be_signed(void **state)
{
	struct gb_text kernel = { 0 }, all = { 0 };

	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_end(&made);
	prove_unified("", NULL, false); /* puts the kernel's file */
	for (unsigned way = 0; way < 3; way++) {
		make_kernel(&kernel, way == 2 ? "kernal" : "kernel");
		put_signature(&kernel);
		unified_begin(&all);
		unified_text(&all, ".cmdline", "a b");
		unified_text(&all, ".uname", RELEASE);
		unified_text(&all, ".osrel", OSREL);
		unified_section(&all, ".linux", kernel.data, kernel.len);
		unified_section(&all, ".initrd", made.data, made.len);
		tree_put_data(&tree, IMAGE, all.data, all.len);
		unified.is_signed = way > 0;
		gb_checks_clear(&checks);
		assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
		shows("unified-kernel", way == 1 ? GB_PASS : GB_FAIL, "the installed one");
		gb_text_clear(&kernel);
	}
	gb_text_clear(&all);
	unified.is_signed = false;
	/* compressed, on other machines */
	tree_put(&tree, KERNEL, "gzip");
	gb_checks_clear(&checks);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("unified-kernel", GB_WARN, "can't be told");
	tree_delete(&tree, KERNEL);
	gb_checks_clear(&checks);
	assert_int_equal(gb_imageproof(tree.root, &plan, &checks, &err), 0);
	shows("unified-kernel", GB_UNKNOWN, "can't be told");
}

/* ---- disks that fail ------------------------------------------------------------------------- */

ssize_t __real_pread(int fd, void *ret, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *ret, size_t len, off_t at);

static unsigned preads, broken_pread; /* that one fails, and all after it; 0: none */

ssize_t __wrap_pread(int fd, void *ret, size_t len, off_t at)
{
	if (++preads >= broken_pread && broken_pread) {
		errno = EIO;
		return -1;
	}
	return __real_pread(fd, ret, len, at);
}

static bool any_is(enum gb_mark mark)
{
	for (size_t i = 0; i < checks.checks; i++)
		if (checks.check[i].mark == mark)
			return true;
	return false;
}

/* Wherever the reading ends: unknown, and nothing is said against the image. */
static void what_cannot_be_read_is_unknown(void **state)
{
	unsigned all;

	(void)state;
	initramfs_tools(GOOD_ORDER);
	made_end(&made);
	unified.is_signed = true;
	unified.certificate = "/etc/kernel/c.pem";
	tree_put(&tree, "/etc/kernel/c.pem", PEM);
	broken_pread = preads = 0;
	prove_unified("", NULL, true);
	all = preads;
	assert_true(all > 7); /* two heads, three texts, a kernel twice, a signature, the image */
	for (broken_pread = 1; broken_pread <= all; broken_pread++) {
		preads = 0;
		prove_unified("", NULL, true);
		assert_true(any_is(GB_UNKNOWN));
		for (size_t i = 0; i < checks.checks; i++)
			if (checks.check[i].mark == GB_FAIL)
				fail_msg("reading %u of %u: %s: %s", broken_pread, all,
					 checks.check[i].id, checks.check[i].text);
	}
	broken_pread = 0;
	unified.certificate = NULL;
	unified.is_signed = false;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		TEST(whole_images_pass),
		TEST(what_is_left_out_is_missed),
		TEST(ours_must_be_the_same),
		TEST(modules_may_be_built_in),
		TEST(rivals_are_named),
		TEST(rival_units_are_named),
		TEST(our_unit_can_be_lost),
		TEST(files_without_a_folder), TEST(damage_and_doubt_differ),
		TEST(sizes_are_compared),
		TEST(no_claims_may_be_wanted),
		cmocka_unit_test_setup_teardown(each_part_of_a_unified_one_counts, make, clear),
		cmocka_unit_test_setup_teardown(a_signature_is_wanted_where_there_is_a_key, make, clear),
		cmocka_unit_test_setup_teardown(the_kernel_in_it_may_be_signed, make, clear),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_unknown, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
