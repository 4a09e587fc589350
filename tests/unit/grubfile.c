/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/default/grub: read as shells read it, changed in one place, or refused. */
#include "fake.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "grubfile.h"

extern char **environ;

static const struct gb_want add[] = { { GB_WANT_ALSO, "iommu=pt", "" },
				      { GB_WANT_ALSO, "ghost.claim=on", "" } };
static const struct gb_want gone[] = { { GB_WANT_GONE, "ghost.claim=on", "" },
				       { GB_WANT_GONE, "iommu=pt", "" } };

static void expect_text(const char *data, const char *value)
{
	struct gb_grub grub = { 0 };
	struct gb_err err;

	if (gb_grub_read(&grub, "grub", data, strlen(data), &err))
		fail_msg("%s", err.text);
	assert_string_equal(gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL), value);
	gb_grub_clear(&grub);
}

static void reads_values(void **state)
{
	(void)state;
	expect_text("", "");
	expect_text("# GRUB_CMDLINE_LINUX_DEFAULT=\"no\"\n", "");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=quiet", "quiet");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT='quiet $x \"y\" \\'\n", "quiet $x \"y\" \\");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=\"a \\\"b\\\" \\$c \\d \\\ne\" # f\n", "a \"b\" $c \\d e");
	expect_text("A=x; B='y z' ; GRUB_CMDLINE_LINUX_DEFAULT=\"$A ${B}\"\\ q\n", "x y z q");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=a\nGRUB_CMDLINE_LINUX_DEFAULT="
		     "\"$GRUB_CMDLINE_LINUX_DEFAULT b\"\n", "a b");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=a\nexport GRUB_CMDLINE_LINUX_DEFAULT=\"b\"\n"
		     "export GRUB_CMDLINE_LINUX_DEFAULT\nunset GRUB_CMDLINE_LINUX\n", "b");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=\"\xff\xc3\x28 x\"\n", "\xff\xc3\x28 x");
	expect_text("GRUB_CMDLINE_LINUX_DEFAULT=a#b\\\n#c\n", "a#b#c");
	/* Debian's and Fedora's own */
	expect_text("GRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Debian} ) 2>/dev/null "
		     "|| echo Debian`\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n", "quiet");
	expect_text("GRUB_DISTRIBUTOR=\"$(sed 's, release .*$,,g' /etc/system-release)\"\n"
		     "GRUB_CMDLINE_LINUX_DEFAULT=\"rhgb\"\n", "rhgb");
}

static void expect_refusal(const char *data, const char *reason)
{
	struct gb_grub grub = { 0 };
	struct gb_err err;

	if (gb_grub_read(&grub, "/etc/default/grub", data, strlen(data), &err) != -EINVAL)
		fail_msg("understood: %s", data);
	if (!strstr(err.text, reason) || strncmp(err.text, "/etc/default/grub: line ", 24))
		fail_msg("%s", err.text);
	assert_null(gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL));
	gb_grub_clear(&grub);
}

static void refuses_with_line_and_reason(void **state)
{
	(void)state;
	expect_refusal("A=1\nGRUB_CMDLINE_LINUX_DEFAULT+=\" x\"\n", "line 2: +=");
	expect_refusal("f() { A=1; }\n", "line 1: functions");
	expect_refusal("A=1\n\nif true; then\n", "line 3: \"if\"");
	expect_refusal("for i in a; do A=$i; done\n", "\"for\"");
	expect_refusal("case x in x) A=1;; esac\n", "\"case\"");
	expect_refusal(". /etc/default/other\n", "another file");
	expect_refusal("source /etc/default/other\n", "another file");
	expect_refusal("A=\"a\n\n", "line 1: a quote is never closed");
	expect_refusal("A='a\n", "never closed");
	expect_refusal("A=$(echo\n", "never closed");
	expect_refusal("A=$((1 + 2))\n", "arithmetic");
	expect_refusal("A=${B:-c}\n", "only ${NAME}");
	expect_refusal("A=b c\n", "command \"c\"");
	expect_refusal("A=b && C=d\n", "only assignments");
	expect_refusal("A=(b c)\n", "only assignments");
	expect_refusal("A[1]=b\n", "arrays");
	expect_refusal("A=~/b\n", "home folder");
	expect_refusal("A=$'b'\n", "dollar");
	expect_refusal("A=\"b\"\r\n", "carriage return");
	expect_refusal("cat <<E >>x\nE\n", "command \"cat\"");
	expect_refusal("A=b\\", "ends with a backslash");
	expect_refusal("PPID=1\n", "shell's own");
	expect_refusal("A=b | c\n", "only assignments");
	expect_refusal("export A=$B\n", "needs quotes");
}

