/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words into and out of the command line: one small machine of each kind, and a grub-mkconfig that
 * does what the real one does with them. */
#include "change.h"

#include <sys/statvfs.h>

#include "cmdplan.h"
#include "efi.h"
#include "footprint.h"
#include "grubfile.h"
#include "host.h"
#include "leftover.h"
#include "machines.h"

static const struct gb_want wanted[] = {
	{ GB_WANT_ONLY, "ghost.claim=on", "arms" },
	{ GB_WANT_PIECE, "intel_iommu=on", "the IOMMU" },
	{ GB_WANT_PIECE, "iommu=pt", "host's own devices" },
};

/* ---- one machine, changed and brought back --------------------------------------------- */

static int run_fake(void *ctx, const struct gb_program *program, struct gb_ran *ret,
		    struct gb_err *err)
{
	(void)err;
	*ret = (struct gb_ran){ .status = fake_program(ctx, program->argv) };
	return 0;
}

static int prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	void **both = ctx;

	return gb_cmdplan_prove(both[0], both[1], plan, step, err);
}

static void open_host(struct tree *tree, struct gb_host *ret)
{
	struct gb_err err = { "" };

	assert_int_equal(gb_host_open(tree->root, ret, &err), 0);
	ret->runner = (struct gb_runner){ .ctx = tree, .run = run_fake };
}

/* One change as a command makes it: plan, footprint with it, transaction, proof. Returns what
 * failed; *ret_steps are the words of the steps. */
static int change_with(struct tree *tree, const struct gb_want *want, size_t wants, bool noted,
		       int (*space)(int fd, struct statvfs *ret), char *ret_steps, size_t size,
		       struct gb_err *err)
{
	struct gb_cmdplan_report report = { 0 };
	struct gb_footprint footprint;
	struct gb_plan plan = { 0 };
	struct gb_text text = { 0 };
	struct gb_host host;
	void *both[] = { &host, &report };
	enum gb_end end;
	int r;

	open_host(tree, &host);
	host.store.space = space;
	assert_int_equal(gb_footprint_read(tree->root, &footprint, err), 0);
	r = want ? gb_cmdplan(&host, want, wants, noted ? &footprint : NULL, &plan, &report, err)
		 : gb_cmdplan_undo(&host, &footprint, &plan, &report, err);
	gb_plan_close(&plan);
	for (size_t i = 0; i < plan.steps && !r; i++) {
		gb_plan_step_text(&plan.step[i], &text);
		gb_text_addf(&text, "\n");
	}
	if (report.left.len && text.len)
		gb_text_addf(&text, "left: %s", report.left.data);
	snprintf(ret_steps, size, "%s", text.data ? text.data : "");
	if (!r)
		r = gb_leftover_note(&footprint, &host.store, &plan, err) < 0 ||
		    gb_footprint_plan(&footprint, &host.store, &plan, err) < 0 ? -EIO : 0;
	gb_plan_close(&plan);
	if (!r) {
		struct gb_transaction t = { .store = &host.store, .runner = &host.runner, .log = -1,
					    .ctx = both, .prove = prove };

		r = gb_transaction_run(&t, &plan, &end, NULL, err);
	}
	gb_text_clear(&text);
	gb_plan_clear(&plan);
	gb_cmdplan_report_clear(&report);
	gb_footprint_clear(&footprint);
	gb_host_close(&host);
	return r;
}

static void expect_change(struct tree *tree, const struct gb_want *want, size_t wants,
			  const char *steps)
{
	struct gb_err err = { "" };
	char said[4096];

	if (change_with(tree, want, wants, true, NULL, said, sizeof(said), &err))
		fail_msg("%s", err.text);
	if (steps)
		assert_string_equal(said, steps);
}

