/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "transaction.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "aside.h"
#include "built.h"
#include "drift.h"
#include "err.h"
#include "journal.h"
#include "lock.h"
#include "plan.h"
#include "published.h"
#include "root.h"
#include "store.h"
#include "synced.h"
#include "transaction-parts.h"

static void hold_signals(struct gb_transaction_work *work)
{
	sigemptyset(&work->signals);
	sigaddset(&work->signals, SIGINT);
	sigaddset(&work->signals, SIGTERM);
	sigaddset(&work->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &work->signals, &work->before);
}

/* ---- steps ------------------------------------------------------------------------- */

static int look(struct gb_transaction_work *work, const char *path, struct gb_file *ret, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(work->store, path, false, &place, err);

	if (r)
		return r;
	r = gb_file_look(&place, ret, err);
	gb_place_clear(&place);
	return r;
}

/* What really is there now, for the record. What was staged, and a folder that is to go, go
 * last. */
static int read_back(struct gb_transaction_work *work, struct gb_entry *entry, struct gb_err *err)
{
	struct gb_file now = { 0 };
	int r;

	if (entry->kind == GB_ENTRY_STAGED ||
	    (entry->before.kind == GB_FILE_FOLDER && entry->after.kind == GB_FILE_ABSENT))
		return 0;
	r = look(work, entry->place, &now, err);
	if (r)
		return r;
	if (entry->kind != GB_ENTRY_BUILT && !gb_file_same(&now, &entry->after)) {
		gb_file_clear(&now);
		return gb_fail(err, EIO, "%s does not read back as it was written", entry->path);
	}
	gb_file_clear(&entry->after);
	entry->after = now;
	return 0;
}

static int check_step(struct gb_transaction_work *work, size_t s, struct gb_text *details, struct gb_err *err)
{
	const struct gb_step *step = &work->plan->step[s];
	int r = 0;

	for (size_t i = 0; i < step->touches && !r; i++) {
		const struct gb_touch *touch = &step->touch[i];

		r = gb_drift_check(work->store, touch->path, touch->place, &touch->before,
				   touch->old, touch->old_len, details, err);
	}
	return r;
}

/* There was a file by the name of the new one: sweep_stale() has removed it. */
static bool is_stale(const struct gb_step *step)
{
	return step->kind == GB_STEP_BUILD && step->touch->before.kind != GB_FILE_ABSENT;
}

static int sweep_stale(struct gb_transaction_work *work, struct gb_err *err)
{
	const struct gb_journal *journal = &work->journal;
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++)
		if (journal->entry[i].kind == GB_ENTRY_STAGED &&
		    is_stale(&work->plan->step[journal->entry[i].step]))
			r = gb_aside_restore(work->store, journal, i, false, err);
	return r;
}

static int publish(struct gb_transaction_work *work, size_t s, struct gb_err *err)
{
	bool ran;
	int r = gb_published_run(work->t, &work->plan->step[s], work->lock, &ran, err);

	if (!ran) /* nor need it run again */
		gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLYING, s - 1, NULL);
	return r;
}

static int do_step(struct gb_transaction_work *work, size_t s, struct gb_text *details, struct gb_err *err)
{
	const struct gb_step *step = &work->plan->step[s];
	int r = gb_transaction_stopped(work, err);

	/* two programs may write the same file: the second finds what the first made */
	if (!r && step->kind != GB_STEP_RUN && !is_stale(step))
		r = check_step(work, s, details, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLYING, s, err);
	if (!r && work->t->begin)
		work->t->begin(work->t->ctx, work->plan, s);
	if (!r && step->boot) {
		gb_transaction_turn_to(work, step->boot);
		work->boot = step->boot;
	}
	if (!r && step->kind == GB_STEP_PUBLISH)
		return publish(work, s, err);
	if (!r && step->argv)
		return gb_built_run(work->t, work->plan, s, work->lock, err);
	for (size_t i = 0; i < work->journal.entries && !r; i++)
		if (work->journal.entry[i].step == s)
			r = gb_aside_apply(work->store, &work->journal, i, step, err);
	return r;
}

/* ---- all ---------------------------------------------------------------------------- */

static int apply_all(struct gb_transaction_work *work, struct gb_text *details, struct gb_err *err)
{
	int r = sweep_stale(work, err);

	for (size_t s = 0; s < work->plan->steps && !r; s++)
		r = do_step(work, s, details, err);
	if (!r)
		r = gb_synced_all(work->store, &work->journal, err);
	for (size_t i = 0; i < work->journal.entries && !r; i++)
		r = read_back(work, &work->journal.entry[i], err);
	if (!r)
		r = gb_journal_result(work->store, &work->journal, err);
	if (!r)
		r = gb_transaction_stopped(work, err);
	if (!r)
		gb_transaction_turn_to(work, GB_BOOT_NO);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLIED, 0, err);
	return r;
}

