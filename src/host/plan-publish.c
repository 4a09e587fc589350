/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "plan-steps.h"

int gb_plan_publish(struct gb_plan *plan, const char *const *argv, const char *path,
		    const char *reason, struct gb_err *err)
{
	struct gb_step *step = gb_steps_add(plan, GB_STEP_PUBLISH, 0, reason);

	if (!step)
		return gb_fail(err, ENOMEM, "out of memory");
	step->argv = gb_steps_argv(argv);
	step->target = path ? strdup(path) : NULL;
	if (!step->argv || (path && !step->target)) {
		gb_steps_drop(plan);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	return 1;
}

static bool runs_the_same(const struct gb_step *a, const struct gb_step *b)
{
	size_t i = 0;

	while (a->argv[i] && b->argv[i] && !strcmp(a->argv[i], b->argv[i]))
		i++;
	return !a->argv[i] && !b->argv[i];
}

static bool is_asked_again(const struct gb_plan *plan, size_t step)
{
	for (size_t i = step + 1; i < plan->steps; i++)
		if (plan->step[i].kind == GB_STEP_PUBLISH &&
		    runs_the_same(&plan->step[step], &plan->step[i]))
			return true;
	return false;
}

static void drop(struct gb_plan *plan, size_t step)
{
	gb_steps_clear(&plan->step[step]);
	memmove(&plan->step[step], &plan->step[step + 1],
		(plan->steps - step - 1) * sizeof(*plan->step));
	plan->steps--;
}

static void move_to_end(struct gb_plan *plan, size_t step)
{
	const struct gb_step moved = plan->step[step];

	memmove(&plan->step[step], &plan->step[step + 1],
		(plan->steps - step - 1) * sizeof(*plan->step));
	plan->step[plan->steps - 1] = moved;
}

void gb_plan_close(struct gb_plan *plan)
{
	size_t others = 0;

	for (size_t i = 0; i < plan->steps; i++)
		others += plan->step[i].kind != GB_STEP_PUBLISH;
	for (size_t i = plan->steps; i-- > 0;)
		if (plan->step[i].kind == GB_STEP_PUBLISH && (!others || is_asked_again(plan, i)))
			drop(plan, i);
	for (size_t i = 0, left = plan->steps; left-- > 0;)
		if (plan->step[i].kind == GB_STEP_PUBLISH)
			move_to_end(plan, i);
		else
			i++;
}

bool gb_plan_is_closed(const struct gb_plan *plan)
{
	bool publishes = false;

	for (size_t i = 0; i < plan->steps; i++) {
		if (publishes && plan->step[i].kind != GB_STEP_PUBLISH)
			return false;
		publishes = plan->step[i].kind == GB_STEP_PUBLISH;
	}
	return !publishes || plan->step[0].kind != GB_STEP_PUBLISH;
}