static void expect_refused(struct tree *tree, const struct gb_want *want, size_t wants,
			   const char *why)
{
	char *before = take_shot(tree->dir), *after;
	struct gb_err err = { "" };
	char said[4096];

	if (!change_with(tree, want, wants, true, NULL, said, sizeof(said), &err))
		fail_msg("not refused: %s", said);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	after = take_shot(tree->dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void expect_text(struct tree *tree, const char *path, const char *text)
{
	const char *is = tree_get(tree, path);

	assert_string_equal(is ? is : "(not there)", text);
}

/* There, again, and back: which steps; nothing the second time; the bytes there were. */
static void there_and_back(struct tree *tree, const char *steps)
{
	char *before = take_shot(tree->dir), *after;

	expect_change(tree, wanted, COUNT(wanted), steps);
	after = take_shot(tree->dir);
	assert_string_not_equal(before, after);
	free(after);
	expect_change(tree, wanted, COUNT(wanted), "");
	expect_change(tree, NULL, 0, NULL);
	after = take_shot(tree->dir);
	assert_string_equal(before, after);
	expect_change(tree, NULL, 0, "");
	free(before);
	free(after);
}

/* ---- GRUB ------------------------------------------------------------------------------ */

#define DROP_IN "# Written by ghost-boot, which takes it away again with \"ghost-boot disable\".\n" \
		"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT"
#define MKCONFIG "run /usr/sbin/grub-mkconfig -o /boot/grub/.ghost-boot-grub.cfg\n"

static void debian_gets_a_drop_in(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub", DEBIAN_GRUB);
	expect_text(&tree, "/etc/default/grub.d/zz-ghost-boot.cfg",
		    DROP_IN " ghost.claim=on intel_iommu=on iommu=pt\"\n");
	assert_non_null(strstr(tree_get(&tree, "/boot/grub/grub.cfg"),
			       "linux /boot/vmlinuz-6.12 root=UUID=1 ro  quiet ghost.claim=on "
			       "intel_iommu=on iommu=pt\n"));
	assert_non_null(strstr(tree_get(&tree, "/boot/grub/grub.cfg"), "single \n"));
	assert_null(tree_get(&tree, "/boot/grub/.ghost-boot-grub.cfg"));
	expect_change(&tree, NULL, 0, NULL);
	there_and_back(&tree, NULL);
	tree_clear(&tree);
}

/* Debian 12 reads the folder, and has none. */
static void makes_the_folder_too(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	assert_int_equal(rmdir(tree_path(&tree, "/etc/default/grub.d")), 0);
	there_and_back(&tree, NULL);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	tree_put(&tree, "/etc/default/grub.d/50-other.cfg", "GRUB_TIMEOUT=1\n");
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/default/grub.d/50-other.cfg", "GRUB_TIMEOUT=1\n");
	tree_clear(&tree);
}

/* The menu keeps its language: GRUB_DEFAULT may name an entry by its title. */
static void keeps_the_menus_language(void **state)
{
	struct tree tree;
	struct gb_err err = { "" };
	char said[4096];

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	tree_put(&tree, "/etc/default/locale", "#  File\nLANG=\"de_DE.UTF-8\"\n");
	there_and_back(&tree, NULL);
	tree_put(&tree, "/etc/default/locale", "LANG=fr_FR.UTF-8; rm\n");
	tree_put(&tree, "/boot/grub/grub.cfg", "### BEGIN /etc/grub.d/10_linux ###\nmenuentry 'Debian, with Linux "
		 "6.12' $menuentry_id_option 'gnulinux-6.12-advanced-1' {\n\tlinux /boot/vmlinuz-6.12 ro quiet\n"
		 "}\n### END /etc/grub.d/10_linux ###\n");
	assert_int_equal(change_with(&tree, wanted, 3, true, NULL, said, sizeof(said), &err), 0);
	tree_clear(&tree);
}

static void takes_what_is_there_for_its_owners(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, "GRUB_CMDLINE_LINUX=\"intel_iommu=on\"\n"
		    "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub.d/zz-ghost-boot.cfg", DROP_IN " ghost.claim=on\"\n");
	expect_change(&tree, NULL, 0, NULL);
	there_and_back(&tree, NULL);
	tree_clear(&tree);
}

static void overcomes_what_comes_before(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, "GRUB_CMDLINE_LINUX=\"intel_iommu=off\"\n"
		    "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=nopt\"\n");
	tree_put(&tree, "/etc/default/grub.d/50-cloudimg-settings.cfg",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"console=ttyS0\"\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub.d/zz-ghost-boot.cfg",
		    DROP_IN " ghost.claim=on intel_iommu=on iommu=pt\"\n");
	assert_non_null(strstr(tree_get(&tree, "/boot/grub/grub.cfg"), "ro intel_iommu=off "
			       "console=ttyS0 ghost.claim=on intel_iommu=on iommu=pt\n"));
	expect_change(&tree, NULL, 0, NULL);
	there_and_back(&tree, NULL);
	tree_clear(&tree);
}

