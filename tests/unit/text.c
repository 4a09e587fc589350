/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, strings, JSON, errors and the kernel command line. */
#include "fake.h"

#include "address.h"
#include "cmdline.h"
#include "json.h"
#include "paragraph.h"
#include "style.h"
#include "text.h"

static void bdf_is_read_and_written(void **state)
{
	static const char *const bad[] = {
		"",		"0000",		  "0000:01:00",	   "000:01:00.0", "0000:1:00.0",
		"0000:01:0.0",	"0000:01:20.0",	  "0000:01:00.8",  "0000:01:00.",  "0000:01:00.0 ",
		"0000:01:00.00", "0000-01:00.0",  "000000001:01:00.0", "01:00.0", " 0000:01:00.0",
	};
	static const char *const good[] = { "0000:00:00.0", "0000:3c:1f.7", "10000:e1:00.0",
					    "ffffffff:ff:1f.7" };
	struct gb_bdf bdf = { 7, 7, 7 };
	char text[GB_BDF_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(gb_bdf_parse(bad[i], &bdf));
	assert_true(gb_bdf_equal(bdf, (struct gb_bdf){ 7, 7, 7 }));
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(gb_bdf_parse(good[i], &bdf));
		assert_string_equal(gb_bdf_format(bdf, text), good[i]);
	}
	assert_true(gb_bdf_parse("ABCD:EF:0A.3", &bdf));
	assert_string_equal(gb_bdf_format(bdf, text), "abcd:ef:0a.3");
	assert_int_equal(GB_DEVICE(bdf.devfn), 10);
	assert_int_equal(GB_FUNCTION(bdf.devfn), 3);
}

static void bdfs_differ_in_each_part(void **state)
{
	struct gb_bdf a = { 1, 2, 3 };

	(void)state;
	assert_true(gb_bdf_equal(a, a));
	assert_false(gb_bdf_equal(a, (struct gb_bdf){ 0, 2, 3 }));
	assert_false(gb_bdf_equal(a, (struct gb_bdf){ 1, 0, 3 }));
	assert_false(gb_bdf_equal(a, (struct gb_bdf){ 1, 2, 0 }));
}

static void path_is_read_and_written(void **state)
{
	static const char *const good[] = { "0000:00/02.0", "0000:00/01.0/00.0",
					    "10000:e0/06.0/00.0", "0001:c0/1f.7/1f.7/00.1" };
	/* and where reading stops */
	static const struct {
		const char *text;
		int at;
	} bad[] = {
		{ "", 0 },		{ "0000:00", 7 },	  { "0000:00/", 8 },
		{ "0000:00/1.0", 8 },	{ "0000:00/01.8", 12 },	  { "0000:00/20.0", 12 },
		{ "0000:00/01.0/", 13 }, { "0000:00/01.0 ", 12 }, { "0000:00 01.0", 7 },
		{ "0000:00/01.0//00.0", 13 }, { "0000:001/01.0", 5 },
	};
	char text[GB_PATH_MAX], deep[2 * GB_PATH_MAX];
	struct gb_path path;
	const char *stop;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(gb_path_parse(good[i], &path, &stop));
		assert_string_equal(gb_path_format(&path, text), good[i]);
		assert_ptr_equal(stop, good[i] + strlen(good[i]));
	}
	path.hops = 99;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(gb_path_parse(bad[i].text, &path, &stop));
		assert_int_equal(stop - bad[i].text, bad[i].at);
	}
	assert_int_equal(path.hops, 99); /* untouched */

	strcpy(deep, "ffffffff:ff");
	for (int i = 0; i < GB_HOPS_MAX; i++)
		strcat(deep, "/1f.7");
	assert_true(gb_path_parse(deep, &path, NULL));
	assert_string_equal(gb_path_format(&path, text), deep);
	strcat(deep, "/1f.7");
	assert_false(gb_path_parse(deep, &path, NULL));
}

static struct gb_path path_of(const char *text)
{
	struct gb_path path;

	assert_true(gb_path_parse(text, &path, NULL));
	return path;
}

