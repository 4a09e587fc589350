/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans as a person and a program read them, differences, hashes, records of journals. */
#include "change.h"

#include "diff.h"
#include "json.h"
#include "sha256.h"
#include "style.h"

static const struct gb_style plain;

static void hashes(void **state)
{
	char hash[GB_SHA256_TEXT], parts[GB_SHA256_TEXT], data[200];
	struct gb_sha256 sum;

	(void)state;
	/* FIPS 180-2, appendix B, and the empty message */
	gb_sha256_of("abc", 3, hash);
	assert_string_equal(hash,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	gb_sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hash);
	assert_string_equal(hash,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	gb_sha256_of("", 0, hash);
	assert_string_equal(hash,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	/* in any parts */
	memset(data, 'x', sizeof(data));
	for (size_t len = 0; len < sizeof(data); len++)
		for (size_t part = 1; part < 130; part += 7) {
			gb_sha256_of(data, len, hash);
			gb_sha256_begin(&sum);
			sum.plain |= part % 2; /* this processor's, and ours */
			for (size_t at = 0; at < len; at += part)
				gb_sha256_add(&sum, data + at, len - at < part ? len - at : part);
			gb_sha256_end(&sum, parts);
			assert_string_equal(hash, parts);
		}
}

static void differ(const char *old, const char *now, const char *expected)
{
	struct gb_text text = { 0 };

	gb_diff(old, strlen(old), now, strlen(now), "", &plain, &text);
	assert_string_equal(text.data ? text.data : "", expected);
	gb_text_clear(&text);
}

static void differences(void **state)
{
	(void)state;
	differ("", "", "");
	differ("a\n", "a\n", "");
	differ("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n");
	differ("a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n");
	differ("a\nb\nc\n", "a\nX\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+X\n c\n");
	differ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nX\n",
	       "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+X\n");
	differ("a\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n2\n3\n4\n5\n6\n7\n8\nB\n",
	       "@@ -1,4 +1,4 @@\n-a\n+A\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-b\n+B\n");
	differ("a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
	differ("a\nb\nc\nd\n", "b\nc\nx\nd\n",
	       "@@ -1,4 +1,4 @@\n-a\n b\n c\n+x\n d\n");
	differ("", "\033[2J\xff\tgr\xc3\xbc\xc3\n",
	       "@@ -0,0 +1 @@\n+\\x1b[2J\\xff\tgr\xc3\xbc\\xc3\n");
}

/* Too much to compare is shown as replaced, and a line of it in either is not lost. */
static void large_differences(void **state)
{
	struct gb_text old = { 0 }, now = { 0 }, text = { 0 };
	size_t lines = 0;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		gb_text_addf(&old, "%u\n", i);
		gb_text_addf(&now, "%u\n", i + 1000000);
	}
	gb_diff(old.data, old.len, now.data, now.len, "", &plain, &text);
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	assert_int_equal(lines, 6001);
	gb_text_clear(&old);
	gb_text_clear(&now);
	gb_text_clear(&text);
}

static void printed(void **state)
{
	struct gb_text text = { 0 };
	struct gb_store store = { 0 };
	struct gb_plan plan;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_before(&tree);
	store.root = tree.root;
	make_plan(&store, &plan);
	gb_plan_print(&plan, &plain, &text);
	assert_string_equal(text.data,
		"1. change /etc/claims (a link to /etc/real/claims)\n"
		"    claims\n"
		"    @@ -1 +1,2 @@\n"
		"     ghost-boot claims 1\n"
		"    +claim path=0000:00/01.0\n"
		"2. change /etc/default/grub\n"
		"    arms\n"
		"    @@ -1,3 +1,4 @@\n"
		"     GRUB_DEFAULT=0\n"
		"     GRUB_TIMEOUT=5\n"
		"     GRUB_CMDLINE_LINUX=\"quiet\"\n"
		"    +GRUB_CMDLINE_LINUX_DEFAULT=\"ghost.claim=on\"\n"
		"3. remove /etc/modprobe.d/vfio.conf\n"
		"    not needed\n"
		"    @@ -1 +0,0 @@\n"
		"    -options vfio-pci ids=10de:2203\n"
		"4. remove /etc/modprobe.d/off.conf\n"
		"    not needed\n"
		"5. run /usr/sbin/builder -u\n"
		"    images\n"
		"    may change /boot/initrd.img\n"
		"    may change /boot/grub.cfg\n"
		"    may make /boot/third.img\n"
		"    may make /boot/initrd.img.new\n"
		"6. make folder /etc/default/grub.d\n"
		"    it does not exist yet\n"
		"7. make folder /etc/default/grub.d/new\n"
		"    it does not exist yet\n"
		"8. make /etc/default/grub.d/new/zz.cfg\n"
		"    a new file\n"
		"    @@ -0,0 +1 @@\n"
		"    +x=1\n");
	gb_text_clear(&text);
	gb_plan_clear(&plan);
	tree_clear(&tree);
}

static void as_json(void **state)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };
	struct gb_store store = { 0 };
	struct gb_plan plan = { 0 };
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, "/etc/a", "1\n");
	store.root = tree.root;
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/a", "2\n", 2, 0644, "why", NULL), 1);
	gb_plan_json(&plan, NULL, &json);
	assert_string_equal(text.data,
		"[\n  {\n    \"action\": \"write\",\n    \"reason\": \"why\",\n    \"files\": [\n"
		"      {\n        \"path\": \"/etc/a\",\n        \"place\": \"/etc/a\",\n"
		"        \"before\": {\n          \"kind\": \"file\",\n          \"sha256\": "
		"\"4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865\",\n"
		"          \"mode\": \"0644\",\n          \"size\": 2\n        },\n"
		"        \"after\": {\n          \"kind\": \"file\",\n          \"sha256\": "
		"\"53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3\",\n"
		"          \"mode\": \"0644\",\n          \"size\": 2\n        }\n      }\n    ],\n"
		"    \"diff\": \"@@ -1 +1 @@\\u000a-1\\u000a+2\\u000a\"\n  }\n]\n");
	gb_text_clear(&text);
	gb_plan_clear(&plan);
	tree_clear(&tree);
}

