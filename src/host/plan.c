/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "err.h"
#include "journal.h"
#include "plan-steps.h"
#include "root.h"
#include "store.h"

void gb_plan_clear(struct gb_plan *plan)
{
	for (size_t i = 0; i < plan->steps; i++)
		gb_steps_clear(&plan->step[i]);
	for (size_t i = 0; i < plan->anews; i++)
		free(plan->anew[i]);
	free(plan->anew);
	free(plan->step);
	free(plan->reason);
	memset(plan, 0, sizeof(*plan));
}

int gb_plan_because(struct gb_plan *plan, const char *reason)
{
	char *copy = strdup(reason);

	if (!copy)
		return -ENOMEM;
	free(plan->reason);
	plan->reason = copy;
	return 0;
}

/* The state wanted, in the one touch of the step being made; 0 when it is already so. */
static int settle(struct gb_plan *plan, struct gb_touch *touch, struct gb_err *err)
{
	const enum gb_file_kind was = touch->before.kind, is = touch->after.kind;
	int r;

	if (gb_file_same(&touch->before, &touch->after))
		return 0;
	if (was != GB_FILE_ABSENT && is != GB_FILE_ABSENT && was != is)
		return gb_fail(err, EEXIST, "%s is %s", touch->path,
			       was == GB_FILE_FOLDER ? "a folder" : "of another kind");
	plan->steps--; /* itself */
	r = gb_steps_check_once(plan, touch, false, err);
	plan->steps++;
	if (!r)
		r = gb_steps_check_names(touch, err);
	return r ? r : 1;
}

static int add_one(struct gb_plan *plan, struct gb_store *store, enum gb_step_kind kind,
		   const char *path, bool follow, const char *reason, struct gb_step **ret,
		   struct gb_err *err)
{
	struct gb_step *step = gb_steps_add(plan, kind, 1, reason);
	int r;

	if (!step)
		return gb_fail(err, ENOMEM, "out of memory");
	r = gb_steps_look(store, path, follow, true, step->touch, err);
	if (r)
		gb_steps_drop(plan);
	else
		*ret = step;
	return r;
}

static int end_one(struct gb_plan *plan, int r)
{
	if (r <= 0)
		gb_steps_drop(plan);
	return r;
}

static int plan_folder(struct gb_plan *plan, struct gb_store *store, const char *path,
		       struct gb_err *err);

static int parents_of(struct gb_plan *plan, struct gb_store *store, const char *path,
		      struct gb_err *err)
{
	char parent[PATH_MAX];
	char *slash;

	strcpy(parent, path);
	slash = strrchr(parent, '/');
	if (slash == parent)
		return 0;
	*slash = '\0';
	return plan_folder(plan, store, parent, err);
}

static int plan_folder(struct gb_plan *plan, struct gb_store *store, const char *path,
		       struct gb_err *err)
{
	const struct gb_step *earlier;
	struct gb_place place;
	struct gb_touch *touch;
	struct gb_step *step;
	int r = gb_store_place(store, path, true, &place, err), above = 0;

	if (r)
		return r;
	gb_place_clear(&place);
	if (gb_steps_find(plan, place.path, &earlier) || gb_root_exists(store->root, place.path))
		return 0;
	/* the journal's own: there before the first step, and to stay */
	if (!strcmp(place.path, GB_STATE))
		return 0;
	above = parents_of(plan, store, place.path, err);
	if (above < 0)
		return above;
	r = add_one(plan, store, GB_STEP_WRITE, place.path, false, "it does not exist yet", &step,
		    err);
	if (r)
		return r;
	touch = step->touch;
	touch->after = (struct gb_file){ .kind = GB_FILE_FOLDER, .mode = 0755, .fresh = true };
	r = end_one(plan, settle(plan, touch, err));
	return r < 0 ? r : r + above;
}

/* A folder that is there needs nothing, by whatever name (a link may lead to "../x"). */
int gb_steps_above(struct gb_plan *plan, struct gb_store *store, const char *path, bool follow,
		   struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, path, follow, &place, err);
	bool there;

	if (r)
		return r;
	there = place.folder >= 0;
	gb_place_clear(&place);
	return there ? 0 : parents_of(plan, store, place.path, err);
}

/* The same file with other bytes, or a new one. */
static int want_bytes(struct gb_step *step, const void *data, size_t len, mode_t mode,
		      struct gb_err *err)
{
	struct gb_touch *touch = step->touch;

