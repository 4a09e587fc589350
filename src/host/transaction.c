/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

struct work {
	const struct gb_transaction *t;
	struct gb_store *store;
	const struct gb_plan *plan;
	struct gb_journal journal;
	enum gb_boot boot; /* what has changed since it was last written out */
	int lock;
	sigset_t signals, before;
};

/* ---- signals ----------------------------------------------------------------------- */

static void hold_signals(struct work *work)
{
	sigemptyset(&work->signals);
	sigaddset(&work->signals, SIGINT);
	sigaddset(&work->signals, SIGTERM);
	sigaddset(&work->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &work->signals, &work->before);
}

static int stopped(const struct work *work, struct gb_err *err)
{
	const struct timespec now = { 0 };
	int signal = sigtimedwait(&work->signals, NULL, &now);

	return signal > 0 ? gb_fail(err, EINTR, "stopped by %s", sigdescr_np(signal)) : 0;
}

/* What a boot loader reads has changed, and now something of another kind is to: with power cut
 * between the two it must see the first. */
static void turn_to(struct work *work, enum gb_boot boot)
{
	if (work->boot && work->boot != boot) {
		gb_synced_show(work->t, &work->journal, work->boot);
		work->boot = GB_BOOT_NO;
	}
}

/* ---- steps ------------------------------------------------------------------------- */

static int look(struct work *work, const char *path, struct gb_file *ret, struct gb_err *err)
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
static int read_back(struct work *work, struct gb_entry *entry, struct gb_err *err)
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

static int check_step(struct work *work, size_t s, struct gb_text *details, struct gb_err *err)
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

static int sweep_stale(struct work *work, struct gb_err *err)
{
	const struct gb_journal *journal = &work->journal;
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++)
		if (journal->entry[i].kind == GB_ENTRY_STAGED &&
		    is_stale(&work->plan->step[journal->entry[i].step]))
			r = gb_aside_restore(work->store, journal, i, false, err);
	return r;
}

static int publish(struct work *work, size_t s, struct gb_err *err)
{
	bool ran;
	int r = gb_published_run(work->t, &work->plan->step[s], work->lock, &ran, err);

	if (!ran) /* nor need it run again */
		gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLYING, s - 1, NULL);
	return r;
}

