/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PLAN_STEPS_H
#define GB_PLAN_STEPS_H

#include "plan.h"

/* Making steps: for the plan's own files. */

#define GB_STEPS_TEXT_MAX (256 << 10) /* bytes of what a person may be shown */

void gb_steps_clear(struct gb_step *step);
/* A new step at the end, cleared; NULL when there is no memory. */
struct gb_step *gb_steps_add(struct gb_plan *plan, enum gb_step_kind kind, size_t touches,
			     const char *reason);
void gb_steps_drop(struct gb_plan *plan); /* the last one */
/* What is there now; read and hashed only with `hash`. */
int gb_steps_look(struct gb_store *store, const char *path, bool follow, bool hash,
		  struct gb_touch *touch, struct gb_err *err);
const struct gb_touch *gb_steps_find(const struct gb_plan *plan, const char *place,
				     const struct gb_step **ret);
/* -EEXIST: a step before changes it, too; for a program that runs (`run`), one that is none. */
int gb_steps_check_once(const struct gb_plan *plan, const struct gb_touch *touch, bool run,
			struct gb_err *err);
int gb_steps_check_names(const struct gb_touch *touch, struct gb_err *err);
/* Steps for the folders above a path that do not exist; how many. */
int gb_steps_above(struct gb_plan *plan, struct gb_store *store, const char *path, bool follow,
		   struct gb_err *err);
char **gb_steps_argv(const char *const *argv); /* a copy, or NULL */

#endif