static void refuses_what_speaks_against_it(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"ghost.claim=off\"\n");
	expect_refused(&tree, wanted, 3, "/etc/default/grub: line 2: ");
	tree_put(&tree, "/etc/default/grub", DEBIAN_GRUB);
	tree_put(&tree, "/etc/default/grub.d/zzz.cfg", "# mine\nGRUB_CMDLINE_LINUX_DEFAULT=\"splash\"\n");
	expect_refused(&tree, wanted, 3, "/etc/default/grub.d/zzz.cfg: line 2: ");
	/* one that adds to it is well */
	tree_put(&tree, "/etc/default/grub.d/zzz.cfg",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT splash\"\n");
	regenerate(&tree);
	there_and_back(&tree, NULL);
	/* in a locale that passes over punctuation, this one comes later too */
	tree_delete(&tree, "/etc/default/grub.d/zzz.cfg");
	tree_put(&tree, "/etc/default/grub.d/ZZ_Kiosk.cfg", "GRUB_CMDLINE_LINUX_DEFAULT=\"splash\"\n");
	expect_refused(&tree, wanted, 3, "/etc/default/grub.d/ZZ_Kiosk.cfg: line 1: ");
	tree_delete(&tree, "/etc/default/grub.d/ZZ_Kiosk.cfg");
	tree_put(&tree, "/etc/default/grub", "if true; then\nGRUB_CMDLINE_LINUX_DEFAULT=x\nfi\n");
	expect_refused(&tree, wanted, 3, "/etc/default/grub: line 1: ");
	tree_put(&tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=$(cat /x)\n");
	expect_refused(&tree, wanted, 3, "/etc/default/grub: line 1: ");
	tree_clear(&tree);
}

static void refuses_what_it_did_not_make(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	tree_put(&tree, "/boot/grub/grub.cfg", "menuentry 'mine' {\n\tlinux /vmlinuz root=/dev/sda1\n}\n");
	expect_refused(&tree, wanted, 3, "was not made by grub-mkconfig");
	tree_put(&tree, "/boot/grub/grub.cfg", "### BEGIN /etc/grub.d/10_linux ###\n"
		 "### END /etc/grub.d/10_linux ###\n### BEGIN /etc/grub.d/40_custom ###\n"
		 "menuentry 'mine' {\n\tlinux /vmlinuz root=/dev/sda1\n}\n"
		 "### END /etc/grub.d/40_custom ###\n");
	expect_refused(&tree, wanted, 3, "boots no kernel of 10_linux");
	tree_clear(&tree);
	make_debian(&tree, DEBIAN_GRUB);
	tree_put(&tree, "/etc/default/grub.d/zz-ghost-boot.cfg", "GRUB_TIMEOUT=3\n");
	expect_refused(&tree, wanted, 3, "changed by hand");
	tree_clear(&tree);
}

/* A configuration that the script left behind in any of these states never takes the place. */
static void proves_the_configuration(void **state)
{
	static const char *const ways[] = { "empty", "cut", "kernel", "words", "recovery", "fails" };
	struct tree tree;

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		make_debian(&tree, DEBIAN_GRUB);
		tree_put(&tree, "/mkconfig-goes-wrong", ways[i]);
		expect_refused(&tree, wanted, 3, i == 5 ? "failed with 1" : "/boot/grub/");
		tree_clear(&tree);
	}
}

