/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New files that are built beside the old ones, judged, and put into place: what must not happen
 * to them, what they leave, and in which order a boot loader sees them. */
#include "change.h"

#include <signal.h>
#include <sys/statvfs.h>

#include "json.h"
#include "style.h"

typedef int (*run_fn)(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		      struct gb_err *err);

struct machine {
	struct tree tree;
	struct gb_store store;
	struct gb_runner runner;
	struct gb_transaction t;
	struct gb_plan plan;
	char *before;
};

static void start(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	tree_make(&m->tree);
	make_before(&m->tree);
	m->store = store_of(m->tree.root);
	m->t = make_transaction(&m->store, &m->runner);
	m->before = take_shot(m->tree.dir);
	make_plan(&m->store, &m->plan);
}

static void end(struct machine *m)
{
	gb_plan_clear(&m->plan);
	free(m->before);
	tree_clear(&m->tree);
}

static void unchanged(const struct machine *m)
{
	char *now = take_shot(m->tree.dir);

	assert_string_equal(now, m->before);
	free(now);
	assert_int_equal(access(tree_path(&m->tree, GB_JOURNAL), F_OK), -1);
}

static void expect(struct machine *m, int result, enum gb_end expected, const char *text)
{
	struct gb_err err = { 0 };
	enum gb_end is;
	int r = gb_transaction_run(&m->t, &m->plan, &is, NULL, &err);

	if (r != result || is != expected || !strstr(err.text, text))
		fail_msg("%d, end %d: %s", r, is, err.text);
	if (is != GB_END_DONE)
		unchanged(m);
}

static size_t size_of(const struct machine *m, const char *path)
{
	struct stat st;

	return lstat(tree_path(&m->tree, path), &st) < 0 ? 0 : (size_t)st.st_size;
}

/* ---- builders ------------------------------------------------------------------------- */

static int run_nothing(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		       struct gb_err *err)
{
	(void)ctx;
	(void)command;
	(void)err;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static int run_badly(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		     struct gb_err *err)
{
	int r = fake_run(ctx, command, ret, err);

	ret->status = 1;
	strcpy(ret->last, "no space left on device");
	return r;
}

static int run_late(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		    struct gb_err *err)
{
	int r = fake_run(ctx, command, ret, err);

	assert_int_equal(command->timeout_s, 0);
	assert_true(command->hold >= 0); /* the lock outlives us in it */
	ret->timed_out = true;
	return r;
}

/* The second one only: by then images are in their places. */
static int run_signalled(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	if (!strcmp(command->argv[1], "/efi"))
		raise(SIGTERM);
	return fake_run(ctx, command, ret, err);
}

static int run_killed(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		      struct gb_err *err)
{
	int r = fake_run(ctx, command, ret, err);

	if (!strcmp(command->argv[1], "/efi"))
		ret->stopped = SIGHUP;
	return r;
}

static int run_link(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		    struct gb_err *err)
{
	struct gb_store *store = ctx;
	int r = run_nothing(ctx, command, ret, err);
	int folder = gb_root_open_folder(store->root, command->argv[1]);

	assert_int_equal(symlinkat("initrd.img", folder, command->argv[2]), 0);
	close(folder);
	return r;
}

static int run_truncated(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	struct gb_store *store = ctx;
	int r = fake_run(ctx, command, ret, err);
	int folder = gb_root_open_folder(store->root, command->argv[1]);
	int fd = openat(folder, command->argv[2], O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, 3), 0);
	close(fd);
	close(folder);
	return r;
}

/* By reading it, as all proofs do. */
static int prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct gb_store *store = ctx;
	char *data;
	size_t len;
	int r;

	assert_int_equal(plan->step[step].kind, GB_STEP_BUILD);
	r = gb_root_read_all(store->root, plan->step[step].touch->place, IMAGE_BYTES * 2, &data,
			     &len);
	assert_int_equal(r, 0);
	free(data);
	return len < 10 ? gb_fail(err, EBADMSG, "the image is cut") : 0;
}

static int disprove_menu(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	(void)ctx;
	if (strstr(plan->step[step].touch->path, "menu"))
		return gb_fail(err, EBADMSG, "the menu lacks our words");
	return 0;
}

