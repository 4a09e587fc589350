/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "built.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "err.h"
#include "plan.h"
#include "runner.h"
#include "store.h"
#include "transaction.h"

/* A builder syncs as it likes. */
static int sync_file(struct gb_store *store, const struct gb_touch *touch, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, touch->place, false, &place, err);

	if (r)
		return r;
	if (place.folder >= 0) {
		r = gb_store_fsync_file(store, place.folder, place.name);
		if (!r)
			r = gb_store_fsync(store, place.folder);
	}
	gb_place_clear(&place);
	return r ? gb_fail(err, -r, "%s: %s", touch->path, strerror(-r)) : 0;
}

static int check_fresh(struct gb_store *store, const struct gb_touch *touch, struct gb_err *err)
{
	struct gb_place place;
	bool same, there;
	struct stat st;
	int r = gb_store_place(store, touch->place, false, &place, err);

	if (r)
		return r;
	same = gb_file_untouched(&place, &touch->before);
	there = place.folder >= 0 && !fstatat(place.folder, place.name, &st, AT_SYMLINK_NOFOLLOW) &&
		S_ISREG(st.st_mode) && st.st_size;
	gb_place_clear(&place);
	if (!there || same)
		return gb_fail(err, ENODATA, "%s was not written%s", touch->path,
			       there ? ", though the program reported success" : "");
	return 0;
}

static int judge(const struct gb_program *command, const struct gb_ran *ran, struct gb_err *err)
{
	const char *name = command->argv[0], *last = ran->last;

	if (ran->stopped)
		return gb_fail(err, EINTR, "stopped by %s", sigdescr_np(ran->stopped));
	if (ran->timed_out)
		return gb_fail(err, ETIMEDOUT, "%s took more than %u seconds", name,
			       command->timeout_s);
	if (ran->status)
		return gb_fail(err, ECHILD, "%s failed with %d%s%s", name, ran->status,
			       *last ? ": " : "", last);
	return 0;
}

int gb_built_command(const struct gb_transaction *t, char *const *argv, unsigned timeout_s, int lock,
		     bool *ret_ran, struct gb_err *err)
{
	struct gb_program command = { .argv = argv, .timeout_s = timeout_s, .line = t->line,
				      .tick = t->tick, .ctx = t->ctx, .log = t->log,
				      .hold = lock };
	struct gb_ran ran = { 0 };
	int r = t->runner ? t->runner->run(t->runner->ctx, &command, &ran, err)
			  : gb_fail(err, ENOSYS, "%s can't be run here", argv[0]);

	*ret_ran = !r;
	return r ? r : judge(&command, &ran, err);
}

int gb_built_run(const struct gb_transaction *t, const struct gb_plan *plan, size_t step_index,
		 int lock, struct gb_err *err)
{
	const struct gb_step *step = &plan->step[step_index];
	bool ran;
	int r = gb_built_command(t, step->argv, step->timeout_s, lock, &ran, err);

	for (size_t i = 0; i < step->touches && !r; i++)
		r = sync_file(t->store, &step->touch[i], err);
	for (size_t i = 0; i < step->fresh && i < step->touches && !r; i++)
		r = check_fresh(t->store, &step->touch[i], err);
	if (!r && t->prove)
		r = t->prove(t->ctx, plan, step_index, err);
	return r;
}