static void says_what_cannot_be_told(void **state)
{
	static const char data[] = "A=`echo x`\nGRUB_CMDLINE_LINUX_DEFAULT=\"a $A\"\n";
	const struct gb_grub_value *value;
	struct gb_grub grub = { 0 };
	struct gb_grub_change change;
	struct gb_err err;

	(void)state;
	assert_int_equal(gb_grub_read(&grub, "f", data, strlen(data), &err), 0);
	assert_null(gb_grub_get(&grub, GB_GRUB_DEFAULT, &value));
	assert_int_equal(value->line, 2);
	assert_non_null(strstr(value->why, "can't be told"));
	gb_grub_clear(&grub);
	assert_int_equal(gb_grub_change(NULL, "f", data, strlen(data), GB_GRUB_DEFAULT, add, 1, &change,
					&err), -EINVAL);
	assert_non_null(strstr(err.text, "f: line 2: "));
}

/* ---- changing ------------------------------------------------------------------------ */

/* Changes and gives the new text; the caller frees it. NULL when refused. */
static char *change(const char *data, size_t len, const struct gb_want *want, size_t *ret_len,
		    struct gb_err *err)
{
	struct gb_grub_change c;
	char *text;

	if (gb_grub_change(NULL, "grub", data, len, GB_GRUB_DEFAULT, want, 2, &c, err))
		return NULL;
	assert_int_equal(gb_edit_apply(data, len, &c.edit, &text, ret_len), 0);
	/* every byte outside stays */
	assert_int_equal(*ret_len, len - c.edit.cut + c.edit.len);
	assert_memory_equal(text, data, c.edit.at);
	gb_grub_change_clear(&c);
	return text;
}

static void expect_change(const char *data, const char *expected)
{
	size_t len, back_len;
	struct gb_err err;
	char *text = change(data, strlen(data), add, &len, &err), *back;

	if (!text)
		fail_msg("%s", err.text);
	assert_string_equal(text, expected);
	back = change(text, len, add, &back_len, &err);
	assert_string_equal(back, expected);
	free(back);
	back = change(text, len, gone, &back_len, &err);
	if (!back)
		fail_msg("%s", err.text);
	assert_string_equal(back, data);
	free(back);
	free(text);
}

static void changes_one_place(void **state)
{
	(void)state;
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt ghost.claim=on\"\n");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=\"\"\n",
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt ghost.claim=on\"\n");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT='a' # b\n",
		      "GRUB_CMDLINE_LINUX_DEFAULT='a iommu=pt ghost.claim=on' # b\n");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=quiet",
		      "GRUB_CMDLINE_LINUX_DEFAULT=quiet\\ iommu=pt\\ ghost.claim=on");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=\"a \\\n b\"; A=c\n",
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"a \\\n b iommu=pt ghost.claim=on\"; A=c\n");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=a\nGRUB_CMDLINE_LINUX_DEFAULT="
		      "\"$GRUB_CMDLINE_LINUX_DEFAULT\"\n",
		      "GRUB_CMDLINE_LINUX_DEFAULT=a\nGRUB_CMDLINE_LINUX_DEFAULT="
		      "\"$GRUB_CMDLINE_LINUX_DEFAULT iommu=pt ghost.claim=on\"\n");
	expect_change("GRUB_CMDLINE_LINUX_DEFAULT=\"a -- b\"",
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"a iommu=pt ghost.claim=on -- b\"");
}

static void appends_where_nothing_is_set(void **state)
{
	(void)state;
	expect_change("", "# Added by ghost-boot.\n"
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt ghost.claim=on\"\n");
	expect_change("GRUB_TIMEOUT=5\n", "GRUB_TIMEOUT=5\n# Added by ghost-boot.\n"
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt ghost.claim=on\"\n");
	expect_change("GRUB_TIMEOUT=5", "GRUB_TIMEOUT=5\n# Added by ghost-boot.\n"
		      "GRUB_CMDLINE_LINUX_DEFAULT=\"iommu=pt ghost.claim=on\"");
}