static void bad_builders(void **state)
{
	static const struct {
		run_fn run;
		int (*prove)(void *ctx, const struct gb_plan *plan, size_t step,
			     struct gb_err *err);
		int result;
		const char *text;
	} rows[] = {
		{ run_nothing, NULL, -ENODATA, "/boot/" STAGED " was not written" },
		{ run_badly, NULL, -ECHILD, "stage failed with 1: no space left on device" },
		{ run_late, NULL, -ETIMEDOUT, "stage took more than" },
		{ run_signalled, NULL, -EINTR, "stopped by Terminated" },
		{ run_killed, NULL, -EINTR, "stopped by Hangup" },
		{ run_link, NULL, -ENODATA, "/boot/" STAGED " was not written" },
		{ run_truncated, prove, -EBADMSG, "the image is cut" },
		{ fake_run, disprove_menu, -EBADMSG, "the menu lacks our words" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct machine m;

		start(&m);
		m.runner.run = rows[i].run;
		m.t.prove = rows[i].prove;
		m.t.ctx = &m.store;
		expect(&m, rows[i].result, GB_END_BACK, rows[i].text);
		/* nothing is left that would be in the way, and a good one does it */
		m.runner.run = fake_run;
		m.t.prove = prove;
		gb_plan_clear(&m.plan);
		make_plan(&m.store, &m.plan);
		expect(&m, 0, GB_END_DONE, "");
		end(&m);
	}
}

/* ---- disks ---------------------------------------------------------------------------- */

struct ways {
	int link, exchange; /* errors of these calls, or 0 */
	unsigned links, exchanges, copies, dies_at, calls;
	char order[256];
};

static void add_order(struct ways *ways, const char *what)
{
	const size_t len = strlen(ways->order);

	snprintf(ways->order + len, sizeof(ways->order) - len, "%s ", what);
}

static int watch(void *ctx, const struct gb_call *call, bool done)
{
	struct ways *ways = ctx;

	if (!done) {
		if (ways->dies_at && ++ways->calls >= ways->dies_at)
			return -EIO;
		return call->kind == GB_CALL_LINK ? -ways->link
		       : call->kind == GB_CALL_EXCHANGE ? -ways->exchange
							: 0;
	}
	ways->links += call->kind == GB_CALL_LINK;
	ways->copies += call->kind == GB_CALL_CREATE && strstr(call->name, ".old");
	ways->exchanges += call->kind == GB_CALL_EXCHANGE;
	if (call->kind == GB_CALL_CHECKPOINT)
		add_order(ways, "out");
	if ((call->kind == GB_CALL_EXCHANGE || call->kind == GB_CALL_RENAME) &&
	    (strstr(call->to, ".img") || strstr(call->to, ".cfg")))
		add_order(ways, call->to);
	return 0;
}

static void watch_it(struct machine *m, struct ways *ways)
{
	m->store.watch = watch;
	m->store.ctx = ways;
}

/* The new image has a second name; other disks say that they can't in ways of their own. */
static void other_disks(void **state)
{
	static const int errors[] = { 0, EXDEV, EPERM, EOPNOTSUPP, EMLINK };
	char *first = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct ways ways = { .link = errors[i] };
		struct machine m;
		char *now;

		start(&m);
		watch_it(&m, &ways);
		expect(&m, 0, GB_END_DONE, "");
		assert_int_equal(ways.links, errors[i] ? 0 : 1);
		assert_int_equal(ways.exchanges, 4); /* claims, two images, grub.cfg; /efi is FAT */
		/* claims, three texts, and the image on FAT: large ones wait in their folder */
		assert_int_equal(ways.copies, 5);
		now = take_shot(m.tree.dir);
		if (!first)
			first = now;
		assert_string_equal(now, first);
		if (now != first)
			free(now);
		end(&m);
	}
	free(first);
}

