/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of our boot entries, made from those that are there; GRUB's are read by GRUB's own
 * program. */
#include "loaders.h"

#include <spawn.h>
#include <sys/wait.h>

#include "grubmenu.h"
#include "trialentry.h"

static const struct gb_want trial_words[] = {
	{ GB_WANT_ONLY, "ghost.claim=on", "" },
	{ GB_WANT_ONLY, "ghost.trial=1a2b3c4d", "" },
	{ GB_WANT_ONLY, "panic=30", "" },
};
static const struct gb_want recovery_words[] = {
	{ GB_WANT_ONLY, "ghost.claim=off", "" },
};
static const char *const own[] = { "/efi/" MACHINE "/" NEW "/initrd.img-" NEW, "/boot/initrd.img-" NEW };

static struct gb_trialentry trial(void)
{
	return (struct gb_trialentry){ .title = ", on trial", .id = GB_GRUBMENU_TRIAL, .want = trial_words,
				       .wants = COUNT(trial_words), .own = own, .owns = 2,
				       .image = "/ghost-boot/trial.img" };
}

static struct gb_trialentry recovery(void)
{
	return (struct gb_trialentry){ .title = ", without claims", .id = GB_GRUBMENU_RECOVERY,
				       .want = recovery_words, .wants = COUNT(recovery_words), .own = own,
				       .owns = 2, .release = NEW };
}

/* ---- type 1 ------------------------------------------------------------------------------ */

static void expect_conf(const char *text, const struct gb_trialentry *entry, const char *wanted)
{
	struct gb_text made = { 0 };
	struct gb_err err;

	if (gb_trialentry_conf(text, strlen(text), entry, &made, &err))
		fail_msg("%s", err.text);
	assert_string_equal(strchr(made.data, '\n') + 1, wanted);
	assert_int_equal(made.data[0], '#');
	gb_text_clear(&made);
}

static void expect_machine(const struct gb_trialentry *entry, const char *wanted)
{
	char machine[GB_BLS_MACHINE + 1] = "";
	struct gb_text made = { 0 };
	struct gb_err err;

	assert_int_equal(gb_trialentry_conf(SYSTEMD_CONF(NEW), strlen(SYSTEMD_CONF(NEW)), entry, &made, &err), 0);
	assert_int_equal(gb_trialentry_machine(made.data, made.len, machine), wanted != NULL);
	for (size_t len = 0; wanted && len < strcspn(made.data, ","); len++)
		assert_false(gb_trialentry_machine(made.data, len, machine));
	assert_string_equal(wanted ? machine : "", wanted ? wanted : "");
	gb_text_clear(&made);
}

static void conf_texts(void **state)
{
	struct gb_trialentry entry = trial();

	(void)state;
	expect_conf(SYSTEMD_CONF(NEW), &entry,
		    "title Debian GNU/Linux 12, on trial\nlinux /" MACHINE "/" NEW "/linux\n"
		    "initrd /microcode.cpio\ninitrd /ghost-boot/trial.img\n"
		    "options root=UUID=1 ro quiet ghost.claim=on ghost.trial=1a2b3c4d panic=30\n");
	entry = recovery();
	expect_conf(SYSTEMD_CONF(NEW), &entry,
		    "title Debian GNU/Linux 12, without claims\nlinux /" MACHINE "/" NEW "/linux\n"
		    "initrd /microcode.cpio\ninitrd /" MACHINE "/" NEW "/initrd.img-" NEW "\n"
		    "options root=UUID=1 ro quiet ghost.claim=off\n");
	entry.machine = "0123abcd";
	expect_machine(&entry, "0123abcd");
	entry.machine = NULL;
	expect_machine(&entry, NULL);
	/* of two own images, as dracut and Debian's hook leave them, one is ours */
	entry = trial();
	expect_conf("# mine\ntitle x\nlinux /a\r\noptions a panic=5\noptions ghost.claim=off -- b\n\ndevicetree /d\n"
		    "initrd \\" MACHINE "\\" NEW "\\initrd.img-" NEW "\ninitrd initrd.img-" NEW "\nsort-key\n",
		    &entry, "title x, on trial\nlinux /a\ndevicetree /d\ninitrd /ghost-boot/trial.img\n"
		    "options a panic=30 ghost.claim=on ghost.trial=1a2b3c4d -- b\n");
}

