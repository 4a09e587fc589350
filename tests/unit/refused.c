/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that must not be made, must not be finished, or must not be taken back. */
#include "change.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/statvfs.h>

#include "foreign.h"

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
	m->store.root = m->tree.root;
	m->t = make_transaction(&m->store, &m->runner);
	make_plan(&m->store, &m->plan);
	m->before = take_shot(m->tree.dir);
}

static void unchanged(const struct machine *m)
{
	char *now = take_shot(m->tree.dir);

	assert_string_equal(now, m->before);
	free(now);
	assert_false(gb_transaction_is_open((struct gb_store *)&m->store));
}

static void end(struct machine *m)
{
	gb_plan_clear(&m->plan);
	free(m->before);
	tree_clear(&m->tree);
}

/* Runs the plan and expects this end; the state before, if it is none that changes. */
static void expect(struct machine *m, int result, enum gb_end expected, const char *text,
		   struct gb_text *details)
{
	struct gb_err err = { 0 };
	enum gb_end is;
	int r = gb_transaction_run(&m->t, &m->plan, &is, details, &err);

	if (r != result || is != expected || !strstr(err.text, text))
		fail_msg("%d, end %d: %s", r, is, err.text);
	if (is != GB_END_DONE)
		unchanged(m);
}

static void two_at_once(void **state)
{
	struct machine m;
	char path[PATH_MAX], text[32], expected[64];
	int fd;

	(void)state;
	start(&m);
	tree_put(&m.tree, GB_STATE "/lock", "");
	snprintf(path, sizeof(path), "%s", tree_path(&m.tree, GB_STATE "/lock"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	expect(&m, -EBUSY, GB_END_REFUSED, "another ghost-boot is changing", NULL);
	snprintf(text, sizeof(text), "%-10d\n", (int)getppid());
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	snprintf(expected, sizeof(expected), "another ghost-boot (process %d)", (int)getppid());
	expect(&m, -EBUSY, GB_END_REFUSED, expected, NULL);
	assert_int_equal(pwrite(fd, "2147483647", 10, 0), 10);
	expect(&m, -EBUSY, GB_END_REFUSED, "a program that it started still runs", NULL);
	close(fd);
	expect(&m, 0, GB_END_DONE, "", NULL);
	end(&m);
}

static void changed_by_hand(void **state)
{
	struct gb_text details = { 0 };
	struct machine m;

	(void)state;
	start(&m);
	tree_put(&m.tree, "/etc/default/grub", GRUB "# mine\n");
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED,
	       "/etc/default/grub has other bytes now: somebody else has changed it", &details);
	assert_string_equal(details.data, "/etc/default/grub has other bytes now\n"
			    "    @@ -1,3 +1,4 @@\n     GRUB_DEFAULT=0\n     GRUB_TIMEOUT=5\n"
			    "     GRUB_CMDLINE_LINUX=\"quiet\"\n    +# mine\n");
	gb_text_clear(&details);
	end(&m);
	/* only its mode; a file of the same name made meanwhile; one removed */
	start(&m);
	chmod(tree_path(&m.tree, "/etc/default/grub"), 0600);
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED, "has another owner, mode or attribute now", NULL);
	end(&m);
	start(&m);
	tree_put(&m.tree, "/etc/default/grub.d/new/zz.cfg", "theirs\n");
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED, "zz.cfg is there now", NULL);
	end(&m);
	start(&m);
	tree_delete(&m.tree, "/boot/grub.cfg");
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED, "/boot/grub.cfg is gone", NULL);
	end(&m);
	/* a builder's file is not read for a plan, its times tell */
	start(&m);
	tree_put(&m.tree, "/boot/initrd.img", "o");
	free(m.before);
	m.before = take_shot(m.tree.dir);
	expect(&m, -ESTALE, GB_END_REFUSED, "/boot/initrd.img was written by somebody", NULL);
	end(&m);
}