/* A file system whose driver can't exchange names: the old bytes go into the journal then. */
static void no_exchange(void **state)
{
	(void)state;
	for (unsigned dies_at = 0; dies_at < 130; dies_at += dies_at ? 1 : 40) {
		struct ways ways = { .exchange = EINVAL, .dies_at = dies_at };
		struct machine m;
		struct gb_err err;
		enum gb_end is;
		int r;

		start(&m);
		watch_it(&m, &ways);
		r = gb_transaction_run(&m.t, &m.plan, &is, NULL, &err);
		m.store.watch = NULL;
		if (!dies_at) {
			assert_int_equal(r, 0);
			assert_int_equal(size_of(&m, "/boot/copy.img"), sizeof(new_image));
			assert_int_equal(size_of(&m, GB_HISTORY "/001/2.old"), 0);
			end(&m);
			continue;
		}
		assert_int_equal(gb_transaction_recover(&m.t, &is, &err), 0);
		assert_true(is == GB_END_BACK || is == GB_END_NOTHING);
		unchanged(&m);
		end(&m);
	}
}

/* Images first, then what names them, each written out; and with that, all is reported. */
static int unseen_error;

static int fail_checkpoint(int fd)
{
	(void)fd;
	return -EOPNOTSUPP;
}

static void note_unseen(void *ctx, const char *path, int error)
{
	(void)ctx;
	assert_non_null(strstr(path, "/boot"));
	unseen_error = error;
}

static void in_order(void **state)
{
	struct ways ways = { 0 };
	struct machine m;

	(void)state;
	start(&m);
	watch_it(&m, &ways);
	expect(&m, 0, GB_END_DONE, "");
	/* before each name changes, its inode is there */
	assert_string_equal(ways.order, "out initrd.img out copy.img out initrd.img out initrd.img "
			    "out out menu.cfg out grub.cfg out last.cfg out ");
	end(&m);
	/* it can't be had: known, and no failure */
	start(&m);
	m.store.checkpoint = fail_checkpoint;
	m.t.unseen = note_unseen;
	unseen_error = 0;
	expect(&m, 0, GB_END_DONE, "");
	assert_int_equal(unseen_error, -EOPNOTSUPP);
	end(&m);
}

/* ---- others --------------------------------------------------------------------------- */

static void half_done(struct machine *m)
{
	struct ways ways = { .dies_at = 100 };
	struct gb_err err;
	enum gb_end is;

	start(m);
	watch_it(m, &ways);
	assert_int_not_equal(gb_transaction_run(&m->t, &m->plan, &is, NULL, &err), 0);
	assert_int_equal(is, GB_END_PARTLY);
	assert_int_equal(size_of(m, "/boot/copy.img"), sizeof(new_image));
	m->store.watch = NULL;
}

/* A kernel's update has built an image between two calls: it stays until somebody says so. */
static void foreign(void **state)
{
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	half_done(&m);
	tree_put(&m.tree, "/boot/copy.img", "theirs\n");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(gb_transaction_recover(&m.t, &is, &err), -ESTALE);
		assert_int_equal(is, GB_END_PARTLY);
		assert_string_equal(err.text,
				    "/boot/copy.img was changed by somebody else meanwhile");
		assert_string_equal(tree_get(&m.tree, "/boot/copy.img"), "theirs\n");
		assert_int_equal(size_of(&m, "/boot/initrd.img"), sizeof(old_image));
	}
	m.t.force = true;
	assert_int_equal(gb_transaction_recover(&m.t, &is, &err), 0);
	unchanged(&m);
	end(&m);
}

static bool is_anew(const struct gb_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->anews; i++)
		if (!strcmp(plan->anew[i], path))
			return true;
	return false;
}

