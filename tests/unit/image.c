/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as the builders put them together, and as nobody should. */
#include "fake.h"
#include "made.h"

#include "imagetree.h"

#define IMAGE "/boot/initrd.img"

static struct tree tree;
static struct gb_text made;
static struct gb_imagetree files;
static struct gb_err err;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_imagetree_clear(&files);
	gb_text_clear(&made);
	tree_clear(&tree);
	return 0;
}

static bool keep(void *ctx, const char *path, uint32_t size)
{
	(void)ctx;
	(void)size;
	return strncmp(path, "big", 3);
}

static int read_image(void)
{
	gb_imagetree_clear(&files);
	err.text[0] = '\0';
	return gb_imagetree_read(tree.root, IMAGE, keep, NULL, &files, &err);
}

static void put(void)
{
	assert_false(made.failed);
	tree_put_data(&tree, IMAGE, made.data, made.len);
}

static void reads(void)
{
	if (read_image())
		fail_msg("%s", err.text);
}

static void fails(int code, const char *want)
{
	assert_int_equal(read_image(), -code);
	if (!strstr(err.text, want))
		fail_msg("\"%s\" is not in \"%s\"", want, err.text);
}

static void holds(const char *path, const char *text)
{
	size_t len;
	const char *data = gb_imagetree_data(&files, path, &len);

	if (!data)
		fail_msg("%s is not there", path);
	assert_string_equal(data, text);
	assert_int_equal(len, strlen(text));
}

/* An archive with one file; names tell them apart. */
static void archive(const char *name, const char *text)
{
	made_file(&made, name, PLAIN, text);
	made_end(&made);
}

/* Appends what a tool makes of what was made so far; false where there is no such tool. */
static bool pack(const char *command)
{
	char line[512];

	tree_put_data(&tree, "/plain", made.data, made.len);
	snprintf(line, sizeof(line), "cd %s && mkdir -p boot && %s <plain >>boot/initrd.img "
				     "2>/dev/null", tree.dir, command);
	gb_text_clear(&made);
	return !system(line); /* NOLINT: a test's own command */
}

static const struct {
	const char *command;
	enum gb_packing packing;
} tools[] = {
	{ "cat", GB_UNPACKED },
	{ "gzip -n", GB_GZIP },
	{ "bzip2", GB_BZIP2 },
	{ "xz --format=lzma -8", GB_LZMA },
	{ "xz --check=crc32 -8", GB_XZ },
	{ "xz --check=crc32 --lzma2=dict=1MiB -T0", GB_XZ },
	{ "lzop -9", GB_LZO },
	{ "lz4 -9 -l", GB_LZ4 },
	{ "zstd -q -1 -T0", GB_ZSTD },
	{ "zstd -q -19", GB_ZSTD },
};

/* Early microcode in front, zeros between, a compressed part, and what GRUB's initrd line of two
 * files would put behind it. */
static void every_packing_is_read(void **state)
{
	size_t done = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(tools); i++) {
		static char text[300000];

		tree_delete(&tree, IMAGE);
		archive("early", "microcode");
		gb_text_add(&made, text, 500); /* zeros */
		assert_true(pack("cat"));
		for (size_t c = 0; c < sizeof(text) - 1; c++)
			text[c] = (char)('a' + c * c % 26);
		archive("one", text);
		made_pad(&made);
		archive("two", "second");
		if (!pack(tools[i].command))
			continue;
		/* only zeros end lz4's old frame, for the kernel too */
		gb_text_add(&made, "\0\0\0\0", 4);
		assert_true(pack("cat"));
		archive("late", "appended");
		assert_true(pack("gzip -n"));
		if (read_image())
			fail_msg("%s: %s", tools[i].command, err.text);
		holds("early", "microcode");
		holds("one", text);
		holds("two", "second");
		holds("late", "appended");
		assert_int_equal(files.image.archives, 4);
		assert_int_equal(files.image.entries, 4);
		/* uncompressed archives that follow each other are parts of their own */
		assert_int_equal(files.image.part[1].packing, tools[i].packing);
		memset(text, 0, sizeof(text));
		done++;
	}
	/* every one of them is in bootstrap's list */
	assert_true(done >= (getenv("CI") ? COUNT(tools) : 2));
}

static void wide_windows_are_refused(void **state)
{
	const char *const commands[] = { "xz -9", "lzma -9", "zstd -q --ultra -22" };

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		tree_delete(&tree, IMAGE);
		archive("a", "text");
		if (!pack(commands[i]))
			skip();
		fails(E2BIG, "window of more than 32 MiB");
	}
}

