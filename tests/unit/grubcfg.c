/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grub.cfg as grub-mkconfig writes it: what its entries boot, and whether a new one can take the
 * place of the old. */
#include "fake.h"

#include "grubcfg.h"

#define BEGIN "### BEGIN /etc/grub.d/10_linux ###\n"
#define END "### END /etc/grub.d/10_linux ###\n"
#define ENTRY(kernel, more) "menuentry 'x' $menuentry_id_option 'y' {\n" \
			    "\techo 'Loading initial ramdisk ...'\n" \
			    "\tlinux\t/boot/" kernel " root=/dev/sda1 ro quiet\n" more "}\n"
#define INITRD(words) "\tinitrd\t" words "\n"
#define GOOD ENTRY("vmlinuz-6", INITRD("/boot/ucode.img /boot/initrd-6"))

static struct tree tree;

static void expect_initrd(const char *line, const char *initrd)
{
	struct gb_grubcfg cfg;
	char text[512];

	snprintf(text, sizeof(text), BEGIN ENTRY("vmlinuz-6", "\t%s\n") END, line);
	assert_int_equal(gb_grubcfg_parse(text, strlen(text), &cfg, NULL), 0);
	assert_int_equal(cfg.entries, 1);
	assert_string_equal(cfg.entry[0].kernel, "/boot/vmlinuz-6");
	assert_string_equal(cfg.entry[0].line, "root=/dev/sda1 ro quiet");
	if (strcmp(initrd ? initrd : "", cfg.entry[0].initrd ? cfg.entry[0].initrd : ""))
		fail_msg("%s: %s", line, cfg.entry[0].initrd);
	gb_grubcfg_clear(&cfg);
}

static void entries(void **state)
{
	(void)state;
	expect_initrd("initrd /initrd-6", "/initrd-6");
	expect_initrd("initrd  /ucode.img \t /initrd-6  ", "/initrd-6");
	expect_initrd("initrdefi ($root)/initrd-6 $tuned_initrd", "($root)/initrd-6");
	expect_initrd("$initrd /initrd-6", "/initrd-6");
	expect_initrd("initrd16 /initrd-6", "/initrd-6");
	expect_initrd("initrdfail /initrd-6", NULL);
	expect_initrd("initrd", NULL);
	expect_initrd("initrd $tuned_initrd", NULL);
	expect_initrd("insmod gzio", NULL);
}

/* `text`: what is wrong with the new one, or NULL. */
static void expect(const char *old, const char *now, const char *text)
{
	struct gb_grubcfg a, b;
	struct gb_err err = { "" };
	int r;

	assert_int_equal(gb_grubcfg_parse(old, strlen(old), &a, NULL), 0);
	assert_int_equal(gb_grubcfg_parse(now, strlen(now), &b, NULL), 0);
	r = gb_grubcfg_replaces(&b, &a, tree.root, &err);
	if (r != (text ? -EBADMSG : 0) || strcmp(err.text, text ? text : ""))
		fail_msg("%d: %s", r, err.text);
	gb_grubcfg_clear(&a);
	gb_grubcfg_clear(&b);
}

static void kernels(void **state)
{
	(void)state;
	expect(BEGIN GOOD END, BEGIN GOOD END, NULL);
	expect(BEGIN GOOD END, BEGIN GOOD, "it is cut short");
	expect(BEGIN GOOD END, BEGIN END, "it boots no kernel");
	expect(BEGIN GOOD ENTRY("vmlinuz-5", "") END, BEGIN GOOD END, NULL);
	tree_put(&tree, "/boot/vmlinuz-5", "");
	expect(BEGIN GOOD ENTRY("vmlinuz-5", "") END, BEGIN GOOD END,
	       "it does not boot /boot/vmlinuz-5 any more");
	tree_delete(&tree, "/boot/vmlinuz-5");
}

static void initrds(void **state)
{
	static const char without[] = "it boots /boot/vmlinuz-6 without its initrd";

	(void)state;
	tree_put(&tree, "/boot/initrd-6", "");
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", "") END, without);
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", INITRD("/boot/ucode.img")) END, without);
	expect(BEGIN GOOD GOOD END, BEGIN GOOD ENTRY("vmlinuz-6", "") END, without);
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", INITRD("/boot/initrd-7")) END, without);
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", INITRD("/boot/initrd-6")) END, NULL);
	/* one that boots without it is as before, and a second image is as good */
	expect(BEGIN ENTRY("vmlinuz-6", "") END, BEGIN ENTRY("vmlinuz-6", "") END, NULL);
	expect(BEGIN GOOD ENTRY("vmlinuz-6", "") END, BEGIN GOOD ENTRY("vmlinuz-6", "") END, NULL);
	expect(BEGIN GOOD ENTRY("vmlinuz-6", "") END, BEGIN ENTRY("vmlinuz-6", "") END, without);
	expect(BEGIN GOOD ENTRY("vmlinuz-6", INITRD("/boot/fallback")) END, BEGIN GOOD END, NULL);
	/* the old one is gone: whoever removed it made another */
	tree_delete(&tree, "/boot/initrd-6");
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", INITRD("/boot/initrd.img-6")) END, NULL);
	expect(BEGIN GOOD END, BEGIN ENTRY("vmlinuz-6", "") END, without);
	/* a kernel that is new */
	expect(BEGIN GOOD END, BEGIN GOOD ENTRY("vmlinuz-7", "") END, NULL);
}

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_put(&tree, "/boot/vmlinuz-6", "");
	return 0;
}

static int clear(void **state)
{
	(void)state;
	tree_clear(&tree);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries), cmocka_unit_test(kernels), cmocka_unit_test(initrds),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
