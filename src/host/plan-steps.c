/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan-steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "err.h"
#include "root.h"
#include "store.h"

void gb_steps_clear(struct gb_step *step)
{
	for (size_t i = 0; i < step->touches; i++) {
		free(step->touch[i].path);
		free(step->touch[i].place);
		free(step->touch[i].old);
		gb_file_clear(&step->touch[i].before);
		gb_file_clear(&step->touch[i].after);
	}
	for (char **arg = step->argv; arg && *arg; arg++)
		free(*arg);
	free(step->argv);
	free(step->touch);
	free(step->reason);
	free(step->data);
	free(step->source);
	free(step->target);
	free(step->staged);
	memset(step, 0, sizeof(*step));
}

const struct gb_touch *gb_steps_find(const struct gb_plan *plan, const char *place,
					 const struct gb_step **ret)
{
	for (size_t s = 0; s < plan->steps; s++)
		for (size_t t = 0; t < plan->step[s].touches; t++)
			if (!strcmp(plan->step[s].touch[t].place, place)) {
				*ret = &plan->step[s];
				return &plan->step[s].touch[t];
			}
	return NULL;
}

struct gb_step *gb_steps_add(struct gb_plan *plan, enum gb_step_kind kind, size_t touches,
			     const char *reason)
{
	struct gb_step *all = realloc(plan->step, (plan->steps + 1) * sizeof(*all)), *step;

	if (!all)
		return NULL;
	plan->step = all;
	step = &all[plan->steps];
	*step = (struct gb_step){ .kind = kind, .reason = strdup(reason) };
	step->touch = calloc(touches ? touches : 1, sizeof(*step->touch));
	if (!step->reason || !step->touch) {
		gb_steps_clear(step);
		return NULL;
	}
	step->touches = touches;
	plan->steps++;
	return step;
}

void gb_steps_drop(struct gb_plan *plan)
{
	gb_steps_clear(&plan->step[--plan->steps]);
}

int gb_steps_look(struct gb_store *store, const char *path, bool follow, bool hash,
		  struct gb_touch *touch, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, path, follow, &place, err);

	if (r)
		return r;
	r = (hash ? gb_file_look : gb_file_glance)(&place, &touch->before, err);
	if (!r) {
		touch->path = strdup(path);
		touch->place = strdup(place.path);
		if (!touch->path || !touch->place)
			r = gb_fail(err, ENOMEM, "out of memory");
	}
	gb_place_clear(&place);
	if (!r && hash && touch->before.kind == GB_FILE_REGULAR && touch->before.size <= GB_STEPS_TEXT_MAX &&
	    !gb_root_read_all(store->root, touch->place, GB_STEPS_TEXT_MAX, &touch->old,
			      &touch->old_len) &&
	    !gb_diff_is_text(touch->old, touch->old_len)) {
		free(touch->old);
		touch->old = NULL;
	}
	return r;
}

int gb_steps_check_once(const struct gb_plan *plan, const struct gb_touch *touch, bool run,
			struct gb_err *err)
{
	const struct gb_step *step;

	if (!gb_steps_find(plan, touch->place, &step))
		return 0;
	if (run && step->kind == GB_STEP_RUN)
		return 0;
	return gb_fail(err, EEXIST, "%s would be changed twice", touch->path);
}

int gb_steps_check_names(const struct gb_touch *touch, struct gb_err *err)
{
	if (touch->before.kind != GB_FILE_REGULAR || touch->before.names <= 1)
		return 0;
	return gb_fail(err, EMLINK, "%s has %lu names (hard links) and would part from the others",
		       touch->path, (unsigned long)touch->before.names);
}

char **gb_steps_argv(const char *const *argv)
{
	size_t count = 0;
	char **copy;

	while (argv[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(argv[i]);
		if (!copy[i]) {
			while (i--)
				free(copy[i]);
			free(copy);
			return NULL;
		}
	}
	return copy;
}
