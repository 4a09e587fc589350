/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial in the boot that meets it: with real files of both loaders, and every write failed. */
#include "loaders.h"

#include "check.h"
#include "counter.h"
#include "oneshot.h"
#include "text.h"
#include "trialkeeper.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define EARLIER "0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5"
#define NOW "1c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5"
#define WORD " ghost.claim=on ghost.trial=0a2b3c4d"
#define CLAIMS "ghost-boot claims 1\n" \
	       "claim path=0000:00/01.0 id=10de:2203 subsys=1462:5054 class=030000\n"

enum loader { SYSTEMD, GRUB, LOADERS };
static const char *const entry[LOADERS] = { GB_BLS_TRIAL, "ghost-boot-trial" };

struct world {
	struct tree tree;
	struct gb_host host;
	enum loader loader;
	struct gb_keeper keeper;
	struct gb_err err;
};

static void put_trial(struct world *w, enum gb_trial_state state, const char *boot)
{
	struct gb_trial trial = { .state = state, .id = 0x0a2b3c4d, .seconds = 600,
				  .time = 1700000000 };

	gb_sha256_of(CLAIMS, strlen(CLAIMS), trial.claims);
	strcpy(trial.boot, boot);
	assert_true(gb_trial_set(&trial.entry, entry[w->loader]));
	assert_true(gb_trial_set(&trial.kernel, NEW));
	assert_int_equal(gb_trial_write(&w->host.store, &trial, &w->err), 0);
	gb_trial_clear(&trial);
}

/* What the next boot takes. */
static void arm(struct world *w, const char *id)
{
	struct gb_oneshot oneshot;

	gb_oneshot_find(&w->host, &oneshot);
	if (gb_oneshot_arm(&w->host, &oneshot, id, &w->err))
		fail_msg("%s; %s", oneshot.why, w->err.text);
}

static void assert_armed(struct world *w, const char *id)
{
	char now[512];

	assert_int_equal(gb_oneshot_read(&w->host, now, sizeof(now), &w->err), 0);
	assert_string_equal(now, id);
}

static void begin(struct world *w, enum loader loader, const char *words)
{
	char text[256];

	memset(w, 0, sizeof(*w));
	w->loader = loader;
	tree_make(&w->tree);
	(loader == GRUB ? make_grub : make_systemd)(&w->tree);
	snprintf(text, sizeof(text), "%s%s\n",
		 loader == GRUB ? "BOOT_IMAGE=/boot/vmlinuz-" NEW " root=UUID=1 ro quiet"
				: "initrd=\\x root=UUID=1 ro quiet", words);
	tree_put(&w->tree, "/proc/cmdline", text);
	tree_put(&w->tree, BOOT_ID, NOW "\n");
	tree_put(&w->tree, "/etc/ghost-boot/claims", CLAIMS);
	tree_folder(&w->tree, "/var/lib/x");
	tree_folder(&w->tree, "/run/x");
	open_host(&w->tree, &w->host);
}

static void end(struct world *w)
{
	gb_keeper_clear(&w->keeper);
	gb_host_close(&w->host);
	tree_clear(&w->tree);
}

static int settle(struct world *w)
{
	int r = gb_keeper_read(w->tree.root, &w->keeper, &w->err);

	return r ? r : gb_keeper_settle(&w->host, &w->keeper, &w->err);
}

/* The state as it is on the disk, and why. */
static void assert_state(struct world *w, enum gb_trial_state state, const char *reason)
{
	struct gb_trial trial;

	assert_int_equal(gb_trial_read(w->tree.root, &trial, &w->err), 0);
	assert_string_equal(gb_trial_name(trial.state), gb_trial_name(state));
	if (reason && !strstr(trial.reason ? trial.reason : "", reason))
		fail_msg("\"%s\" lacks \"%s\"", trial.reason ? trial.reason : "", reason);
	if (state == GB_TRIAL_BOOTED || state == GB_TRIAL_FAILED)
		assert_string_equal(trial.boot, NOW);
	gb_trial_clear(&trial);
}

