/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work that ends, that never ends, and that may take its time. */
#include "fake.h"

#include <signal.h>
#include <time.h>

#include "patience.h"

static int answers(void *ctx, int over)
{
	(void)over;
	return *(int *)ctx;
}

static int hangs(void *ctx, int over)
{
	(void)ctx;
	(void)over;
	while (pause() < 0)
		;
	return 0;
}

static int is_slow_to_write(void *ctx, int over)
{
	const struct timespec while_writing = { .tv_sec = 2 };

	(void)ctx;
	gb_patience_over(over);
	nanosleep(&while_writing, NULL);
	return 3;
}

static int crashes(void *ctx, int over)
{
	(void)ctx;
	(void)over;
	signal(SIGABRT, SIG_DFL);
	raise(SIGKILL);
	return 0;
}

static double seconds(int (*work)(void *, int), void *ctx, unsigned limit, int *ret)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	*ret = gb_patience_run(limit, work, ctx);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void ends(void **state)
{
	int code, wanted = 4;

	(void)state;
	seconds(answers, &wanted, 30, &code);
	assert_int_equal(code, 4);
	seconds(crashes, NULL, 30, &code);
	assert_int_equal(code, -EIO);
}

static void gives_up(void **state)
{
	double took;
	int code;

	(void)state;
	took = seconds(hangs, NULL, 1, &code);
	assert_int_equal(code, -ETIMEDOUT);
	assert_true(took >= 0.9 && took < 20);
}

static void waits_for_what_can_not_hang(void **state)
{
	double took;
	int code;

	(void)state;
	took = seconds(is_slow_to_write, NULL, 1, &code);
	assert_int_equal(code, 3);
	assert_true(took >= 1.9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(waits_for_what_can_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
