/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change with every kind of step in it: carried out, taken back; each of its calls failed in
 * turn, and the process ended before and after each. */
#include "change.h"

#define KILLED 99

typedef int (*call_fn)(struct gb_store *store, enum gb_end *end, struct gb_err *err);

static char *before, *after; /* the two states that there may be */

struct fault {
	unsigned at, count;
	int error;	/* 0: none */
	bool stays;	/* from there on every call fails so */
	int kill;	/* 1: before the call, 2: after it */
};

static int inject(void *ctx, const struct gb_call *call, bool done)
{
	struct fault *fault = ctx;

	(void)call;
	if (!done)
		fault->count++;
	if (fault->kill == 1 + done && fault->count == fault->at)
		_exit(KILLED);
	if (!done && fault->error &&
	    (fault->count == fault->at || (fault->stays && fault->count > fault->at)))
		return -fault->error;
	return 0;
}

static void start(struct tree *tree, bool enabled)
{
	struct gb_store store;
	enum gb_end end;
	struct gb_err err;

	tree_make(tree);
	make_before(tree);
	store = (struct gb_store){ .root = tree->root };
	if (enabled && enable(&store, &end, &err))
		fail_msg("%s", err.text);
}

static void expect(const struct tree *tree, const char *state, const char *what)
{
	char *now = take_shot(tree->dir);

	if (strcmp(now, state))
		fail_msg("%s: is\n%s\nshould be\n%s", what, now, state);
	free(now);
}

static void expect_either(const struct tree *tree, const char *what)
{
	char *now = take_shot(tree->dir);

	if (strcmp(now, before) && strcmp(now, after))
		fail_msg("%s: is\n%s\nshould be\n%s\nor\n%s", what, now, before, after);
	free(now);
}

static int make_states(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_before(&tree);
	before = take_shot(tree.dir);
	tree_clear(&tree);
	start(&tree, true);
	after = take_shot(tree.dir);
	tree_clear(&tree);
	return 0;
}

static int forget_states(void **state)
{
	(void)state;
	free(before);
	free(after);
	return 0;
}

