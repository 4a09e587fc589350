/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report onto a stick: what is refused, what is tried, and that it is always unmounted. */
#include "fake.h"

#include "save.h"

struct stick {
	struct tree tree;
	int check, mount[4], unmount; /* what each answers; mount by type */
	char types[64];
	unsigned mounts, unmounts;
};

static int check(void *ctx, const char *device)
{
	assert_string_equal(device, "/dev/sdx1");
	return ((struct stick *)ctx)->check;
}

static int mount_it(void *ctx, const char *device, const char *folder, const char *type)
{
	static const char *const types[] = { "vfat", "ext4", "ext3", "ext2" };
	struct stick *stick = ctx;

	assert_string_equal(device, "/dev/sdx1");
	assert_string_equal(folder, "/run/ghost-boot/save");
	strcat(strcat(stick->types, type), " ");
	for (size_t i = 0; i < COUNT(types); i++)
		if (!strcmp(type, types[i])) {
			stick->mounts += !stick->mount[i];
			return stick->mount[i];
		}
	return -ENODEV;
}

static int unmount_it(void *ctx, const char *folder)
{
	struct stick *stick = ctx;

	assert_string_equal(folder, "/run/ghost-boot/save");
	stick->unmounts++;
	return stick->unmount;
}

static void make(struct stick *stick)
{
	memset(stick, 0, sizeof(*stick));
	tree_make(&stick->tree);
	tree_folder(&stick->tree, "/run");
}

static int save(struct stick *stick, char *text, size_t size, const char **ret_type)
{
	const struct gb_mounter mounter = { check, mount_it, unmount_it, stick };
	struct gb_err err = { "" };
	int r = gb_save(stick->tree.root, &mounter, "/dev/sdx1", "report.txt", "all of it", 9,
			ret_type, &err);

	snprintf(text, size, "%s", err.text);
	assert_int_equal(stick->mounts, stick->unmounts);
	return r;
}

static void saved(void **state)
{
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	make(&stick);
	assert_int_equal(save(&stick, text, sizeof(text), &type), 0);
	assert_string_equal(type, "vfat");
	assert_string_equal(stick.types, "vfat ");
	assert_string_equal(tree_get(&stick.tree, "/run/ghost-boot/save/report.txt"), "all of it");
	assert_int_equal(stick.unmounts, 1);
	tree_clear(&stick.tree);
}

static void types_in_turn(void **state)
{
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	make(&stick);
	stick.mount[0] = -ENODEV;
	stick.mount[1] = stick.mount[2] = -EINVAL;
	assert_int_equal(save(&stick, text, sizeof(text), &type), 0);
	assert_string_equal(type, "ext2");
	assert_string_equal(stick.types, "vfat ext4 ext3 ext2 ");
	tree_clear(&stick.tree);
}

static void refused(void **state)
{
	static const struct {
		int code;
		const char *says;
	} cases[] = {
		{ -ENOTBLK, "no disk" }, { -EBUSY, "in use" }, { -ENOENT, "No such file" },
	};
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make(&stick);
		stick.check = cases[i].code;
		assert_int_equal(save(&stick, text, sizeof(text), &type), cases[i].code);
		assert_non_null(strstr(text, cases[i].says));
		assert_string_equal(stick.types, "");
		tree_clear(&stick.tree);
	}
}

static void check_unmountable(int vfat, const char *sector_at, size_t at, const char *says)
{
	char sector[512] = "", text[512];
	struct stick stick;
	const char *type;

	make(&stick);
	stick.mount[0] = vfat;
	stick.mount[1] = stick.mount[2] = stick.mount[3] = -EINVAL;
	memcpy(sector + at, sector_at, strlen(sector_at));
	tree_put_data(&stick.tree, "/dev/sdx1", sector, sizeof(sector));
	assert_true(save(&stick, text, sizeof(text), &type) < 0);
	if (!strstr(text, says))
		fail_msg("%s does not say %s", text, says);
	/* what its first sector tells is not tried as something else */
	if (*sector_at)
		assert_string_equal(stick.types, strncmp(sector_at, "FAT", 3) ? "" : "vfat ");
	tree_clear(&stick.tree);
}

static void cannot_be_mounted(void **state)
{
	(void)state;
	check_unmountable(-EINVAL, "", 0, "no FAT or ext file system");
	check_unmountable(-ENODEV, "", 0, "nls_cp437");
	check_unmountable(-ENODEV, "FAT32   ", 82, "has FAT on it, and the kernel modules");
	check_unmountable(-ENODEV, "", 0, "no ext file system is on it, and the kernel modules");
	/* its module is there, one for its character set is not */
	check_unmountable(-EINVAL, "FAT32   ", 82, "nls_cp437");
	check_unmountable(-EINVAL, "FAT16   ", 54, "nls_cp437");
	check_unmountable(-ENODEV, "EXFAT   ", 3, "has exFAT on it");
	check_unmountable(-EINVAL, "NTFS    ", 3, "has NTFS on it");
	check_unmountable(-EACCES, "", 0, "write-protected");
}

static void never_overwrites(void **state)
{
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	make(&stick);
	tree_put(&stick.tree, "/run/ghost-boot/save/report.txt", "of yesterday");
	assert_int_equal(save(&stick, text, sizeof(text), &type), -EEXIST);
	assert_non_null(strstr(text, "is there already"));
	assert_string_equal(tree_get(&stick.tree, "/run/ghost-boot/save/report.txt"),
			    "of yesterday");
	assert_int_equal(stick.unmounts, 1);
	tree_clear(&stick.tree);
}

static void no_link_is_followed(void **state)
{
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	make(&stick);
	tree_folder(&stick.tree, "/run/ghost-boot");
	tree_link(&stick.tree, "/run/ghost-boot/save", "/tmp");
	assert_true(save(&stick, text, sizeof(text), &type) < 0);
	assert_string_equal(stick.types, "");
	tree_clear(&stick.tree);
}

static void stays_mounted(void **state)
{
	struct stick stick;
	const char *type;
	char text[512];

	(void)state;
	make(&stick);
	stick.unmount = -EBUSY;
	assert_int_equal(save(&stick, text, sizeof(text), &type), -EBUSY);
	assert_non_null(strstr(text, "can't be unmounted"));
	tree_clear(&stick.tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved),
		cmocka_unit_test(types_in_turn),
		cmocka_unit_test(refused),
		cmocka_unit_test(cannot_be_mounted),
		cmocka_unit_test(never_overwrites),
		cmocka_unit_test(no_link_is_followed),
		cmocka_unit_test(stays_mounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
