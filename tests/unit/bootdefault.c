/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loader boots by itself, before and after an entry of ours is there. */
#include "loaders.h"

#include "bls.h"
#include "bootdefault.h"
#include "grubmenu.h"

static struct tree tree;
static struct gb_host host;
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

static const char *const ours[] = { GB_BLS_TRIAL, GB_BLS_RECOVERY, NULL };
static const struct gb_bootdefault_with files = { .entry = ours };

static void is(const struct gb_bootdefault_with *with, const char *id)
{
	struct gb_bootdefault found;

	gb_host_close(&host);
	open_host(&tree, &host);
	if (gb_bootdefault_find(&host, with, &found, &err))
		fail_msg("%s", err.text);
	assert_string_equal(found.id, id);
	assert_int_equal(found.ours, !strncmp(id, "a-ghost", 7) || !strncmp(id, "ghost", 5));
}

static void both(const char *id)
{
	is(NULL, id);
	is(&files, id);
}

static void is_unknown(int code, const char *why)
{
	struct gb_bootdefault found;

	gb_host_close(&host);
	open_host(&tree, &host);
	assert_int_equal(gb_bootdefault_find(&host, NULL, &found, &err), code);
	if (!strstr(err.text, why))
		fail_msg("%s", err.text);
}

static int fail_read(void *ctx, enum gb_op op, const char *path, const char *data)
{
	(void)data;
	return (op == GB_READ || op == GB_LIST) && !strcmp(path, ctx) ? -EIO : 0;
}

/* What may decide and can't be read is said. */
static void is_unreadable(const char *path)
{
	struct gb_bootdefault found;

	gb_host_close(&host);
	open_host(&tree, &host);
	gb_root_watch(tree.root, fail_read, (void *)(uintptr_t)path);
	assert_int_equal(gb_bootdefault_find(&host, NULL, &found, &err), -EIO);
	gb_root_watch(tree.root, NULL, NULL);
	if (!strstr(err.text, strrchr(path, '/') + 1))
		fail_msg("%s", err.text);
}

/* ---- systemd-boot ------------------------------------------------------------------------ */

static void systemd_takes_the_newest(void **state)
{
	struct gb_bootdefault found;

	(void)state;
	make_systemd(&tree);
	both(MACHINE "-" NEW ".conf");
	assert_int_equal(gb_bootdefault_find(&host, NULL, &found, &err), 0);
	assert_string_equal(found.file, "/efi/loader/entries/" MACHINE "-" NEW ".conf");
	assert_string_equal(found.title, "Debian GNU/Linux 12");
	/* what it can't load is no entry for it */
	tree_delete(&tree, "/efi/" MACHINE "/" NEW "/linux");
	both(MACHINE "-" OLD ".conf");
}

static void systemd_without_sort_keys(void **state)
{
	static const char *const names[] = { "arch.conf", "aa.conf", "a.conf", "0.conf", "b-1.conf" };

	(void)state;
	make_systemd(&tree);
	tree_delete(&tree, "/efi/loader/entries/" MACHINE "-" OLD ".conf");
	tree_delete(&tree, "/efi/loader/entries/" MACHINE "-" NEW ".conf");
	tree_put(&tree, "/efi/linux", "kernel");
	for (size_t i = 0; i < COUNT(names); i++) {
		put_conf(&tree, names[i], "linux /linux\noptions root=UUID=1 ro quiet\n");
		both(names[i]);
		tree_delete(&tree, "/efi/loader/entries/a.conf");
		put_conf(&tree, names[i], "");
	}
	/* a name that would come before is seen: of two, the higher id is first */
	put_conf(&tree, "-.conf", "linux /linux\noptions root=UUID=1 ro quiet\n");
	is(NULL, "-.conf");
	is(&files, GB_BLS_TRIAL);
}

static void what_systemd_is_told(void **state)
{
	(void)state;
	make_systemd(&tree);
	tree_put(&tree, "/efi/loader/loader.conf", "timeout 3\n#default x\ndefault  *-" OLD ".conf\n");
	both(MACHINE "-" OLD ".conf");
	tree_put(&tree, "/efi/loader/loader.conf", "default *ghost*\n");
	is(NULL, MACHINE "-" NEW ".conf");
	is(&files, GB_BLS_TRIAL);
	put_variable(&tree, "LoaderEntryDefault", MACHINE "-" OLD ".conf");
	both(MACHINE "-" OLD ".conf");
	put_variable(&tree, "LoaderEntryDefault", "@saved");
	put_variable(&tree, "LoaderEntryLastBooted", MACHINE "-" NEW ".conf");
	both(MACHINE "-" NEW ".conf");
	put_variable(&tree, "LoaderEntryLastBooted", "a-ghost-boot-trial.conf");
	is(&files, GB_BLS_TRIAL);
	tree_put(&tree, "/efi/loader/loader.conf", "preferred *-" OLD ".conf\n");
	both(MACHINE "-" OLD ".conf");
	put_variable(&tree, "LoaderEntryPreferred", MACHINE "-" NEW ".conf");
	both(MACHINE "-" NEW ".conf");
}

