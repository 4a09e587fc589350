/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel command lines: words, comparing, changing. */
#include "fake.h"

#include "arguments.h"
#include "edit.h"

static void parse(const char *line, struct gb_arguments *ret)
{
	assert_int_equal(gb_arguments_parse(line, strlen(line), ret), 0);
}

/* "name|value" of each, with blanks between; no '|' where there is no value. */
static void expect_words(const char *line, const char *expected)
{
	struct gb_arguments list;
	struct gb_text text = { 0 };

	parse(line, &list);
	for (size_t i = 0; i < list.arguments; i++)
		gb_text_addf(&text, "%s%s%s%s", i ? " " : "", list.argument[i].name,
			     list.argument[i].value ? "|" : "",
			     list.argument[i].value ? list.argument[i].value : "");
	assert_string_equal(text.data ? text.data : "", expected);
	gb_text_clear(&text);
	gb_arguments_clear(&list);
}

static void splits_as_the_kernel(void **state)
{
	(void)state;
	expect_words("", "");
	expect_words(" \t\n", "");
	expect_words("quiet root=UUID=12 ro\n", "quiet root|UUID=12 ro");
	expect_words("k=\"a b\" \"k=a b\" k=a\" \"b", "k|a b k|a b k|a\" \"b");
	expect_words("=x =x=y \"\" \"a\" a=", "=x =x|y  a a|");
	expect_words("a\xa0" "b a=\"b\"c a\"b\"", "a b a|b\"c a\"b\"");
	expect_words("k=\" k=\"", "k| k=");
}

static void finds_init(void **state)
{
	struct gb_arguments list;

	(void)state;
	parse("a b -- c", &list);
	assert_int_equal(list.arguments, 4);
	assert_int_equal(list.kernel, 2);
	gb_arguments_clear(&list);
	parse("a --=b --c", &list);
	assert_int_equal(list.kernel, 3);
	gb_arguments_clear(&list);
	parse("a b=\"c", &list);
	assert_true(list.open);
	gb_arguments_clear(&list);
	assert_int_equal(gb_arguments_parse("a\0b", 3, &list), -EINVAL);
}

static void compares(void **state)
{
	struct gb_arguments whole, part;

	(void)state;
	parse("BOOT_IMAGE=/vmlinuz root=/dev/sda1 module_a.b-c=\"x y\" quiet -- hidden", &whole);
	parse("root=/dev/sda1 \"module-a.b_c=x y\"", &part);
	assert_null(gb_arguments_lacking(&whole, &part));
	gb_arguments_clear(&part);
	parse("quiet root=/dev/sda2", &part);
	assert_string_equal(gb_arguments_lacking(&whole, &part)->value, "/dev/sda2");
	gb_arguments_clear(&part);
	parse("hidden", &part);
	assert_string_equal(gb_arguments_lacking(&whole, &part)->name, "hidden");
	gb_arguments_clear(&part);
	gb_arguments_clear(&whole);
}

static void renders(void **state)
{
	struct gb_arguments list;
	struct gb_text text = { 0 };

	(void)state;
	parse("  a=1\t\"k=a b\" ro ", &list);
	gb_arguments_render(&list, &text);
	assert_string_equal(text.data, "a=1 k=\"a b\" ro");
	gb_text_clear(&text);
	gb_arguments_clear(&list);
}

/* ---- changing ------------------------------------------------------------------------ */

static void change(const char *line, enum gb_want_mode mode, const char *word,
		   const char *expected, enum gb_change_kind kind, const char *was)
{
	struct gb_want want = { mode, word, NULL };
	struct gb_changes changes, again;
	struct gb_err err;

	if (gb_arguments_change(line, strlen(line), &want, 1, &changes, &err))
		fail_msg("%s", err.text);
	assert_string_equal(changes.line, expected);
	assert_int_equal(changes.differs, strcmp(line, expected) != 0);
	assert_int_equal(changes.change[0].kind, kind);
	assert_string_equal(changes.change[0].was ? changes.change[0].was : "", was);
	assert_int_equal(gb_arguments_change(changes.line, changes.len, &want, 1, &again, &err), 0);
	assert_false(again.differs);
	gb_changes_clear(&again);
	gb_changes_clear(&changes);
}

static void adds_what_is_missing(void **state)
{
	(void)state;
	change("", GB_WANT_ALSO, "a=1", "a=1", GB_CHANGE_ADDED, "");
	change("quiet ", GB_WANT_ALSO, "a=1", "quiet  a=1", GB_CHANGE_ADDED, "");
	change("a=1 quiet", GB_WANT_ALSO, "a=1", "a=1 quiet", GB_CHANGE_NONE, "");
	change("console=tty0", GB_WANT_ALSO, "console=ttyS0", "console=tty0 console=ttyS0",
	       GB_CHANGE_ADDED, "");
	change("x -- a=1", GB_WANT_ALSO, "a=1", "x a=1 -- a=1", GB_CHANGE_ADDED, "");
	change("-- x", GB_WANT_ALSO, "a=1", "a=1 -- x", GB_CHANGE_ADDED, "");
}