static void arch_and_suse_get_the_file(void **state)
{
	struct tree tree;

	(void)state;
	make_arch_grub(&tree);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT='loglevel=3 quiet ghost.claim=on "
		    "intel_iommu=on iommu=pt'\nGRUB_CMDLINE_LINUX=\"\"\n");
	expect_change(&tree, NULL, 0, NULL);
	there_and_back(&tree, NULL);
	tree_clear(&tree);
	make_suse_grub(&tree);
	there_and_back(&tree, NULL);
	/* intel_iommu=off where the person put it is off again afterwards */
	tree_put(&tree, "/etc/default/grub",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=off,sm_on quiet iommu=nopt\" # mine\n");
	regenerate(&tree);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"intel_iommu=on,sm_on quiet iommu=pt "
		    "ghost.claim=on\" # mine\n");
	expect_change(&tree, NULL, 0, NULL);
	there_and_back(&tree, NULL);
	tree_clear(&tree);
}

/* ---- entries --------------------------------------------------------------------------- */

static void fedora_has_three_stores(void **state)
{
	struct tree tree;

	(void)state;
	make_fedora(&tree);
	there_and_back(&tree, "change /etc/kernel/cmdline\n"
		       "change /boot/loader/entries/m-6.9.conf\n"
		       "change /boot/loader/entries/m-6.11.conf\n"
		       "change /etc/default/grub\n"
		       "left: /boot/loader/entries/m-0-rescue.conf: a rescue entry stays as it is\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/default/grub", "GRUB_ENABLE_BLSCFG=true\nGRUB_CMDLINE_LINUX=\"rhgb quiet "
		    "ghost.claim=on intel_iommu=on iommu=pt\"\n");
	expect_text(&tree, "/boot/loader/entries/m-6.11.conf", "title Fedora\nversion 6.11\n"
		    "linux /vmlinuz-6.11\noptions root=UUID=1 ro rhgb $tuned_params ghost.claim=on "
		    "intel_iommu=on iommu=pt\n");
	expect_change(&tree, NULL, 0, NULL);
	/* made where it is missing, of the booted entry, and removed again */
	tree_delete(&tree, "/etc/kernel/cmdline");
	there_and_back(&tree, NULL);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro rhgb ghost.claim=on intel_iommu=on "
		    "iommu=pt\n");
	tree_clear(&tree);
}

static void debian_with_systemd_boot(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	there_and_back(&tree, "change /etc/kernel/cmdline\n"
		       "change /efi/loader/entries/m-6.9.conf\n"
		       "change /efi/loader/entries/m-6.12+2-1.conf\n"
		       "left: /efi/loader/entries/memtest.conf: it boots no kernel of this system\n"
		       "/efi/loader/entries/other.conf: it boots another system\n");
	tree_delete(&tree, "/etc/kernel/cmdline");
	there_and_back(&tree, NULL);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet ghost.claim=on intel_iommu=on "
		    "iommu=pt\n");
	tree_clear(&tree);
}

/* A boot, with this command line: what the unit does then. Returns the steps. */
static size_t boot_with(struct tree *tree, const char *line)
{
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };
	struct gb_host host;
	enum gb_end end;
	size_t steps;

	tree_put(tree, "/proc/cmdline", line);
	open_host(tree, &host);
	if (gb_leftover_plan(&host, &plan, &err))
		fail_msg("%s", err.text);
	steps = plan.steps;
	if (steps) {
		struct gb_transaction t = { .store = &host.store, .log = -1 };

		if (gb_transaction_run(&t, &plan, &end, NULL, &err))
			fail_msg("%s", err.text);
	}
	gb_plan_clear(&plan);
	gb_host_close(&host);
	return steps;
}

#define ARMED "root=UUID=1 ro quiet ghost.claim=on intel_iommu=on iommu=pt\n"