static void changed_since(void **state)
{
	struct gb_text details = { 0 };
	struct gb_plan plan = { 0 };
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	start(&m);
	assert_int_equal(gb_transaction_rollback(&m.store, false, &plan, NULL, &err), -ENOENT);
	expect(&m, 0, GB_END_DONE, "", NULL);
	tree_put(&m.tree, "/etc/real/claims", "ghost-boot claims 1\n# by hand\n");
	assert_int_equal(gb_transaction_rollback(&m.store, false, &plan, &details, &err), -ESTALE);
	assert_string_equal(details.data, "/etc/claims has other bytes now\n"
			    "    @@ -1,2 +1,2 @@\n     ghost-boot claims 1\n"
			    "    -claim path=0000:00/01.0\n    +# by hand\n");
	assert_int_equal(plan.steps, 0);
	assert_int_equal(gb_transaction_rollback(&m.store, true, &plan, NULL, &err), 0);
	assert_int_equal(gb_transaction_run(&m.t, &plan, &is, NULL, &err), 0);
	unchanged(&m);
	gb_plan_clear(&plan);
	gb_text_clear(&details);
	end(&m);
}

/* ---- room -------------------------------------------------------------------------------- */

static unsigned long blocks_free;
static bool read_only;

static int tell_space(int fd, struct statvfs *ret)
{
	int r = fstatvfs(fd, ret);

	ret->f_frsize = 1024;
	ret->f_bavail = blocks_free;
	ret->f_flag = read_only ? ST_RDONLY : 0;
	return r;
}

static void no_room(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.store.space = tell_space;
	blocks_free = 300;
	read_only = false;
	expect(&m, -ENOSPC, GB_END_REFUSED, "has 0 MiB free, and the change needs 1 MiB", NULL);
	read_only = true;
	expect(&m, -EROFS, GB_END_REFUSED, "is mounted read-only", NULL);
	read_only = false;
	m.plan.step[4].space = 100 << 20;
	blocks_free = 101 << 10;
	expect(&m, 0, GB_END_DONE, "", NULL);
	end(&m);
	start(&m);
	m.store.space = tell_space;
	m.plan.step[4].space = 100 << 20;
	blocks_free = 100 << 10;
	expect(&m, -ENOSPC, GB_END_REFUSED, "and the change needs 101 MiB while it is made", NULL);
	end(&m);
}

/* ---- builders ------------------------------------------------------------------------------ */

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

	ret->status = 2;
	strcpy(ret->last, "no space left on device");
	return r;
}

static int run_stopped(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		       struct gb_err *err)
{
	int r = fake_run(ctx, command, ret, err);

	ret->stopped = SIGTERM;
	return r;
}

static int run_signalled(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	raise(SIGINT); /* blocked during a step */
	return fake_run(ctx, command, ret, err);
}

static int disprove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	(void)ctx;
	assert_int_equal(plan->step[step].kind, GB_STEP_RUN);
	return gb_fail(err, EBADMSG, "the image lacks our claims");
}

