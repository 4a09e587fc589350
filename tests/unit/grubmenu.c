/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's configuration, cut into commands and read as the menu that it makes; our lines in its
 * owner's custom.cfg. */
#include "fake.h"

#include "grubcustom.h"
#include "grubmenu.h"
#include "grubscript.h"

#define HEADER "### BEGIN /etc/grub.d/00_header ###\n" \
	       "if [ -s $prefix/grubenv ]; then\n  set have_grubenv=true\n  load_env\nfi\n" \
	       "if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\n" \
	       "   set next_entry=\n   save_env next_entry\n   set boot_once=true\nelse\n" \
	       "   set default=\"0\"\nfi\n" \
	       "function savedefault {\n  if [ -z \"${boot_once}\" ]; then\n" \
	       "    saved_entry=\"${chosen}\"\n    set default=9\n  fi\n}\n"
#define LINUX "menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option " \
	      "'gnulinux-simple-1' {\n\tlinux\t/vmlinuz-2 root=/dev/a ro\n\tinitrd /i-2\n}\n" \
	      "submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {\n" \
	      "\tmenuentry 'Debian, with Linux 2' --unrestricted $menuentry_id_option 'gnulinux-2' {\n" \
	      "\t\tlinux /vmlinuz-2 a\n\t}\n" \
	      "\tmenuentry 'Debian, with Linux 1' --id=gnulinux-1 {\n\t\tlinux /vmlinuz-1 \"}\"\n\t}\n}\n"
#define FIRMWARE "if [ \"$grub_platform\" = \"efi\" ]; then\n" \
		 "\tmenuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi' {\n\t\tfwsetup\n\t}\nfi\n"
#define CUSTOM "if [ -f  ${config_directory}/custom.cfg ]; then\n" \
	       "  source ${config_directory}/custom.cfg\n" \
	       "elif [ -z \"${config_directory}\" -a -f  $prefix/custom.cfg ]; then\n" \
	       "  source $prefix/custom.cfg\nfi\n"

/* ---- commands ---------------------------------------------------------------------------- */

static void expect_commands(const char *text, const char *wanted)
{
	struct gb_grubscript script = { .data = text, .len = strlen(text) };
	enum gb_grubscript_end end = GB_GRUBSCRIPT_LINE;
	struct gb_text all = { 0 };
	struct gb_err err;

	gb_text_add(&all, "", 0);
	while (end != GB_GRUBSCRIPT_OVER) {
		if (gb_grubscript_next(&script, &end, &err))
			fail_msg("%s", err.text);
		for (size_t i = 0; i < script.words; i++)
			gb_text_addf(&all, "[%s]", script.word[i].text);
		gb_text_addf(&all, "%s", end == GB_GRUBSCRIPT_OPEN ? "{" :
			     end == GB_GRUBSCRIPT_CLOSE ? "}" : script.words ? ";" : "");
	}
	assert_string_equal(all.data, wanted);
	gb_text_clear(&all);
	gb_grubscript_clear(&script);
}

static void cuts_commands(void **state)
{
	(void)state;
	expect_commands("a b\tc\n# d\n\n e", "[a][b][c];[e];");
	expect_commands("a 'b c'd \"e\\\" $f\" \\$g 'it'\\''s'", "[a][b cd][e\" $f][$g][it's];");
	expect_commands("a \\\n b \"c\\\nd\"", "[a][b][cd];");
	expect_commands("if [ x ]; then b; else c; fi", "[if][[][x][]];[then];[b];[else];[c];[fi];");
	expect_commands("m 'x' {\n a ${b} '}' }\n}", "[m][x]{[a][${b}][}]}}");
	expect_commands("a#b #c\nd && e", "[a#b];[d];[e];");
	expect_commands("", "");
}

