/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is copied to where no journal reaches: last of all, and again when the files are back. */
#include <signal.h>

#include "change.h"

#define COPIER "/usr/sbin/copier"
#define HOOK "/etc/hook"

static const char *const copier[] = { COPIER, "refresh", NULL };

struct machine {
	struct tree tree;
	struct gb_store store;
	struct gb_runner runner;
	struct gb_transaction t;
	struct gb_plan plan;
	struct gb_err err;
	struct gb_text ran;
	unsigned runs;
	unsigned bad; /* so many runs of the copier fail, and have copied */
	bool missing; /* it can't be started */
	bool stopped; /* its first run is, by SIGINT */
};

static int run(void *ctx, const struct gb_program *program, struct gb_ran *ret, struct gb_err *err)
{
	struct machine *m = ctx;

	*ret = (struct gb_ran){ 0 };
	if (!strcmp(program->argv[0], COPIER) && m->missing)
		return gb_fail(err, ENOENT, COPIER " is not there");
	gb_text_addf(&m->ran, "%s", m->ran.len ? ", " : "");
	for (char *const *arg = program->argv; *arg; arg++)
		gb_text_addf(&m->ran, "%s%s", arg == program->argv ? "" : " ", gb_text_base(*arg));
	if (strcmp(program->argv[0], COPIER))
		return 0;
	tree_put(&m->tree, "/away/claims", tree_get(&m->tree, "/etc/claims"));
	if (m->stopped && !m->runs)
		ret->stopped = SIGINT;
	ret->status = m->runs++ < m->bad;
	return 0;
}

static void start(struct machine *m)
{
	*m = (struct machine){ 0 };
	tree_make(&m->tree);
	tree_folder(&m->tree, "/var/lib");
	tree_put(&m->tree, "/etc/claims", "old\n");
	tree_put(&m->tree, "/etc/late", "old\n");
	tree_put(&m->tree, "/away/claims", "old\n");
	tree_put(&m->tree, COPIER, "");
	tree_put(&m->tree, HOOK, "");
	m->store = store_of(m->tree.root);
	m->runner = (struct gb_runner){ .ctx = m, .run = run };
	m->t = (struct gb_transaction){ .store = &m->store, .runner = &m->runner, .log = -1 };
}

static void end(struct machine *m)
{
	gb_plan_clear(&m->plan);
	gb_text_clear(&m->ran);
	tree_clear(&m->tree);
}

static void write_one(struct machine *m, const char *path, const char *text)
{
	assert_int_equal(gb_plan_write(&m->plan, &m->store, path, text, strlen(text), 0644, "new",
				       &m->err), 1);
}

static void publish_by(struct machine *m, const char *const *argv, const char *path)
{
	assert_int_equal(gb_plan_publish(&m->plan, argv, path, "copies", &m->err), 1);
}

static void carry_out(struct machine *m, int result, enum gb_end expected)
{
	enum gb_end end;
	int r;

	gb_plan_close(&m->plan);
	r = gb_transaction_run(&m->t, &m->plan, &end, NULL, &m->err);
	if (r != result || end != expected)
		fail_msg("%d, end %d: %s", r, end, m->err.text);
	gb_plan_clear(&m->plan);
}

static void take_it_back(struct machine *m, int result, enum gb_end expected)
{
	assert_int_equal(gb_transaction_rollback(&m->store, false, &m->plan, NULL, &m->err), 0);
	carry_out(m, result, expected);
}

static void recovers(struct machine *m, int result, enum gb_end expected)
{
	enum gb_end end;
	int r = gb_transaction_recover(&m->t, &end, &m->err);

	if (r != result || end != expected)
		fail_msg("%d, end %d: %s", r, end, m->err.text);
}

static void expect(struct machine *m, const char *claims, const char *ran)
{
	assert_string_equal(tree_get(&m->tree, "/etc/claims"), claims);
	assert_string_equal(tree_get(&m->tree, "/away/claims"), claims);
	assert_string_equal(m->ran.data ? m->ran.data : "", ran);
	gb_text_clear(&m->ran);
	m->runs = 0;
}

/* ---- the plan ---------------------------------------------------------------------------- */