/* Without the file, kernel-install would give new entries the words that the kernel still runs with. */
static void waits_for_another_boot(void **state)
{
	static const char plain[] = "root=UUID=1 ro quiet\n";
	char *before, *now, first[256];
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_delete(&tree, "/etc/kernel/cmdline");
	snprintf(first, sizeof(first), "%s", tree_get(&tree, "/proc/cmdline"));
	before = take_shot(tree.dir);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	assert_int_equal(boot_with(&tree, ARMED), 0);
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/kernel/cmdline", plain);
	assert_non_null(strstr(tree_get(&tree, GB_LEFTOVER), "  /etc/kernel/cmdline\n"
			       "ghost.claim=on intel_iommu=on iommu=pt\n"));
	expect_change(&tree, NULL, 0, "");
	assert_int_equal(boot_with(&tree, "root=UUID=1 ro quiet iommu=pt\n"), 0);
	/* enabled again and taken back, while it waits */
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	assert_null(tree_get(&tree, GB_LEFTOVER));
	expect_text(&tree, "/etc/kernel/cmdline", ARMED);
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/kernel/cmdline", plain);
	assert_true(boot_with(&tree, first) > 0);
	assert_int_equal(boot_with(&tree, first), 0);
	assert_null(tree_get(&tree, GB_LEFTOVER));
	assert_null(tree_get(&tree, GB_FOOTPRINT));
	now = take_shot(tree.dir);
	assert_string_equal(now, before);
	free(before);
	free(now);
	tree_clear(&tree);
}

/* What somebody has changed while it waited is his. */
static void waits_and_becomes_anothers(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_delete(&tree, "/etc/kernel/cmdline");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	tree_put(&tree, "/proc/cmdline", ARMED);
	expect_change(&tree, NULL, 0, NULL);
	tree_put(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet panic=5\n");
	assert_true(boot_with(&tree, "root=UUID=1 ro quiet\n") > 0);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet panic=5\n");
	assert_null(tree_get(&tree, GB_LEFTOVER));
	assert_null(tree_get(&tree, GB_FOOTPRINT));
	tree_clear(&tree);
}

/* A kernel that came after us has its words from /etc/kernel/cmdline; its counter counts. */
/* The machine gets systemd-boot beside its GRUB, or the other way round. */
static void use_systemd_boot(struct tree *tree)
{
	tree_put(tree, "/proc/cmdline", "initrd=\\m\\6.12\\initrd.img root=UUID=1 ro quiet\n");
	put_variable(tree, "LoaderInfo", "systemd-boot 257.7-1");
	put_variable(tree, "LoaderEntrySelected", "m-6.12.conf");
	tree_put(tree, "/efi/loader/entries/m-6.12.conf", ENTRY_612);
}

static void use_grub(struct tree *tree)
{
	tree_delete(tree, "/sys/firmware/efi/efivars/LoaderInfo" GB_EFI_LOADER);
	tree_delete(tree, "/sys/firmware/efi/efivars/LoaderEntrySelected" GB_EFI_LOADER);
	tree_put(tree, "/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.12 root=UUID=1 ro quiet\n");
	tree_put(tree, "/usr/sbin/grub-mkconfig", "for x in ${sysconfdir}/default/grub.d/*.cfg ; do\n");
	tree_put(tree, "/usr/sbin/update-grub", "exec grub-mkconfig -o /boot/grub/grub.cfg\n");
	tree_put(tree, "/etc/default/grub", DEBIAN_GRUB);
	tree_put(tree, "/boot/vmlinuz-6.12", "");
	tree_put(tree, "/boot/grub/grub.cfg", "");
	regenerate(tree);
}

static void takes_back_what_another_loader_read(void **state)
{
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	use_systemd_boot(&tree);
	expect_change(&tree, NULL, 0, "remove /etc/default/grub.d/zz-ghost-boot.cfg\n"
		      "left: /boot/grub/grub.cfg: GRUB did not boot this machine, so it is not made anew\n");
	expect_text(&tree, "/efi/loader/entries/m-6.12.conf", ENTRY_612);
	expect_change(&tree, NULL, 0, "");
	tree_clear(&tree);

	make_systemd(&tree, "ID=debian\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	tree_put(&tree, "/efi/loader/entries/m-6.13.conf", "title Debian\nversion 6.13\nmachine-id m\n"
		 "linux /m/6.13/linux\noptions root=UUID=1 ro quiet ghost.claim=on\n");
	use_grub(&tree);
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet\n");
	expect_text(&tree, "/efi/loader/entries/m-6.12+2-1.conf", ENTRY_612);
	expect_text(&tree, "/efi/loader/entries/m-6.9.conf", "title Debian\nversion 6.9\nmachine-id m\n"
		    "linux /m/6.9/linux\noptions root=UUID=1 ro\noptions quiet\n");
	expect_text(&tree, "/efi/loader/entries/m-6.13.conf", "title Debian\nversion 6.13\nmachine-id m\n"
		    "linux /m/6.13/linux\noptions root=UUID=1 ro quiet\n");
	assert_null(tree_get(&tree, GB_FOOTPRINT));
	tree_clear(&tree);
}

/* As ghost-boot rollback takes the last change back. */
static void roll_back(struct tree *tree)
{
	struct gb_cmdplan_report report = { 0 };
	struct gb_footprint footprint;
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };
	struct gb_host host;
	enum gb_end end;

	open_host(tree, &host);
	assert_int_equal(gb_footprint_read(tree->root, &footprint, &err), 0);
	if (gb_transaction_rollback(&host.store, false, &plan, NULL, &err) ||
	    gb_cmdplan_undo_since(&host, &footprint, &plan, &report, &err))
		fail_msg("%s", err.text);
	{
		struct gb_transaction t = { .store = &host.store, .runner = &host.runner, .log = -1 };

		if (gb_transaction_run(&t, &plan, &end, NULL, &err))
			fail_msg("%s", err.text);
	}
	gb_plan_clear(&plan);
	gb_cmdplan_report_clear(&report);
	gb_footprint_clear(&footprint);
	gb_host_close(&host);
}

