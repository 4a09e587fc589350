/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFI programs' sections: what is there, and what lies about itself. */
#include "fake.h"
#include "unified.h"

#include "pe.h"

static struct gb_text made;
static struct gb_pe pe;
static struct gb_err err;

static void make(void)
{
	unified_begin(&made);
	unified_text(&made, ".linux", "MZ kernel");
	unified_text(&made, ".cmdline", "root=UUID=1 quiet");
	unified_section(&made, ".uname", "6.1.0\0\0", 7);
	unified_text(&made, ".cmdline", "of a second profile");
}

static int parse(size_t len)
{
	memset(&pe, 0, sizeof(pe));
	return gb_pe_parse(made.data, len, made.len, &pe, &err);
}

static void refused(const char *why)
{
	assert_int_equal(parse(made.len), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("%s", err.text);
	assert_int_equal(pe.sections, 0);
	make();
}

static void sections_are_found(void **state)
{
	const struct gb_pe_section *section;

	(void)state;
	make();
	assert_int_equal(parse(UNIFIED_HEAD), 0);
	assert_int_equal(pe.sections, 4);
	assert_false(pe.is_signed);
	section = gb_pe_find(&pe, ".cmdline");
	assert_int_equal(section->offset, UNIFIED_HEAD + 512);
	assert_int_equal(section->size, strlen("root=UUID=1 quiet"));
	assert_null(gb_pe_find(&pe, ".initrd"));
	/* a name of eight bytes has no end */
	assert_non_null(section);
	assert_int_equal(strlen(section->name), 8);
	unified_set(&made, UNIFIED_PE + 24 + 144, 4, UNIFIED_HEAD);
	unified_set(&made, UNIFIED_PE + 24 + 148, 4, 8);
	assert_int_equal(parse(UNIFIED_HEAD), 0);
	assert_true(pe.is_signed);
	/* cut within its signature */
	unified_set(&made, UNIFIED_PE + 24 + 148, 4, (uint32_t)made.len);
	assert_int_equal(parse(UNIFIED_HEAD), 0);
	assert_false(pe.is_signed);
	gb_text_clear(&made);
}

static void files_are_read(void **state)
{
	struct tree tree;
	char *text;
	int fd;

	(void)state;
	make();
	tree_make(&tree);
	tree_put_data(&tree, "/x.efi", made.data, made.len);
	fd = gb_pe_open(tree.root, "/x.efi", &pe, &err);
	assert_true(fd >= 0);
	assert_int_equal(gb_pe_text(fd, gb_pe_find(&pe, ".uname"), 64, &text), 0);
	assert_string_equal(text, "6.1.0");
	free(text);
	assert_int_equal(gb_pe_text(fd, gb_pe_find(&pe, ".cmdline"), 4, &text), -EFBIG);
	/* a file that gets shorter meanwhile */
	assert_int_equal(truncate(tree_path(&tree, "/x.efi"), UNIFIED_HEAD + 520), 0);
	assert_int_equal(gb_pe_text(fd, gb_pe_find(&pe, ".cmdline"), 64, &text), -EINVAL);
	close(fd);
	assert_int_equal(gb_pe_open(tree.root, "/x.efi", &pe, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/x.efi: is cut"));
	assert_int_equal(gb_pe_open(tree.root, "/y.efi", &pe, &err), -ENOENT);
	tree_put_data(&tree, "/x.efi", "MZ", 2);
	assert_int_equal(gb_pe_open(tree.root, "/x.efi", &pe, &err), -EINVAL);
	tree_clear(&tree);
	gb_text_clear(&made);
}

static void lies_are_refused(void **state)
{
	(void)state;
	make();
	for (size_t len = 0; len < UNIFIED_TABLE + 4 * 40; len++)
		assert_int_equal(parse(len), -EINVAL);
	assert_int_equal(parse(UNIFIED_TABLE + 4 * 40), 0);
	made.data[0] = 'm';
	refused("no EFI program");
	unified_set(&made, 0x3c, 4, 0xfffffff0);
	refused("second header");
	unified_set(&made, UNIFIED_PE + 6, 2, 97);
	refused("says that it has 97 sections");
	unified_set(&made, UNIFIED_PE + 20, 2, 0xffff);
	refused("cut in its headers");
	unified_set(&made, UNIFIED_TABLE + 20, 4, (uint32_t)made.len + 1);
	refused("section 1 ends behind it");
	unified_set(&made, UNIFIED_TABLE + 40 + 8, 4, 0xffffffff);
	unified_set(&made, UNIFIED_TABLE + 40 + 16, 4, 0xffffffff);
	refused("section 2 ends behind it");
	/* without data, nowhere is no place */
	unified_set(&made, UNIFIED_TABLE + 16, 4, 0);
	unified_set(&made, UNIFIED_TABLE + 20, 4, 0xffffffff);
	assert_int_equal(parse(made.len), 0);
	gb_text_clear(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_found),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(lies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