static void it_comes_last_and_once(void **state)
{
	static const char *const one[] = { HOOK, "1", NULL }, *const two[] = { HOOK, "2", NULL };
	struct gb_text text = { 0 };
	struct machine m;

	(void)state;
	start(&m);
	publish_by(&m, copier, NULL);
	publish_by(&m, one, NULL);
	write_one(&m, "/etc/claims", "new\n");
	assert_false(gb_plan_is_closed(&m.plan));
	publish_by(&m, two, NULL);
	publish_by(&m, copier, NULL);
	write_one(&m, "/etc/late", "new\n");
	publish_by(&m, one, NULL);
	publish_by(&m, copier, NULL);
	gb_plan_close(&m.plan);
	assert_true(gb_plan_is_closed(&m.plan));
	for (size_t i = 0; i < m.plan.steps; i++) {
		gb_plan_step_text(&m.plan.step[i], &text);
		gb_text_addf(&text, "\n");
	}
	assert_string_equal(text.data, "change /etc/claims\nchange /etc/late\nrun " HOOK " 2\n"
			    "run " HOOK " 1\nrun " COPIER " refresh\n");
	carry_out(&m, 0, GB_END_DONE);
	expect(&m, "new\n", "hook 2, hook 1, copier refresh");
	gb_text_clear(&text);
	end(&m);
}

static void alone_it_is_nothing(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	publish_by(&m, copier, NULL);
	publish_by(&m, copier, NULL);
	gb_plan_close(&m.plan);
	assert_int_equal(m.plan.steps, 0);
	end(&m);
}

/* Or it would copy what is half done. */
static void a_plan_that_is_not_closed_is_refused(void **state)
{
	enum gb_end ended;
	struct machine m;

	(void)state;
	start(&m);
	publish_by(&m, copier, NULL);
	write_one(&m, "/etc/claims", "new\n");
	assert_int_equal(gb_transaction_run(&m.t, &m.plan, &ended, NULL, &m.err), -EINVAL);
	assert_int_equal(ended, GB_END_REFUSED);
	expect(&m, "old\n", "");
	end(&m);
}

/* ---- back -------------------------------------------------------------------------------- */

static void a_failure_runs_it_again(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.bad = 1;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_BACK);
	expect(&m, "old\n", "copier refresh, copier refresh");
	end(&m);
}

static void a_signal_runs_it_again(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.stopped = true;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -EINTR, GB_END_BACK);
	expect(&m, "old\n", "copier refresh, copier refresh");
	end(&m);
}

/* They are for the change, which is being taken back already. */
static int signal_late(void *ctx, const struct gb_call *call, bool done)
{
	(void)ctx;
	if (!done && call->kind == GB_CALL_RENAME && call->to && strstr(call->to, "returning")) {
		raise(SIGINT);
		raise(SIGTERM);
	}
	return 0;
}

static int run_unstopped(void *ctx, const struct gb_program *program, struct gb_ran *ret,
			 struct gb_err *err)
{
	sigset_t waiting;

	sigpending(&waiting);
	assert_false(sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM));
	return run(ctx, program, ret, err);
}

static void signals_are_not_kept_for_it(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.store.watch = signal_late;
	m.runner.run = run_unstopped;
	m.bad = 1;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_BACK);
	expect(&m, "old\n", "copier refresh, copier refresh");
	end(&m);
}

/* What has not begun has copied nothing. */
static void only_what_ran_runs_again(void **state)
{
	static const char *const hook[] = { HOOK, NULL };
	struct machine m;

	(void)state;
	start(&m);
	m.missing = true;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, hook, NULL);
	publish_by(&m, copier, NULL);
	carry_out(&m, -ENOENT, GB_END_BACK);
	expect(&m, "old\n", "hook, hook");
	end(&m);
}

static void a_rollback_runs_it_again(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, 0, GB_END_DONE);
	expect(&m, "new\n", "copier refresh");
	take_it_back(&m, 0, GB_END_DONE);
	expect(&m, "old\n", "copier refresh");
	take_it_back(&m, 0, GB_END_DONE);
	expect(&m, "new\n", "copier refresh");
	m.bad = 1;
	take_it_back(&m, -ECHILD, GB_END_BACK);
	expect(&m, "new\n", "copier refresh, copier refresh");
	end(&m);
}

