/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFI variables: decoding what firmware and loaders left, writing one and reading it back. */
#include "fake.h"

#include "efi.h"

#define FOLDER "/sys/firmware/efi/efivars/"
#define W(c) c, 0

static void put(const struct tree *tree, const char *name, const void *data, size_t len)
{
	uint8_t file[512] = { 6 };
	char path[128];

	memcpy(file + 4, data, len);
	snprintf(path, sizeof(path), FOLDER "%s", name);
	tree_put_data(tree, path, file, len + 4);
}

static void decodes_text(void **state)
{
	static const uint8_t odd[] = { W('a'), 'b' }, lone[] = { 0x00, 0xd8, W('x') },
			     control[] = { W(27), W('m') }, wide[] = { 0xe4, 0, 0x3d, 0xd8, 0x00, 0xde },
			     more[] = { W('a'), W(0), W('b') };
	char text[16], two[3];

	(void)state;
	assert_int_equal(gb_efi_text(more, sizeof(more), text, sizeof(text)), 0);
	assert_string_equal(text, "a");
	assert_int_equal(gb_efi_text(odd, sizeof(odd), text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "a");
	gb_efi_text(lone, sizeof(lone), text, sizeof(text));
	assert_string_equal(text, "?x");
	gb_efi_text(control, sizeof(control), text, sizeof(text));
	assert_string_equal(text, "?m");
	assert_int_equal(gb_efi_text(wide, sizeof(wide), text, sizeof(text)), 0);
	assert_string_equal(text, "\xc3\xa4\xf0\x9f\x98\x80");
	assert_int_equal(gb_efi_text(wide, sizeof(wide), two, sizeof(two)), -E2BIG);
	assert_string_equal(two, "\xc3\xa4");
	assert_int_equal(gb_efi_text(NULL, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void encodes_text(void **state)
{
	struct gb_text wide = { 0 };
	char text[32];

	(void)state;
	assert_true(gb_efi_encode("g-1.conf \xc3\xa4 \xf0\x9f\x98\x80", &wide));
	assert_int_equal(wide.len, 2 * (9 + 1 + 1 + 2 + 1));
	assert_int_equal(gb_efi_text((uint8_t *)wide.data, wide.len, text, sizeof(text)), 0);
	assert_string_equal(text, "g-1.conf \xc3\xa4 \xf0\x9f\x98\x80");
	gb_text_clear(&wide);
	assert_false(gb_efi_encode("a\xff", &wide));
	gb_text_clear(&wide);
}

static int collect(void *ctx, const char *text)
{
	gb_text_addf(ctx, "[%s]", text);
	return 0;
}

static void decodes_lists(void **state)
{
	static const uint8_t data[] = { W('a'), W('.'), W(0), W(0), W('b'), W(0), W('c') };
	struct gb_text all = { 0 };

	(void)state;
	gb_efi_texts(data, sizeof(data), collect, &all);
	assert_string_equal(all.data, "[a.][b][c]");
	gb_text_clear(&all);
	gb_efi_texts(data, 3, collect, &all);
	assert_string_equal(all.data, "[a]");
	gb_text_clear(&all);
}

static size_t make_boot(uint8_t *ret)
{
	static const char path[] = "\\EFI\\debian\\shimx64.efi";
	size_t at = 6;

	memset(ret, 0, 256);
	ret[0] = 1;
	ret[at] = 'd', ret[at + 2] = 'e', ret[at + 4] = 'b', at += 8;
	ret[at] = 4, ret[at + 1] = 1, ret[at + 2] = 42, ret[at + 41] = 2, ret[at + 40] = 2;
	for (uint8_t i = 0; i < 16; i++)
		ret[at + 24 + i] = i;
	at += 42;
	ret[at] = 4, ret[at + 1] = 4, ret[at + 2] = 4 + 2 * sizeof(path);
	for (size_t i = 0; i < sizeof(path); i++)
		ret[at + 4 + 2 * i] = (uint8_t)path[i];
	at += 4 + 2 * sizeof(path);
	ret[at] = 0x7f, ret[at + 1] = 0xff, ret[at + 2] = 4;
	at += 4;
	ret[4] = (uint8_t)(at - 14);
	return at;
}

static void decodes_boot_options(void **state)
{
	uint8_t data[256];
	size_t len = make_boot(data);
	struct gb_efi_boot boot;

	(void)state;
	assert_int_equal(gb_efi_boot(data, len, &boot), 0);
	assert_true(boot.active);
	assert_string_equal(boot.title, "deb");
	assert_string_equal(boot.path, "\\EFI\\debian\\shimx64.efi");
	assert_string_equal(boot.partition, "03020100-0504-0706-0809-0a0b0c0d0e0f");
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, data, cut);
		assert_int_equal(gb_efi_boot(part, cut, &boot), -EINVAL);
		free(part);
	}
	data[14 + 2] = 3; /* a node shorter than its head */
	assert_int_equal(gb_efi_boot(data, len, &boot), -EINVAL);
}

static void reads_and_writes(void **state)
{
	static const uint8_t features[] = { 0x1f, 0, 0, 0, 0, 0, 0, 0 };
	struct gb_err err;
	struct gb_efi *efi;
	struct tree tree;
	uint64_t number;
	char text[32];

	(void)state;
	tree_make(&tree);
	assert_int_equal(gb_efi_open(tree.root, &efi, &err), -ENODEV);
	put(&tree, "LoaderFeatures" GB_EFI_LOADER, features, sizeof(features));
	assert_int_equal(gb_efi_open(tree.root, &efi, &err), 0);
	assert_int_equal(gb_efi_get_number(efi, "LoaderFeatures" GB_EFI_LOADER, &number), 0);
	assert_int_equal(number, 0x1f);
	assert_int_equal(gb_efi_get_text(efi, "LoaderInfo" GB_EFI_LOADER, text, sizeof(text)), -ENOENT);
	assert_int_equal(efi->remove(efi, "../../x" GB_EFI_LOADER), -EINVAL);

	assert_int_equal(gb_efi_set_text(efi, "LoaderEntryOneShot" GB_EFI_LOADER, "t.conf", &err), 0);
	assert_int_equal(gb_efi_get_text(efi, "LoaderEntryOneShot" GB_EFI_LOADER, text, sizeof(text)), 0);
	assert_string_equal(text, "t.conf");
	assert_int_equal(tree_get(&tree, FOLDER "LoaderEntryOneShot" GB_EFI_LOADER)[0], 7);
	assert_int_equal(efi->remove(efi, "LoaderEntryOneShot" GB_EFI_LOADER), 0);
	assert_int_equal(gb_efi_get_text(efi, "LoaderEntryOneShot" GB_EFI_LOADER, text, sizeof(text)),
			 -ENOENT);
	tree_put(&tree, FOLDER "Short" GB_EFI_LOADER, "abc");
	assert_int_equal(gb_efi_get_number(efi, "Short" GB_EFI_LOADER, &number), -EINVAL);
	gb_efi_close(efi);
	tree_clear(&tree);
}

/* What is so already is not written; what is not kept is noticed. */
static int watch_writes(void *ctx, enum gb_op op, const char *path, const char *data)
{
	(void)path;
	(void)data;
	if (op != GB_PUBLISH)
		return 0;
	++*(int *)ctx;
	return *(int *)ctx > 1; /* the second only seems to succeed */
}

static void writes_only_what_differs(void **state)
{
	struct gb_err err;
	struct gb_efi *efi;
	struct tree tree;
	int writes = 0;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, FOLDER);
	assert_int_equal(gb_efi_open(tree.root, &efi, &err), 0);
	gb_root_watch(tree.root, watch_writes, &writes);
	assert_int_equal(gb_efi_set_text(efi, "A" GB_EFI_LOADER, "x", &err), 0);
	assert_int_equal(gb_efi_set_text(efi, "A" GB_EFI_LOADER, "x", &err), 0);
	assert_int_equal(writes, 1);
	assert_int_equal(gb_efi_set_text(efi, "A" GB_EFI_LOADER, "y", &err), -EIO);
	assert_non_null(strstr(err.text, "does not hold"));
	gb_efi_close(efi);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_text),
		cmocka_unit_test(encodes_text),
		cmocka_unit_test(decodes_lists),
		cmocka_unit_test(decodes_boot_options),
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(writes_only_what_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