static void replaces_what_conflicts(void **state)
{
	(void)state;
	change("a ghost.claim=off b", GB_WANT_ONLY, "ghost.claim=on", "a ghost.claim=on b",
	       GB_CHANGE_REPLACED, "ghost.claim=off");
	change("ghost.claim=off a ghost.claim ghost.claim=on", GB_WANT_ONLY, "ghost.claim=on",
	       "a ghost.claim=on", GB_CHANGE_REPLACED, "ghost.claim=off ghost.claim");
	change("x=1 x=2 x=3", GB_WANT_ONLY, "x=4", "x=4", GB_CHANGE_REPLACED, "x=1 x=2 x=3");
}

static void knows_lists(void **state)
{
	(void)state;
	change("intel_iommu=on,sm_on", GB_WANT_PIECE, "intel_iommu=on", "intel_iommu=on,sm_on",
	       GB_CHANGE_NONE, "");
	change("intel_iommu=sm_on", GB_WANT_PIECE, "intel_iommu=on",
	       "intel_iommu=sm_on intel_iommu=on", GB_CHANGE_ADDED, "");
	change("q intel-iommu=sm_on,off r", GB_WANT_PIECE, "intel_iommu=on",
	       "q intel-iommu=sm_on,on r", GB_CHANGE_REPLACED, "intel-iommu=sm_on,off");
	change("intel_iommu=on intel_iommu=\"off\"", GB_WANT_PIECE, "intel_iommu=on",
	       "intel_iommu=on intel_iommu=\"on\"", GB_CHANGE_REPLACED, "intel_iommu=\"off\"");
	change("intel_iommu=off intel_iommu=on", GB_WANT_PIECE, "intel_iommu=on",
	       "intel_iommu=off intel_iommu=on", GB_CHANGE_NONE, "");
	change("iommu=nopt", GB_WANT_PIECE, "iommu=pt", "iommu=pt", GB_CHANGE_REPLACED, "iommu=nopt");
}

static void removes(void **state)
{
	(void)state;
	change("a b c", GB_WANT_GONE, "b", "a c", GB_CHANGE_REMOVED, "b");
	change("b", GB_WANT_GONE, "b", "", GB_CHANGE_REMOVED, "b");
	change("b  c b=1 b", GB_WANT_GONE, "b", " c b=1", GB_CHANGE_REMOVED, "b b");
	change("a b_c=1 b-c=2 -- b_c", GB_WANT_NO_NAME, "b-c", "a -- b_c", GB_CHANGE_REMOVED,
	       "b_c=1 b-c=2");
	change("a", GB_WANT_GONE, "b", "a", GB_CHANGE_NONE, "");
}

static void adding_and_removing_is_nothing(void **state)
{
	static const char *const lines[] = {
		"", " ", "\t", "quiet", "quiet ", " quiet\t", "-- x", "\t-- x", " \t -- x", "a\t--",
		"a  b=\"c d\"  --  -- e", "\"k=a b\"\n", "\xa0",
	};
	struct gb_want add[] = { { GB_WANT_ALSO, "n=1", "" }, { GB_WANT_ONLY, "m=\"x y\"", "" } };
	struct gb_want gone[] = { { GB_WANT_GONE, "m=\"x y\"", "" }, { GB_WANT_GONE, "n=1", "" } };

	(void)state;
	for (size_t i = 0; i < COUNT(lines) * 2; i++) {
		const char *line = lines[i / 2];
		struct gb_changes there, back;
		struct gb_edit edit;

		assert_int_equal(gb_arguments_change(line, strlen(line), add, 2, &there, NULL), 0);
		assert_true(there.differs);
		if (i % 2)
			gone[0] = (struct gb_want){ GB_WANT_GONE, "n=1", "" },
			gone[1] = (struct gb_want){ GB_WANT_GONE, "m=\"x y\"", "" };
		assert_int_equal(gb_arguments_change(there.line, there.len, gone, 2, &back, NULL), 0);
		assert_string_equal(back.line, line);
		/* what was added is in one place */
		assert_int_equal(gb_edit_between(line, strlen(line), there.line, there.len, &edit), 0);
		assert_int_equal(edit.cut, 0);
		gb_edit_clear(&edit);
		gb_changes_clear(&back);
		gb_changes_clear(&there);
	}
}

static void refuses(void **state)
{
	static const char *const words[] = { "", " ", "a b", "a=\"b", "--", " a", "a " };
	struct gb_changes changes;
	struct gb_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct gb_want want = { GB_WANT_ALSO, words[i], NULL };

		assert_int_equal(gb_arguments_change("a", 1, &want, 1, &changes, &err), -EINVAL);
		assert_non_null(strstr(err.text, "is not one kernel argument"));
	}
	assert_int_equal(gb_arguments_change("a=\"b", 4, NULL, 0, &changes, &err), -EINVAL);
	assert_non_null(strstr(err.text, "never closed"));
	assert_true(gb_argument_is_plain("intel_iommu=on,sm_on"));
	assert_false(gb_argument_is_plain("a=$b"));
	assert_false(gb_argument_is_plain(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_as_the_kernel),
		cmocka_unit_test(finds_init),
		cmocka_unit_test(compares),
		cmocka_unit_test(renders),
		cmocka_unit_test(adds_what_is_missing),
		cmocka_unit_test(replaces_what_conflicts),
		cmocka_unit_test(knows_lists),
		cmocka_unit_test(removes),
		cmocka_unit_test(adding_and_removing_is_nothing),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