static int preflight(struct gb_transaction_work *work, struct gb_text *details, struct gb_err *err)
{
	int r = 0;

	if (!gb_plan_is_closed(work->plan))
		return gb_fail(err, EINVAL, "the plan publishes what is not there yet");
	if (gb_transaction_is_open(work->store))
		return gb_fail(err, EUCLEAN, "a change that was interrupted must be recovered first");
	for (size_t s = 0; s < work->plan->steps; s++) {
		int one = check_step(work, s, details, r ? NULL : err);

		r = r ? r : one;
	}
	return r ? r : gb_transaction_room(work->store, work->plan, err);
}

static int carry_out(struct gb_transaction_work *work, enum gb_end *ret_end, struct gb_text *details,
		     struct gb_err *err)
{
	struct gb_err back = { 0 };
	int r = preflight(work, details, err);

	if (r) {
		*ret_end = GB_END_REFUSED;
		return r;
	}
	*ret_end = GB_END_UNCHANGED;
	r = gb_journal_write(work->store, work->plan, work->t->now, &work->journal, err);
	if (r)
		return r;
	r = apply_all(work, details, err);
	if (!r) {
		*ret_end = GB_END_DONE;
		gb_transaction_finish(work, NULL); /* or the next call does */
		return 0;
	}
	if (work->journal.state != GB_JOURNAL_INTENT)
		*ret_end = GB_END_BACK;
	if (gb_transaction_bring_back(work, ret_end, &back))
		gb_wrap(err, "%s; and before that", back.text);
	return r;
}

int gb_transaction_run(const struct gb_transaction *t, const struct gb_plan *plan,
		       enum gb_end *ret_end, struct gb_text *details, struct gb_err *err)
{
	struct gb_transaction_work work = { .t = t, .store = t->store, .plan = plan, .lock = -1,
			     .journal = { .folder = -1 } };
	int r;

	*ret_end = GB_END_NOTHING;
	if (!plan->steps)
		return 0;
	*ret_end = GB_END_REFUSED;
	r = gb_lock_take(t->store, &work.lock, err);
	if (r)
		return r;
	hold_signals(&work);
	r = carry_out(&work, ret_end, details, err);
	sigprocmask(SIG_SETMASK, &work.before, NULL);
	gb_journal_clear(&work.journal);
	close(work.lock);
	return r;
}

static int go_on(struct gb_transaction_work *work, enum gb_end *ret_end, struct gb_err *err)
{
	int r = gb_journal_open(work->store, GB_JOURNAL, &work->journal, err);

	if (r) {
		*ret_end = r == -ENOENT ? GB_END_NOTHING : GB_END_PARTLY;
		return r == -ENOENT ? gb_journal_tidy(work->store) : r;
	}
	/* a call that was ended may have renamed it and not synced that: what goes now is gone, and
	 * the disk would still say that it is needed */
	r = gb_journal_enter(work->store, &work->journal, work->journal.state,
			     work->journal.reached, err);
	if (r) {
		*ret_end = GB_END_PARTLY;
		return r;
	}
	switch (work->journal.state) {
	case GB_JOURNAL_APPLIED:
		*ret_end = GB_END_DONE;
		r = gb_transaction_finish(work, err);
		break;
	case GB_JOURNAL_DONE:
		*ret_end = GB_END_DONE;
		r = gb_journal_file(work->store, &work->journal, err);
		break;
	case GB_JOURNAL_BACK:
		*ret_end = GB_END_BACK;
		return gb_transaction_end_back(work, ret_end, err);
	default:
		*ret_end = GB_END_BACK;
		return gb_transaction_bring_back(work, ret_end, err);
	}
	if (r)
		*ret_end = GB_END_PARTLY;
	return r;
}

int gb_transaction_recover(const struct gb_transaction *t, enum gb_end *ret_end,
			   struct gb_err *err)
{
	struct gb_transaction_work work = { .t = t, .store = t->store, .lock = -1, .journal = { .folder = -1 } };
	int r;

	*ret_end = GB_END_NOTHING;
	if (!gb_root_exists(t->store->root, GB_STATE))
		return 0;
	*ret_end = GB_END_REFUSED;
	r = gb_lock_take(t->store, &work.lock, err);
	if (r)
		return r;
	hold_signals(&work);
	r = go_on(&work, ret_end, err);
	sigprocmask(SIG_SETMASK, &work.before, NULL);
	gb_journal_clear(&work.journal);
	close(work.lock);
	return r;
}

bool gb_transaction_is_open(struct gb_store *store)
{
	return gb_root_exists(store->root, GB_JOURNAL);
}