/* ---- when it fails then ------------------------------------------------------------------- */

static void what_fails_again_is_said_and_stays_open(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.bad = 3;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_UNPUBLISHED);
	assert_string_equal(tree_get(&m.tree, "/etc/claims"), "old\n");
	assert_true(gb_transaction_is_open(&m.store));
	/* what others do meanwhile is theirs */
	tree_put(&m.tree, "/etc/claims", "somebody's\n");
	recovers(&m, -ECHILD, GB_END_UNPUBLISHED);
	recovers(&m, 0, GB_END_BACK);
	expect(&m, "somebody's\n", "copier refresh, copier refresh, copier refresh, copier refresh");
	recovers(&m, 0, GB_END_NOTHING);
	end(&m);
}

static void force_gives_it_up(void **state)
{
	struct machine m;

	(void)state;
	start(&m);
	m.bad = 100;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_UNPUBLISHED);
	m.t.force = true;
	recovers(&m, -ECHILD, GB_END_UNPUBLISHED);
	assert_false(gb_transaction_is_open(&m.store));
	recovers(&m, 0, GB_END_NOTHING);
	end(&m);
}

/* It would copy what is not there. */
static void nothing_is_published_while_a_disk_is_away(void **state)
{
	static const char *const root = "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n",
			  *const both = "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
					"30 20 8:1 / /etc rw - ext4 /dev/sda1 rw\n";
	struct machine m;

	(void)state;
	start(&m);
	tree_put(&m.tree, "/proc/self/mountinfo", both);
	m.bad = 2;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_UNPUBLISHED);
	tree_put(&m.tree, "/proc/self/mountinfo", root);
	recovers(&m, -ENODEV, GB_END_PARTLY);
	tree_put(&m.tree, "/proc/self/mountinfo", both);
	recovers(&m, 0, GB_END_BACK);
	expect(&m, "old\n", "copier refresh, copier refresh, copier refresh");
	end(&m);
}

/* One that fails keeps no other from it. */
static void the_others_run_all_the_same(void **state)
{
	static const char *const hook[] = { HOOK, NULL };
	struct machine m;

	(void)state;
	start(&m);
	m.bad = 2;
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, hook, "/etc/claims");
	publish_by(&m, copier, NULL);
	carry_out(&m, -ECHILD, GB_END_UNPUBLISHED);
	expect(&m, "old\n", "hook, copier refresh, hook, copier refresh");
	end(&m);
}

/* ---- for one file ------------------------------------------------------------------------- */

static void a_file_that_is_gone_is_not_published(void **state)
{
	static const char *const hook[] = { HOOK, "1", "/boot/image", NULL };
	struct machine m;

	(void)state;
	start(&m);
	tree_put(&m.tree, "/boot/image", "");
	write_one(&m, "/etc/claims", "new\n");
	publish_by(&m, hook, "/boot/image");
	publish_by(&m, copier, NULL);
	carry_out(&m, 0, GB_END_DONE);
	expect(&m, "new\n", "hook 1 image, copier refresh");
	tree_delete(&m.tree, "/boot/image");
	take_it_back(&m, 0, GB_END_DONE);
	expect(&m, "old\n", "copier refresh");
	tree_put(&m.tree, "/boot/image", "");
	/* nor by a program that is gone */
	tree_delete(&m.tree, HOOK);
	take_it_back(&m, 0, GB_END_DONE);
	expect(&m, "new\n", "copier refresh");
	end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_last_and_once),
		cmocka_unit_test(alone_it_is_nothing),
		cmocka_unit_test(a_plan_that_is_not_closed_is_refused),
		cmocka_unit_test(a_failure_runs_it_again),
		cmocka_unit_test(a_signal_runs_it_again),
		cmocka_unit_test(signals_are_not_kept_for_it),
		cmocka_unit_test(only_what_ran_runs_again),
		cmocka_unit_test(a_rollback_runs_it_again),
		cmocka_unit_test(what_fails_again_is_said_and_stays_open),
		cmocka_unit_test(force_gives_it_up),
		cmocka_unit_test(nothing_is_published_while_a_disk_is_away),
		cmocka_unit_test(the_others_run_all_the_same),
		cmocka_unit_test(a_file_that_is_gone_is_not_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
