/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Booting an entry once: which loaders can be told so, what bars GRUB from forgetting it again, and
 * that what is armed is on the disk. */
#include "loaders.h"

#include <linux/fiemap.h>
#include <sys/statvfs.h>

#include "oneshot.h"

static struct tree tree;
static struct gb_host host;
static struct gb_oneshot oneshot;
static struct gb_err err;

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	memset(&host, 0, sizeof(host));
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_host_close(&host);
	tree_clear(&tree);
	return 0;
}

static void find(void)
{
	gb_host_close(&host);
	open_host(&tree, &host);
	gb_oneshot_find(&host, &oneshot);
}

static void can(enum gb_oneshot_kind kind)
{
	find();
	if (oneshot.kind != kind)
		fail_msg("%d: %s", oneshot.kind, oneshot.why);
	assert_string_equal(oneshot.why, "");
}

static void is_refused(const char *why)
{
	if (oneshot.kind != GB_ONESHOT_NONE || !strstr(oneshot.why, why))
		fail_msg("%d: %s", oneshot.kind, oneshot.why);
}

static void cannot(const char *why)
{
	find();
	is_refused(why);
}

static void armed_is(const char *wanted)
{
	char id[128];

	if (gb_oneshot_read(&host, id, sizeof(id), &err))
		fail_msg("%s", err.text);
	assert_string_equal(id, wanted);
}

static void arm(const char *id)
{
	if (gb_oneshot_arm(&host, &oneshot, id, &err))
		fail_msg("%s", err.text);
}

static bool was_armed;

static void disarm(const char *id)
{
	was_armed = false;
	if (gb_oneshot_disarm(&host, id, &was_armed, &err))
		fail_msg("%s", err.text);
}

/* ---- the EFI variable -------------------------------------------------------------------- */

static void systemd_takes_a_variable(void **state)
{
	char text[64];

	(void)state;
	make_systemd(&tree);
	can(GB_ONESHOT_EFI);
	armed_is("");
	arm("a-ghost-boot-trial.conf");
	armed_is("a-ghost-boot-trial.conf");
	assert_int_equal(gb_efi_get_text(host.efi, "LoaderEntryOneShot" GB_EFI_LOADER, text, sizeof(text)), 0);
	assert_string_equal(text, "a-ghost-boot-trial.conf");
	arm("a-ghost-boot-trial.conf");
	disarm("somebody.conf");
	assert_false(was_armed);
	armed_is("a-ghost-boot-trial.conf");
	disarm("a-ghost-boot-trial.conf");
	assert_true(was_armed);
	armed_is("");
	disarm("a-ghost-boot-trial.conf");
	assert_false(was_armed);
	/* the loader takes any case */
	put_variable(&tree, "LoaderEntryOneShot", "A-Ghost-Boot-Trial.conf");
	disarm("a-ghost-boot-trial.conf");
	armed_is("");
}

static void a_loader_that_does_not_say_so(void **state)
{
	(void)state;
	make_systemd(&tree);
	put_features(&tree, 0x77);
	cannot("does not say that it boots an entry once");
	/* with systemd-boot known by the command line alone */
	tree_delete(&tree, VARIABLES "LoaderFeatures" GB_EFI_LOADER);
	cannot("does not say");
	make_grub(&tree);
	tree_put(&tree, "/proc/cmdline", "root=UUID=1\n");
	put_variable(&tree, "LoaderInfo", "rEFInd 0.13");
	cannot("a boot loader that is not known");
}