static int do_step(struct work *work, size_t s, struct gb_text *details, struct gb_err *err)
{
	const struct gb_step *step = &work->plan->step[s];
	int r = stopped(work, err);

	/* two programs may write the same file: the second finds what the first made */
	if (!r && step->kind != GB_STEP_RUN && !is_stale(step))
		r = check_step(work, s, details, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLYING, s, err);
	if (!r && work->t->begin)
		work->t->begin(work->t->ctx, work->plan, s);
	if (!r && step->boot) {
		turn_to(work, step->boot);
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

/* ---- ends -------------------------------------------------------------------------- */

static bool has_begun(const struct gb_journal *journal, size_t entry)
{
	return journal->state != GB_JOURNAL_INTENT &&
	       journal->entry[entry].step <= journal->reached;
}

static int check_home(struct work *work, size_t i, struct gb_err *err)
{
	const struct gb_entry *entry = &work->journal.entry[i];

	return gb_home_check(work->store, &entry->home, entry->place, entry->path, err);
}

/* With one file system away nothing is touched: what is on the others may need what is there. */
static int check_homes(struct work *work, struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < work->journal.entries && !r && !work->t->force; i++)
		if (work->journal.state == GB_JOURNAL_APPLIED || has_begun(&work->journal, i))
			r = check_home(work, i, err);
	return r;
}

/* Whoever insists gives up what is on one that is away. */
static bool is_given_up(struct work *work, size_t i)
{
	return work->t->force && check_home(work, i, NULL);
}

/* All is applied and on the disk: what is left can't change the outcome. */
static int finish(struct work *work, struct gb_err *err)
{
	int r = check_homes(work, err);

	for (size_t i = 0; i < work->journal.entries && !r; i++)
		if (!is_given_up(work, i))
			r = gb_aside_clean(work->store, &work->journal, i, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_DONE, 0, err);
	return r ? r : gb_journal_file(work->store, &work->journal, err);
}

/* One file that can't be brought back keeps no other from it; but while there is one, what was
 * staged must be there to tell whose it is. */
static int restore_all(struct work *work, struct gb_err *err)
{
	struct gb_err *first = err;
	int r = 0;

	for (size_t i = work->journal.entries; i-- > 0;) {
		const struct gb_entry *entry = &work->journal.entry[i];
		const bool staged = entry->kind == GB_ENTRY_STAGED;
		int one = 0;

		if (!has_begun(&work->journal, i) || (r && staged) || is_given_up(work, i))
			continue;
		if (entry->boot || staged)
			turn_to(work, staged ? GB_BOOT_NO : entry->boot);
		one = gb_aside_restore(work->store, &work->journal, i, work->t->force, first);
		if (entry->boot && !staged)
			work->boot = entry->boot;
		if (one && !r) {
			r = one;
			first = NULL;
		}
	}
	return r;
}

/* All files are as before; what published them does so again. What was to stop the change has. */
static int end_back(struct work *work, enum gb_end *ret_end, struct gb_err *err)
{
	int one, r = work->journal.publishes ? check_homes(work, err) : 0;

	if (r) {
		*ret_end = GB_END_PARTLY;
		return r;
	}
	while (stopped(work, NULL))
		;
	r = gb_published_again(work->t, &work->journal, work->lock, err);
	if (r) {
		*ret_end = GB_END_UNPUBLISHED;
		if (!work->t->force)
			return r;
	}
	one = gb_journal_file(work->store, &work->journal, r ? NULL : err);
	if (one && !r)
		*ret_end = GB_END_PARTLY;
	return r ? r : one;
}

/* The state is written first: were "applied" on the disk already, its fsync having failed, a
 * cut in the middle of this would be taken for the end of the change. */
static int bring_back(struct work *work, enum gb_end *ret_end, struct gb_err *err)
{
	struct gb_journal *journal = &work->journal;
	int r = check_homes(work, err);

	if (!r && journal->state != GB_JOURNAL_INTENT) {
		const size_t reached = journal->state == GB_JOURNAL_APPLIED ? journal->steps
									    : journal->reached;

		r = gb_journal_enter(work->store, journal, GB_JOURNAL_RETURNING, reached, err);
	}
	if (!r)
		r = restore_all(work, err);
	if (!r)
		r = gb_synced_all(work->store, &work->journal, err);
	turn_to(work, GB_BOOT_NO);
	if (!r)
		r = gb_journal_enter(work->store, journal, GB_JOURNAL_BACK, journal->reached, err);
	if (r)
		*ret_end = GB_END_PARTLY;
	return r ? r : end_back(work, ret_end, err);
}

static int apply_all(struct work *work, struct gb_text *details, struct gb_err *err)
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
		r = stopped(work, err);
	if (!r)
		turn_to(work, GB_BOOT_NO);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLIED, 0, err);
	return r;
}

static int preflight(struct work *work, struct gb_text *details, struct gb_err *err)
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

static int carry_out(struct work *work, enum gb_end *ret_end, struct gb_text *details,
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
		finish(work, NULL); /* or the next call does */
		return 0;
	}
	if (work->journal.state != GB_JOURNAL_INTENT)
		*ret_end = GB_END_BACK;
	if (bring_back(work, ret_end, &back))
		gb_wrap(err, "%s; and before that", back.text);
	return r;
}

int gb_transaction_run(const struct gb_transaction *t, const struct gb_plan *plan,
		       enum gb_end *ret_end, struct gb_text *details, struct gb_err *err)
{
	struct work work = { .t = t, .store = t->store, .plan = plan, .lock = -1,
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

static int go_on(struct work *work, enum gb_end *ret_end, struct gb_err *err)
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
		r = finish(work, err);
		break;
	case GB_JOURNAL_DONE:
		*ret_end = GB_END_DONE;
		r = gb_journal_file(work->store, &work->journal, err);
		break;
	case GB_JOURNAL_BACK:
		*ret_end = GB_END_BACK;
		return end_back(work, ret_end, err);
	default:
		*ret_end = GB_END_BACK;
		return bring_back(work, ret_end, err);
	}
	if (r)
		*ret_end = GB_END_PARTLY;
	return r;
}

int gb_transaction_recover(const struct gb_transaction *t, enum gb_end *ret_end,
			   struct gb_err *err)
{
	struct work work = { .t = t, .store = t->store, .lock = -1, .journal = { .folder = -1 } };
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