static void put_list(const char *a, const char *b)
{
	const char *const ids[] = { a, b };
	uint8_t file[512] = { 6 };
	size_t len = 4;

	for (size_t i = 0; i < 2; i++) {
		struct gb_text wide = { 0 };

		assert_true(gb_efi_encode(ids[i], &wide));
		memcpy(file + len, wide.data, wide.len);
		len += wide.len;
		gb_text_clear(&wide);
	}
	tree_put_data(&tree, VARIABLES "LoaderEntries" GB_EFI_LOADER, file, len);
}

static void what_systemd_finds_itself(void **state)
{
	struct gb_bootdefault found;

	(void)state;
	make_systemd(&tree);
	put_list("auto-windows", "other.efi");
	both("other.efi");
	assert_int_equal(gb_bootdefault_find(&host, NULL, &found, &err), 0);
	assert_string_equal(found.file, "");
	put_list("auto-windows", "auto-reboot");
	both(MACHINE "-" NEW ".conf");
	tree_put(&tree, "/efi/loader/loader.conf", "default auto-windows\n");
	both("auto-windows");
	/* never without being told, wherever it stands */
	tree_delete(&tree, "/efi/loader/loader.conf");
	tree_delete(&tree, "/efi/loader/entries/" MACHINE "-" OLD ".conf");
	tree_delete(&tree, "/efi/loader/entries/" MACHINE "-" NEW ".conf");
	tree_put(&tree, "/efi/linux", "kernel");
	put_conf(&tree, "aa.conf", "linux /linux\noptions root=UUID=1 ro quiet\n");
	both("aa.conf");
}

static void what_cannot_be_read(void **state)
{
	static const char *const paths[] = {
		"/efi/loader/entries",
		"/efi/loader/entries/" MACHINE "-" OLD ".conf",
		"/efi/loader/loader.conf",
		VARIABLES "LoaderEntryPreferred" GB_EFI_LOADER,
		VARIABLES "LoaderEntryDefault" GB_EFI_LOADER,
		VARIABLES "LoaderEntryLastBooted" GB_EFI_LOADER,
	};
	static char large[80 << 10];

	(void)state;
	make_systemd(&tree);
	for (size_t i = 0; i < COUNT(paths); i++)
		is_unreadable(paths[i]);
	tree_put_data(&tree, VARIABLES "LoaderEntries" GB_EFI_LOADER, "\6", 1);
	is_unknown(-EINVAL, "LoaderEntries");
	tree_delete(&tree, VARIABLES "LoaderEntries" GB_EFI_LOADER);
	tree_folder(&tree, "/efi/loader/entries/folder.conf");
	both(MACHINE "-" NEW ".conf");
	tree_put_data(&tree, "/efi/loader/entries/bytes.conf", "title\0x", 7);
	is_unknown(-EINVAL, "bytes.conf: it is no boot loader entry");
	memset(large, '\n', sizeof(large));
	tree_delete(&tree, "/efi/loader/entries/bytes.conf");
	tree_put_data(&tree, "/efi/loader/entries/large.conf", large, sizeof(large));
	is_unknown(-EFBIG, "large.conf");
}

static void boot_counters(void **state)
{
	(void)state;
	make_systemd(&tree);
	tree_delete(&tree, "/efi/loader/entries/" MACHINE "-" NEW ".conf");
	put_conf(&tree, MACHINE "-" NEW "+0-3.conf", SYSTEMD_CONF(NEW));
	both(MACHINE "-" OLD ".conf");
	put_conf(&tree, MACHINE "-" NEW "+3.conf", SYSTEMD_CONF(NEW));
	both(MACHINE "-" NEW "+3.conf");
}

static void names_of_ours(void **state)
{
	(void)state;
	assert_true(gb_bls_is_ours("/efi/loader/entries/a-ghost-boot-trial.conf"));
	assert_true(gb_bls_is_ours("A-ghost-boot-recovery+2-1.conf"));
	assert_false(gb_bls_is_ours("a-ghost-boot-trial.conf.bak"));
	assert_false(gb_bls_is_ours("ghost-boot-trial.conf"));
	assert_true(gb_bls_is_ours("a-ghost-boot-trial-0123abcd.conf"));
	assert_true(gb_bls_is_ours("a-ghost-boot-recovery-0123ABCD+3.conf"));
	assert_false(gb_bls_is_ours("a-ghost-boot-trial-0123abc.conf"));
	assert_false(gb_bls_is_ours("a-ghost-boot-trial-0123abcde.conf"));
	assert_false(gb_bls_is_ours("a-ghost-boot-trial-0123abcx.conf"));
	assert_false(gb_bls_is_ours("a-ghost-boot-trial0123abcd.conf"));
}