static void confs_that_cannot_be(void **state)
{
	static const char *const bad[] = { "title x\nlinux /a\ninitrd /other.img\n", "title x\nefi /shell.efi\n",
					   "linux /a\noptions \"open\ninitrd /boot/initrd.img-" NEW "\n" };
	const struct gb_trialentry entry = trial();
	struct gb_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct gb_text made = { 0 };

		if (gb_trialentry_conf(bad[i], strlen(bad[i]), &entry, &made, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
		gb_text_clear(&made);
	}
}

/* ---- GRUB -------------------------------------------------------------------------------- */

static void check_script(const char *text)
{
	char path[] = "/tmp/ghost-boot-script.XXXXXX", program[] = "grub-script-check";
	char *const argv[] = { program, path, NULL };
	int fd = mkstemp(path), status = -1;
	pid_t pid;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(posix_spawnp(&pid, program, NULL, NULL, argv, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	if (status)
		fail_msg("grub-script-check ended with %d: %s", status, text);
}

static char *make_grub_entry(const char *cfg, const char *value, const struct gb_trialentry *entry)
{
	struct gb_grubmenu menu;
	struct gb_text made = { 0 };
	struct gb_err err;
	int r = gb_grubmenu_read(cfg, strlen(cfg), NULL, 0, &menu, &err);

	if (r || gb_trialentry_grub(&menu.item[gb_grubmenu_find(&menu, value)], entry, &made, &err))
		fail_msg("%s", err.text);
	gb_grubmenu_clear(&menu);
	check_script(made.data);
	return made.data;
}

static void a_trial_for_grub(void **state)
{
	const struct gb_trialentry entry = trial();
	char *text = make_grub_entry(GRUB_LINUX, "0", &entry);

	(void)state;
	assert_string_equal(text,
		"menuentry 'Debian GNU/Linux, on trial' --class debian --class os --id 'ghost-boot-trial' {\n"
		"\tload_video\n"
		"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
		"\tinsmod ext2\n\tsearch --no-floppy --fs-uuid --set=root 1\n"
		"\techo\t'Loading Linux " NEW " ...'\n"
		"\tif [ ! -f \"/boot/vmlinuz-" NEW "\" ]; then unset chosen; configfile $prefix/grub.cfg; fi\n"
		"\tif [ ! -f \"/boot/trial.img\" ]; then unset chosen; configfile $prefix/grub.cfg; fi\n"
		"\tlinux /boot/vmlinuz-" NEW " root=UUID=1 ro quiet ghost.claim=on ghost.trial=1a2b3c4d panic=30\n"
		"\techo\t'Loading initial ramdisk ...'\n"
		"\tinitrd /boot/intel-ucode.img /boot/trial.img\n}\n");
	free(text);
}

static void a_recovery_for_grub(void **state)
{
	const struct gb_trialentry entry = recovery();
	char *text = make_grub_entry(GRUB_LINUX, "0", &entry);

	(void)state;
	assert_string_equal(text,
		"menuentry 'Debian GNU/Linux, without claims' --class debian --class os "
		"--id 'ghost-boot-recovery' {\n"
		"\tload_video\n"
		"\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
		"\tinsmod ext2\n\tsearch --no-floppy --fs-uuid --set=root 1\n"
		"\tset ghost_release='" NEW "'\n"
		"\tif [ ! -f \"/boot/vmlinuz-${ghost_release}\" ]; then\n\t\tinsmod regexp\n"
		"\t\tfor ghost_file in /boot/vmlinuz-*; do\n"
		"\t\t\tregexp --set=1:ghost_found 'vmlinuz-(.*)$' \"$ghost_file\"\n"
		"\t\t\tif [ -f \"/boot/initrd.img-${ghost_found}\" ]; then\n"
		"\t\t\t\tset ghost_release=\"$ghost_found\"\n\t\t\tfi\n\t\tdone\n\tfi\n"
		"\tlinux /boot/vmlinuz-${ghost_release} root=UUID=1 ro quiet ghost.claim=off\n"
		"\tinitrd /boot/intel-ucode.img /boot/initrd.img-${ghost_release}\n}\n");
	free(text);
}

#define ENTRY(title, body) "menuentry " title " --unrestricted {\n" body "}\n"

/* A title that is a shell's trap, a kernel without its release in its name. */
static void odd_entries_of_grub(void **state)
{
	struct gb_trialentry entry = recovery();
	static const char *const arch[] = { "/boot/initramfs-linux.img" };
	char *text;

	(void)state;
	entry.own = arch;
	entry.owns = 1;
	entry.release = "6.9-arch1";
	text = make_grub_entry(ENTRY("\"it's \\$5 'x'\"", "$linux ($root)/vmlinuz-linux rw\n"
				     "$initrd ($root)/initramfs-linux.img\n"), "0", &entry);
	assert_string_equal(text, "menuentry 'it'\\''s $5 '\\''x'\\'', without claims' --unrestricted "
			    "--id 'ghost-boot-recovery' {\n"
			    "$linux ($root)/vmlinuz-linux rw ghost.claim=off\n"
			    "$initrd ($root)/initramfs-linux.img\n}\n");
	free(text);
}

static void entries_that_cannot_be(void **state)
{
#define KERNEL "linux /boot/vmlinuz-1\n"
#define IMAGE "initrd /boot/initrd.img-" NEW "\n"
	static const char *const bad[] = {
		"true\n", KERNEL, IMAGE, KERNEL KERNEL IMAGE, KERNEL "initrd /boot/other.img\n",
		"chainloader +1\n" KERNEL IMAGE, "multiboot2 /xen\n" KERNEL IMAGE,
		"true; linux /a; true\n" IMAGE, "linux /a; true\n" IMAGE, "linux\n" IMAGE,
		"linux \\\n/boot/vmlinuz-1\n" IMAGE, "linux '/boot/a b'\n" IMAGE, "linux /a \"b\nc\"\n" IMAGE,
	};
	const struct gb_trialentry entry = trial();

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char title[] = "x", id[] = "x", options[] = "", body[512];
		const struct gb_grubmenu_item item = { .title = title, .id = id, .options = options,
						       .body = body };
		struct gb_text made = { 0 };
		struct gb_err err;

		snprintf(body, sizeof(body), "%s", bad[i]);
		if (gb_trialentry_grub(&item, &entry, &made, &err) != -EINVAL)
			fail_msg("%s", bad[i]);
		gb_text_clear(&made);
	}
}

static void the_guard(void **state)
{
	static const struct {
		const char *usual, *way, *kept;
	} cases[] = {
		{ "0", NULL, "set default='0'" },
		{ "${saved_entry}", NULL, "set default=\"${saved_entry}\"" },
		{ "a'>b>c", "set default='ghost-boot-trial>b>c'", "set default='a'\\''>b>c'" },
		{ "a>>b", NULL, "set default='a>>b'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_text text = { 0 };

		gb_trialentry_guard(cases[i].usual, 1, &text);
		check_script(text.data);
		assert_non_null(strstr(text.data, "set fallback=1\n"));
		assert_non_null(strstr(text.data, cases[i].kept));
		if (cases[i].way)
			assert_non_null(strstr(text.data, cases[i].way));
		else
			assert_null(strstr(text.data, "'ghost-boot-trial>"));
		gb_text_clear(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_texts),
		cmocka_unit_test(confs_that_cannot_be),
		cmocka_unit_test(a_trial_for_grub),
		cmocka_unit_test(a_recovery_for_grub),
		cmocka_unit_test(odd_entries_of_grub),
		cmocka_unit_test(entries_that_cannot_be),
		cmocka_unit_test(the_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
