/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/kernel/cmdline: one line, or refused. */
#include "fake.h"

#include "cmdlinefile.h"

static const struct gb_want add = { GB_WANT_ALSO, "iommu=pt", "" };
static const struct gb_want gone = { GB_WANT_GONE, "iommu=pt", "" };

static char *change(const char *data, const struct gb_want *want, struct gb_err *err)
{
	struct gb_cmdline_file_change c;
	size_t len;
	char *text;

	if (gb_cmdline_file_change(data, strlen(data), want, 1, &c, err))
		return NULL;
	assert_int_equal(gb_edit_apply(data, strlen(data), &c.edit, &text, &len), 0);
	gb_cmdline_file_change_clear(&c);
	return text;
}

static void expect(const char *data, const char *expected)
{
	struct gb_err err;
	char *there = change(data, &add, &err), *back;

	if (!there)
		fail_msg("%s", err.text);
	assert_string_equal(there, expected);
	back = change(there, &add, &err);
	assert_string_equal(back, expected);
	free(back);
	back = change(there, &gone, &err);
	assert_string_equal(back, data);
	free(back);
	free(there);
}

static void changes_the_line(void **state)
{
	(void)state;
	expect("root=UUID=1 ro quiet\n", "root=UUID=1 ro quiet iommu=pt\n");
	expect("root=ZFS=rpool/ROOT/pve-1 boot=zfs", "root=ZFS=rpool/ROOT/pve-1 boot=zfs iommu=pt");
	expect("ro \n\n", "ro  iommu=pt\n\n");
	expect("", "iommu=pt");
	expect("a=#b\n", "a=#b iommu=pt\n");
}

static void refuses_what_readers_differ_on(void **state)
{
	static const char *const bad[] = { "a\nb\n", "\na", "# a\n", "a # b", "a\r\n" };
	struct gb_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (change(bad[i], &add, &err))
			fail_msg("taken: %s", bad[i]);
	assert_null(change("a=\"b\n", &add, &err));
	assert_non_null(strstr(err.text, "never closed"));
}

static void begins_with_the_booted_line(void **state)
{
	static const char line[] = "BOOT_IMAGE=/vmlinuz initrd=\\a.img root=UUID=1 ro ghost.trial=7 "
				   "initrd=\\b.img \"k=a b\"\n";
	struct gb_text text;
	struct gb_err err;

	(void)state;
	assert_int_equal(gb_cmdline_file_new(line, strlen(line), &text, &err), 0);
	assert_string_equal(text.data, "root=UUID=1 ro \"k=a b\"\n");
	gb_text_clear(&text);
	assert_int_equal(gb_cmdline_file_new("", 0, &text, &err), 0);
	assert_string_equal(text.data, "\n");
	gb_text_clear(&text);
	assert_int_equal(gb_cmdline_file_new("a #b", 4, &text, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_the_line),
		cmocka_unit_test(refuses_what_readers_differ_on),
		cmocka_unit_test(begins_with_the_booted_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