/* Known by the command line alone. */
static void variables_out_of_reach(void **state)
{
	static const struct {
		const char *words, *hint;
	} boots[] = {
		{ "quiet", "mount -t efivarfs" },
		{ "quiet efi=noruntime", "without efi=noruntime" },
		{ "efi=debug,noruntime quiet", "without efi=noruntime" },
		{ "noefi", "without efi=noruntime and noefi" },
		{ "xefi=noruntime noefix efi=debug", "mount -t efivarfs" },
	};
	static const char *const names[] = { "LoaderInfo", "LoaderFeatures", "LoaderEntrySelected" };

	(void)state;
	make_systemd(&tree);
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), VARIABLES "%s" GB_EFI_LOADER, names[i]);
		tree_delete(&tree, path);
	}
	assert_int_equal(rmdir(tree_path(&tree, "/sys/firmware/efi/efivars")), 0);
	for (size_t i = 0; i < COUNT(boots); i++) {
		char line[128];

		snprintf(line, sizeof(line), "initrd=\\x root=UUID=1 %s\n", boots[i].words);
		tree_put(&tree, "/proc/cmdline", line);
		cannot("variables can't be reached");
		if (!strstr(oneshot.hint, boots[i].hint))
			fail_msg("\"%s\": %s", boots[i].words, oneshot.hint);
	}
	assert_int_equal(rmdir(tree_path(&tree, "/sys/firmware/efi")), 0);
	assert_string_equal(gb_efi_reach_hint(tree.root), "");
}

static void grub_that_says_so(void **state)
{
	(void)state;
	make_grub(&tree);
	put_variable(&tree, "LoaderInfo", "GRUB 2.12");
	can(GB_ONESHOT_GRUB);
	put_features(&tree, 0x08);
	can(GB_ONESHOT_EFI);
}

static int refuse_with;
static bool write_all_the_same;
static struct gb_efi *real;

static int refusing_write(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len)
{
	(void)efi;
	if (write_all_the_same)
		assert_int_equal(real->write(real, name, data, len), 0);
	return -refuse_with;
}

static int real_read(struct gb_efi *efi, const char *name, uint8_t **ret, size_t *ret_len)
{
	(void)efi;
	return real->read(real, name, ret, ret_len);
}

static int real_remove(struct gb_efi *efi, const char *name)
{
	(void)efi;
	return real->remove(real, name);
}

static int refusing_remove(struct gb_efi *efi, const char *name)
{
	(void)efi;
	(void)name;
	return -refuse_with;
}

static int silent_remove(struct gb_efi *efi, const char *name)
{
	(void)efi;
	(void)name;
	return 0;
}

static int real_write(struct gb_efi *efi, const char *name, const uint8_t *data, size_t len)
{
	(void)efi;
	return real->write(real, name, data, len);
}

static void a_store_that_refuses(void **state)
{
	static const struct {
		int code;
		const char *hint;
	} kinds[] = { { ENOSPC, "and reboot" }, { EROFS, "remount,rw" }, { EPERM, "lock in its setup" },
		      { EINVAL, "lock in its setup" },
		      { EIO, "" } };
	struct gb_efi fake = { .read = real_read, .write = refusing_write, .remove = real_remove };

	(void)state;
	make_systemd(&tree);
	can(GB_ONESHOT_EFI);
	real = host.efi;
	host.efi = &fake;
	for (size_t i = 0; i < 2 * COUNT(kinds); i++) {
		refuse_with = kinds[i / 2].code;
		write_all_the_same = i % 2;
		assert_int_equal(gb_oneshot_arm(&host, &oneshot, "a.conf", &err), -refuse_with);
		if (!strstr(oneshot.hint, kinds[i / 2].hint) || !*oneshot.hint != !*kinds[i / 2].hint)
			fail_msg("%s", oneshot.hint);
		armed_is("");
		assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), -refuse_with);
		armed_is("");
	}
	fake.write = real_write;
	arm("a.conf");
	fake.remove = refusing_remove;
	assert_int_equal(gb_oneshot_disarm(&host, "a.conf", &was_armed, &err), -refuse_with);
	fake.remove = silent_remove;
	assert_int_equal(gb_oneshot_disarm(&host, "a.conf", &was_armed, &err), -EIO);
	assert_true(was_armed);
	armed_is("a.conf");
	host.efi = real;
}

static void a_try_leaves_nothing(void **state)
{
	(void)state;
	make_systemd(&tree);
	can(GB_ONESHOT_EFI);
	assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), 0);
	armed_is("");
	/* a cut has left the last one */
	arm("ghost-boot-nothing");
	assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), 0);
	armed_is("");
	arm("somebody.conf");
	assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), -EBUSY);
	assert_non_null(strstr(err.text, "somebody.conf"));
	armed_is("somebody.conf");
	assert_int_equal(gb_oneshot_arm(&host, &oneshot, "a-ghost-boot-trial.conf", &err), -EBUSY);
	assert_non_null(strstr(err.text, "somebody.conf"));
	assert_non_null(strstr(oneshot.hint, "bootctl set-oneshot"));
	armed_is("somebody.conf");
}

