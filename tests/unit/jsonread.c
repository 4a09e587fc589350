/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading JSON. */
#include "fake.h"

#include "json.h"
#include "jsonread.h"

static struct gb_value parse(const char *text)
{
	struct gb_value value = { NULL, NULL };

	assert_true(gb_value_parse(text, strlen(text), &value));
	return value;
}

static void check_text(struct gb_value value, const char *wanted)
{
	char text[32];

	assert_true(gb_value_text(value, text, sizeof(text)));
	assert_string_equal(text, wanted);
}

static void members(void **state)
{
	struct gb_value object = parse(" {\"a\" : \"x\", \"b\":{\"a\":\"y\"},\"aa\": [ ],\"n\":-12.5} ");
	struct gb_value none = gb_value_member(object, "c");
	double number = 7;

	(void)state;
	check_text(gb_value_member(object, "a"), "x");
	check_text(gb_value_member(gb_value_member(object, "b"), "a"), "y");
	assert_true(gb_value_number(gb_value_member(object, "n"), &number));
	assert_true(number == -12.5);
	assert_null(none.at);
	assert_null(gb_value_member(none, "a").at);
	assert_null(gb_value_member(gb_value_member(object, "a"), "a").at);
	assert_false(gb_value_number(none, &number));
	assert_false(gb_value_is_true(none));
	assert_null(gb_value_member(parse("{}"), "a").at);
}

static void arrays(void **state)
{
	struct gb_value item = { NULL, NULL }, list = parse("[ \"a\",\"b\" , true ]");

	(void)state;
	assert_true(gb_value_next(list, &item));
	check_text(item, "a");
	assert_true(gb_value_next(list, &item));
	check_text(item, "b");
	assert_true(gb_value_next(list, &item));
	assert_true(gb_value_is_true(item));
	assert_false(gb_value_next(list, &item));
	item = (struct gb_value){ NULL, NULL };
	assert_false(gb_value_next(parse("[]"), &item));
	assert_false(gb_value_next(parse("{\"a\": 1}"), &item));
}

static void texts(void **state)
{
	char small[4];

	(void)state;
	check_text(parse("\"a\\\"b\\\\c\\/d\""), "a\"b\\c/d");
	check_text(parse("\"tab\\tnl\\n\""), "tab nl ");
	check_text(parse("\"\\u0041\\u00e9\\u001b\""), "A??");
	check_text(parse("\"\\u00\""), "?00");
	check_text(parse("\"\033[2J\xc3\xa9\""), "?[2J??");
	assert_true(gb_value_text(parse("\"abcdef\""), small, sizeof(small)));
	assert_string_equal(small, "abc");
	assert_false(gb_value_text(parse("1"), small, sizeof(small)));
	assert_string_equal(small, "");
}

static void what_is_no_json(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "}", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
		"{a:1}", "\"", "\"\\", "\"a\\\"", "tru", "nul", "1 2", "[1] x", "+1", "{\"a\" 1}",
		"{1:1}", "'a'", "x",
	};
	struct gb_value value;
	char deep[80];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (gb_value_parse(bad[i], strlen(bad[i]), &value))
			fail_msg("%s was taken", bad[i]);
	memset(deep, '[', 40);
	memset(deep + 40, ']', 40);
	assert_false(gb_value_parse(deep, sizeof(deep), &value));
	assert_true(gb_value_parse(deep + 20, 40, &value));
}

static void numbers(void **state)
{
	static const char *const bad[] = { "-", "1e5", "1.2.3", "1-2",
					   "111111111111111111111111111111111111111" };
	double number = 0;

	(void)state;
	assert_true(gb_value_number(parse("12.125"), &number));
	assert_true(number == 12.125);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(gb_value_number(parse(bad[i]), &number));
}

/* What our own writer makes is read back. */
static void round_trip(void **state)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text };
	struct gb_value record;
	double number;

	(void)state;
	gb_json_open(&json, NULL, '{');
	gb_json_string(&json, "text", "a \"b\" \\ c");
	gb_json_fixed(&json, "at", 1.25, 3);
	gb_json_null(&json, "nothing");
	gb_json_close(&json, '}');
	record = parse(text.data);
	check_text(gb_value_member(record, "text"), "a \"b\" \\ c");
	assert_true(gb_value_number(gb_value_member(record, "at"), &number));
	assert_true(number == 1.25);
	gb_text_clear(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members), cmocka_unit_test(arrays),
		cmocka_unit_test(texts),   cmocka_unit_test(what_is_no_json),
		cmocka_unit_test(numbers), cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