static void a_rollback_reaches_what_came_since(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	tree_put(&tree, "/efi/loader/entries/m-6.13.conf", "title Debian\nversion 6.13\nmachine-id m\n"
		 "linux /m/6.13/linux\noptions root=UUID=1 ro quiet ghost.claim=on intel_iommu=on\n");
	roll_back(&tree);
	expect_text(&tree, "/efi/loader/entries/m-6.12+2-1.conf", ENTRY_612);
	expect_text(&tree, "/efi/loader/entries/m-6.13.conf", "title Debian\nversion 6.13\nmachine-id m\n"
		    "linux /m/6.13/linux\noptions root=UUID=1 ro quiet\n");
	tree_clear(&tree);
}

static void finds_new_kernels(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_put(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet iommu=nopt\n");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet iommu=pt ghost.claim=on "
		    "intel_iommu=on\n");
	tree_put(&tree, "/efi/loader/entries/m-6.13.conf", "title new\nversion 6.13\nlinux /m/6.13/linux\n"
		 "options root=UUID=1 ro quiet iommu=pt ghost.claim=on intel_iommu=on systemd.machine_id=1\n");
	assert_int_equal(rename_in(&tree, "/efi/loader/entries/m-6.12+2-1.conf",
				   "/efi/loader/entries/m-6.12.conf"), 0);
	tree_put(&tree, "/run/LoaderEntrySelected", "m-6.12.conf");
	expect_change(&tree, wanted, COUNT(wanted), "");
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/efi/loader/entries/m-6.13.conf", "title new\nversion 6.13\nlinux /m/6.13/linux\n"
		    "options root=UUID=1 ro quiet iommu=nopt systemd.machine_id=1\n");
	expect_text(&tree, "/efi/loader/entries/m-6.12.conf", ENTRY_612);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro quiet iommu=nopt\n");
	tree_clear(&tree);
}

static void leaves_what_others_wrote(void **state)
{
	struct tree tree;

	(void)state;
	make_systemd(&tree, "ID=debian\n");
	tree_delete(&tree, "/etc/kernel/cmdline");
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	/* a file that we made, and that its owner has taken over */
	tree_put(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro nosplash ghost.claim=on intel_iommu=on "
		 "iommu=pt panic=5\n");
	tree_put(&tree, "/efi/loader/entries/m-6.9.conf", "title mine\nlinux /m/6.9/linux\n"
		 "options root=UUID=1 ro iommu=pt x=1 ghost.claim=on intel_iommu=on\n");
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/kernel/cmdline", "root=UUID=1 ro nosplash panic=5\n");
	expect_text(&tree, "/efi/loader/entries/m-6.9.conf", "title mine\nlinux /m/6.9/linux\n"
		    "options root=UUID=1 ro x=1\n");
	tree_clear(&tree);
}