static void refuses_commands(void **state)
{
	static const char *const bad[] = { "a\nb 'c", "a\n\"b", "a\n${b" };
	static const char *const nul[] = { "abc\0de", "ab'\0c'", "ab\"\0c\"", "a\\\0bcd", "${a\0b}", "#ab\0cd" };
	struct gb_grubscript script = { .data = "\n{ a { b }", .len = 10 };
	enum gb_grubscript_end end;
	struct gb_err err;
	size_t at, len;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct gb_grubscript one = { .data = bad[i], .len = strlen(bad[i]) };

		assert_int_equal(gb_grubscript_next(&one, &end, &err), 0);
		assert_int_equal(gb_grubscript_next(&one, &end, &err), -EINVAL);
		assert_true(!strncmp(err.text, "line 2: ", 8));
		gb_grubscript_clear(&one);
	}
	assert_int_equal(gb_grubscript_next(&script, &end, &err), 0);
	assert_int_equal(gb_grubscript_next(&script, &end, &err), 0);
	assert_int_equal(end, GB_GRUBSCRIPT_OPEN);
	assert_int_equal(gb_grubscript_skip(&script, &at, &len, &err), -EINVAL);
	assert_string_equal(err.text, "line 2: { is never closed");
	gb_grubscript_clear(&script);
	for (size_t i = 0; i < COUNT(nul); i++) {
		script = (struct gb_grubscript){ .data = nul[i], .len = 6 };
		assert_int_equal(gb_grubscript_next(&script, &end, &err), -EINVAL);
		assert_string_equal(err.text, "line 1: it has a NUL byte");
		gb_grubscript_clear(&script);
	}
}

/* ---- the menu ---------------------------------------------------------------------------- */

static void read_menu(const char *text, const char *custom, struct gb_grubmenu *ret)
{
	struct gb_err err;

	if (gb_grubmenu_read(text, strlen(text), custom, custom ? strlen(custom) : 0, ret, &err))
		fail_msg("%s", err.text);
}

static void expect_find(const char *text, const char *custom, const char *value, const char *wanted)
{
	struct gb_grubmenu menu;
	char path[128];
	int i;

	read_menu(text, custom, &menu);
	i = gb_grubmenu_find(&menu, value);
	if (i >= 0)
		assert_true(gb_grubmenu_path(&menu, i, path, sizeof(path)));
	else
		snprintf(path, sizeof(path), "%d", i);
	assert_string_equal(path, wanted);
	gb_grubmenu_clear(&menu);
}

static void reads_debians(void **state)
{
	struct gb_grubmenu menu;

	(void)state;
	read_menu(HEADER LINUX FIRMWARE CUSTOM, "menuentry Mine {\n\ttrue\n}\n", &menu);
	assert_true(menu.once && menu.custom);
	assert_false(menu.entries);
	assert_int_equal(menu.odd, 0);
	assert_string_equal(menu.usual, "0");
	assert_int_equal(menu.items, 6);
	assert_string_equal(menu.item[0].title, "Debian GNU/Linux");
	assert_string_equal(menu.item[0].id, "gnulinux-simple-1");
	assert_string_equal(menu.item[0].options, "--class debian --class os");
	assert_string_equal(menu.item[0].body, "\n\tlinux\t/vmlinuz-2 root=/dev/a ro\n\tinitrd /i-2\n");
	assert_true(menu.item[1].submenu);
	assert_int_equal(menu.item[2].above, 1);
	assert_string_equal(menu.item[2].options, "--unrestricted");
	assert_string_equal(menu.item[3].id, "gnulinux-1");
	assert_true(menu.item[4].maybe);
	assert_false(menu.item[0].maybe);
	assert_string_equal(menu.item[5].id, "Mine");
	assert_int_equal(menu.item[5].above, GB_GRUBMENU_TOP);
	gb_grubmenu_clear(&menu);
}