/* ---- moving it ------------------------------------------------------------------------------ */

static void enters(void **state)
{
	(void)state;
	for (enum loader loader = 0; loader < LOADERS; loader++) {
		struct world w;

		begin(&w, loader, WORD);
		put_trial(&w, GB_TRIAL_ARMED, EARLIER);
		assert_int_equal(settle(&w), 0);
		assert_int_equal(w.keeper.arrival, GB_ARRIVAL_ENTER);
		assert_string_equal(w.keeper.warning, "");
		assert_state(&w, GB_TRIAL_BOOTED, NULL);
		gb_keeper_clear(&w.keeper);
		assert_int_equal(settle(&w), 0); /* once more, in the same boot */
		assert_int_equal(w.keeper.arrival, GB_ARRIVAL_GOES_ON);
		assert_state(&w, GB_TRIAL_BOOTED, NULL);
		end(&w);
	}
}

/* A loader that did not take it away is told by the trial itself. */
static void forgets_what_is_left(void **state)
{
	(void)state;
	for (enum loader loader = 0; loader < LOADERS; loader++)
		for (int trial = 0; trial < 2; trial++) {
			struct world w;

			begin(&w, loader, trial ? WORD : "");
			put_trial(&w, GB_TRIAL_ARMED, EARLIER);
			arm(&w, entry[loader]);
			assert_int_equal(settle(&w), 0);
			assert_armed(&w, "");
			assert_state(&w, trial ? GB_TRIAL_BOOTED : GB_TRIAL_FAILED,
				     trial ? NULL : "did not take its entry");
			end(&w);
			/* somebody else's stays */
			begin(&w, loader, trial ? WORD : "");
			put_trial(&w, GB_TRIAL_ARMED, EARLIER);
			arm(&w, loader == GRUB ? "gnulinux-simple" : MACHINE "-" OLD ".conf");
			assert_int_equal(settle(&w), 0);
			assert_armed(&w, loader == GRUB ? "gnulinux-simple" : MACHINE "-" OLD ".conf");
			assert_state(&w, trial ? GB_TRIAL_BOOTED : GB_TRIAL_FAILED,
				     trial ? NULL : "never came as far as the host");
			end(&w);
		}
}

static void fails_with_a_reason(void **state)
{
	struct world w;

	(void)state;
	begin(&w, GRUB, "");
	put_trial(&w, GB_TRIAL_BOOTED, EARLIER);
	assert_int_equal(settle(&w), 0);
	assert_int_equal(w.keeper.arrival, GB_ARRIVAL_LEAVE);
	assert_state(&w, GB_TRIAL_FAILED, "was reset or lost its power");
	end(&w);

	/* depmod's files stay until a package is purged, or the folder goes with all of them */
	for (int purged = 0; purged < 2; purged++) {
		begin(&w, GRUB, "");
		put_trial(&w, GB_TRIAL_ARMED, EARLIER);
		tree_delete(&w.tree, "/lib/modules/" NEW "/modules.builtin");
		if (purged) {
			tree_delete(&w.tree, "/lib/modules/" NEW "/modules.dep");
			assert_int_equal(rmdir(tree_path(&w.tree, "/lib/modules/" NEW)), 0);
		}
		assert_int_equal(settle(&w), 0);
		assert_state(&w, GB_TRIAL_FAILED, "kernel " NEW " was removed");
		end(&w);
	}

	begin(&w, GRUB, "");
	put_trial(&w, GB_TRIAL_ARMED, EARLIER);
	tree_put(&w.tree, "/var/lib/systemd/pstore/1699999999/dmesg.txt", "older");
	assert_int_equal(settle(&w), 0);
	assert_state(&w, GB_TRIAL_FAILED, "reset before");
	assert_null(strstr(w.keeper.trial.reason, "last words"));
	put_trial(&w, GB_TRIAL_ARMED, EARLIER);
	tree_put(&w.tree, "/var/lib/systemd/pstore/1700000123/dmesg.txt", "panic");
	gb_keeper_clear(&w.keeper);
	assert_int_equal(settle(&w), 0);
	assert_state(&w, GB_TRIAL_FAILED, "last words are in /var/lib/systemd/pstore");
	end(&w);
}