static void arch_with_entries_by_hand(void **state)
{
	struct tree tree;

	(void)state;
	make_arch_systemd(&tree);
	there_and_back(&tree, "change /boot/loader/entries/arch-lts.conf\n"
		       "change /boot/loader/entries/arch.conf\n");
	tree_clear(&tree);
}

/* ---- others ---------------------------------------------------------------------------- */

static void others_have_tools_of_their_own(void **state)
{
	struct tree tree;

	(void)state;
	make_suse_entries(&tree);
	there_and_back(&tree, "change /etc/kernel/cmdline\nrun /usr/bin/sdbootutil update-all-entries\n");
	tree_clear(&tree);
	make_proxmox(&tree);
	there_and_back(&tree, "change /etc/kernel/cmdline\nrun /usr/sbin/proxmox-boot-tool refresh\n");
	tree_delete(&tree, "/usr/sbin/proxmox-boot-tool");
	expect_refused(&tree, wanted, 3, "proxmox-boot-tool is not installed");
	tree_clear(&tree);
	make_proxmox_grub(&tree);
	there_and_back(&tree, "make /etc/default/grub.d/zz-ghost-boot.cfg\n"
		       "run /usr/sbin/proxmox-boot-tool refresh\n");
	tree_clear(&tree);
	make_uki(&tree);
	there_and_back(&tree, "make folder /etc/kernel\nmake /etc/kernel/cmdline\n");
	tree_clear(&tree);
}

static void refuses_with_what_to_type(void **state)
{
	struct gb_want many[12];
	struct gb_err err = { "" };
	struct tree tree;
	char said[4096];

	(void)state;
	make_ostree(&tree);
	expect_refused(&tree, wanted, 3, "rpm-ostree kargs --append=ghost.claim=on --append=intel_iommu=on "
		       "--append=iommu=pt");
	tree_clear(&tree);
	make_systemd(&tree, "ID=pop\n");
	tree_put(&tree, "/usr/bin/kernelstub", "");
	expect_refused(&tree, wanted, 3, "kernelstub -a \"ghost.claim=on intel_iommu=on iommu=pt\"");
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct gb_want){ GB_WANT_ALSO, "a-word-that-is-long-enough=for-this", NULL };
	expect_refused(&tree, many, COUNT(many), GB_CMDPLAN_HELPS "kernelstub -a \"WORD\"");
	/* how words are added is no help for taking them away */
	assert_int_equal(change_with(&tree, &(struct gb_want){ GB_WANT_GONE, "quiet", NULL }, 1, true, NULL, said,
				     sizeof(said), &err), -EINVAL);
	assert_null(strstr(err.text, "what helps"));
	tree_clear(&tree);
	make_systemd(&tree, "ID=debian\n");
	tree_put(&tree, "/boot/loader/entries/m-6.12+2-1.conf", ENTRY_612);
	expect_refused(&tree, wanted, 3, "several folders");
	tree_clear(&tree);
	make_systemd(&tree, "ID=debian\n");
	unmount_esp(&tree);
	expect_refused(&tree, wanted, 3, "mount /efi");
	tree_clear(&tree);
	make_systemd(&tree, "ID=debian\n");
	tree_put(&tree, "/etc/kernel/cmdline", "root=UUID=1\nquiet\n");
	expect_refused(&tree, wanted, 3, "/etc/kernel/cmdline: it has more than one line");
	tree_clear(&tree);
	make_debian(&tree, DEBIAN_GRUB);
	expect_refused(&tree, &(struct gb_want){ GB_WANT_ALSO, "x=\"a b\"", NULL }, 1, "unchanged");
	tree_clear(&tree);
}

static int read_only(int fd, struct statvfs *ret)
{
	if (fstatvfs(fd, ret))
		return -1;
	ret->f_flag |= ST_RDONLY;
	return 0;
}