static void taken_back(void **state)
{
	struct gb_plan plan = { 0 };
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	start(&m);
	expect(&m, 0, GB_END_DONE, "");
	/* built again for a new kernel, and a menu written again: no drift that refuses */
	tree_put(&m.tree, "/boot/initrd.img", "of the distribution\n");
	tree_put(&m.tree, "/boot/grub.cfg", "of update-grub\n");
	if (gb_transaction_rollback(&m.store, false, &plan, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(plan.anews, 4);
	assert_true(is_anew(&plan, "/boot/initrd.img") && is_anew(&plan, "/boot/copy.img") &&
		    is_anew(&plan, "/efi/initrd.img") && is_anew(&plan, "/boot/grub.cfg"));
	assert_int_equal(gb_transaction_run(&m.t, &plan, &is, NULL, &err), 0);
	assert_string_equal(tree_get(&m.tree, "/boot/initrd.img"), "of the distribution\n");
	assert_string_equal(tree_get(&m.tree, "/boot/grub.cfg"), "of update-grub\n");
	assert_string_equal(tree_get(&m.tree, "/efi/menu.cfg"), "menuentry old\n");
	assert_null(tree_get(&m.tree, "/efi/last.cfg"));
	assert_int_equal(size_of(&m, "/efi/new"), 0);
	gb_plan_clear(&plan);
	end(&m);
	/* one that was not there before is theirs now: it is not removed */
	start(&m);
	expect(&m, 0, GB_END_DONE, "");
	tree_put(&m.tree, "/efi/last.cfg", "theirs\n");
	assert_int_equal(gb_transaction_rollback(&m.store, false, &plan, NULL, &err), -ESTALE);
	assert_non_null(strstr(err.text, "/efi/last.cfg has other bytes now"));
	end(&m);
}

/* ---- plans ---------------------------------------------------------------------------- */

static void refused(void **state)
{
	static const char *const argv[] = { "/usr/sbin/stage", NULL };
	static const char other[] = "/boot/.ghost-boot-other";
	struct gb_plan *plan;
	struct machine m;
	struct gb_err err;
	char name[PATH_MAX];

	(void)state;
	start(&m);
	plan = &m.plan;
	assert_int_equal(gb_plan_place(plan, &m.store, other, "/boot/x", 0600, "", &err), -EINVAL);
	assert_string_equal(err.text, "no step makes /boot/.ghost-boot-other");
	assert_int_equal(gb_plan_build(plan, &m.store, argv, "/boot/" STAGED, 1, 0, "", &err),
			 -EEXIST);
	tree_folder(&m.tree, other);
	assert_int_equal(gb_plan_build(plan, &m.store, argv, other, 1, 0, "", &err), -EEXIST);
	assert_string_equal(err.text, "/boot/.ghost-boot-other is in the way of a new file of ours: "
			    "move it away");
	assert_int_equal(rmdir(tree_path(&m.tree, other)), 0);
	assert_int_equal(gb_plan_build(plan, &m.store, argv, other, 1, 0, "", &err), 1);
	assert_int_equal(gb_plan_place(plan, &m.store, other, "/boot/copy.img", 0600, "", &err),
			 -EEXIST);
	assert_string_equal(err.text, "/boot/copy.img would be changed twice");
	assert_int_equal(gb_plan_place(plan, &m.store, other, "/boot", 0600, "", &err), -EEXIST);
	assert_string_equal(err.text, "/boot is a folder");
	tree_put(&m.tree, "/boot/one", "1");
	snprintf(name, sizeof(name), "%s", tree_path(&m.tree, "/boot/one"));
	assert_int_equal(link(name, tree_path(&m.tree, "/boot/two")), 0);
	assert_int_equal(gb_plan_place(plan, &m.store, other, "/boot/one", 0600, "", &err),
			 -EMLINK);
	end(&m);
}

/* A folder of two staged files, one of whose names begins with the other's; and junk of both. */
static void neighbours(void **state)
{
	static const char *const argv[] = { "/usr/sbin/stage", "/boot", ".ghost-boot-6.12", "new",
					    NULL };
	static const char *const argv2[] = { "/usr/sbin/stage", "/boot", ".ghost-boot-6.12.1",
					     "new", NULL };
	struct machine m;
	struct gb_err err;

	(void)state;
	start(&m);
	gb_plan_clear(&m.plan);
	tree_put(&m.tree, "/boot/.ghost-boot-6.1", "of somebody\n");
	tree_put(&m.tree, "/boot/.ghost-boot-6.123", "of somebody\n");
	gb_plan_build(&m.plan, &m.store, argv, "/boot/.ghost-boot-6.12", 1, 0, "", &err);
	gb_plan_build(&m.plan, &m.store, argv2, "/boot/.ghost-boot-6.12.1", 1, 0, "", &err);
	gb_plan_place(&m.plan, &m.store, "/boot/.ghost-boot-6.12", "/boot/12", 0600, "", &err);
	gb_plan_place(&m.plan, &m.store, "/boot/.ghost-boot-6.12.1", "/boot/121", 0600, "", &err);
	gb_plan_place(&m.plan, &m.store, "/boot/.ghost-boot-6.12", "/boot/.ghost-boot-6.12.2", 0600,
		      "", &err);
	expect(&m, 0, GB_END_DONE, "");
	assert_int_equal(size_of(&m, "/boot/12"), sizeof(new_image));
	assert_int_equal(size_of(&m, "/boot/121"), sizeof(new_image));
	assert_int_equal(size_of(&m, "/boot/.ghost-boot-6.12.2"), sizeof(new_image));
	assert_non_null(tree_get(&m.tree, "/boot/.ghost-boot-6.1"));
	assert_non_null(tree_get(&m.tree, "/boot/.ghost-boot-6.123"));
	tree_delete(&m.tree, "/boot/.ghost-boot-6.1");
	tree_delete(&m.tree, "/boot/.ghost-boot-6.123");
	tree_delete(&m.tree, "/boot/.ghost-boot-6.12.2");
	free(m.before);
	m.before = take_shot(m.tree.dir);
	assert_null(strstr(m.before, "ghost-boot-6.12"));
	end(&m);
}

static unsigned long blocks_free;

static int tell_space(int fd, struct statvfs *ret)
{
	int r = fstatvfs(fd, ret);

	ret->f_frsize = 1024;
	ret->f_bavail = blocks_free;
	return r;
}

/* What is staged, its copies for other places, and the copies in the journal. */
static void room(void **state)
{
	struct machine m;
	uint64_t all;

	(void)state;
	start(&m);
	m.store.space = tell_space;
	for (size_t s = 0; s < m.plan.steps; s++)
		if (m.plan.step[s].space)
			m.plan.step[s].space = 10 << 20;
	/* /boot: one is staged, and has a copy beside itself; two come from /efi. There: two copies
	 * of that one; one is staged, and has a copy; one is staged, and moves */
	all = (2 + 2 + 1) * 10 << 10;
	blocks_free = all;
	expect(&m, -ENOSPC, GB_END_REFUSED, "and the change needs 51 MiB while it is made");
	blocks_free = all + 1024;
	expect(&m, 0, GB_END_DONE, "");
	end(&m);
}

static uint64_t needed_in_all(struct machine *m)
{
	struct gb_room room[GB_ROOMS_MAX];
	uint64_t all = 0;
	size_t rooms = 0;

	assert_int_equal(gb_transaction_rooms(&m->store, &m->plan, room, &rooms, NULL), 0);
	while (rooms-- > 0)
		all += room[rooms].needed;
	return all;
}

/* One that nobody knows any more: it goes first, makes room, and never comes back. */
static void left_behind(void **state)
{
	static const char left[] = "/efi/" STAGED_MENU;
	struct machine m;
	uint64_t without;

	(void)state;
	start(&m);
	without = needed_in_all(&m);
	tree_put_data(&m.tree, left, old_image, 20000);
	gb_plan_clear(&m.plan);
	make_plan(&m.store, &m.plan);
	assert_int_equal(needed_in_all(&m), without - 20000);
	m.runner.run = run_badly;
	expect(&m, -ECHILD, GB_END_BACK, "no space left");
	assert_int_equal(access(tree_path(&m.tree, left), F_OK), -1);
	tree_put_data(&m.tree, left, old_image, 20000);
	gb_plan_clear(&m.plan);
	make_plan(&m.store, &m.plan);
	tree_put(&m.tree, left, "being written\n");
	m.runner.run = fake_run;
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED, "was written by somebody else meanwhile");
	gb_plan_clear(&m.plan);
	make_plan(&m.store, &m.plan);
	expect(&m, 0, GB_END_DONE, "");
	assert_int_equal(access(tree_path(&m.tree, left), F_OK), -1);
	end(&m);
}

/* Two images of 4 MiB on FAT, one after the other: each makes room for the next. */
static void room_on_fat(void **state)
{
	static const char *const argv[] = { "/usr/sbin/x", NULL };
	static const char *const names[] = { "a", "b" };
	struct gb_room room[GB_ROOMS_MAX];
	size_t rooms = 0;
	struct machine m;

	(void)state;
	start(&m);
	gb_plan_clear(&m.plan);
	for (size_t i = 0; i < 2; i++) {
		char path[32], staged[32];

		snprintf(path, sizeof(path), "/efi/%s", names[i]);
		snprintf(staged, sizeof(staged), "/efi/.ghost-boot-%s", names[i]);
		tree_put(&m.tree, path, "");
		assert_int_equal(truncate(tree_path(&m.tree, path), 4 << 20), 0);
		gb_plan_build(&m.plan, &m.store, argv, staged, 5 << 20, 0, "", NULL);
		assert_int_equal(gb_plan_place(&m.plan, &m.store, staged, path, 0600, "", NULL), 1);
	}
	assert_int_equal(gb_transaction_rooms(&m.store, &m.plan, room, &rooms, NULL), 0);
	assert_int_equal(rooms, 2);
	/* two copies in the journal; both grow by 1, and one lies beside its old one */
	assert_string_equal(room[1].path, "/efi");
	assert_in_range(room[0].needed, 8 << 20, 9 << 20);
	assert_in_range(room[1].needed, (2 + 4) << 20, (2 + 4 + 1) << 20);
	/* one in two places: while it is copied it lies there itself */
	gb_plan_clear(&m.plan);
	gb_plan_build(&m.plan, &m.store, argv, "/efi/.ghost-boot-c", 5 << 20, 0, "", NULL);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(gb_plan_place(&m.plan, &m.store, "/efi/.ghost-boot-c",
					       i ? "/efi/a" : "/efi/b", 0600, "", NULL), 1);
	assert_int_equal(gb_transaction_rooms(&m.store, &m.plan, room, &rooms, NULL), 0);
	assert_in_range(room[1].needed, (2 + 4 + 4) << 20, (2 + 4 + 4 + 1) << 20);
	end(&m);
}

static void printed(void **state)
{
	static const char *const argv[] = { "/usr/sbin/mkinitramfs", "-o",
					    "/boot/.ghost-boot-6.12.48+deb13-amd64.img",
					    "6.12.48+deb13-amd64", NULL };
	static const char staged[] = "/boot/.ghost-boot-6.12.48+deb13-amd64.img";
	const struct gb_style plain = { 0 };
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };
	struct machine m;

	(void)state;
	start(&m);
	gb_plan_clear(&m.plan);
	gb_plan_build(&m.plan, &m.store, argv, staged, 1, 0, "with the claims", NULL);
	gb_plan_place(&m.plan, &m.store, staged, "/boot/initrd.img", 0600, "judged", NULL);
	gb_plan_place(&m.plan, &m.store, staged, "/efi/new/initrd", 0600, "a copy", NULL);
	gb_plan_print(&m.plan, &plain, &text);
	assert_string_equal(text.data,
		"1. build /boot/initrd.img with mkinitramfs\n"
		"    with the claims\n"
		"    by /usr/sbin/mkinitramfs -o /boot/.ghost-boot-6.12.48+deb13-amd64.img\n"
		"      6.12.48+deb13-amd64\n"
		"2. put the new /boot/initrd.img into its place\n"
		"    judged\n"
		"3. make folder /efi/new\n"
		"    it does not exist yet\n"
		"4. copy the new /boot/initrd.img to /efi/new/initrd\n"
		"    a copy\n");
	gb_text_clear(&text);
	gb_plan_json(&m.plan, NULL, &json);
	assert_non_null(strstr(text.data, "\"action\": \"build\""));
	assert_non_null(strstr(text.data, "\"for\": \"/boot/initrd.img\",\n    \"argv\": [\n"
			       "      \"/usr/sbin/mkinitramfs\","));
	assert_non_null(strstr(text.data, "\"action\": \"place\""));
	assert_non_null(strstr(text.data, "\"after\": null\n      }\n    ],\n    \"staged\": "
			       "\"/boot/.ghost-boot-6.12.48+deb13-amd64.img\"\n  }\n]\n"));
	gb_text_clear(&text);
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_builders), cmocka_unit_test(other_disks),
		cmocka_unit_test(no_exchange),	cmocka_unit_test(in_order),
		cmocka_unit_test(foreign),	cmocka_unit_test(taken_back),
		cmocka_unit_test(refused),	cmocka_unit_test(neighbours),
		cmocka_unit_test(left_behind),
		cmocka_unit_test(room),		cmocka_unit_test(room_on_fat),
		cmocka_unit_test(printed),
	};

	staging = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
