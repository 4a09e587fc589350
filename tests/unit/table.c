/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables on terminals of any width. */
#include "fake.h"

#include "table.h"
#include "text.h"

static void fill(struct gb_table *table)
{
	gb_table_row(table);
	gb_table_cell(table, GB_BOLD, "%s", "01:00.0");
	gb_table_cell(table, GB_PLAIN, "%s", "a name of twenty one");
	gb_table_cell(table, GB_PLAIN, "%d", 7);
	gb_table_cell(table, GB_PLAIN, "%s", "driver");
	gb_table_line(table, GB_RED, "  refused: its group holds %s", "a disk");
	gb_table_row(table);
	gb_table_cell(table, GB_PLAIN, "%s", "02:00.0");
	gb_table_cell(table, GB_PLAIN, "%s", "G\xc3\xb6k");
	gb_table_cell(table, GB_PLAIN, "%d", 123);
}

static void expect(const struct gb_style *style, const char *wanted)
{
	struct gb_table table = { .flexible = 1, .narrowest = 12, .right = 1 << 2, .spare = { 3, 2 } };
	struct gb_text text = { 0 };

	fill(&table);
	gb_table_text(&table, style, &text);
	assert_false(text.failed);
	assert_string_equal(text.data, wanted);
	gb_table_clear(&table);
	gb_text_clear(&text);
}

static void widths(void **state)
{
	(void)state;
	expect(&(struct gb_style){ .utf8 = true },
	       "01:00.0  a name of twenty one    7  driver\n"
	       "  refused: its group holds a disk\n"
	       "02:00.0  G\xc3\xb6k                   123\n");
	/* the name gives way */
	expect(&(struct gb_style){ .utf8 = true, .columns = 36 },
	       "01:00.0  a name of twe…    7  driver\n"
	       "  refused: its group holds a disk\n"
	       "02:00.0  G\xc3\xb6k             123\n");
	/* then the driver, and the name has room again */
	expect(&(struct gb_style){ .columns = 32 },
	       "01:00.0  a name of twenty ~    7\n"
	       "  refused: its group holds a\n"
	       "    disk\n"
	       "02:00.0  G\xc3\xb6k                 123\n");
	expect(&(struct gb_style){ .columns = 22 },
	       "01:00.0  a name of tw~\n"
	       "  refused: its group\n"
	       "    holds a disk\n"
	       "02:00.0  G\xc3\xb6k\n");
	/* narrower than it should be, but never wider than the terminal */
	expect(&(struct gb_style){ .utf8 = true, .columns = 12 },
	       "01:00.0  a …\n"
	       "  refused:\n"
	       "    its\n"
	       "    group\n"
	       "    holds a\n"
	       "    disk\n"
	       "02:00.0  G\xc3\xb6k\n");
}

static void colours(void **state)
{
	(void)state;
	expect(&(struct gb_style){ .colour = true },
	       "\033[1m01:00.0\033[0m  a name of twenty one    7  driver\n"
	       "\033[31m  refused: its group holds a disk\033[0m\n"
	       "02:00.0  G\xc3\xb6k                   123\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),
		cmocka_unit_test(colours),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