/* An image on an ESP that is not mounted now is not gone. */
static void knows_what_is_away(void **state)
{
	static const struct {
		const char *image, *says;
	} cases[] = { { "/boot/gone.img", "/boot/gone.img was removed" },
		      { "/boot/nowhere/gone.img", "never came" },
		      { "/boot/initrd.img-" NEW, "never came" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_trial trial;
		struct world w;

		begin(&w, GRUB, "");
		put_trial(&w, GB_TRIAL_ARMED, EARLIER);
		assert_int_equal(gb_trial_read(w.tree.root, &trial, &w.err), 0);
		trial.image = calloc(1, sizeof(*trial.image));
		assert_true(gb_trial_set(&trial.image[trial.images++], cases[i].image));
		assert_int_equal(gb_trial_write(&w.host.store, &trial, &w.err), 0);
		gb_trial_clear(&trial);
		assert_int_equal(settle(&w), 0);
		assert_state(&w, GB_TRIAL_FAILED, cases[i].says);
		end(&w);
	}
}

/* The file lost, damaged, or of another version: nothing is changed, not even the loader. */
static void leaves_alone_what_it_does_not_know(void **state)
{
	static const char *const files[] = { NULL, "ghost-boot trial 1\nstate armed\nend 0\n",
					     "ghost-boot trial 2\nfuture\n", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		for (int word = 0; word < 2; word++) {
			struct world w;
			int r;

			begin(&w, SYSTEMD, word ? WORD : "");
			arm(&w, entry[SYSTEMD]);
			if (files[i])
				tree_put(&w.tree, GB_TRIAL, files[i]);
			r = settle(&w);
			assert_int_equal(r, !files[i] ? 0 : i == 2 ? -EPROTONOSUPPORT : -EBADMSG);
			if (!r)
				assert_int_equal(w.keeper.arrival,
						 word ? GB_ARRIVAL_STRAY : GB_ARRIVAL_NOTHING);
			assert_armed(&w, entry[SYSTEMD]);
			if (files[i])
				assert_string_equal(tree_get(&w.tree, GB_TRIAL), files[i]);
			else
				assert_false(gb_root_exists(w.tree.root, "/var/lib/ghost-boot/trial"));
			end(&w);
		}
}

/* A boot without a trial writes nothing at all. */
static int no_write(void *ctx, const struct gb_call *call, bool done)
{
	(void)ctx;
	(void)done;
	fail_msg("call %d of %s", call->kind, call->name ? call->name : "?");
	return 0;
}

static void writes_nothing_without_one(void **state)
{
	static const struct {
		enum gb_trial_state state;
		const char *boot;
	} quiet[] = { { GB_TRIAL_NONE, "" }, { GB_TRIAL_PREPARED, EARLIER },
		      { GB_TRIAL_FAILED, EARLIER }, { GB_TRIAL_ARMED, NOW },
		      { GB_TRIAL_BOOTED, NOW } };

	(void)state;
	for (size_t i = 0; i < COUNT(quiet); i++) {
		struct world w;

		begin(&w, SYSTEMD, quiet[i].state == GB_TRIAL_BOOTED ? WORD : "");
		if (quiet[i].state)
			put_trial(&w, quiet[i].state, quiet[i].boot);
		w.host.store.watch = no_write;
		assert_int_equal(settle(&w), 0);
		end(&w);
	}
}

static void tidies_up(void **state)
{
	const char *counter = "/sys/firmware/efi/efivars/" GB_COUNTER;
	struct gb_trial trial;
	struct world w;

	(void)state;
	begin(&w, SYSTEMD, "");
	put_trial(&w, GB_TRIAL_CONFIRMED, EARLIER);
	assert_int_equal(gb_trial_read(w.tree.root, &trial, &w.err), 0);
	trial.counted = true;
	assert_int_equal(gb_trial_write(&w.host.store, &trial, &w.err), 0);
	gb_trial_clear(&trial);
	arm(&w, entry[SYSTEMD]);
	tree_put(&w.tree, counter, "\7\0\0\0\1\1abcd");
	assert_int_equal(settle(&w), 0);
	assert_false(gb_root_exists(w.tree.root, counter));
	assert_false(gb_root_exists(w.tree.root, GB_TRIAL));
	assert_armed(&w, "");
	assert_null(tree_get(&w.tree, GB_TRIAL_KEPT));
	end(&w);
	/* in the trial's own boot: nothing is missing from now on */
	begin(&w, SYSTEMD, WORD);
	put_trial(&w, GB_TRIAL_CONFIRMED, NOW);
	assert_int_equal(gb_trial_read(w.tree.root, &trial, &w.err), 0);
	assert_true(gb_trial_set(&trial.reason, "ann\x1b logged in"));
	assert_int_equal(gb_trial_write(&w.host.store, &trial, &w.err), 0);
	gb_trial_clear(&trial);
	assert_int_equal(settle(&w), 0);
	gb_keeper_clear(&w.keeper);
	assert_int_equal(settle(&w), 0);
	assert_int_equal(w.keeper.arrival, GB_ARRIVAL_KEPT);
	assert_string_equal(w.keeper.boot.how, "ann\\x1b logged in");
	end(&w);
	/* what is gone already is no failure */
	for (enum loader loader = 0; loader < LOADERS; loader++) {
		begin(&w, loader, "");
		put_trial(&w, GB_TRIAL_CONFIRMED, NOW);
		assert_int_equal(gb_trial_read(w.tree.root, &trial, &w.err), 0);
		trial.counted = true;
		assert_int_equal(gb_trial_write(&w.host.store, &trial, &w.err), 0);
		gb_trial_clear(&trial);
		assert_int_equal(settle(&w), 0);
		assert_false(gb_root_exists(w.tree.root, GB_TRIAL));
		end(&w);
	}
}

/* ---- whatever fails -------------------------------------------------------------------------- */

struct fault {
	int at;
	bool kill; /* nothing after it happens: the power is cut there */
	bool over;
};

static int fail_one(void *ctx, const struct gb_call *call, bool done)
{
	struct fault *fault = ctx;

	(void)call;
	if (done)
		return 0;
	if (!--fault->at)
		fault->over = true;
	return fault->over && (fault->kill || !fault->at) ? -EIO : 0;
}

/* Never is a state on the disk that says that a one-shot is forgotten which is still there. */
static void survives_faults(void **state)
{
	unsigned points = 0;

	(void)state;
	for (enum loader loader = 0; loader < LOADERS; loader++)
		for (int kind = 0; kind < 4; kind++)
			for (int at = 1;; at++) {
				const bool trial = kind % 2;
				struct fault fault = { at, kind / 2, false };
				struct gb_trial now;
				char left[512];
				struct world w;

				begin(&w, loader, trial ? WORD : "");
				put_trial(&w, GB_TRIAL_ARMED, EARLIER);
				arm(&w, entry[loader]);
				w.host.store.watch = fail_one;
				w.host.store.ctx = &fault;
				settle(&w);
				w.host.store.watch = NULL;
				assert_int_equal(gb_trial_read(w.tree.root, &now, &w.err), 0);
				assert_int_equal(gb_oneshot_read(&w.host, left, sizeof(left), NULL), 0);
				if (now.state != GB_TRIAL_ARMED) {
					assert_int_equal(now.state, trial ? GB_TRIAL_BOOTED : GB_TRIAL_FAILED);
					if (left[0] && !strstr(w.keeper.warning, "forget it"))
						fail_msg("%s is left, and nothing is said", left);
					if (left[0] && !trial)
						assert_non_null(strstr(now.reason, "forget it"));
				}
				gb_trial_clear(&now);
				/* the next boot, or call, ends it */
				gb_keeper_clear(&w.keeper);
				assert_int_equal(settle(&w), 0);
				assert_state(&w, trial ? GB_TRIAL_BOOTED : GB_TRIAL_FAILED, NULL);
				end(&w);
				points++;
				if (!fault.over)
					break;
			}
	print_message("%u points\n", points);
	assert_true(points > 30);
}

#define IMAGE "/boot/ghost-boot-trial.img"

static void put_confirmed(struct world *w, const char *entry_file)
{
	struct gb_trial trial;

	put_trial(w, GB_TRIAL_CONFIRMED, NOW);
	assert_int_equal(gb_trial_read(w->tree.root, &trial, &w->err), 0);
	trial.image = calloc(1, sizeof(*trial.image));
	assert_true(gb_trial_set(&trial.image[trial.images++], IMAGE));
	assert_true(gb_trial_set(&trial.entry_file, entry_file));
	assert_int_equal(gb_trial_write(&w->host.store, &trial, &w->err), 0);
	gb_trial_clear(&trial);
	tree_put(&w->tree, IMAGE, "image");
	tree_put(&w->tree, entry_file, "options root=UUID=1" WORD "\n");
}

/* The file that alone says what was made for the trial goes last, and an entry before its image. */
static void tidies_in_order(void **state)
{
	static const char *const entry_file[LOADERS] = {
		"/efi/loader/entries/a-ghost-boot-trial.conf", "/boot/grub/custom.cfg"
	};

	(void)state;
	for (enum loader loader = 0; loader < LOADERS; loader++)
		for (int at = 2;; at++) {
			struct fault fault = { at / 2, at % 2, false };
			struct world w;
			int r;

			begin(&w, loader, "");
			put_confirmed(&w, entry_file[loader]);
			w.host.store.watch = fail_one;
			w.host.store.ctx = &fault;
			r = settle(&w);
			w.host.store.watch = NULL;
			if (gb_root_exists(w.tree.root, IMAGE))
				assert_true(r && gb_root_exists(w.tree.root, GB_TRIAL));
			if (loader == SYSTEMD && gb_root_exists(w.tree.root, entry_file[loader]))
				assert_true(gb_root_exists(w.tree.root, IMAGE));
			gb_keeper_clear(&w.keeper);
			assert_int_equal(settle(&w), 0);
			assert_false(gb_root_exists(w.tree.root, GB_TRIAL));
			assert_false(gb_root_exists(w.tree.root, IMAGE));
			/* GRUB's has others in it */
			assert_int_equal(gb_root_exists(w.tree.root, entry_file[loader]), loader == GRUB);
			end(&w);
			if (!fault.over)
				break;
		}
}

/* The other system on the ESP has made a trial between that one's end and this boot. */
static void leaves_another_systems(void **state)
{
	static const char file[] = "/efi/loader/entries/" GB_BLS_TRIAL;
	struct world w;

	(void)state;
	begin(&w, SYSTEMD, "");
	put_confirmed(&w, file);
	tree_put(&w.tree, file, "options root=UUID=2 ghost.claim=on ghost.trial=ffffffff\n");
	arm(&w, GB_BLS_TRIAL);
	assert_int_equal(settle(&w), 0);
	assert_false(gb_root_exists(w.tree.root, GB_TRIAL));
	assert_true(gb_root_exists(w.tree.root, file));
	assert_true(gb_root_exists(w.tree.root, IMAGE));
	assert_armed(&w, GB_BLS_TRIAL);
	end(&w);
}

/* Firmware that refuses to write: it is said, the state goes on, and what is said stays. */
static int lock_variables(void *ctx, enum gb_op op, const char *path, const char *data)
{
	(void)ctx;
	(void)data;
	return (op == GB_REMOVE || op == GB_PUBLISH || op == GB_WRITE) &&
	       !strncmp(path, VARIABLES, strlen(VARIABLES)) ? -EPERM : 0;
}

static void says_that_it_is_locked(void **state)
{
	(void)state;
	for (int trial = 0; trial < 2; trial++) {
		struct world w;

		begin(&w, SYSTEMD, trial ? WORD : "");
		put_trial(&w, GB_TRIAL_ARMED, EARLIER);
		arm(&w, entry[SYSTEMD]);
		gb_root_watch(w.tree.root, lock_variables, NULL);
		assert_int_equal(settle(&w), 0);
		assert_non_null(strstr(w.keeper.warning, "may take it again"));
		assert_state(&w, trial ? GB_TRIAL_BOOTED : GB_TRIAL_FAILED,
			     trial ? NULL : "may take it again");
		end(&w);
	}
}

/* Somebody else's in the one place does not hide ours in the other; and what can't be read is no
 * one-shot that was still there. */
static void looks_at_both_places(void **state)
{
	struct world w;

	(void)state;
	begin(&w, GRUB, "");
	put_features(&w.tree, 0x08);
	put_trial(&w, GB_TRIAL_ARMED, EARLIER);
	put_variable(&w.tree, "LoaderEntryOneShot", "somebody.conf");
	put_environment(&w.tree, "/boot/grub/grubenv", "next_entry=ghost-boot-trial\n");
	gb_host_close(&w.host);
	open_host(&w.tree, &w.host);
	assert_int_equal(settle(&w), 0);
	assert_string_equal(w.keeper.warning, "");
	assert_state(&w, GB_TRIAL_FAILED, "did not take its entry");
	assert_null(strstr(tree_get(&w.tree, "/boot/grub/grubenv"), "next_entry"));
	assert_armed(&w, "somebody.conf");
	end(&w);

	begin(&w, SYSTEMD, "");
	put_trial(&w, GB_TRIAL_ARMED, EARLIER);
	tree_put(&w.tree, VARIABLES "LoaderEntryOneShot" GB_EFI_LOADER, "\6");
	assert_int_equal(settle(&w), 0);
	assert_non_null(strstr(w.keeper.warning, "may take it again"));
	assert_state(&w, GB_TRIAL_FAILED, "never came as far as the host");
	end(&w);
}

/* ---- judging --------------------------------------------------------------------------------- */

static int run_systemctl(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	(void)ctx;
	(void)err;
	*ret = (struct gb_ran){ .status = 0 };
	command->line(command->ctx, "Id=a.target", false);
	command->line(command->ctx, "ActiveState=active", false);
	return 0;
}

static void examines(void **state)
{
	struct gb_checks checks = { 0 };
	struct world w;

	(void)state;
	begin(&w, GRUB, WORD);
	w.host.runner = (struct gb_runner){ .run = run_systemctl };
	put_trial(&w, GB_TRIAL_BOOTED, NOW);
	tree_pci(&w.tree, "pci0000:00/0000:00:01.0", "10de:2203 1462:5054 030000", 0);
	tree_link(&w.tree, "/sys/devices/pci0000:00/0000:00:01.0/driver", "../../../bus/pci/drivers/vfio-pci");
	tree_put(&w.tree, "/run/udev/data/b259:2", "I:1\nE:ID_FS_UUID=1\n");
	tree_folder(&w.tree, "/sys/class/net");
	assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
	/* before it, it had no root of that kind */
	gb_observation_add(&w.keeper.trial.before, GB_FACT_ROOT, "/", "ext4 1 /");
	w.keeper.trial.before.blind[GB_FACT_PLACE] = true;
	assert_int_equal(gb_keeper_examine(&w.host, &w.keeper, &checks, &w.err), 0);
	for (size_t i = 0; i < checks.checks; i++)
		if (checks.check[i].mark != GB_PASS)
			fail_msg("%s: %s", checks.check[i].subject, checks.check[i].text);
	gb_checks_clear(&checks);
	/* edited since: what it says was not tried */
	tree_put(&w.tree, "/etc/ghost-boot/claims", CLAIMS "# more\n");
	assert_int_equal(gb_keeper_examine(&w.host, &w.keeper, &checks, &w.err), 0);
	assert_int_equal(gb_checks_count(&checks, GB_FAIL), 1);
	assert_true(gb_checks_have(&checks, "trial-claims", "/etc/ghost-boot/claims"));
	gb_checks_clear(&checks);
	end(&w);
}

/* A trial that was chosen by hand is not what the loader remembers for "default @saved". */
static void is_not_remembered(void **state)
{
	static const struct {
		const char *last, *usual, *then;
	} cases[] = {
		{ "A-ghost-boot-trial.conf", MACHINE "-" NEW ".conf", MACHINE "-" NEW ".conf" },
		{ GB_BLS_TRIAL, NULL, NULL },
		{ MACHINE "-" OLD ".conf", MACHINE "-" NEW ".conf", MACHINE "-" OLD ".conf" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_trial trial;
		struct world w;
		char now[128];
		int r;

		begin(&w, SYSTEMD, WORD);
		put_trial(&w, GB_TRIAL_FAILED, EARLIER);
		assert_int_equal(gb_trial_read(w.tree.root, &trial, &w.err), 0);
		assert_true(gb_trial_set(&trial.usual, cases[i].usual));
		assert_int_equal(gb_trial_write(&w.host.store, &trial, &w.err), 0);
		gb_trial_clear(&trial);
		put_variable(&w.tree, "LoaderEntryLastBooted", cases[i].last);
		assert_int_equal(settle(&w), 0);
		assert_string_equal(w.keeper.warning, "");
		assert_state(&w, GB_TRIAL_BOOTED, NULL);
		r = gb_efi_get_text(w.host.efi, "LoaderEntryLastBooted" GB_EFI_LOADER, now, sizeof(now));
		assert_int_equal(r, cases[i].then ? 0 : -ENOENT);
		if (cases[i].then)
			assert_string_equal(now, cases[i].then);
		end(&w);
	}
}

/* What the loader boots by itself by now is no trial any more, and is kept by nobody's silence. */
static void would_be_taken_by_itself(void **state)
{
	(void)state;
	for (enum loader loader = 0; loader < LOADERS; loader++)
		for (int by_itself = 0; by_itself < 2; by_itself++) {
			struct gb_checks checks = { 0 };
			struct world w;

			begin(&w, loader, WORD);
			w.host.runner = (struct gb_runner){ .run = run_systemctl };
			put_trial(&w, GB_TRIAL_BOOTED, NOW);
			put_conf(&w.tree, GB_BLS_TRIAL, SYSTEMD_CONF(NEW));
			tree_put(&w.tree, "/boot/grub/custom.cfg", "menuentry T --id ghost-boot-trial {\n}\n");
			if (by_itself) {
				tree_put(&w.tree, "/efi/loader/loader.conf", "default a-ghost-boot-trial.conf\n");
				tree_put(&w.tree, "/boot/grub/grub.cfg", "set default=\"2\"\n" GRUB_LINUX GRUB_CUSTOM);
			}
			assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
			gb_keeper_look_ahead(&w.host, &w.keeper);
			assert_int_equal(gb_keeper_examine(&w.host, &w.keeper, &checks, &w.err), 0);
			assert_int_equal(gb_checks_have(&checks, "trial-default", entry[loader]), by_itself);
			assert_int_equal(!!strstr(w.keeper.warning, "boot it by itself"), by_itself);
			gb_checks_clear(&checks);
			end(&w);
		}
}

static int run_nothing(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		       struct gb_err *err)
{
	(void)ctx;
	(void)ret;
	(void)err;
	fail_msg("%s is run", command->argv[0]);
	return 0;
}

/* Without claims nothing is judged, and nothing of it looks well. */
static void judges_nothing_without_claims(void **state)
{
	static const struct {
		const char *text;
		enum gb_mark mark;
		const char *says;
	} cases[] = {
		{ NULL, GB_FAIL, "No such file" },
		{ "/", GB_UNKNOWN, "Is a directory" },
		{ "ghost-boot claims 9\n", GB_FAIL, "judged: " },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_checks checks = { 0 };
		struct world w;
		char hash[GB_SHA256_TEXT];

		begin(&w, GRUB, WORD);
		w.host.runner = (struct gb_runner){ .run = run_nothing };
		put_trial(&w, GB_TRIAL_BOOTED, NOW);
		assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
		tree_delete(&w.tree, "/etc/ghost-boot/claims");
		if (cases[i].text && cases[i].text[0] == '/') {
			tree_folder(&w.tree, "/etc/ghost-boot/claims");
		} else if (cases[i].text) {
			tree_put(&w.tree, "/etc/ghost-boot/claims", cases[i].text);
			gb_sha256_of(cases[i].text, strlen(cases[i].text), hash);
			strcpy(w.keeper.trial.claims, hash);
		}
		assert_int_equal(gb_keeper_examine(&w.host, &w.keeper, &checks, &w.err), 0);
		assert_int_equal(checks.checks, 1);
		assert_int_equal(gb_checks_count(&checks, cases[i].mark), 1);
		assert_true(gb_checks_have(&checks, "trial-claims", "/etc/ghost-boot/claims"));
		if (!strstr(checks.check[0].text, cases[i].says))
			fail_msg("%s", checks.check[0].text);
		gb_checks_clear(&checks);
		end(&w);
	}
}

static void notes_why(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYSTEMD, WORD);
	put_trial(&w, GB_TRIAL_BOOTED, NOW);
	assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
	assert_int_equal(gb_keeper_note(&w.host, &w.keeper, "eth0: gone", &w.err), 0);
	assert_state(&w, GB_TRIAL_BOOTED, "eth0: gone");
	w.host.store.watch = no_write; /* no news */
	assert_int_equal(gb_keeper_note(&w.host, &w.keeper, "eth0: gone", &w.err), 0);
	w.host.store.watch = NULL;
	/* another one was made meanwhile */
	put_trial(&w, GB_TRIAL_PREPARED, EARLIER);
	tree_put(&w.tree, "/proc/cmdline", "quiet\n");
	assert_int_equal(gb_keeper_note(&w.host, &w.keeper, "eth1: gone", &w.err), 0);
	gb_keeper_clear(&w.keeper);
	assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
	assert_string_equal(w.keeper.trial.reason, "");
	gb_keeper_clear(&w.keeper);
	put_trial(&w, GB_TRIAL_BOOTED, NOW);
	assert_int_equal(gb_keeper_read(w.tree.root, &w.keeper, &w.err), 0);
	/* taken back meanwhile: it is not brought back by that */
	tree_delete(&w.tree, GB_TRIAL);
	assert_int_equal(gb_keeper_note(&w.host, &w.keeper, "eth1: gone", &w.err), 0);
	assert_false(gb_root_exists(w.tree.root, GB_TRIAL));
	end(&w);
}

static void publishes(void **state)
{
	struct gb_text text = { 0 };
	struct world w;

	(void)state;
	begin(&w, SYSTEMD, "");
	assert_int_equal(gb_keeper_publish(w.tree.root, &text, &w.err), 0);
	gb_text_addf(&text, "said\n");
	assert_int_equal(gb_keeper_publish(w.tree.root, &text, &w.err), 0);
	assert_string_equal(tree_get(&w.tree, "/run/motd.d/ghost-boot"), "said\n");
	gb_text_clear(&text);
	assert_int_equal(gb_keeper_publish(w.tree.root, &text, &w.err), 0);
	assert_null(tree_get(&w.tree, "/run/motd.d/ghost-boot"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enters),
		cmocka_unit_test(forgets_what_is_left),
		cmocka_unit_test(fails_with_a_reason),
		cmocka_unit_test(knows_what_is_away),
		cmocka_unit_test(leaves_alone_what_it_does_not_know),
		cmocka_unit_test(writes_nothing_without_one),
		cmocka_unit_test(tidies_up),
		cmocka_unit_test(survives_faults),
		cmocka_unit_test(tidies_in_order),
		cmocka_unit_test(leaves_another_systems),
		cmocka_unit_test(says_that_it_is_locked),
		cmocka_unit_test(looks_at_both_places),
		cmocka_unit_test(examines),
		cmocka_unit_test(is_not_remembered),
		cmocka_unit_test(would_be_taken_by_itself),
		cmocka_unit_test(judges_nothing_without_claims),
		cmocka_unit_test(notes_why),
		cmocka_unit_test(publishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