static void paths_compare(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal, slot;
	} pairs[] = {
		{ "0000:00/01.0/00.0", "0000:00/01.0/00.0", true, true },
		{ "0000:00/01.0/00.0", "0000:00/01.0/00.1", false, true },
		{ "0000:00/01.0/00.0", "0000:00/01.0/01.0", false, false },
		{ "0000:00/01.0/00.0", "0000:00/01.1/00.0", false, false },
		{ "0000:00/01.0/00.0", "0000:00/01.0", false, false },
		{ "0000:00/01.0", "0000:01/01.0", false, false },
		{ "0000:00/01.0", "0001:00/01.0", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct gb_path a = path_of(pairs[i].a), b = path_of(pairs[i].b);

		assert_int_equal(gb_path_equal(&a, &b), pairs[i].equal);
		assert_int_equal(gb_path_same_slot(&a, &b), pairs[i].slot);
	}
}

static void path_comes_from_sysfs(void **state)
{
	static const char *const bad[] = { "", "../../../devices/platform", "/pci0000:00",
					   "/pci0000:00/virtio0",
					   "/pci0000:00/0000:00:01.0/power" };
	struct gb_path path;
	char text[GB_PATH_MAX];

	(void)state;
	assert_true(gb_path_from_sysfs("../../../devices/pci0000:00/0000:00:01.0/0000:3c:00.1",
				       &path));
	assert_string_equal(gb_path_format(&path, text), "0000:00/01.0/00.1");
	/* a VMD domain below another root bus */
	assert_true(gb_path_from_sysfs("/devices/pci0000:00/0000:00:0e.0/pci10000:e0/"
				       "10000:e0:06.0/10000:e1:00.0", &path));
	assert_string_equal(gb_path_format(&path, text), "10000:e0/06.0/00.0");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(gb_path_from_sysfs(bad[i], &path));
}

static void hex_wants_exactly_so_many_digits(void **state)
{
	const char *at = "12aFg";
	uint64_t value = 5;

	(void)state;
	assert_false(gb_text_hex(&at, 3, &value));
	assert_false(gb_text_hex(&at, 5, &value));
	assert_int_equal(value, 5);
	assert_true(gb_text_hex(&at, 4, &value));
	assert_int_equal(value, 0x12af);
	assert_string_equal(at, "g");
}

static void module_names_are_compared(void **state)
{
	(void)state;
	assert_true(gb_text_same_module("vfio-pci", "vfio_pci"));
	assert_true(gb_text_same_module("a_b-c", "a-b_c"));
	assert_false(gb_text_same_module("vfio-pci", "vfio-pc"));
	assert_false(gb_text_same_module("vfio-pci", "vfio-pci2"));
	assert_false(gb_text_same_module("vfio-pci", ""));
}

static void text_grows_and_copies(void **state)
{
	struct gb_text text = { 0 };
	char small[4];

	(void)state;
	gb_text_add(&text, "", 0);
	assert_string_equal(text.data, "");
	for (int i = 0; i < 1000; i++)
		gb_text_addf(&text, "%03d", i);
	assert_false(text.failed);
	assert_int_equal(text.len, 3000);
	assert_string_equal(text.data + 2994, "998999");
	gb_text_add(&text, "x", SIZE_MAX / 2);
	assert_true(text.failed);
	gb_text_clear(&text);
	assert_null(text.data);
	assert_true(gb_text_copy(small, sizeof(small), "abc"));
	assert_false(gb_text_copy(small, sizeof(small), "defg"));
	assert_string_equal(small, "def");
}

static void errors_are_wrapped(void **state)
{
	struct gb_err err;
	char longer[600];

	(void)state;
	assert_int_equal(gb_fail(&err, ENOENT, "no %s", "bus"), -ENOENT);
	gb_wrap(&err, "device %d", 3);
	assert_string_equal(err.text, "device 3: no bus");
	assert_int_equal(gb_fail(NULL, EIO, "nobody asks"), -EIO);
	gb_wrap(NULL, "nobody asks");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	gb_fail(&err, EIO, "%s", longer);
	gb_wrap(&err, "%s", longer);
	assert_true(strlen(err.text) < sizeof(err.text));
}