static void knows_when_next_entry_is_not_obeyed(void **state)
{
	struct gb_grubmenu menu;

	(void)state;
	/* it is never read, or never taken away */
	read_menu("set default=1\n" LINUX, NULL, &menu);
	assert_false(menu.once);
	assert_string_equal(menu.usual, "1");
	assert_false(menu.custom);
	gb_grubmenu_clear(&menu);
	read_menu("if [ \"${next_entry}\" ]; then set default=\"${next_entry}\"; save_env next_entry; fi\n",
		  NULL, &menu);
	assert_false(menu.once);
	gb_grubmenu_clear(&menu);
	read_menu("load_env\nif [ \"${next_entry}\" ]; then set default=\"${next_entry}\"; fi\n", NULL, &menu);
	assert_false(menu.once);
	gb_grubmenu_clear(&menu);
	/* somebody sets the default afterwards */
	read_menu(HEADER LINUX "if true; then\n\tset default=2\nfi\n", NULL, &menu);
	assert_true(menu.once);
	assert_int_equal(menu.odd, 33);
	assert_false(menu.odd_custom);
	gb_grubmenu_clear(&menu);
	read_menu(HEADER LINUX CUSTOM, "\ndefault=mine\n", &menu);
	assert_int_equal(menu.odd, 2);
	assert_true(menu.odd_custom);
	gb_grubmenu_clear(&menu);
	/* but not what is done in a trial alone */
	read_menu(HEADER LINUX CUSTOM,
		  "if [ \"${default}\" = ghost-boot-trial ]; then\n\tif x; then set default=0; fi\nfi\n", &menu);
	assert_int_equal(menu.odd, 0);
	gb_grubmenu_clear(&menu);
	/* a button's own default comes before */
	read_menu("load_env\nif cmostest 1:2 ; then\n   set default=\"5\"\nelif [ \"${next_entry}\" ] ; then\n"
		  "   set default=\"${next_entry}\"\n   save_env next_entry\nelse\n"
		  "   set default=\"${saved_entry}\"\nfi\nblscfg\n", NULL, &menu);
	assert_true(menu.once && menu.entries);
	assert_int_equal(menu.odd, 0);
	assert_string_equal(menu.usual, "${saved_entry}");
	gb_grubmenu_clear(&menu);
}

static void finds_the_default(void **state)
{
	static const char *const all = HEADER LINUX FIRMWARE CUSTOM;

	(void)state;
	expect_find(all, NULL, "0", "gnulinux-simple-1");
	expect_find(all, NULL, "", "gnulinux-simple-1");
	expect_find(all, NULL, "gone", "gnulinux-simple-1");
	expect_find(all, NULL, "1", "gnulinux-advanced-1>gnulinux-1"); /* 1 within it, too */
	expect_find(all, NULL, "1>0", "gnulinux-advanced-1>gnulinux-2");
	expect_find(all, NULL, "gnulinux-advanced-1>gnulinux-1", "gnulinux-advanced-1>gnulinux-1");
	expect_find(all, NULL, "Advanced options>Debian, with Linux 1", "gnulinux-advanced-1>gnulinux-1");
	expect_find(all, NULL, "gnulinux-advanced-1>gone", "gnulinux-advanced-1>gnulinux-2");
	expect_find(all, NULL, "gnulinux-1", "gnulinux-simple-1"); /* not at the top */
	/* the firmware's entry is there or not */
	expect_find(all, NULL, "2", "-76");
	expect_find(all, "menuentry Mine {\n}\n", "3", "-76");
	expect_find(all, NULL, "3", "gnulinux-simple-1");
	expect_find(all, NULL, "uefi", "-76");
	expect_find(HEADER LINUX CUSTOM, "menuentry Mine {\n}\n", "2", "Mine");
	/* what is sourced stands where it is sourced */
	expect_find(HEADER CUSTOM LINUX, "menuentry Mine {\n}\n", "0", "Mine");
	expect_find(HEADER, NULL, "0", "-2");
	expect_find("submenu a {\n}\n", NULL, "0", "-2");
	expect_find("menuentry 'a>b' {\n}\nmenuentry c {\n}\n", NULL, "c", "c");
	expect_find("menuentry c {\n}\nmenuentry 'a>b' {\n}\n", NULL, "a>>b", "a>>b");
}