	if (touch->before.kind == GB_FILE_REGULAR) {
		if (!gb_file_copy(&touch->before, &touch->after))
			return gb_fail(err, ENOMEM, "out of memory");
	} else {
		touch->after = (struct gb_file){ .mode = mode, .fresh = true };
	}
	touch->after.kind = GB_FILE_REGULAR;
	touch->after.timed = false;
	touch->after.size = step->len = len;
	gb_sha256_of(data, len, touch->after.hash);
	step->data = malloc(len + 1);
	if (!step->data)
		return gb_fail(err, ENOMEM, "out of memory");
	if (len)
		memcpy(step->data, data, len);
	step->data[len] = '\0';
	return 0;
}

int gb_plan_write(struct gb_plan *plan, struct gb_store *store, const char *path,
		  const void *data, size_t len, mode_t mode, const char *reason,
		  struct gb_err *err)
{
	struct gb_step *step;
	int above = gb_steps_above(plan, store, path, true, err), r;

	if (above < 0)
		return above;
	r = add_one(plan, store, GB_STEP_WRITE, path, true, reason, &step, err);
	if (r)
		return r;
	r = want_bytes(step, data, len, mode, err);
	if (!r)
		r = settle(plan, step->touch, err);
	r = end_one(plan, r);
	return r < 0 ? r : r + above;
}

int gb_plan_remove(struct gb_plan *plan, struct gb_store *store, const char *path,
		   const char *reason, struct gb_err *err)
{
	struct gb_step *step;
	int r = add_one(plan, store, GB_STEP_REMOVE, path, false, reason, &step, err);

	return r ? r : end_one(plan, settle(plan, step->touch, err));
}

int gb_plan_drop(struct gb_plan *plan, struct gb_store *store, const char *path,
		 const char *reason, struct gb_err *err)
{
	int r = gb_plan_remove(plan, store, path, reason, err);

	if (r > 0)
		plan->step[plan->steps - 1].spare = true;
	return r;
}

/* A text is held, so that the plan can show it. */
static int want_source(struct gb_step *step, struct gb_store *store, const char *source,
		       uint64_t size, struct gb_err *err)
{
	char *data;
	size_t len;

	if (size <= GB_STEPS_TEXT_MAX &&
	    !gb_root_read_all(store->root, source, GB_STEPS_TEXT_MAX, &data, &len)) {
		if (len == size && gb_diff_is_text(data, len)) {
			step->data = data;
			step->len = len;
			return 0;
		}
		free(data);
	}
	step->source = strdup(source);
	step->len = size;
	return step->source ? 0 : gb_fail(err, ENOMEM, "out of memory");
}

int gb_plan_put(struct gb_plan *plan, struct gb_store *store, const char *path,
		const struct gb_file *after, const char *source, const char *reason,
		struct gb_err *err)
{
	const bool away = after->kind == GB_FILE_ABSENT;
	struct gb_step *step;
	int r = add_one(plan, store, away ? GB_STEP_REMOVE : GB_STEP_WRITE, path, false, reason,
			&step, err);

	if (r)
		return r;
	if (!gb_file_copy(after, &step->touch->after))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r && source && after->kind == GB_FILE_REGULAR)
		r = want_source(step, store, source, after->size, err);
	if (!r)
		r = settle(plan, step->touch, err);
	return end_one(plan, r);
}

int gb_plan_run(struct gb_plan *plan, struct gb_store *store, const char *const *argv,
		const char *const *paths, size_t count, const char *reason, struct gb_err *err)
{
	struct gb_step *step = gb_steps_add(plan, GB_STEP_RUN, count, reason);
	int r = 0;

	if (!step)
		return gb_fail(err, ENOMEM, "out of memory");
	step->argv = gb_steps_argv(argv);
	if (!step->argv)
		r = gb_fail(err, ENOMEM, "out of memory");
	step->touches = 0;
	while (!r && step->touches < count) {
		struct gb_touch *touch = &step->touch[step->touches];

		r = gb_steps_look(store, paths[step->touches], true, false, touch, err);
		if (!r)
			r = gb_steps_check_once(plan, touch, true, err);
		step->touches++;
	}
	if (r) {
		gb_steps_drop(plan);
		return r;
	}
	return 1;
}
