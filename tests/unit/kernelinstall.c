/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kernel-install is told, in files of several folders, and which of its programs are turned
 * off. */
#include "fake.h"

#include "kernelinstall.h"

static void expect(struct tree *tree, const char *layout, const char *initrd, const char *uki)
{
	struct gb_kernelinstall told;

	gb_kernelinstall_read(tree->root, &told);
	assert_string_equal(told.layout, layout);
	assert_string_equal(told.initrd_generator, initrd);
	assert_string_equal(told.uki_generator, uki);
}

static void the_first_file_counts(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	expect(&tree, "", "", "");
	tree_put(&tree, "/usr/lib/kernel/install.conf", "#layout=other\nlayout=bls\nuki_generator=x\n");
	expect(&tree, "bls", "", "x");
	tree_put(&tree, "/etc/kernel/install.conf",
		 "layout=uki # so\n  initrd_generator=\"dracut\"\nlayouts=no\n");
	expect(&tree, "uki", "dracut", "");
	tree_clear(&tree);
}

static void drop_ins_have_the_last_word(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, "/etc/kernel/install.conf", "layout=bls\n");
	tree_put(&tree, "/usr/lib/kernel/install.conf.d/20-uki.conf", "layout=uki\n");
	tree_put(&tree, "/etc/kernel/install.conf.d/10-x.conf", "layout=other\nuki_generator='ukify'\n");
	tree_put(&tree, "/etc/kernel/install.conf.d/90-x.conf.bak", "layout=other\n");
	expect(&tree, "uki", "", "ukify");
	/* by their names, wherever they lie */
	tree_put(&tree, "/etc/kernel/install.conf.d/15-x.conf", "layout=\n");
	expect(&tree, "uki", "", "ukify");
	tree_put(&tree, "/lib/kernel/install.conf.d/05-x.conf", "layout=x\ninitrd_generator=y\n");
	expect(&tree, "uki", "y", "ukify");
	tree_delete(&tree, "/lib/kernel/install.conf.d/05-x.conf");
	tree_delete(&tree, "/etc/kernel/install.conf.d/15-x.conf");
	/* of one name, the one in /etc counts, and it alone */
	tree_put(&tree, "/etc/kernel/install.conf.d/20-uki.conf", "");
	expect(&tree, "other", "", "ukify");
	tree_clear(&tree);
}

static void programs_can_be_turned_off(void **state)
{
	struct tree tree;
	char path[96];

	(void)state;
	tree_make(&tree);
	assert_false(gb_kernelinstall_plugin(tree.root, "60-ukify.install", path, sizeof(path)));
	assert_string_equal(path, "");
	tree_put(&tree, "/usr/lib/kernel/install.d/60-ukify.install", "");
	assert_true(gb_kernelinstall_plugin(tree.root, "60-ukify.install", path, sizeof(path)));
	assert_string_equal(path, "/usr/lib/kernel/install.d/60-ukify.install");
	tree_link(&tree, "/etc/kernel/install.d/60-ukify.install", "/dev/null");
	assert_false(gb_kernelinstall_plugin(tree.root, "60-ukify.install", path, sizeof(path)));
	tree_delete(&tree, "/etc/kernel/install.d/60-ukify.install");
	tree_put(&tree, "/etc/kernel/install.d/60-ukify.install", "");
	assert_true(gb_kernelinstall_plugin(tree.root, "60-ukify.install", path, sizeof(path)));
	assert_string_equal(path, "/etc/kernel/install.d/60-ukify.install");
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_file_counts),
		cmocka_unit_test(drop_ins_have_the_last_word),
		cmocka_unit_test(programs_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
