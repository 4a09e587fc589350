/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "plan-steps.h"
#include "store.h"

static int no_memory(struct gb_err *err)
{
	return gb_fail(err, ENOMEM, "out of memory");
}

static int fill_build(struct gb_plan *plan, struct gb_store *store, struct gb_step *step,
		      const char *const *argv, const char *staged, struct gb_err *err)
{
	struct gb_touch *touch = step->touch;
	int r = gb_steps_look(store, staged, false, false, touch, err);

	if (r)
		return r;
	if (touch->before.kind != GB_FILE_ABSENT && touch->before.kind != GB_FILE_REGULAR)
		return gb_fail(err, EEXIST, "%s is in the way of a new file of ours: move it away",
			       staged);
	step->touches = 0; /* it is not to be found itself */
	r = gb_steps_check_once(plan, touch, false, err);
	step->touches = 1;
	step->argv = gb_steps_argv(argv);
	return r || step->argv ? r : no_memory(err);
}

int gb_plan_build(struct gb_plan *plan, struct gb_store *store, const char *const *argv,
		  const char *staged, uint64_t space, unsigned timeout_s, const char *reason,
		  struct gb_err *err)
{
	int r, above = gb_steps_above(plan, store, staged, false, err);
	struct gb_step *step;

	if (above < 0)
		return above;
	step = gb_steps_add(plan, GB_STEP_BUILD, 1, reason);
	if (!step)
		return no_memory(err);
	r = fill_build(plan, store, step, argv, staged, err);
	if (r) {
		gb_steps_drop(plan);
		return r;
	}
	step->space = space;
	step->timeout_s = timeout_s;
	step->fresh = 1;
	return above + 1;
}

/* The step that makes it, and the last one so far that places it. */
static struct gb_step *find_build(struct gb_plan *plan, const char *staged, struct gb_step **last)
{
	struct gb_step *build = NULL;

	*last = NULL;
	for (size_t s = 0; s < plan->steps; s++) {
		struct gb_step *step = &plan->step[s];

		if (step->kind == GB_STEP_BUILD && !strcmp(step->touch->path, staged))
			build = step;
		else if (step->kind == GB_STEP_PLACE && step->staged &&
			 !strcmp(step->staged, staged))
			*last = step;
	}
	return build;
}

static int check_place(const struct gb_plan *plan, struct gb_step *step, struct gb_err *err)
{
	struct gb_touch *touch = step->touch;
	int r;

	if (touch->before.kind != GB_FILE_ABSENT && touch->before.kind != GB_FILE_REGULAR)
		return gb_fail(err, EEXIST, "%s is %s", touch->path,
			       touch->before.kind == GB_FILE_FOLDER ? "a folder"
								    : "of another kind");
	step->touches = 0;
	r = gb_steps_check_once(plan, touch, false, err);
	step->touches = 1;
	return r ? r : gb_steps_check_names(touch, err);
}

/* What the step, the last of the plan, needs to know of the others. */
static int join(struct gb_plan *plan, struct gb_step *step, const char *staged,
		struct gb_err *err)
{
	struct gb_step *last, *build = find_build(plan, staged, &last);

	step->staged = strdup(staged);
	step->first = !build->target;
	if (step->first)
		build->target = strdup(step->touch->path);
	step->target = build->target ? strdup(build->target) : NULL;
	if (!step->staged || !step->target)
		return no_memory(err);
	if (last)
		last->last = false;
	step->last = true;
	step->space = build->space;
	return 0;
}

static bool is_built(struct gb_plan *plan, const char *staged)
{
	struct gb_step *last;

	return find_build(plan, staged, &last);
}

int gb_plan_place(struct gb_plan *plan, struct gb_store *store, const char *staged,
		  const char *path, mode_t mode, const char *reason, struct gb_err *err)
{
	struct gb_step *step;
	int r, above;

	if (!is_built(plan, staged))
		return gb_fail(err, EINVAL, "no step makes %s", staged);
	above = gb_steps_above(plan, store, path, true, err);
	if (above < 0)
		return above;
	step = gb_steps_add(plan, GB_STEP_PLACE, 0, reason);
	if (!step)
		return no_memory(err);
	r = gb_steps_look(store, path, true, false, step->touch, err);
	step->touches = 1;
	if (!r)
		r = check_place(plan, step, err);
	/* what is not known of it until it is there: bytes, and size */
	step->touch->after = (struct gb_file){ .kind = GB_FILE_REGULAR, .mode = mode,
					       .fresh = true };
	if (!r)
		r = join(plan, step, staged, err);
	if (r) {
		gb_steps_drop(plan);
		return r;
	}
	return above + 1;
}

void gb_plan_mark(struct gb_plan *plan, size_t first, enum gb_boot boot)
{
	for (size_t s = first; s < plan->steps; s++)
		plan->step[s].boot = boot;
}