/* Either place is looked at, whatever is in the other. */
static void both_places(void **state)
{
	(void)state;
	make_grub(&tree);
	put_features(&tree, 0x08);
	can(GB_ONESHOT_EFI);
	put_variable(&tree, "LoaderEntryOneShot", "somebody.conf");
	put_environment(&tree, "/boot/grub/grubenv", "next_entry=ghost-boot-trial\n");
	armed_is("somebody.conf");
	disarm("ghost-boot-trial");
	assert_true(was_armed);
	armed_is("somebody.conf");
	assert_null(strstr(tree_get(&tree, "/boot/grub/grubenv"), "next_entry"));
	disarm("somebody.conf");
	/* what next_entry is never set in bars nothing */
	for (int i = 0; i < 3; i++) {
		tree_delete(&tree, "/boot/grub/grubenv");
		if (i == 0)
			tree_link(&tree, "/boot/grub/grubenv", "../efi/grubenv");
		else
			tree_put(&tree, "/boot/grub/grubenv", i == 1 ? "short" : "");
		armed_is("");
		assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), 0);
		arm("ghost-boot-trial");
		disarm("ghost-boot-trial");
		assert_true(was_armed);
		armed_is("");
	}
}

/* ---- GRUB's environment ------------------------------------------------------------------ */

struct seen {
	unsigned writes, syncs, checkpoints;
	int fail; /* the call that does: its kind, or -1 */
};

static int watch(void *ctx, const struct gb_call *call, bool done)
{
	struct seen *seen = ctx;

	if (!done && (int)call->kind == seen->fail)
		return -EIO;
	if (!done)
		return 0;
	/* in this order: nothing is on the disk before it was written */
	if (call->kind == GB_CALL_WRITE)
		seen->writes++;
	else if (call->kind == GB_CALL_FSYNC && seen->writes > seen->syncs)
		seen->syncs++;
	else if (call->kind == GB_CALL_CHECKPOINT && seen->syncs > seen->checkpoints)
		seen->checkpoints++;
	else
		fail_msg("call %d", call->kind);
	return 0;
}

static void grub_takes_next_entry(void **state)
{
	struct seen seen = { .fail = -1 };
	struct stat before, after;

	(void)state;
	make_grub(&tree);
	put_environment(&tree, "/boot/grub/grubenv", "saved_entry=x\n");
	stat(tree_path(&tree, "/boot/grub/grubenv"), &before);
	can(GB_ONESHOT_GRUB);
	host.store.watch = watch;
	host.store.ctx = &seen;
	armed_is("");
	arm("ghost-boot-trial");
	armed_is("ghost-boot-trial");
	assert_int_equal(seen.checkpoints, 1);
	assert_non_null(strstr(tree_get(&tree, "/boot/grub/grubenv"),
			       "saved_entry=x\nnext_entry=ghost-boot-trial\n###"));
	arm("ghost-boot-trial");
	disarm("somebody");
	assert_int_equal(seen.writes, 1);
	disarm("ghost-boot-trial");
	armed_is("");
	assert_int_equal(seen.checkpoints, 2);
	assert_null(strstr(tree_get(&tree, "/boot/grub/grubenv"), "next_entry"));
	/* written where it lies: GRUB knows its blocks, and no others */
	stat(tree_path(&tree, "/boot/grub/grubenv"), &after);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), 0);
	armed_is("");
	arm("ghost-boot-nothing");
	assert_int_equal(gb_oneshot_try(&host, &oneshot, &err), 0);
	armed_is("");
	seen.fail = GB_CALL_WRITE;
	assert_int_equal(gb_oneshot_arm(&host, &oneshot, "ghost-boot-trial", &err), -EIO);
	armed_is("");
	seen.fail = GB_CALL_CHECKPOINT; /* its blocks did not move */
	arm("ghost-boot-trial");
	seen.fail = GB_CALL_FSYNC;
	disarm("somebody");
	assert_int_equal(gb_oneshot_disarm(&host, "ghost-boot-trial", &was_armed, &err), -EIO);
}