static void json_is_laid_out_and_escaped(void **state)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text };

	(void)state;
	gb_json_open(&json, NULL, '{');
	gb_json_string(&json, "name", "a\"b\\c\n\x7f\xc3\xa4");
	gb_json_string(&json, "none", NULL);
	gb_json_open(&json, "empty", '[');
	gb_json_close(&json, ']');
	gb_json_open(&json, "list", '[');
	gb_json_int(&json, NULL, -5);
	gb_json_fixed(&json, NULL, 1.25, 1);
	gb_json_bool(&json, NULL, true);
	gb_json_null(&json, NULL);
	gb_json_close(&json, ']');
	gb_json_open(&json, "object", '{');
	gb_json_bool(&json, "no", false);
	gb_json_close(&json, '}');
	gb_json_close(&json, '}');
	assert_false(text.failed);
	assert_string_equal(text.data,
			    "{\n"
			    "  \"name\": \"a\\\"b\\\\c\\u000a\\u007f\\u00c3\\u00a4\",\n"
			    "  \"none\": null,\n"
			    "  \"empty\": [],\n"
			    "  \"list\": [\n    -5,\n    1.2,\n    true,\n    null\n  ],\n"
			    "  \"object\": {\n    \"no\": false\n  }\n"
			    "}\n");
	gb_text_clear(&text);
}

static void command_line_words(void **state)
{
	static const struct {
		const char *text;
		enum gb_switch claim;
		bool debug;
		const char *odd;
	} lines[] = {
		{ "", GB_SWITCH_SILENT, false, "" },
		{ "quiet splash\n", GB_SWITCH_SILENT, false, "" },
		{ "quiet ghost.claim=on\n", GB_SWITCH_ON, false, "" },
		{ "\tghost.claim=on  ghost.debug ", GB_SWITCH_ON, true, "" },
		{ "ghost.claim=on ghost.claim=off", GB_SWITCH_OFF, false, "" },
		{ "ghost.claim=off ghost.claim=on", GB_SWITCH_OFF, false, "" },
		{ "ghost.claim=maybe ghost.claim=off", GB_SWITCH_OFF, false, "maybe" },
		{ "ghost.claim=off ghost.claim=maybe", GB_SWITCH_OFF, false, "" },
		{ "ghost.claim=on ghost.claim=of", GB_SWITCH_ODD, false, "of" },
		{ "ghost.claim=of ghost.claim=on", GB_SWITCH_ODD, false, "of" },
		{ "ghost.claim=On", GB_SWITCH_ODD, false, "On" },
		{ "ghost.claim=1", GB_SWITCH_ODD, false, "1" },
		{ "ghost.claim=", GB_SWITCH_ODD, false, "" },
		{ "ghost.claim", GB_SWITCH_ODD, false, "" },
		{ "ghost.claim=\"on\"", GB_SWITCH_ON, false, "" },
		{ "\"ghost.claim=off\"", GB_SWITCH_OFF, false, "" },
		{ "dyndbg=\"func a +p; ghost.claim=on\" quiet", GB_SWITCH_SILENT, false, "" },
		{ "\"dyndbg=func a ghost.claim=off +p\"", GB_SWITCH_SILENT, false, "" },
		{ "a=\"b c\" ghost.claim=on", GB_SWITCH_ON, false, "" },
		{ "xghost.claim=on ghost.claims=on ghost.claim.x=on", GB_SWITCH_SILENT, false, "" },
		{ "GHOST.CLAIM=on", GB_SWITCH_SILENT, false, "" },
		{ "ghost.debug=1", GB_SWITCH_SILENT, false, "" },
		{ "ghost.trial=20 ghost.claim=on", GB_SWITCH_ON, false, "" },
	};
	struct gb_cmdline line;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		gb_cmdline_read(lines[i].text, &line);
		if (line.claim != lines[i].claim || line.debug != lines[i].debug ||
		    strcmp(line.odd, lines[i].odd))
			fail_msg("%s: %d %d %s", lines[i].text, line.claim, line.debug, line.odd);
	}
}