static void says_that_it_is_read_only(void **state)
{
	struct gb_err err = { "" };
	char said[4096], *before, *after;
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	before = take_shot(tree.dir);
	assert_int_equal(change_with(&tree, wanted, 3, true, read_only, said, sizeof(said), &err), -EROFS);
	after = take_shot(tree.dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
	tree_clear(&tree);
}

/* Words of a person's own, by `cmdline --add`: no disable takes them. */
static void persons_words_stay(void **state)
{
	static const struct gb_want own = { GB_WANT_ALSO, "iommu=pt", NULL };
	static const struct gb_want gone = { GB_WANT_GONE, "iommu=pt", NULL };
	struct gb_err err = { "" };
	char said[4096], *before, *after;
	struct tree tree;

	(void)state;
	make_debian(&tree, DEBIAN_GRUB);
	before = take_shot(tree.dir);
	assert_int_equal(change_with(&tree, &own, 1, false, NULL, said, sizeof(said), &err), 0);
	expect_change(&tree, wanted, COUNT(wanted), NULL);
	expect_change(&tree, NULL, 0, NULL);
	expect_text(&tree, "/etc/default/grub.d/zz-ghost-boot.cfg", DROP_IN " iommu=pt\"\n");
	assert_int_equal(change_with(&tree, &gone, 1, false, NULL, said, sizeof(said), &err), 0);
	after = take_shot(tree.dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
	tree_clear(&tree);
}

/* Out of files of a person's, and back where each word stood. */
static void takes_words_out_of_every_file(void **state)
{
	static const struct gb_want gone[] = { { GB_WANT_GONE, "vfio-pci.ids=10de:2203", NULL },
					       { GB_WANT_GONE, "nosplash", NULL } };
	struct tree tree;
	char *before;

	(void)state;
	make_debian(&tree, "GRUB_CMDLINE_LINUX=\"vfio-pci.ids=10de:2203\"\n"
		    "GRUB_CMDLINE_LINUX_DEFAULT='quiet vfio-pci.ids=10de:2203 splash nosplash' # mine\n");
	tree_put(&tree, "/etc/default/grub.d/10-mine.cfg",
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"nosplash $GRUB_CMDLINE_LINUX_DEFAULT a\"\n");
	regenerate(&tree);
	before = take_shot(tree.dir);
	expect_change(&tree, gone, 2, NULL);
	expect_text(&tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"\"\n"
		    "GRUB_CMDLINE_LINUX_DEFAULT='quiet splash' # mine\n");
	expect_text(&tree, "/etc/default/grub.d/10-mine.cfg",
		    "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT a\"\n");
	assert_null(strstr(tree_get(&tree, "/boot/grub/grub.cfg"), "vfio-pci"));
	expect_change(&tree, gone, 2, "");
	expect_change(&tree, NULL, 0, NULL);
	{
		char *after = take_shot(tree.dir);

		assert_string_equal(before, after);
		free(after);
	}
	free(before);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_gets_a_drop_in),
		cmocka_unit_test(makes_the_folder_too),
		cmocka_unit_test(keeps_the_menus_language),
		cmocka_unit_test(takes_what_is_there_for_its_owners),
		cmocka_unit_test(overcomes_what_comes_before),
		cmocka_unit_test(refuses_what_speaks_against_it),
		cmocka_unit_test(refuses_what_it_did_not_make),
		cmocka_unit_test(proves_the_configuration),
		cmocka_unit_test(arch_and_suse_get_the_file),
		cmocka_unit_test(fedora_has_three_stores),
		cmocka_unit_test(debian_with_systemd_boot),
		cmocka_unit_test(waits_for_another_boot),
		cmocka_unit_test(waits_and_becomes_anothers),
		cmocka_unit_test(takes_back_what_another_loader_read),
		cmocka_unit_test(a_rollback_reaches_what_came_since),
		cmocka_unit_test(finds_new_kernels),
		cmocka_unit_test(leaves_what_others_wrote),
		cmocka_unit_test(arch_with_entries_by_hand),
		cmocka_unit_test(others_have_tools_of_their_own),
		cmocka_unit_test(refuses_with_what_to_type),
		cmocka_unit_test(says_that_it_is_read_only),
		cmocka_unit_test(persons_words_stay),
		cmocka_unit_test(takes_words_out_of_every_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