/* ---- GRUB -------------------------------------------------------------------------------- */

#define SIMPLE "gnulinux-simple-1"
#define ADVANCED "gnulinux-advanced-1>gnulinux-" OLD "-advanced-1"
#define MENUENTRY "menuentry T --id ghost-boot-trial {\n}\n"

static const struct gb_bootdefault_with custom = { .custom = MENUENTRY, .custom_len = sizeof(MENUENTRY) - 1 };

static void put_default(const char *value, const char *more)
{
	char text[8192], *at;
	static const char usual[] = "set default=\"0\"";

	snprintf(text, sizeof(text), "%s", GRUB_HEADER);
	at = strstr(text, usual);
	assert_non_null(at);
	snprintf(at, sizeof(text) - (size_t)(at - text), "set default=\"%s\"%s" GRUB_LINUX "%s" GRUB_CUSTOM,
		 value, strstr(GRUB_HEADER, usual) + strlen(usual), more);
	tree_put(&tree, "/boot/grub/grub.cfg", text);
}

static void grubs_default(void **state)
{
	struct gb_bootdefault found;
	struct gb_grubmenu menu;

	(void)state;
	make_grub(&tree);
	is(NULL, SIMPLE);
	is(&custom, SIMPLE);
	assert_int_equal(gb_bootdefault_find(&host, &custom, &found, &err), 0);
	assert_true(found.grub);
	assert_int_equal(gb_bootdefault_menu(&host, &custom, &menu, &err), 0);
	assert_string_equal(menu.item[found.item].id, SIMPLE);
	gb_grubmenu_clear(&menu);
	put_default("1>0", "");
	is(&custom, ADVANCED);
	/* a number that names nothing would name ours */
	put_default("2", "");
	is(NULL, SIMPLE);
	is(&custom, "ghost-boot-trial");
	put_default("ghost-boot-trial", "");
	is(NULL, SIMPLE);
	is(&custom, "ghost-boot-trial");
	/* what is in custom.cfg now counts as long as nothing else is said */
	tree_put(&tree, "/boot/grub/custom.cfg", "menuentry mine {\n}\n");
	put_default("mine", "");
	is(NULL, "mine");
	is(&custom, SIMPLE);
}

static void grubs_saved_entry(void **state)
{
	(void)state;
	make_grub(&tree);
	put_default("${saved_entry}", "");
	is(&custom, SIMPLE);
	put_environment(&tree, "/boot/grub/grubenv", "saved_entry=" ADVANCED "\n");
	is(&custom, ADVANCED);
	tree_delete(&tree, "/boot/grub/grubenv");
	is(&custom, SIMPLE);
	is_unreadable("/boot/grub/grubenv");
	tree_put(&tree, "/boot/grub/grubenv", "saved_entry=" ADVANCED "\n");
	is_unknown(-ENOTUNIQ, "no environment block");
}

static void what_nobody_knows_of_grub(void **state)
{
	(void)state;
	make_grub(&tree);
	put_default("${mine}", "");
	is_unknown(-ENOTUNIQ, "${mine}");
	put_default("2", "if x; then\nmenuentry y {\n}\nfi\n");
	is_unknown(-ENOTUNIQ, "on a condition");
	put_default("0", "set default=1\n");
	is_unknown(-ENOTUNIQ, "sets GRUB's default anew");
	put_default("0", "fi\n");
	is_unknown(-EINVAL, "/boot/grub/grub.cfg: line ");
	tree_put(&tree, "/boot/grub/grub.cfg", GRUB_HEADER);
	is_unknown(-ENOENT, "no entries");
	tree_put(&tree, "/usr/bin/rpm-ostree", "");
	tree_put(&tree, "/run/ostree-booted", "");
	is_unknown(-EOPNOTSUPP, "not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(systemd_takes_the_newest, make, clear),
		cmocka_unit_test_setup_teardown(systemd_without_sort_keys, make, clear),
		cmocka_unit_test_setup_teardown(what_systemd_is_told, make, clear),
		cmocka_unit_test_setup_teardown(what_systemd_finds_itself, make, clear),
		cmocka_unit_test_setup_teardown(what_cannot_be_read, make, clear),
		cmocka_unit_test_setup_teardown(boot_counters, make, clear),
		cmocka_unit_test_setup_teardown(names_of_ours, make, clear),
		cmocka_unit_test_setup_teardown(grubs_default, make, clear),
		cmocka_unit_test_setup_teardown(grubs_saved_entry, make, clear),
		cmocka_unit_test_setup_teardown(what_nobody_knows_of_grub, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