static void removes_where_it_stands(void **state)
{
	static const char data[] = "GRUB_CMDLINE_LINUX_DEFAULT='a iommu=pt b'\n"
				   "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT c\"\n";
	static const char split[] = "GRUB_CMDLINE_LINUX_DEFAULT='a iomm'\"u=pt\"\n";
	struct gb_err err;
	size_t len;
	char *text = change(data, strlen(data), gone, &len, &err);

	(void)state;
	assert_string_equal(text, "GRUB_CMDLINE_LINUX_DEFAULT='a b'\n"
			    "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT c\"\n");
	free(text);
	assert_null(change(split, strlen(split), gone, &len, &err));
	assert_non_null(strstr(err.text, "grub: line 1: "));
}

static void replaces_a_value(void **state)
{
	static const char data[] = "GRUB_CMDLINE_LINUX_DEFAULT=\"a intel_iommu=off b\"\n";
	struct gb_want want[] = { { GB_WANT_PIECE, "intel_iommu=on", "" }, { GB_WANT_ALSO, "a", "" } };
	struct gb_err err;
	size_t len;
	char *text = change(data, strlen(data), want, &len, &err);

	(void)state;
	assert_string_equal(text, "GRUB_CMDLINE_LINUX_DEFAULT=\"a intel_iommu=on b\"\n");
	free(text);
}

/* ---- drop-ins ------------------------------------------------------------------------ */

static void reads_files_in_order(void **state)
{
	const char *const words[] = { "intel_iommu=on", "ghost.claim=on" };
	const struct gb_grub_value *value;
	struct gb_text text = { 0 };
	struct gb_grub grub;
	struct gb_err err;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, GB_GRUB_FILE, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n");
	tree_put(&tree, GB_GRUB_FOLDER "/50-cloud.cfg", "GRUB_CMDLINE_LINUX_DEFAULT=\"console=ttyS0\"\n");
	tree_put(&tree, GB_GRUB_FOLDER "/90.cfg.dpkg-old", "if\n");
	assert_int_equal(gb_grub_drop_in(words, 2, &text, &err), 0);
	tree_put(&tree, GB_GRUB_DROP_IN, text.data);
	gb_text_clear(&text);
	assert_int_equal(gb_grub_load(tree.root, true, NULL, &grub, &err), 0);
	assert_string_equal(gb_grub_get(&grub, GB_GRUB_DEFAULT, &value),
			    "console=ttyS0 intel_iommu=on ghost.claim=on");
	assert_string_equal(value->file, GB_GRUB_DROP_IN);
	gb_grub_clear(&grub);
	assert_int_equal(gb_grub_load(tree.root, true, GB_GRUB_DROP_IN, &grub, &err), 0);
	assert_string_equal(gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL), "console=ttyS0");
	gb_grub_clear(&grub);
	assert_int_equal(gb_grub_load(tree.root, false, NULL, &grub, &err), 0);
	assert_string_equal(gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL), "quiet");
	gb_grub_clear(&grub);

	tree_put(&tree, GB_GRUB_FOLDER "/60.cfg", "if true; then :; fi\n");
	assert_int_equal(gb_grub_load(tree.root, true, NULL, &grub, &err), -EINVAL);
	assert_non_null(strstr(err.text, "60.cfg: line 1: \"if\""));
	assert_null(gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL));
	gb_grub_clear(&grub);
	tree_clear(&tree);
}