static void trial_words(void **state)
{
	static const struct {
		const char *text, *id;
		bool counted;
		const char *odd; /* NULL: none */
	} lines[] = {
		{ "quiet ghost.trials=0123abcd xghost.trial=0123abcd", "", false, NULL },
		{ "ghost.trial=0123abcd\n", "0123abcd", false, NULL },
		{ "ghost.trial=0123abcdc quiet", "0123abcd", true, NULL },
		{ "ghost.trial=0123abcc", "0123abcc", false, NULL },
		{ "ghost.trial=cccccccc", "cccccccc", false, NULL },
		{ "ghost.trial=ccccccccc", "cccccccc", true, NULL },
		{ "ghost.trial=cccccccccc", "", false, "cccccccccc" },
		{ "ghost.trial=0123abcdd", "", false, "0123abcdd" },
		{ "ghost.trial=0123abcd,c", "", false, "0123abcd,c" },
		{ "ghost.trial=0123ABCD", "", false, "0123ABCD" },
		{ "ghost.trial=0123abc", "", false, "0123abc" },
		{ "ghost.trial=0123abgd", "", false, "0123abgd" },
		{ "ghost.trial=", "", false, "" },
		{ "ghost.trial", "", false, "" },
		{ "ghost.trial=a\033\177\xff~", "", false, "a???~" },
		{ "ghost.trial=\"0123abcd\"", "0123abcd", false, NULL },
		{ "ghost.trial=01234567c ghost.trial=0123abcd", "0123abcd", false, NULL },
		{ "ghost.trial=0123abcdc ghost.trial=x", "0123abcd", true, "x" },
		{ "ghost.trial=x ghost.trial=0123abcdc", "0123abcd", true, "x" },
	};
	struct gb_cmdline line;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		gb_cmdline_read(lines[i].text, &line);
		if (strcmp(line.trial, lines[i].id) || line.counted != lines[i].counted ||
		    line.bad_trial != !!lines[i].odd ||
		    (lines[i].odd && strcmp(line.odd_trial, lines[i].odd)))
			fail_msg("%s: %s %d %d %s", lines[i].text, line.trial, line.counted,
				 line.bad_trial, line.odd_trial);
	}
}

static void long_words_hide_nothing(void **state)
{
	char text[5000];
	struct gb_cmdline line;

	(void)state;
	memset(text, 'x', sizeof(text));
	strcpy(text + 4000, " ghost.claim=off");
	gb_cmdline_read(text, &line);
	assert_int_equal(line.claim, GB_SWITCH_OFF);
	/* a word that begins like ours is not ours */
	memcpy(text, "ghost.claim=on", 14);
	strcpy(text + 4000, " quiet");
	gb_cmdline_read(text, &line);
	assert_int_equal(line.claim, GB_SWITCH_ODD);
	assert_true(strlen(line.odd) < sizeof(line.odd));
	memcpy(text, "ghost.trial=0123abcd", 20);
	gb_cmdline_read(text, &line);
	assert_string_equal(line.trial, "");
	assert_true(line.bad_trial && strlen(line.odd_trial) < sizeof(line.odd_trial));
}

static void paragraphs_end_where_the_terminal_does(void **state)
{
	static const struct {
		size_t columns, at, indent;
		const char *text, *wanted;
	} cases[] = {
		{ 0, 0, 0, "as long as it may be, and more than that", NULL },
		{ 10, 0, 0, "one two three four", "one two\nthree four" },
		{ 9, 0, 0, "one two three four", "one two\nthree\nfour" },
		{ 10, 4, 2, "one two three", "one\n  two\n  three" },
		{ 10, 0, 0, "a-word-that-is-wider than it", "a-word-that-is-wider\nthan it" },
		{ 10, 0, 2, "his own\nbreaks, and", "his own\n  breaks,\n  and" },
		{ 10, 0, 0, "a\n\n    b  c\n", "a\n\n    b  c" },
		{ 5, 0, 0, "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f x", "\xc3\xa4\xc3\xb6 \xc3\xbc\xc3\x9f\nx" },
		{ 10, 0, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct gb_style style = { .columns = cases[i].columns };
		struct gb_text text = { 0 };

		gb_text_add(&text, "", 0);
		gb_paragraph_add(&text, &style, cases[i].at, cases[i].indent, cases[i].text);
		assert_false(text.failed);
		assert_string_equal(text.data ? text.data : "", cases[i].wanted ? cases[i].wanted : cases[i].text);
		gb_text_clear(&text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(paragraphs_end_where_the_terminal_does),
		cmocka_unit_test(bdf_is_read_and_written),
		cmocka_unit_test(bdfs_differ_in_each_part),
		cmocka_unit_test(path_is_read_and_written),
		cmocka_unit_test(paths_compare),
		cmocka_unit_test(path_comes_from_sysfs),
		cmocka_unit_test(hex_wants_exactly_so_many_digits),
		cmocka_unit_test(module_names_are_compared),
		cmocka_unit_test(text_grows_and_copies),
		cmocka_unit_test(errors_are_wrapped),
		cmocka_unit_test(json_is_laid_out_and_escaped),
		cmocka_unit_test(command_line_words),
		cmocka_unit_test(trial_words),
		cmocka_unit_test(long_words_hide_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