static void refused(void **state)
{
	struct gb_store store = { 0 };
	struct gb_plan plan = { 0 };
	struct tree tree;
	struct gb_err err;
	char other[PATH_MAX];

	(void)state;
	tree_make(&tree);
	store.root = tree.root;
	tree_put(&tree, "/etc/a", "1\n");
	tree_folder(&tree, "/etc/folder");
	tree_link(&tree, "/etc/loop", "loop");
	tree_link(&tree, "/etc/dangling", "nowhere");
	tree_link(&tree, "/etc/out", "../../../../etc/a");
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/a", "1\n", 2, 0644, "", &err), 0);
	assert_int_equal(gb_plan_remove(&plan, &store, "/etc/b", "", &err), 0);
	assert_int_equal(plan.steps, 0);
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/folder", "1", 1, 0644, "", &err),
			 -EEXIST);
	assert_string_equal(err.text, "/etc/folder is a folder");
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/loop", "1", 1, 0644, "", &err), -ELOOP);
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/..", "1", 1, 0644, "", &err), -EINVAL);
	assert_int_equal(gb_plan_write(&plan, &store, "etc/a", "1", 1, 0644, "", &err), -EINVAL);
	assert_int_equal(plan.steps, 0);
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/dangling", "1", 1, 0644, "", &err), 1);
	assert_string_equal(plan.step[0].touch->place, "/etc/nowhere");
	/* no link leads out of the root */
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/out", "2", 1, 0644, "", &err), 1);
	assert_string_equal(plan.step[1].touch->old, "1\n");
	snprintf(other, sizeof(other), "%s", tree_path(&tree, "/etc/other"));
	assert_int_equal(link(tree_path(&tree, "/etc/a"), other), 0);
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/a", "2\n", 2, 0644, "", &err), -EMLINK);
	unlink(other);
	assert_int_equal(gb_plan_write(&plan, &store, "/etc/a", "2\n", 2, 0644, "", &err), 1);
	assert_int_equal(gb_plan_remove(&plan, &store, "/etc/a", "", &err), -EEXIST);
	assert_string_equal(err.text, "/etc/a would be changed twice");
	gb_plan_clear(&plan);
	tree_clear(&tree);
}

/* ---- records -------------------------------------------------------------------------- */

static void records(void **state)
{
	struct gb_text text = { 0 }, again = { 0 };
	struct gb_journal journal, copy;
	struct gb_store store = { 0 };
	struct gb_plan plan;
	struct tree tree;
	struct gb_err err;

	(void)state;
	tree_make(&tree);
	make_before(&tree);
	store.root = tree.root;
	publishing = true;
	make_plan(&store, &plan);
	publishing = false;
	gb_plan_because(&plan, "enable \xff%\n a long way");
	assert_int_equal(gb_journal_from_plan(&plan, 1795000000, &journal), 0);
	for (size_t i = 0; i < journal.entries; i++)
		if (journal.entry[i].before.kind == GB_FILE_REGULAR)
			gb_sha256_of("", 0, journal.entry[i].before.hash);
	gb_journal_print(&journal, &text);
	if (gb_journal_parse(text.data, text.len, &copy, &err))
		fail_msg("%s", err.text);
	assert_string_equal(copy.reason, plan.reason);
	assert_int_equal(copy.entries, 11);
	assert_true(gb_file_same(&copy.entry[1].before, &journal.entry[1].before));
	assert_int_equal(copy.entry[1].before.xattrs, journal.entry[1].before.xattrs);
	assert_int_equal(copy.publishes, 1);
	assert_int_equal(copy.published[0].step, plan.steps - 1);
	assert_string_equal(copy.published[0].path, "");
	assert_string_equal(copy.published[0].argv[0], "/usr/sbin/publisher");
	assert_string_equal(copy.published[0].argv[1], "all of it");
	assert_string_equal(copy.published[0].argv[2], "");
	assert_null(copy.published[0].argv[3]);
	gb_journal_print(&copy, &again);
	assert_string_equal(text.data, again.data);
	gb_journal_clear(&copy);
	/* cut anywhere, or one byte changed anywhere */
	for (size_t len = 0; len < text.len; len += 3) {
		assert_int_equal(gb_journal_parse(text.data, len, &copy, NULL), -EBADMSG);
		text.data[len] ^= 1;
		assert_int_equal(gb_journal_parse(text.data, text.len, &copy, NULL), -EBADMSG);
		text.data[len] ^= 1;
	}
	gb_text_clear(&text);
	gb_text_clear(&again);
	gb_journal_clear(&journal);
	gb_plan_clear(&plan);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),  cmocka_unit_test(differences),
		cmocka_unit_test(large_differences), cmocka_unit_test(printed),
		cmocka_unit_test(as_json), cmocka_unit_test(refused),
		cmocka_unit_test(records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
