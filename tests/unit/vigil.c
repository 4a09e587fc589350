/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "logins.h"
#include "store.h"
#include "trialstate.h"
#include "vigil.h"

#define LONG_MS (3600ul * 1000)

static enum gb_vigil_event next(struct gb_vigil *vigil)
{
	enum gb_vigil_event event;
	struct gb_err err = { "" };

	if (gb_vigil_wait(vigil, &event, &err))
		fail_msg("%s", err.text);
	return event;
}

static struct gb_vigil *begin(struct tree *tree, unsigned long wait_ms, unsigned settle_ms)
{
	struct gb_vigil *vigil;
	struct gb_err err = { "" };

	if (gb_vigil_open(tree->root, wait_ms, settle_ms, &vigil, &err))
		fail_msg("%s", err.text);
	return vigil;
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sees_sessions(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, GB_SESSIONS);
	vigil = begin(&tree, LONG_MS, 1);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN); /* for those who are there */
	tree_put(&tree, GB_SESSIONS "/1", "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_delete(&tree, GB_SESSIONS "/1");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

static void waits_for_logind(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/run/systemd");
	vigil = begin(&tree, LONG_MS, 1);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_folder(&tree, GB_SESSIONS);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_put(&tree, GB_SESSIONS "/1", "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

static void sees_utmp(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, GB_UTMP, "");
	vigil = begin(&tree, LONG_MS, 1);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_put(&tree, GB_UTMP, "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

/* Many at once are one, and not before the time to settle. */
static void settles(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;
	int64_t at;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, GB_SESSIONS);
	vigil = begin(&tree, 700, 300);
	at = now_ms(CLOCK_MONOTONIC);
	for (int i = 1; i <= 9; i++) {
		char name[64];

		snprintf(name, sizeof(name), GB_SESSIONS "/%d", i);
		tree_put(&tree, name, "x");
	}
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	assert_true(now_ms(CLOCK_MONOTONIC) - at >= 290);
	assert_int_equal(next(vigil), GB_VIGIL_TIME);
	assert_true(now_ms(CLOCK_MONOTONIC) - at >= 690);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

/* Somebody who comes and goes all the time must not put it off for ever. */
static void is_not_put_off(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;
	int64_t at;
	pid_t child;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, GB_SESSIONS);
	vigil = begin(&tree, LONG_MS, 300);
	at = now_ms(CLOCK_MONOTONIC);
	child = fork();
	for (int i = 0; !child && i < 1000; i++) {
		tree_put(&tree, GB_SESSIONS "/1", "x");
		tree_delete(&tree, GB_SESSIONS "/1");
		usleep(10000);
	}
	if (!child)
		_exit(0);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	assert_true(now_ms(CLOCK_MONOTONIC) - at < 5000);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

/* What is awaited comes once, however often it is asked, and costs nothing meanwhile. */
static void costs_nothing(void **state)
{
	struct gb_vigil *vigil;
	struct gb_err err = { "" };
	struct tree tree;
	int64_t cpu;

	(void)state;
	tree_make(&tree);
	vigil = begin(&tree, 0, LONG_MS); /* its time never comes */
	assert_int_equal(gb_vigil_retry(vigil, LONG_MS, &err), 0);
	assert_int_equal(gb_vigil_retry(vigil, 500, &err), 0);
	cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	assert_int_equal(next(vigil), GB_VIGIL_RETRY);
	assert_true(now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu < 50);
	assert_int_equal(gb_vigil_retry(vigil, 0, &err), 0);
	assert_int_equal(next(vigil), GB_VIGIL_RETRY);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

static void sees_changes(void **state)
{
	struct gb_trial trial = { .state = GB_TRIAL_ARMED };
	struct gb_store store;
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, GB_TRIAL, "");
	store = (struct gb_store){ .root = tree.root };
	vigil = begin(&tree, LONG_MS, LONG_MS);
	assert_int_equal(gb_trial_write(&store, &trial, NULL), 0);
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	trial.state = GB_TRIAL_NONE;
	assert_int_equal(gb_trial_write(&store, &trial, NULL), 0);
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

static void remove_folder(const struct tree *tree, const char *path)
{
	assert_int_equal(rmdir(tree_path(tree, path)), 0);
}

/* What is watched goes and comes again: a watch goes with its file. */
static void watches_what_is_there_now(void **state)
{
	struct gb_trial trial = { .state = GB_TRIAL_ARMED };
	struct gb_store store;
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_put(&tree, GB_TRIAL, "");
	tree_put(&tree, GB_UTMP, "");
	tree_folder(&tree, GB_SESSIONS);
	store = (struct gb_store){ .root = tree.root };
	vigil = begin(&tree, LONG_MS, 1);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_delete(&tree, GB_TRIAL);
	remove_folder(&tree, GB_STATE);
	tree_put(&tree, GB_TRIAL, "");
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	assert_int_equal(gb_trial_write(&store, &trial, NULL), 0);
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	remove_folder(&tree, GB_SESSIONS);
	tree_folder(&tree, GB_SESSIONS);
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_put(&tree, GB_SESSIONS "/1", "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_delete(&tree, GB_UTMP);
	tree_put(&tree, GB_UTMP, "");
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_put(&tree, GB_UTMP, "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

/* Of two names, since the same event twice is one. */
static void flood(const struct tree *tree)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	unsigned most = 0;
	char path[2][PATH_MAX];

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%u", &most), 1);
	fclose(file);
	snprintf(path[0], sizeof(path[0]), "%s", tree_path(tree, "/run/systemd/x"));
	snprintf(path[1], sizeof(path[1]), "%s", tree_path(tree, "/run/systemd/y"));
	for (unsigned i = 0; i <= most; i++) {
		assert_int_equal(mkdir(path[i % 2], 0700), 0);
		assert_int_equal(rmdir(path[i % 2]), 0);
	}
}

/* More events than the kernel keeps: what they said is looked for. */
static void survives_a_flood(void **state)
{
	struct gb_vigil *vigil;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_folder(&tree, "/run/systemd");
	tree_folder(&tree, "/var/lib");
	vigil = begin(&tree, LONG_MS, 1);
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	flood(&tree);
	tree_folder(&tree, GB_SESSIONS);
	tree_put(&tree, GB_TRIAL, "");
	while (next(vigil) != GB_VIGIL_CHANGE)
		;
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_put(&tree, GB_SESSIONS "/1", "x");
	assert_int_equal(next(vigil), GB_VIGIL_LOGIN);
	tree_delete(&tree, GB_TRIAL);
	assert_int_equal(next(vigil), GB_VIGIL_CHANGE);
	gb_vigil_close(vigil);
	tree_clear(&tree);
}

static void ends(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct gb_vigil *vigil;
	struct tree tree;
	sigset_t held;

	(void)state;
	tree_make(&tree);
	vigil = begin(&tree, LONG_MS, LONG_MS);
	for (size_t i = 0; i < COUNT(signals); i++) {
		raise(signals[i]);
		assert_int_equal(next(vigil), GB_VIGIL_STOP);
	}
	gb_vigil_close(vigil);
	sigprocmask(SIG_BLOCK, NULL, &held);
	for (size_t i = 0; i < COUNT(signals); i++)
		assert_false(sigismember(&held, signals[i]));
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_sessions),
		cmocka_unit_test(waits_for_logind),
		cmocka_unit_test(sees_utmp),
		cmocka_unit_test(settles),
		cmocka_unit_test(is_not_put_off),
		cmocka_unit_test(costs_nothing),
		cmocka_unit_test(sees_changes),
		cmocka_unit_test(watches_what_is_there_now),
		cmocka_unit_test(survives_a_flood),
		cmocka_unit_test(ends),
	};

	alarm(60); /* what never comes is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
