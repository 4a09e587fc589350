/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that fail, hang, talk, are stopped, and leave others behind. */
#include "fake.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>

#include "runner.h"
#include "text.h"

struct heard {
	struct gb_text text;
	unsigned errors;
};

static void hear(void *ctx, const char *line, bool error)
{
	struct heard *heard = ctx;

	gb_text_addf(&heard->text, "%s|", line);
	heard->errors += error;
}

static int run_script(const char *script, unsigned timeout_s, int log, int hold,
		      struct heard *heard, struct gb_ran *ret)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct gb_program command = { .argv = (char *const *)argv, .timeout_s = timeout_s,
				      .line = heard ? hear : NULL, .ctx = heard, .log = log,
				      .hold = hold };
	struct gb_runner runner;
	struct gb_root *root;
	struct gb_err err;
	int r;

	assert_int_equal(gb_root_open("/", &root, &err), 0);
	runner = gb_runner_real(root);
	r = runner.run(runner.ctx, &command, ret, &err);
	gb_root_close(root);
	return r;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void lines(void **state)
{
	char path[] = "/tmp/ghost-boot-unit.XXXXXX", log[64];
	struct heard heard = { 0 };
	struct gb_ran ran;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(run_script("echo one; echo; printf 'a\\rb\\r\\n'; printf end; exit 3", 0, fd,
				    -1, &heard, &ran), 0);
	assert_int_equal(ran.status, 3);
	assert_string_equal(heard.text.data, "one||a|b||end|");
	assert_string_equal(ran.last, "end");
	assert_int_equal(pread(fd, log, sizeof(log), 0), 13);
	assert_memory_equal(log, "one\n\na\rb\r\nend", 13);
	gb_text_clear(&heard.text);
	heard = (struct heard){ 0 };
	assert_int_equal(run_script("echo bad >&2; kill -9 $$", 0, -1, -1, &heard, &ran), 0);
	assert_int_equal(ran.status, 128 + SIGKILL);
	assert_int_equal(heard.errors, 1);
	gb_text_clear(&heard.text);
	unlink(path);
	close(fd);
}

/* What it gets: these words and nothing of ours. */
static void surroundings(void **state)
{
	struct heard heard = { 0 };
	struct gb_ran ran;
	int fd = open("/dev/null", O_RDONLY); /* NOLINT: not closed on exec, on purpose */

	(void)state;
	setenv("SECRET", "1", 1);
	umask(077);
	assert_int_equal(run_script("env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD | sort; umask; "
				    "pwd; read x || echo nothing", 0, -1, -1, &heard, &ran), 0);
	assert_string_equal(heard.text.data,
		"HOME=/root|LC_ALL=C.UTF-8|"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|0022|/|nothing|");
	umask(022);
	gb_text_clear(&heard.text);
	close(fd);
}

static void cannot_start(void **state)
{
	char *argv[] = { (char *)"/no/such/program", NULL };
	struct gb_program command = { .argv = argv, .log = -1, .hold = -1 };
	struct gb_ran ran = { 0 };
	struct gb_runner runner;
	struct gb_root *root;
	struct gb_err err;
	struct tree tree;

	(void)state;
	assert_int_equal(gb_root_open("/", &root, &err), 0);
	runner = gb_runner_real(root);
	assert_int_equal(runner.run(runner.ctx, &command, &ran, &err), -ENOENT);
	gb_root_close(root);
	/* another machine's root is none to run this one's programs for */
	tree_make(&tree);
	runner = gb_runner_real(tree.root);
	argv[0] = (char *)"/bin/true";
	assert_int_equal(runner.run(runner.ctx, &command, &ran, &err), -EPERM);
	tree_clear(&tree);
}

static void too_long(void **state)
{
	struct gb_ran ran;
	double start = seconds();

	(void)state;
	assert_int_equal(run_script("sleep 60 & sleep 60", 1, -1, -1, NULL, &ran), 0);
	assert_true(ran.timed_out);
	assert_int_equal(ran.status, 128 + SIGTERM);
	assert_true(seconds() - start < 9);
}

/* A daemon keeps the pipe open, and talks. */
static void left_behind(void **state)
{
	struct gb_ran ran;
	double start = seconds();

	(void)state;
	assert_int_equal(run_script("(i=0; while [ $i -lt 40 ]; do echo on; sleep 0.1; "
				    "i=$((i+1)); done) & exit 0", 0, -1, -1, NULL, &ran), 0);
	assert_int_equal(ran.status, 0);
	assert_true(seconds() - start < 3);
}

/* Whoever waits for it gets it, as if no program had run meanwhile. */
static void passes_on(const struct gb_ran *ran, int signal)
{
	const struct timespec now = { 0 };
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, &before);
	gb_ran_pass_on(ran);
	assert_int_equal(sigtimedwait(&set, NULL, &now), signal);
	gb_ran_pass_on(&(struct gb_ran){ .status = 143 });
	assert_int_equal(sigtimedwait(&set, NULL, &now), -1);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void passed_on(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < COUNT(signals); i++) {
		struct heard heard = { 0 };
		struct gb_ran ran;
		char script[160];

		/* it sends us the signal, and we send it back */
		snprintf(script, sizeof(script),
			 "trap 'echo got; exit 7' %d; kill -%d %d; while :; do sleep 0.1; done",
			 signals[i], signals[i], (int)getpid());
		assert_int_equal(run_script(script, 30, -1, -1, &heard, &ran), 0);
		assert_int_equal(ran.stopped, signals[i]);
		passes_on(&ran, signals[i]);
		assert_int_equal(ran.status, 7);
		/* the shell may tell of its sleep's end, too */
		assert_non_null(strstr(heard.text.data, "got|"));
		gb_text_clear(&heard.text);
	}
}

/* The descriptor outlives us in what we started, and nowhere else. */
static void held(void **state)
{
	char path[] = "/tmp/ghost-boot-unit.XXXXXX";
	int other, fd = mkostemp(path, O_CLOEXEC);
	struct gb_ran ran;

	(void)state;
	other = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(run_script("sleep 3 >/dev/null 2>&1 & exit 0", 0, -1, fd, NULL, &ran), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	for (unsigned i = 0; i < 400 && flock(other, LOCK_EX | LOCK_NB); i++)
		usleep(50000);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),       cmocka_unit_test(surroundings),
		cmocka_unit_test(cannot_start), cmocka_unit_test(too_long),
		cmocka_unit_test(left_behind), cmocka_unit_test(passed_on),
		cmocka_unit_test(held),
	};

	/* a shell can't trap what its parent, nohup say, ignores */
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
