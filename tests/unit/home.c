/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the file system that a file of a change was on there again? */
#include "fake.h"

#include "home.h"
#include "store.h"

#define ROOT "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
#define ESP "30 20 8:1 / /efi rw - vfat /dev/sda1 rw\n"
#define AWAY "/efi/x is on a file system that is not mounted"
#define PLACE "/efi/loader/entries/x.conf"

static struct tree tree;
static struct gb_store store;
static struct gb_home home;

static void mounts(const char *table)
{
	tree_put(&tree, "/proc/self/mountinfo", table);
}

static void uuid(const char *device, const char *text)
{
	char path[64], line[64];

	snprintf(path, sizeof(path), "/run/udev/data/b%s", device);
	snprintf(line, sizeof(line), "S:disk/by-x\nE:ID_FS_UUID=%s\n", text);
	tree_put(&tree, path, line);
}

static void expect(int result, const char *text)
{
	struct gb_err err = { "" };
	int r = gb_home_check(&store, &home, PLACE, "/efi/x", &err);

	if (r != result || strcmp(err.text, text))
		fail_msg("%d: %s", r, err.text);
}

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	store = (struct gb_store){ .root = tree.root };
	mounts(ROOT ESP);
	uuid("8:1", "12AB-34CD");
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_home_clear(&home);
	tree_clear(&tree);
	return 0;
}

static void find(const char *point, const char *known)
{
	gb_home_clear(&home);
	assert_int_equal(gb_home_find(&store, PLACE, &home), 0);
	if (!point) {
		assert_null(home.point);
		return;
	}
	assert_string_equal(home.point, point);
	assert_string_equal(home.uuid, known);
}

static void found(void **state)
{
	(void)state;
	find("/efi", "12AB-34CD");
	assert_string_equal(home.type, "vfat");
	assert_string_equal(home.source, "/dev/sda1");
	/* the root's, and what nobody knows */
	mounts(ROOT);
	find(NULL, NULL);
	mounts("");
	find(NULL, NULL);
	expect(0, "");
}

static void checked(void **state)
{
	(void)state;
	find("/efi", "12AB-34CD");
	expect(0, "");
	/* by another name of the kernel's, at the next boot */
	mounts(ROOT "30 20 8:33 / /efi rw - vfat /dev/sdc1 rw\n");
	uuid("8:33", "12AB-34CD");
	expect(0, "");
	/* udev knows nothing of it: then what is mounted there is taken for it */
	tree_delete(&tree, "/run/udev/data/b8:33");
	expect(0, "");
	uuid("8:33", "0000-0000");
	expect(-ENODEV, AWAY ", and another is in its place: "
			"umount /efi && mount UUID=12AB-34CD /efi");
	mounts(ROOT "30 20 0:40 / /efi rw - tmpfs tmpfs rw\n");
	expect(-ENODEV, AWAY ", and another is in its place: "
			"umount /efi && mount UUID=12AB-34CD /efi");
	mounts(ROOT "30 20 0:40 / /ef rw - tmpfs tmpfs rw\n");
	expect(-ENODEV, AWAY ": mount UUID=12AB-34CD /efi");
	tree_put(&tree, "/etc/fstab", "# UUID=1 /efi vfat\nUUID=12AB-34CD /efi/x vfat noauto 0 0\n");
	expect(-ENODEV, AWAY ": mount UUID=12AB-34CD /efi");
	tree_put(&tree, "/etc/fstab", "UUID=12AB-34CD\t/efi\tvfat\tnoauto 0 0\n");
	expect(-ENODEV, AWAY ": mount /efi");
	tree_delete(&tree, "/proc/self/mountinfo");
	expect(-ENOENT, "what " PLACE " is on can't be told from /proc/self/mountinfo");
}

static void without_a_disk(void **state)
{
	(void)state;
	mounts(ROOT "30 20 0:40 / /efi rw - zfs bpool/BOOT/a\\040b rw\n");
	find("/efi", "");
	mounts(ROOT);
	expect(-ENODEV, AWAY ": mount -t zfs bpool/BOOT/a b /efi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found, make, clear),
		cmocka_unit_test_setup_teardown(checked, make, clear),
		cmocka_unit_test_setup_teardown(without_a_disk, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
