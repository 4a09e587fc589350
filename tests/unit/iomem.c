/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/iomem. */
#include "fake.h"

#include "iomem.h"

static const char seen_by_root[] =
	"00000000-00000fff : Reserved\n"
	"80000000-dfffffff : PCI Bus 0000:00\n"
	"  c0000000-d20fffff : PCI Bus 0000:01\n"
	"    c0000000-cfffffff : 0000:01:00.0\n"
	"      c0000000-c0ffffff : BOOTFB\n"
	"        c0000000-c0ffffff : simpledrm\n"
	"    d0000000-d1ffffff : 0000:01:00.0\n"
	"    d2000000-d2003fff : 0000:01:00.1\n"
	"      d2000000-d2003fff : ICH HD audio\n"
	"  d3000000-d3003fff : 0000:00:1f.3\n"
	"  d4000000-d4ffffff : 0000:00:02.0\n"
	"    d4000000-d47fffff : BOOTFB\n";

static struct gb_bdf bdf(const char *text)
{
	struct gb_bdf bdf;

	assert_true(gb_bdf_parse(text, &bdf));
	return bdf;
}

static void parse(const char *text, struct gb_iomem *ret)
{
	assert_int_equal(gb_iomem_parse(text, strlen(text), ret, NULL), 0);
}

/* As a reader without privileges gets it. */
static void hide(const char *text, char *ret)
{
	bool name = false;

	for (; *text; text++) {
		name = *text == '\n' ? false : name || *text == ':';
		*ret++ = (char)(!name && strchr("123456789abcdef", *text) ? '0' : *text);
	}
	*ret = '\0';
}

static int framebuffer(const struct gb_iomem *iomem, const char *device, const char **ret_name)
{
	const struct gb_range *range = NULL;
	int r = gb_iomem_framebuffer(iomem, bdf(device), &range);

	*ret_name = range ? range->name : "";
	return r;
}

static void framebuffers_are_found(void **state)
{
	static const struct {
		const char *device, *name;
		int result;
	} cases[] = {
		{ "0000:01:00.0", "simpledrm", 1 }, { "0000:00:02.0", "BOOTFB", 1 },
		{ "0000:01:00.1", "", 0 },	    { "0000:00:1f.3", "", 0 },
		{ "0000:05:00.0", "", -ENODATA },   { "0001:01:00.0", "", -ENODATA },
	};
	char hidden[sizeof(seen_by_root)];
	struct gb_iomem iomem;
	const char *name;

	(void)state;
	hide(seen_by_root, hidden);
	for (int pass = 0; pass < 2; pass++) {
		parse(pass ? hidden : seen_by_root, &iomem);
		assert_int_equal(iomem.hidden, pass);
		assert_int_equal(iomem.ranges, 12);
		for (size_t i = 0; i < COUNT(cases); i++) {
			assert_int_equal(framebuffer(&iomem, cases[i].device, &name),
					 cases[i].result);
			assert_string_equal(name, cases[i].name);
		}
		gb_iomem_clear(&iomem);
	}
}

static void all_holders_are_walked(void **state)
{
	static const char *const names[] = { "BOOTFB", "simpledrm" };
	struct gb_iomem_walk walk = { 0 };
	const struct gb_range *range;
	struct gb_iomem iomem;
	size_t n = 0;

	(void)state;
	parse(seen_by_root, &iomem);
	while ((range = gb_iomem_next(&iomem, bdf("0000:01:00.0"), &walk)))
		assert_string_equal(range->name, names[n++]);
	assert_int_equal(n, 2);
	walk = (struct gb_iomem_walk){ 0 };
	range = gb_iomem_next(&iomem, bdf("0000:01:00.1"), &walk);
	assert_string_equal(range->name, "ICH HD audio");
	assert_true(range->start == 0xd2000000 && range->end == 0xd2003fff);
	gb_iomem_clear(&iomem);
}

/* Five levels is all that kernels before 6.19 show: a child looks like a sibling. */
static void indentation_ends(void **state)
{
	static const char deep[] = "00000000-ffffffff : a\n"
				   "  00000000-ffffffff : b\n"
				   "    00000000-ffffffff : c\n"
				   "      00000000-ffffffff : d\n"
				   "        00000000-ffffffff : e\n"
				   "          c0000000-cfffffff : 0000:0a:00.0\n"
				   "          c0000000-c07fffff : efifb\n"
				   "          d0000000-d1ffffff : 0000:0b:00.0\n"
				   "          e0000000-e07fffff : efifb\n";
	char hidden[sizeof(deep)];
	struct gb_iomem iomem;
	const char *name;

	(void)state;
	parse(deep, &iomem);
	assert_int_equal(framebuffer(&iomem, "0000:0a:00.0", &name), 1);
	assert_string_equal(name, "efifb");
	assert_int_equal(framebuffer(&iomem, "0000:0b:00.0", &name), 0);
	gb_iomem_clear(&iomem);
	hide(deep, hidden);
	parse(hidden, &iomem);
	assert_int_equal(framebuffer(&iomem, "0000:0a:00.0", &name), -ENODATA);
	gb_iomem_clear(&iomem);
}

static void odd_lines_are_left_out(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"c0000000-cfffffff\n",
		"c0000000-cfffffff: x\n",
		" c0000000-cfffffff : x\n",
		"cfffffff-c0000000 : x\n",
		"10000000000000000-10000000000000001 : x\n",
		"-cfffffff : x\n",
		"                      c0000000-cfffffff : x\n",
	};
	struct gb_iomem iomem;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		parse(lines[i], &iomem);
		assert_int_equal(iomem.ranges, 0);
		gb_iomem_clear(&iomem);
	}
	parse("c0000000-cfffffff : no line end", &iomem);
	assert_int_equal(iomem.ranges, 1);
	assert_string_equal(iomem.range[0].name, "no line end");
	gb_iomem_clear(&iomem);
}

static void file_is_read_from_the_root(void **state)
{
	struct gb_iomem iomem;
	struct gb_err err;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	assert_int_equal(gb_iomem_read(tree.root, &iomem, &err), -ENOENT);
	assert_string_equal(err.text, "/proc/iomem: No such file or directory");
	gb_iomem_clear(&iomem);
	tree_put(&tree, GB_IOMEM_FILE, seen_by_root);
	assert_int_equal(gb_iomem_read(tree.root, &iomem, &err), 0);
	assert_int_equal(iomem.ranges, 12);
	gb_iomem_clear(&iomem);
	tree_clear(&tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(framebuffers_are_found),
		cmocka_unit_test(all_holders_are_walked),
		cmocka_unit_test(indentation_ends),
		cmocka_unit_test(odd_lines_are_left_out),
		cmocka_unit_test(file_is_read_from_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