static void knows_the_drop_in(void **state)
{
	const char *const bad[] = { "a=$b" };
	struct gb_text text = { 0 };
	struct gb_err err;

	(void)state;
	assert_int_equal(gb_grub_drop_in(bad, 1, &text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a=$b"));
	assert_true(gb_grub_is_after_drop_in("zzz.cfg"));
	assert_true(gb_grub_is_after_drop_in("zz_local.cfg"));
	assert_true(gb_grub_is_after_drop_in("ZZ-last.cfg"));
	assert_false(gb_grub_is_after_drop_in("zz-ghost-boot.cfg"));
	assert_false(gb_grub_is_after_drop_in("50-cloud.cfg"));
	assert_false(gb_grub_is_after_drop_in("zzz.conf"));
}

/* ---- odd files, against real shells -------------------------------------------------- */

#define FILES 6000

static uint32_t seed = 1;

static unsigned roll(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static const char *pick(const char *const *from, size_t n)
{
	return from[roll((unsigned)n)];
}

#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, \
		       COUNT(((const char *const[]){ __VA_ARGS__ })))

static void add_piece(struct gb_text *t)
{
	const char *word = PICK("quiet", "splash", "a=b", "iommu=pt", "-- x", "k=\\\"a b\\\"", "\xff\xa0",
				"\xc3\xa4", "=", "%s", "!", "\x81\x88", "{1,2}", "*", "~x", "#", "\\n");
	const char *var = PICK("$A", "${B}", "$GRUB_CMDLINE_LINUX_DEFAULT", "$GRUB_CMDLINE_LINUX",
			       "$C,", "$ ", "$%", "${A}", "$(echo c 2>x||: ; (:))", "`echo d`", "$UNSET", "$\\\nA",
			       "$A\\\nB");

	switch (roll(8)) {
	case 0: case 1: case 2:
		gb_text_addf(t, "\"%s%s%s\"", roll(2) ? word : "", roll(2) ? " " : "",
			     roll(3) ? PICK("ro", "rd.x=1 ", "\\$d", "\\\\", "\\\n", "'", "") : var);
		break;
	case 3: gb_text_addf(t, "'%s %s'", word, var); break;
	case 4:
		gb_text_addf(t, "%s", roll(4) ? PICK("x", "y=z", "\\ ", "\\\"", "\\\n", "a#b") : word);
		break;
	case 5: gb_text_addf(t, "%s", var); break;
	case 6: gb_text_addf(t, "\"%s %s\"", var, word); break;
	default: gb_text_addf(t, "%s", PICK("''", "\"\"", "\"a b\"")); break;
	}
}

static void add_assignment(struct gb_text *t)
{
	gb_text_addf(t, "%s=", PICK("GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX_DEFAULT", "A", "B",
				    "GRUB_CMDLINE_LINUX", "C"));
	for (unsigned n = roll(4); n > 0; n--)
		add_piece(t);
}

static void add_line(struct gb_text *t)
{
	unsigned kind = roll(40);

	if (roll(4) == 0)
		gb_text_addf(t, "%s", PICK(" ", "\t", "\\\n"));
	if (kind < 3)
		gb_text_addf(t, "%s", PICK("# it's \"odd\" \\", "#\xff\r", ""));
	else if (kind == 3)
		gb_text_addf(t, "%s", PICK("export A", "unset B", "export C=\"x y\"", "if :; then A=1; fi",
					   "A+=x", "f() { :; }", ": x", "A=$((1+1))", "A=b\r", "A=\"b",
					   "unset GRUB_CMDLINE_LINUX_DEFAULT"));
	else
		add_assignment(t);
	if (roll(6) == 0)
		gb_text_addf(t, "%s", PICK(" ", " # c", ";", " ; A=2", " B=3", ";;"));
	gb_text_add(t, "\n", 1);
}

/* Now and then one byte is lost, doubled or turned into another. */
static void spoil(struct gb_text *t)
{
	static const char bytes[] = "\"'\\$`{}();#=~ \n\t&|<x\xff";
	size_t at = roll((unsigned)t->len);

	switch (roll(3)) {
	case 0: memmove(t->data + at, t->data + at + 1, t->len - at); t->len--; break;
	case 1: t->data[at] = bytes[roll(sizeof(bytes) - 1)]; break;
	default: gb_text_add(t, t->data + at, 1); break;
	}
}

static void make_odd_file(struct gb_text *t)
{
	t->len = 0;
	for (unsigned n = 1 + roll(6); n > 0; n--)
		add_line(t);
	if (roll(3) == 0)
		t->len--;
	if (t->len && roll(3) == 0)
		spoil(t);
	gb_text_add(t, "", 0);
}

/* What each file must say to a shell, one after the other, NUL between. */
struct expected {
	struct tree tree;
	struct gb_text say;
	unsigned files, changed;
};

static void expect_in_shell(struct expected *e, const char *data, size_t len, const char *value)
{
	char path[32];

	snprintf(path, sizeof(path), "/%u", e->files++);
	tree_put_data(&e->tree, path, data, len);
	gb_text_addf(&e->say, "%s", value);
	gb_text_add(&e->say, "", 1);
}

static void check_change(struct expected *e, const char *data, size_t len)
{
	struct gb_grub_change c;
	size_t there_len, back_len;
	char *there, *back;

	if (gb_grub_change(NULL, "f", data, len, GB_GRUB_DEFAULT, add, 2, &c, NULL))
		return;
	assert_int_equal(gb_edit_apply(data, len, &c.edit, &there, &there_len), 0);
	expect_in_shell(e, there, there_len, c.changes.line);
	back = change(there, there_len, add, &back_len, NULL);
	assert_int_equal(back_len, there_len);
	assert_memory_equal(back, there, there_len);
	free(back);
	/* taking away what was there before is another thing */
	if (c.changes.change[0].kind == GB_CHANGE_ADDED && c.changes.change[1].kind == GB_CHANGE_ADDED) {
		back = change(there, there_len, gone, &back_len, NULL);
		if (!back || back_len != len || memcmp(back, data, len))
			fail_msg("not the same again:\n%s\n---\n%s\n---\n%s", data, there, back);
		free(back);
		e->changed++;
	}
	gb_grub_change_clear(&c);
	free(there);
}

static void ask_shell(struct expected *e, const char *shell)
{
	/* a process each: misspelt names would live on */
	char script[] = "cd \"$1\" || exit; i=0; while [ $i -lt $2 ]; do (. ./$i 2>/dev/null; "
			"printf '%s\\0' \"$GRUB_CMDLINE_LINUX_DEFAULT\"); i=$((i+1)); done >out";
	char count[16], name[] = "sh", option[] = "-c", *clean[] = { NULL };
	char *argv[] = { name, option, script, name, e->tree.dir, count, NULL };
	char path[96], *said;
	size_t len, at = 0;
	int status;
	pid_t pid;

	snprintf(count, sizeof(count), "%u", e->files);
	assert_int_equal(posix_spawn(&pid, shell, NULL, NULL, argv, clean), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(gb_root_read_all(e->tree.root, "/out", 64u << 20, &said, &len), 0);
	for (unsigned i = 0; i < e->files; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		if (at >= len)
			fail_msg("%s ended in %s:\n%s", shell, path, tree_get(&e->tree, path));
		if (strcmp(said + at, e->say.data + at))
			fail_msg("%s says \"%s\", not \"%s\":\n%s", shell, said + at, e->say.data + at,
				 tree_get(&e->tree, path));
		at += strlen(said + at) + 1;
	}
	assert_int_equal(status, 0);
	free(said);
}

static void shells_agree(void **state)
{
	struct expected e = { 0 };
	struct gb_text file = { 0 };
	unsigned understood = 0;

	(void)state;
	tree_make(&e.tree);
	for (unsigned i = 0; i < FILES; i++) {
		struct gb_grub grub = { 0 };

		make_odd_file(&file);
		if (!gb_grub_read(&grub, "f", file.data, file.len, NULL)) {
			const char *value = gb_grub_get(&grub, GB_GRUB_DEFAULT, NULL);

			understood++;
			if (value)
				expect_in_shell(&e, file.data, file.len, value);
			check_change(&e, file.data, file.len);
		}
		gb_grub_clear(&grub);
	}
	assert_true(understood > FILES / 3 && e.changed > FILES / 8);
	print_message("%u files, %u understood, %u changed and back\n", FILES, understood, e.changed);
	ask_shell(&e, "/bin/sh");
	if (!access("/bin/bash", X_OK))
		ask_shell(&e, "/bin/bash");
	gb_text_clear(&file);
	gb_text_clear(&e.say);
	tree_clear(&e.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values),
		cmocka_unit_test(refuses_with_line_and_reason),
		cmocka_unit_test(says_what_cannot_be_told),
		cmocka_unit_test(changes_one_place),
		cmocka_unit_test(appends_where_nothing_is_set),
		cmocka_unit_test(removes_where_it_stands),
		cmocka_unit_test(replaces_a_value),
		cmocka_unit_test(reads_files_in_order),
		cmocka_unit_test(knows_the_drop_in),
		cmocka_unit_test(shells_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