static void applied(void **state)
{
	struct tree tree;
	struct stat st;

	(void)state;
	start(&tree, true);
	assert_string_equal(tree_get(&tree, "/etc/real/claims"),
			    "ghost-boot claims 1\nclaim path=0000:00/01.0\n");
	assert_int_equal(lstat(tree_path(&tree, "/etc/claims"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(tree_path(&tree, "/etc/real/claims"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(tree_get(&tree, "/etc/modprobe.d/vfio.conf"));
	assert_int_equal(lstat(tree_path(&tree, "/etc/modprobe.d/off.conf"), &st), -1);
	assert_string_equal(tree_get(&tree, "/boot/third.img"), "third\n");
	assert_string_equal(tree_get(&tree, "/etc/default/grub.d/new/zz.cfg"), "x=1\n");
	assert_null(tree_get(&tree, "/etc/default/.ghost-boot-1.tmp"));
	assert_int_equal(access(tree_path(&tree, GB_HISTORY "/001/record"), F_OK), 0);
	assert_int_equal(access(tree_path(&tree, GB_HISTORY "/001/state.done.0"), F_OK), 0);
	assert_int_equal(access(tree_path(&tree, GB_JOURNAL), F_OK), -1);
	tree_clear(&tree);
}

/* Twice is once; back and forth is the identity. */
static void again_and_back(void **state)
{
	struct gb_store store;
	struct tree tree;
	enum gb_end end;
	struct gb_err err;
	struct gb_plan plan;

	(void)state;
	start(&tree, true);
	store = (struct gb_store){ .root = tree.root };
	make_plan(&store, &plan);
	assert_int_equal(plan.steps, 1); /* the builder, which nobody else can judge */
	gb_plan_clear(&plan);
	for (unsigned i = 0; i < 3; i++) {
		if (take_back(&store, &end, &err))
			fail_msg("%s", err.text);
		expect(&tree, i % 2 ? after : before, "taken back");
	}
	assert_int_equal(access(tree_path(&tree, GB_HISTORY "/004/0.old"), F_OK), 0);
	assert_int_equal(access(tree_path(&tree, GB_HISTORY "/003/0.old"), F_OK), -1);
	tree_clear(&tree);
}

/* ---- faults ------------------------------------------------------------------------ */

static unsigned count_calls(call_fn call, bool enabled)
{
	struct fault fault = { 0 };
	struct gb_store store;
	struct tree tree;
	enum gb_end end;
	struct gb_err err;

	start(&tree, enabled);
	store = (struct gb_store){ .root = tree.root, .watch = inject, .ctx = &fault };
	if (call(&store, &end, &err))
		fail_msg("%s", err.text);
	tree_clear(&tree);
	return fault.count;
}

/* With the state as `end` says it is; then what the next call makes of it. */
static void next_call(const struct tree *tree, const char *what, const enum gb_end *said,
		      bool enabled)
{
	struct gb_store store = { .root = tree->root };
	const char *from = enabled ? after : before, *to = enabled ? before : after;
	enum gb_end end;
	struct gb_err err;

	if (said && *said != GB_END_PARTLY && *said != GB_END_DONE)
		expect(tree, from, what);
	if (recover(&store, &end, &err))
		fail_msg("%s: recover: %s", what, err.text);
	if (said && *said == GB_END_DONE)
		expect(tree, to, what);
	else if (said && *said != GB_END_PARTLY)
		expect(tree, from, what);
	else
		expect_either(tree, what);
	if (gb_transaction_is_open(&store))
		fail_msg("%s: the journal is still there", what);
	assert_int_equal(recover(&store, &end, &err), 0);
	assert_int_equal(end, GB_END_NOTHING);
}

static void fail_one(call_fn call, bool enabled, struct fault fault, const char *what,
		     unsigned *partly)
{
	const int error = fault.error;
	struct gb_store store;
	struct tree tree;
	enum gb_end end = GB_END_UNCHANGED;
	struct gb_err err;
	int r;

	start(&tree, enabled);
	store = (struct gb_store){ .root = tree.root, .watch = inject, .ctx = &fault };
	r = call(&store, &end, &err);
	if (!r != (end == GB_END_DONE))
		fail_msg("%s: error %d: %d and end %d", what, error, r, end);
	/* one call that fails alone never keeps the state before from coming back */
	if (end == GB_END_PARTLY && !fault.stays)
		fail_msg("%s: partly: %s", what, err.text);
	*partly += end == GB_END_PARTLY;
	next_call(&tree, what, &end, enabled);
	tree_clear(&tree);
}

static void each_fails(call_fn call, bool enabled, const char *name)
{
	static const int errors[] = { EIO, ENOSPC, EROFS, EACCES };
	const unsigned calls = count_calls(call, enabled);
	unsigned tried = 0, partly = 0;
	char what[128];

	for (unsigned at = 1; at <= calls; at++)
		for (unsigned e = 0; e <= COUNT(errors); e++, tried++) {
			struct fault fault = { .at = at };

			fault.stays = e == COUNT(errors);
			fault.error = errors[(fault.stays ? at : e) % COUNT(errors)];

			snprintf(what, sizeof(what), "%s, call %u of %u %s", name, at, calls,
				 fault.stays ? "and all after it" : "alone");
			fail_one(call, enabled, fault, what, &partly);
		}
	printf("%s: %u calls, %u failures tried, %u left to the next call\n", name, calls, tried,
	       partly);
}

/* True when it was killed. */
static bool killed_in(struct gb_store *store, call_fn call)
{
	pid_t child = fork();
	enum gb_end end;
	struct gb_err err;
	int status;

	assert_true(child >= 0);
	if (!child)
		_exit(call(store, &end, &err) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == KILLED;
}

static void kill_one(call_fn call, bool enabled, unsigned at, int kill, unsigned again,
		     const char *what)
{
	struct fault fault = { .at = at, .kill = kill }, second = { .at = again, .kill = 2 };
	struct gb_store store;
	struct tree tree;

	start(&tree, enabled);
	store = (struct gb_store){ .root = tree.root, .watch = inject, .ctx = &fault };
	assert_true(killed_in(&store, call));
	store.ctx = &second;
	if (again)
		killed_in(&store, recover);
	next_call(&tree, what, NULL, enabled);
	tree_clear(&tree);
}

static void each_killed(call_fn call, bool enabled, const char *name)
{
	const unsigned calls = count_calls(call, enabled);
	unsigned tried = 0;
	char what[128];

	for (unsigned at = 1; at <= calls; at++)
		for (int kill = 1; kill <= 2; kill++, tried++) {
			/* every second recovery is ended, too, somewhere */
			unsigned again = tried % 4 == 1 || tried % 4 == 2 ? 1 + at * 7 % 23 : 0;

			snprintf(what, sizeof(what), "%s, killed %s call %u, recovery after %u",
				 name, kill == 1 ? "before" : "after", at, again);
			kill_one(call, enabled, at, kill, again, what);
		}
	printf("%s: %u calls, %u kills tried\n", name, calls, tried);
}

static void enable_fails(void **state)
{
	(void)state;
	each_fails(enable, false, "enable");
}

static void rollback_fails(void **state)
{
	(void)state;
	each_fails(take_back, true, "rollback");
}

static void enable_killed(void **state)
{
	(void)state;
	each_killed(enable, false, "enable");
}

static void rollback_killed(void **state)
{
	(void)state;
	each_killed(take_back, true, "rollback");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applied),	  cmocka_unit_test(again_and_back),
		cmocka_unit_test(enable_fails),	  cmocka_unit_test(rollback_fails),
		cmocka_unit_test(enable_killed), cmocka_unit_test(rollback_killed),
	};

	return cmocka_run_group_tests(tests, make_states, forget_states);
}