static void refuses_menus(void **state)
{
	static const char *const bad[] = { "if true; then\n", "fi\n", "menuentry a {\n", "}\n", "else\n",
					   "submenu a {\nfi\n}\n", CUSTOM };
	struct gb_grubmenu menu;
	struct gb_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (gb_grubmenu_read(bad[i], strlen(bad[i]), "if x\n", 5, &menu, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_non_null(strstr(err.text, "custom.cfg"));
}

/* ---- custom.cfg -------------------------------------------------------------------------- */

static void expect_custom(const char *text, const char *ours, const char *wanted, bool left)
{
	struct gb_text now = { 0 };
	struct gb_err err;
	bool is_left;

	if (gb_grubcustom_change(text, text ? strlen(text) : 0, ours, &now, &is_left, &err))
		fail_msg("%s", err.text);
	assert_string_equal(now.data, wanted);
	assert_int_equal(is_left, left);
	gb_text_clear(&now);
}

#define BEGIN "# BEGIN ghost-boot: `ghost-boot disable` takes these lines away\n"
#define OPEN "# BEGIN ghost-boot, and the end of the line above\n"
#define END "# END ghost-boot\n"

static void custom_there_and_back(void **state)
{
	static const char *const theirs[] = { "", "menuentry a {\n}\n", "set x=1", "\n", "# END\n" };

	(void)state;
	expect_custom(NULL, "a\n", BEGIN "a\n" END, false);
	expect_custom("x\n", "a\n", "x\n" BEGIN "a\n" END, true);
	expect_custom("x", "a\n", "x\n" OPEN "a\n" END, true);
	/* anew, with what its owner has written behind it since */
	expect_custom("x\n" BEGIN "a\n" END "y\n", "b\n", "x\n" BEGIN "b\n" END "y\n", true);
	expect_custom("x\n" OPEN "a\n" END "y", "b\n", "x\n" OPEN "b\n" END "y", true);
	expect_custom(BEGIN "a\n" END, NULL, "", false);
	for (size_t i = 0; i < COUNT(theirs); i++) {
		struct gb_text there = { 0 }, again = { 0 }, back = { 0 };
		struct gb_err err;
		const char *found;
		bool left;
		size_t len;

		assert_int_equal(gb_grubcustom_change(theirs[i], strlen(theirs[i]), "a\nb\n", &there, &left,
						      &err), 0);
		assert_int_equal(gb_grubcustom_find(there.data, there.len, &found, &len, &err), 0);
		assert_int_equal(len, 4);
		assert_memory_equal(found, "a\nb\n", 4);
		assert_int_equal(gb_grubcustom_change(there.data, there.len, "a\nb\n", &again, &left, &err),
				 0);
		assert_string_equal(again.data, there.data);
		assert_int_equal(gb_grubcustom_change(there.data, there.len, NULL, &back, &left, &err), 0);
		assert_string_equal(back.data, theirs[i]);
		assert_int_equal(left, theirs[i][0] != '\0');
		gb_text_clear(&there);
		gb_text_clear(&again);
		gb_text_clear(&back);
	}
}

static void custom_that_was_changed(void **state)
{
	static const char *const bad[] = { BEGIN "a\n", "a\n" END, BEGIN BEGIN END, BEGIN END END,
					   "x\n" OPEN BEGIN END, OPEN END };
	struct gb_text now = { 0 };
	struct gb_err err;
	bool left;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (gb_grubcustom_change(bad[i], strlen(bad[i]), NULL, &now, &left, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_null(now.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_commands),
		cmocka_unit_test(refuses_commands),
		cmocka_unit_test(reads_debians),
		cmocka_unit_test(knows_when_next_entry_is_not_obeyed),
		cmocka_unit_test(finds_the_default),
		cmocka_unit_test(refuses_menus),
		cmocka_unit_test(custom_there_and_back),
		cmocka_unit_test(custom_that_was_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