/* What a builder that was killed leaves, at every length. */
static void short_images_fail(void **state)
{
	char *whole;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(tools); i++) {
		tree_delete(&tree, IMAGE);
		made_folders(&made, "etc usr");
		archive("etc/file", "some text, some more text, and some text");
		if (!pack(tools[i].command))
			continue;
		assert_int_equal(gb_root_read_all(tree.root, IMAGE, 1 << 20, &whole, &len), 0);
		reads();
		/* zeros at the end of an archive may be missing: the builders pad it */
		while (!whole[len - 1])
			len--;
		/* bzip2 and others may end on any byte, with zeros of the archive still inside */
		for (size_t cut = 1; cut < len; cut++) {
			tree_put_data(&tree, IMAGE, whole, cut);
			if (!read_image())
				fail_msg("%s: %zu of %zu bytes pass", tools[i].command, cut, len);
			assert_int_equal(files.image.size <= cut, true);
		}
		free(whole);
	}
}

/* A bit that fell over on the disk. lz4's old frame has no checksum. */
static void damage_is_found(void **state)
{
	const char *const commands[] = { "gzip -n", "bzip2", "xz --check=crc32", "lzop", "zstd -q" };
	char *whole;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		tree_delete(&tree, IMAGE);
		archive("file", "some text, some more text, and some text");
		if (!pack(commands[i]))
			continue;
		assert_int_equal(gb_root_read_all(tree.root, IMAGE, 1 << 20, &whole, &len), 0);
		for (size_t at = len / 2; at < len / 2 + 8; at++) {
			whole[at] ^= 0x10;
			tree_put_data(&tree, IMAGE, whole, len);
			assert_int_equal(read_image(), -EBADMSG);
			whole[at] ^= 0x10;
		}
		free(whole);
	}
}

static void other_data_is_no_image(void **state)
{
	(void)state;
	tree_put(&tree, IMAGE, "");
	fails(EBADMSG, "it is empty");
	tree_put(&tree, IMAGE, "MZ, a kernel");
	fails(EBADMSG, "at byte 0 is neither an archive");
	tree_put(&tree, IMAGE, "0707070000000000000000000000000000000000000000000000000000000000000"
			       "00000000000000000000000000000000000000000000000000000000");
	fails(EBADMSG, "cpio -H newc");
	archive("a", "b");
	gb_text_add(&made, "\0\0\0\0rest", 8);
	put();
	fails(EBADMSG, "is neither an archive");
	tree_delete(&tree, IMAGE);
	fails(ENOENT, "No such file");
	tree_folder(&tree, IMAGE);
	fails(EINVAL, "it is no file");
	rmdir(tree_path(&tree, IMAGE));
	mkfifo(tree_path(&tree, IMAGE), 0644);
	fails(EINVAL, "it is no file");
}

/* The kernel wants an archive whole within a compressed part ("junk at the end"). */
static void archives_end_with_their_part(void **state)
{
	(void)state;
	made_file(&made, "a", PLAIN, "text");
	if (!pack("gzip -n"))
		skip();
	archive("b", "text");
	assert_true(pack("gzip -n"));
	fails(EBADMSG, "in the middle of an archive");
}

static void checksums_of_archives_count(void **state)
{
	(void)state;
	archive("a", "\1\2\3");
	made.data[5] = '2';
	memcpy(made.data + 102, "00000006", 8);
	put();
	reads();
	memcpy(made.data + 102, "00000007", 8);
	put();
	fails(EBADMSG, "wrong checksum");
}

static void later_files_win(void **state)
{
	(void)state;
	made_folders(&made, "etc dir full");
	made_file(&made, "etc/claims", PLAIN, "old");
	made_file(&made, "was-file", PLAIN, "old");
	made_link(&made, "was-link", "etc/claims");
	made_file(&made, "full/file", PLAIN, "text");
	made_end(&made);
	made_file(&made, "./etc//claims", PLAIN, "new");
	made_folders(&made, "was-file");
	made_file(&made, "/was-link", PLAIN, "file now");
	made_file(&made, "dir", PLAIN, "an empty folder makes room");
	made_file(&made, "full", PLAIN, "one with a file does not");
	made_file(&made, "nowhere/file", PLAIN, "the kernel makes no folders");
	made_end(&made);
	put();
	reads();
	holds("/etc/claims", "new");
	holds("was-link", "file now");
	holds("dir", "an empty folder makes room");
	holds("full/file", "text");
	assert_true(S_ISDIR(gb_imagetree_find(&files, "was-file")->mode));
	assert_null(gb_imagetree_find(&files, "nowhere/file"));
	assert_int_equal(files.lost, 2);
	assert_string_equal(files.first_lost, "full");
}

