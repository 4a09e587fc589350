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
	store = store_of(tree->root);
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

static void expect_file(const struct tree *tree, const char *path, mode_t mode, uid_t owner,
			const char *data, size_t len)
{
	const char *full = tree_path(tree, path);
	char *now = calloc(1, IMAGE_BYTES * 2);
	struct stat st;
	int fd = open(full, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, now, IMAGE_BYTES * 2) != (ssize_t)len ||
	    memcmp(now, data, len) || (st.st_mode & 07777) != mode || st.st_nlink != 1 ||
	    (!geteuid() && st.st_uid != owner))
		fail_msg("%s: %zu bytes, mode %o, owner %u, %u names", path, (size_t)st.st_size,
			 (unsigned)st.st_mode, (unsigned)st.st_uid, (unsigned)st.st_nlink);
	close(fd);
	free(now);
}

static void applied_staged(void **state)
{
	struct tree tree;

	(void)state;
	start(&tree, true);
	expect_file(&tree, "/boot/initrd.img", 0600, 3, new_image, sizeof(new_image));
	expect_file(&tree, "/boot/copy.img", 0640, 4, new_image, sizeof(new_image));
	expect_file(&tree, "/efi/initrd.img", 0644, 0, new_image, sizeof(new_image));
	expect_file(&tree, "/efi/new/initrd.img", 0640, 0, new_image, sizeof(new_image));
	expect_file(&tree, "/boot/same.cfg", 0400, 2, "menuentry new\n", 14);
	expect_file(&tree, "/boot/grub.cfg", 0444, 0, "menuentry new\n", 14);
	expect_file(&tree, "/efi/menu.cfg", 0644, 0, "menuentry new\n", 14);
	expect_file(&tree, "/efi/last.cfg", 0600, 0, "menuentry new\n", 14);
	/* nothing else, and no large copies: what is here is in the list of the rollback */
	assert_null(strstr(after, ".ghost-boot"));
	for (unsigned i = 0; i < 12; i++) {
		char path[80];
		struct stat st;

		snprintf(path, sizeof(path), "%s/001/%u.old", GB_HISTORY, i);
		if (!stat(tree_path(&tree, path), &st))
			assert_true(st.st_size < 1000);
	}
	tree_clear(&tree);
}

static bool has_copies(const struct tree *tree, unsigned number)
{
	for (unsigned i = 0; i < 20; i++) {
		char path[80];

		snprintf(path, sizeof(path), "%s/%03u/%u.old", GB_HISTORY, number, i);
		if (!access(tree_path(tree, path), F_OK))
			return true;
	}
	return false;
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
	store = store_of(tree.root);
	make_plan(&store, &plan);
	/* builders, which nobody else can judge, and what they make */
	assert_int_equal(plan.steps, staging ? 11 : publishing ? 2 : 1);
	gb_plan_clear(&plan);
	for (unsigned i = 0; i < 3; i++) {
		if (take_back(&store, &end, &err))
			fail_msg("%s", err.text);
		expect(&tree, i % 2 ? after : before, "taken back");
	}
	assert_true(has_copies(&tree, 4));
	assert_false(has_copies(&tree, 3));
	tree_clear(&tree);
}

/* Gone for good: the history has no copy, and a rollback brings back the rest. */
static void applied_dropped(void **state)
{
	struct gb_store store;
	struct tree tree;
	enum gb_end end;
	struct gb_err err;
	struct stat st;

	(void)state;
	start(&tree, true);
	assert_int_equal(stat(tree_path(&tree, "/boot/initrd.img"), &st), -1);
	assert_int_equal(stat(tree_path(&tree, "/efi/initrd.img"), &st), -1);
	for (unsigned i = 0; i < 3; i++) {
		char path[80];

		snprintf(path, sizeof(path), "%s/001/%u.old", GB_HISTORY, i);
		if (!stat(tree_path(&tree, path), &st))
			assert_true(st.st_size < 1000);
	}
	store = store_of(tree.root);
	if (take_back(&store, &end, &err))
		fail_msg("%s", err.text);
	assert_string_equal(tree_get(&tree, "/etc/default/grub"), GRUB);
	assert_int_equal(stat(tree_path(&tree, "/boot/initrd.img"), &st), -1);
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
	store = store_of(tree.root);
	store.watch = inject;
	store.ctx = &fault;
	if (call(&store, &end, &err))
		fail_msg("%s", err.text);
	tree_clear(&tree);
	return fault.count;
}

/* With the state as `end` says it is; then what the next call makes of it. */
static void next_call(const struct tree *tree, const char *what, const enum gb_end *said,
		      bool enabled)
{
	struct gb_store store = store_of(tree->root);
	const char *from = enabled ? after : before, *to = enabled ? before : after;
	enum gb_end end;
	struct gb_err err;

	if (said && *said != GB_END_PARTLY && *said != GB_END_DONE && *said != GB_END_UNPUBLISHED)
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
	store = store_of(tree.root);
	store.watch = inject;
	store.ctx = &fault;
	r = call(&store, &end, &err);
	if (!r != (end == GB_END_DONE))
		fail_msg("%s: error %d: %d and end %d", what, error, r, end);
	/* one call that fails alone never keeps the state before from coming back */
	if ((end == GB_END_PARTLY || end == GB_END_UNPUBLISHED) && !fault.stays)
		fail_msg("%s: partly: %s", what, err.text);
	*partly += end == GB_END_PARTLY || end == GB_END_UNPUBLISHED;
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
	store = store_of(tree.root);
	store.watch = inject;
	store.ctx = &fault;
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
	const struct CMUnitTest files[] = {
		cmocka_unit_test(applied),	  cmocka_unit_test(again_and_back),
		cmocka_unit_test(enable_fails),	  cmocka_unit_test(rollback_fails),
		cmocka_unit_test(enable_killed),  cmocka_unit_test(rollback_killed),
	};
	const struct CMUnitTest staged[] = {
		cmocka_unit_test(applied_staged), cmocka_unit_test(again_and_back),
		cmocka_unit_test(enable_fails),	  cmocka_unit_test(rollback_fails),
		cmocka_unit_test(enable_killed),  cmocka_unit_test(rollback_killed),
	};
	const struct CMUnitTest dropped[] = {
		cmocka_unit_test(applied_dropped),
		cmocka_unit_test(enable_fails),
		cmocka_unit_test(enable_killed),
	};
	int failed = cmocka_run_group_tests_name("files", files, make_states, forget_states);

	publishing = true;
	failed += cmocka_run_group_tests_name("published", files, make_states, forget_states);
	publishing = false;
	staging = true;
	failed += cmocka_run_group_tests_name("staged", staged, make_states, forget_states);
	dropping = true;
	return failed + cmocka_run_group_tests_name("dropped", dropped, make_states, forget_states);
}