static void grubs_configuration(void **state)
{
	(void)state;
	make_grub(&tree);
	tree_put(&tree, "/boot/grub/grub.cfg", "set default=0\n" GRUB_LINUX GRUB_CUSTOM);
	cannot("does not read next_entry");
	tree_put(&tree, "/boot/grub/grub.cfg", GRUB_HEADER GRUB_LINUX);
	cannot("does not read custom.cfg");
	tree_put(&tree, "/boot/grub/grub.cfg", GRUB_HEADER GRUB_LINUX GRUB_CUSTOM);
	tree_put(&tree, "/boot/grub/custom.cfg", "set default=1\n");
	cannot("line 1 of custom.cfg");
	tree_put(&tree, "/boot/grub/custom.cfg", "menuentry x {\n");
	cannot("custom.cfg: line 1");
	tree_delete(&tree, "/boot/grub/custom.cfg");
	can(GB_ONESHOT_GRUB);
}

/* As long as an environment. */
static const char *some_text(void)
{
	static char text[GB_GRUBENV_SIZE + 1];

	memset(text, '#', GB_GRUBENV_SIZE);
	return text;
}

static void grubs_environment(void **state)
{
	(void)state;
	make_grub(&tree);
	tree_delete(&tree, "/boot/grub/grubenv");
	cannot("/boot/grub/grubenv: No such file");
	assert_string_equal(oneshot.hint, "grub-editenv FILE create");
	armed_is("");
	disarm("ghost-boot-trial");
	tree_put(&tree, "/boot/grub/grubenv", "# GRUB Environment Block\n");
	cannot("of 1024 bytes");
	tree_put(&tree, "/boot/grub/grubenv", some_text());
	cannot("of 1024 bytes");
	tree_folder(&tree, "/boot/efi");
	put_environment(&tree, "/boot/efi/grubenv", "");
	tree_link(&tree, "/boot/grub/grubenv", "../efi/grubenv");
	cannot("is a link");
	assert_true(gb_oneshot_env_set(&host, "x", &err) < 0);
	tree_delete(&tree, "/boot/grub/grubenv");
	assert_int_equal(mkfifo(tree_path(&tree, "/boot/grub/grubenv"), 0600), 0);
	cannot("of 1024 bytes");
	assert_true(gb_oneshot_env_set(&host, "x", &err) < 0);
}

static void put_mounts(const char *boot, const char *node)
{
	char text[512];

	snprintf(text, sizeof(text), "20 1 259:2 / / rw - ext4 /dev/a rw\n%s"
		 "31 20 259:9 / /boot/grubby rw - ext4 /dev/b rw\n", boot);
	tree_put(&tree, "/proc/self/mountinfo", text);
	tree_link(&tree, "/sys/dev/block/254:1", node);
}

static void what_grub_cannot_write(void **state)
{
	(void)state;
	make_grub(&tree);
	put_mounts("30 20 254:1 / /boot rw - ext4 /dev/mapper/vg-boot rw\n", "../../devices/virtual/block/dm-1");
	cannot("on LVM, LUKS");
	assert_non_null(strstr(oneshot.why, "(dm-1)"));
	put_mounts("30 20 254:1 / /boot rw - ext4 /dev/md0 rw\n", "../../devices/virtual/block/md127/md127p1");
	cannot("a software RAID");
	put_mounts("30 20 254:1 / /boot rw - ext4 /dev/sda1 rw,data=journal\n", "../../devices/pci/sda/sda1");
	cannot("data=journal");
	put_mounts("30 20 254:1 / /boot rw - ext4 /dev/sda1 rw\n", "../../devices/pci/sda/sda1");
	can(GB_ONESHOT_GRUB);
	/* a folder's name that only begins so is another's, and what is not known is no */
	put_mounts("30 20 254:1 / /boot/gr rw - ext4 /dev/md0 rw\n", "../../devices/virtual/block/md0");
	can(GB_ONESHOT_GRUB);
	put_mounts("30 20 0:33 / /boot rw - btrfs /dev/sda1 rw\n", "../../devices/pci/sda/sda1");
	cannot("no block device is known for /boot");
	tree_delete(&tree, "/proc/self/mountinfo");
	cannot("can't be told");
}