/* Merged /usr: files are put through the link that stands there. */
static void links_lead(void **state)
{
	size_t len;

	(void)state;
	made_folders(&made, "usr usr/sbin etc");
	made_link(&made, "sbin", "usr/sbin");
	made_link(&made, "usr/lib", "/../../usr/sbin/.");
	made_link(&made, "loop", "loop/again");
	made_file(&made, "sbin/tool", PROGRAM, "tool");
	made_link(&made, "usr/sbin/alias", "tool");
	made_file(&made, "usr/lib/other", PLAIN, "other");
	made_file(&made, "../../etc/passwd", PLAIN, "no way out");
	made_file(&made, "loop/file", PLAIN, "");
	made_end(&made);
	put();
	reads();
	holds("usr/sbin/tool", "tool");
	holds("/sbin/alias", "tool");
	holds("sbin/other", "other");
	holds("etc/passwd", "no way out");
	assert_string_equal(gb_imagetree_find(&files, "sbin/alias")->path, "usr/sbin/tool");
	assert_string_equal(gb_imagetree_find_link(&files, "sbin/alias")->target, "tool");
	assert_null(gb_imagetree_find(&files, "loop"));
	assert_null(gb_imagetree_data(&files, "sbin", &len));
	assert_int_equal(files.lost, 1);
}

/* cpio puts the data on the last name, others on the first. */
static void hard_links_share_data(void **state)
{
	(void)state;
	made_entry(&made, "a", PLAIN, 7, 2, "", 0);
	made_entry(&made, "b", PLAIN, 7, 2, "last", 4);
	made_entry(&made, "big", PLAIN, 8, 2, "first", 5);
	made_entry(&made, "d", PLAIN, 8, 2, "", 0);
	made_end(&made);
	made_entry(&made, "e", PLAIN, 7, 2, "other", 5); /* another archive's inode 7 */
	made_end(&made);
	put();
	reads();
	holds("a", "last");
	holds("b", "last");
	holds("d", "first");
	holds("e", "other");
	/* a later file is written into the same inode */
	made_file(&made, "a", PLAIN, "again");
	made_end(&made);
	put();
	reads();
	holds("b", "again");
}

static void absurd_sizes_end_early(void **state)
{
	(void)state;
	made_file(&made, "a", PLAIN, "text");
	memcpy(made.data + 54, "FFFFFFFF", 8); /* size */
	put();
	fails(EBADMSG, "it ends at byte");
	memcpy(made.data + 54, "00000000", 8);
	memcpy(made.data + 94, "FFFFFFFF", 8); /* name's length */
	put();
	fails(EBADMSG, "name that is empty or too long");
	memcpy(made.data + 94, "00000000", 8);
	put();
	fails(EBADMSG, "name that is empty or too long");
	memcpy(made.data + 94, "00000001", 8);
	put();
	fails(EBADMSG, "name without an end");
	memcpy(made.data + 94, "0x000002", 8);
	put();
	fails(EBADMSG, "no number");
}

static void bombs_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		made_file(&made, name, PLAIN, "");
	}
	made_end(&made);
	put();
	fails(E2BIG, "more files than ghost-boot reads");
}

/* Links with as many bytes in their target as there may be. */
static void long_names_stay_within_bounds(void **state)
{
	static char name[4096], target[4097];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(target, 't', sizeof(target) - 1);
	target[0] = 'x';
	target[1] = '/';
	made_link(&made, "x", target);
	made_file(&made, name, PLAIN, "text");
	made_link(&made, "y", "x/y/z");
	made_file(&made, "x/file", PLAIN, "");
	made_end(&made);
	put();
	reads();
	assert_null(gb_imagetree_find(&files, "x"));
	assert_null(gb_imagetree_find(&files, target));
	assert_int_equal(files.lost, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		TEST(every_packing_is_read),
		TEST(wide_windows_are_refused),
		TEST(short_images_fail),
		TEST(damage_is_found),
		TEST(other_data_is_no_image),
		TEST(archives_end_with_their_part),
		TEST(checksums_of_archives_count),
		TEST(later_files_win),
		TEST(links_lead),
		TEST(hard_links_share_data),
		TEST(absurd_sizes_end_early),
		TEST(bombs_are_refused),
		TEST(long_names_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