static void bad_builders(void **state)
{
	static const struct {
		int (*run)(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			   struct gb_err *err);
		int (*prove)(void *ctx, const struct gb_plan *plan, size_t step,
			     struct gb_err *err);
		int result;
		const char *text;
	} rows[] = {
		{ run_nothing, NULL, -ENODATA, "/boot/initrd.img was not written, though" },
		{ run_badly, NULL, -ECHILD, "builder failed with 2: no space left on device" },
		{ run_stopped, NULL, -EINTR, "stopped by Terminated" },
		{ run_signalled, NULL, -EINTR, "stopped by Interrupt" },
		{ fake_run, disprove, -EBADMSG, "the image lacks our claims" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct machine m;

		start(&m);
		m.runner.run = rows[i].run;
		m.t.prove = rows[i].prove;
		expect(&m, rows[i].result, GB_END_BACK, rows[i].text, NULL);
		/* nothing is left that would be in the way */
		m.runner.run = fake_run;
		m.t.prove = NULL;
		gb_plan_clear(&m.plan);
		make_plan(&m.store, &m.plan);
		expect(&m, 0, GB_END_DONE, "", NULL);
		end(&m);
	}
}

/* ---- recovery ------------------------------------------------------------------------------- */

static unsigned calls_left;

static int die_later(void *ctx, const struct gb_call *call, bool done)
{
	(void)ctx;
	(void)call;
	if (!done && calls_left)
		calls_left--;
	return calls_left ? 0 : -EIO;
}

static void half_done(struct machine *m, unsigned calls)
{
	struct gb_err err;
	enum gb_end is;

	start(m);
	m->store.watch = die_later;
	calls_left = calls;
	assert_int_not_equal(gb_transaction_run(&m->t, &m->plan, &is, NULL, &err), 0);
	assert_int_equal(is, GB_END_PARTLY);
	m->store.watch = NULL;
}

static void not_recovered(void **state)
{
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	half_done(&m, 60);
	gb_plan_clear(&m.plan);
	gb_plan_write(&m.plan, &m.store, "/etc/other", "1", 1, 0644, "", &err);
	assert_int_equal(gb_transaction_run(&m.t, &m.plan, &is, NULL, &err), -EUCLEAN);
	assert_int_equal(is, GB_END_REFUSED);
	assert_int_equal(gb_transaction_recover(&m.t, &is, &err), 0);
	unchanged(&m);
	assert_int_equal(gb_transaction_run(&m.t, &m.plan, &is, NULL, &err), 0);
	end(&m);
}

/* Somebody changes one of our files between the end of one call and the next: his stays, the
 * others come back, and the journal waits for a word. */
static void foreign(void **state)
{
	struct gb_text details = { 0 };
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	half_done(&m, 80);
	gb_foreign_show(&m.store, true, &details);
	assert_int_equal(details.len, 0);
	/* in nobody's way: its step had not begun */
	tree_put(&m.tree, "/etc/default/grub.d/new/zz.cfg", "theirs\n");
	gb_foreign_show(&m.store, true, &details);
	assert_int_equal(details.len, 0);
	assert_int_equal(unlink(tree_path(&m.tree, "/etc/default/grub.d/new/zz.cfg")), 0);
	assert_int_equal(rmdir(tree_path(&m.tree, "/etc/default/grub.d/new")), 0);
	assert_int_equal(rmdir(tree_path(&m.tree, "/etc/default/grub.d")), 0);
	tree_put(&m.tree, "/etc/default/grub", "theirs\n");
	assert_int_equal(gb_transaction_recover(&m.t, &is, &err), -ESTALE);
	assert_int_equal(is, GB_END_PARTLY);
	assert_string_equal(err.text, "/etc/default/grub was changed by somebody else meanwhile");
	assert_string_equal(tree_get(&m.tree, "/etc/default/grub"), "theirs\n");
	assert_string_equal(tree_get(&m.tree, "/etc/real/claims"), "ghost-boot claims 1\n");
	gb_foreign_show(&m.store, false, &details);
	assert_non_null(details.data);
	assert_string_equal(details.data, "/etc/default/grub has other bytes now\n"
			    "    @@ -1,4 +1 @@\n"
			    "    -GRUB_DEFAULT=0\n"
			    "    -GRUB_TIMEOUT=5\n"
			    "    -GRUB_CMDLINE_LINUX=\"quiet\"\n"
			    "    -GRUB_CMDLINE_LINUX_DEFAULT=\"ghost.claim=on\"\n"
			    "    +theirs\n");
	gb_text_clear(&details);
	/* not everybody may read it */
	gb_foreign_show(&m.store, true, &details);
	assert_string_equal(details.data, "/etc/default/grub has other bytes now\n");
	gb_text_clear(&details);
	m.t.force = true;
	assert_int_equal(gb_transaction_recover(&m.t, &is, &err), 0);
	assert_int_equal(is, GB_END_BACK);
	unchanged(&m);
	end(&m);
}

/* The journal itself is damaged: nothing is touched, and it says so. */
static void damaged(void **state)
{
	struct machine m;
	struct gb_err err;
	enum gb_end is;

	(void)state;
	start(&m);
	tree_put(&m.tree, GB_JOURNAL "/record", "ghost-boot journal 1\n");
	tree_put(&m.tree, GB_JOURNAL "/state.applying.0", "");
	assert_int_equal(gb_transaction_recover(&m.t, &is, &err), -EBADMSG);
	assert_int_equal(is, GB_END_PARTLY);
	assert_non_null(strstr(err.text, "/record: the journal's record is cut or was changed"));
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_at_once),	 cmocka_unit_test(changed_by_hand),
		cmocka_unit_test(changed_since), cmocka_unit_test(no_room),
		cmocka_unit_test(bad_builders),	 cmocka_unit_test(not_recovered),
		cmocka_unit_test(foreign),	 cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