static unsigned long magic;
static uint32_t flags;
static uint64_t length;
static int map_code;

static int some_disk(int fd, struct statfs *ret)
{
	(void)fd;
	*ret = (struct statfs){ 0 };
	memcpy(&ret->f_type, &magic, sizeof(magic));
	return 0;
}

static int some_blocks(int fd, uint32_t *ret_flags, uint64_t *ret_length)
{
	(void)fd;
	*ret_flags = flags;
	*ret_length = length;
	return map_code;
}

static int read_only(int fd, struct statvfs *ret)
{
	int r = fstatvfs(fd, ret);

	ret->f_flag |= ST_RDONLY;
	return r;
}

static void find_on(unsigned long type)
{
	gb_host_close(&host);
	open_host(&tree, &host);
	magic = type;
	host.store.disk = some_disk;
	host.store.blocks = some_blocks;
	gb_oneshot_find(&host, &oneshot);
}

static void file_systems(void **state)
{
	(void)state;
	make_grub(&tree);
	length = 4096;
	find_on(XFS_SUPER_MAGIC);
	assert_int_equal(oneshot.kind, GB_ONESHOT_GRUB);
	find_on(MSDOS_SUPER_MAGIC);
	assert_int_equal(oneshot.kind, GB_ONESHOT_GRUB);
	find_on(BTRFS_SUPER_MAGIC);
	is_refused("on btrfs");
	find_on(0x2fc12fc1);
	is_refused("on ZFS");
	find_on(F2FS_SUPER_MAGIC);
	is_refused("on f2fs");
	find_on(0x12345);
	is_refused("not known for it");
	can(GB_ONESHOT_GRUB);
	host.store.space = read_only;
	gb_oneshot_find(&host, &oneshot);
	is_refused("mounted read-only");
	assert_string_equal(oneshot.hint, "mount -o remount,rw /");
	assert_true(oneshot.read_only);
}

static void blocks(void **state)
{
	static const uint32_t bad[] = { FIEMAP_EXTENT_DATA_INLINE, FIEMAP_EXTENT_SHARED,
					FIEMAP_EXTENT_UNWRITTEN, FIEMAP_EXTENT_ENCODED };

	(void)state;
	make_grub(&tree);
	for (size_t i = 0; i < COUNT(bad); i++) {
		flags = bad[i] | FIEMAP_EXTENT_LAST;
		find_on(EXT4_SUPER_MAGIC);
		is_refused("no block of their own");
	}
	flags = FIEMAP_EXTENT_LAST;
	length = 0; /* a hole */
	find_on(EXT4_SUPER_MAGIC);
	is_refused("no block of their own");
	length = 4096;
	find_on(EXT4_SUPER_MAGIC);
	assert_int_equal(oneshot.kind, GB_ONESHOT_GRUB);
	map_code = -EIO;
	find_on(EXT4_SUPER_MAGIC);
	is_refused("no block of their own");
	map_code = -EOPNOTSUPP; /* FAT does not tell */
	find_on(MSDOS_SUPER_MAGIC);
	assert_int_equal(oneshot.kind, GB_ONESHOT_GRUB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(systemd_takes_a_variable, make, clear),
		cmocka_unit_test_setup_teardown(a_loader_that_does_not_say_so, make, clear),
		cmocka_unit_test_setup_teardown(variables_out_of_reach, make, clear),
		cmocka_unit_test_setup_teardown(grub_that_says_so, make, clear),
		cmocka_unit_test_setup_teardown(a_store_that_refuses, make, clear),
		cmocka_unit_test_setup_teardown(a_try_leaves_nothing, make, clear),
		cmocka_unit_test_setup_teardown(both_places, make, clear),
		cmocka_unit_test_setup_teardown(grub_takes_next_entry, make, clear),
		cmocka_unit_test_setup_teardown(grubs_configuration, make, clear),
		cmocka_unit_test_setup_teardown(grubs_environment, make, clear),
		cmocka_unit_test_setup_teardown(what_grub_cannot_write, make, clear),
		cmocka_unit_test_setup_teardown(file_systems, make, clear),
		cmocka_unit_test_setup_teardown(blocks, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
