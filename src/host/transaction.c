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
#include "drift.h"
#include "err.h"
#include "journal.h"
#include "lock.h"
#include "plan.h"
#include "root.h"
#include "runner.h"
#include "store.h"

struct work {
	const struct gb_transaction *t;
	struct gb_store *store;
	const struct gb_plan *plan;
	struct gb_journal journal;
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

/* ---- all files of a kind ----------------------------------------------------------- */

/* A renamed file is on the disk when its folder is; but a builder syncs as it likes. */
static int sync_place(struct gb_store *store, const char *path, bool whole, struct gb_err *err)
{
	struct gb_place place;
	int r = gb_store_place(store, path, false, &place, err);

	if (r)
		return r;
	if (place.folder >= 0 && !whole) {
		r = gb_store_fsync_file(store, place.folder, place.name);
		if (!r)
			r = gb_store_fsync(store, place.folder);
	} else if (place.folder >= 0) {
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_SYNCFS,
							    .fd = place.folder });
	}
	gb_place_clear(&place);
	return r ? gb_fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

/* Each file system once; a folder that was removed has none. */
static int sync_disks(struct work *work, struct gb_err *err)
{
	const struct gb_journal *journal = &work->journal;
	dev_t done[16];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < journal->entries && !r; i++) {
		struct gb_place place;
		struct stat st;
		size_t known = 0;

		r = gb_store_place(work->store, journal->entry[i].place, false, &place, err);
		if (r || place.folder < 0)
			continue;
		if (!fstat(place.folder, &st)) {
			while (known < count && done[known] != st.st_dev)
				known++;
			if (known == count)
				r = sync_place(work->store, journal->entry[i].place, true, err);
			if (known == count && count < 16)
				done[count++] = st.st_dev;
		}
		gb_place_clear(&place);
	}
	return r;
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

/* What really is there now, for the record. A folder that is to go goes last. */
static int read_back(struct work *work, struct gb_entry *entry, struct gb_err *err)
{
	struct gb_file now = { 0 };
	int r;

	if (entry->before.kind == GB_FILE_FOLDER && entry->after.kind == GB_FILE_ABSENT)
		return 0;
	r = look(work, entry->place, &now, err);
	if (r)
		return r;
	if (!entry->built && !gb_file_same(&now, &entry->after)) {
		gb_file_clear(&now);
		return gb_fail(err, EIO, "%s does not read back as it was written", entry->path);
	}
	gb_file_clear(&entry->after);
	entry->after = now;
	return 0;
}

static int check_fresh(struct work *work, const struct gb_touch *touch, struct gb_err *err)
{
	struct gb_place place;
	bool same, there;
	struct stat st;
	int r = gb_store_place(work->store, touch->place, false, &place, err);

	if (r)
		return r;
	same = gb_file_untouched(&place, &touch->before);
	there = place.folder >= 0 && !fstatat(place.folder, place.name, &st, 0) &&
		S_ISREG(st.st_mode) && st.st_size;
	gb_place_clear(&place);
	if (!there || same)
		return gb_fail(err, ENODATA, "%s was not written%s", touch->path,
			       there ? ", though the program reported success" : "");
	return 0;
}

static int judge_run(const struct gb_step *step, const struct gb_ran *ran, struct gb_err *err)
{
	const char *name = step->argv[0], *last = ran->last;

	if (ran->stopped)
		return gb_fail(err, EINTR, "stopped by %s", sigdescr_np(ran->stopped));
	if (ran->timed_out)
		return gb_fail(err, ETIMEDOUT, "%s took more than %u seconds", name, step->timeout_s);
	if (ran->status)
		return gb_fail(err, ECHILD, "%s failed with %d%s%s", name, ran->status,
			       *last ? ": " : "", last);
	return 0;
}

static int run_program(struct work *work, size_t s, struct gb_err *err)
{
	const struct gb_transaction *t = work->t;
	const struct gb_step *step = &work->plan->step[s];
	struct gb_program command = { .argv = step->argv, .timeout_s = step->timeout_s,
				      .line = t->line, .tick = t->tick, .ctx = t->ctx, .log = t->log,
				      .hold = work->lock };
	struct gb_ran ran = { 0 };
	int r = t->runner ? t->runner->run(t->runner->ctx, &command, &ran, err)
			  : gb_fail(err, ENOSYS, "%s can't be run here", step->argv[0]);

	if (!r)
		r = judge_run(step, &ran, err);
	for (size_t i = 0; i < step->touches && !r; i++)
		r = sync_place(work->store, step->touch[i].place, false, err);
	for (size_t i = 0; i < step->fresh && i < step->touches && !r; i++)
		r = check_fresh(work, &step->touch[i], err);
	if (!r && t->prove)
		r = t->prove(t->ctx, work->plan, s, err);
	return r;
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

static int do_step(struct work *work, size_t s, struct gb_text *details, struct gb_err *err)
{
	const struct gb_step *step = &work->plan->step[s];
	int r = stopped(work, err);

	/* two programs may write the same file: the second finds what the first made */
	if (!r && step->kind != GB_STEP_RUN)
		r = check_step(work, s, details, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLYING, s, err);
	if (!r && work->t->begin)
		work->t->begin(work->t->ctx, work->plan, s);
	if (!r && step->kind == GB_STEP_RUN)
		r = run_program(work, s, err);
	for (size_t i = 0; i < work->journal.entries && !r; i++)
		if (work->journal.entry[i].step == s && step->kind != GB_STEP_RUN)
			r = gb_aside_apply(work->store, &work->journal, i, step, err);
	return r;
}

/* ---- ends -------------------------------------------------------------------------- */

/* All is applied and on the disk: what is left can't change the outcome. */
static int finish(struct work *work, struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < work->journal.entries && !r; i++)
		r = gb_aside_clean(work->store, &work->journal, i, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_DONE, 0, err);
	return r ? r : gb_journal_file(work->store, &work->journal, err);
}

static bool has_begun(const struct gb_journal *journal, size_t entry)
{
	return journal->state != GB_JOURNAL_INTENT &&
	       journal->entry[entry].step <= journal->reached;
}

/* One file that can't be brought back keeps no other from it. */
static int restore_all(struct work *work, struct gb_err *err)
{
	struct gb_err *first = err;
	int r = 0;

	for (size_t i = work->journal.entries; i-- > 0;) {
		int one = 0;

		if (has_begun(&work->journal, i))
			one = gb_aside_restore(work->store, &work->journal, i, work->t->force,
					       first);
		if (one && !r) {
			r = one;
			first = NULL;
		}
	}
	return r;
}

/* The state is written first: were "applied" on the disk already, its fsync having failed, a
 * cut in the middle of this would be taken for the end of the change. */
static int bring_back(struct work *work, struct gb_err *err)
{
	struct gb_journal *journal = &work->journal;
	int r = 0;

	if (journal->state != GB_JOURNAL_INTENT) {
		const size_t reached = journal->state == GB_JOURNAL_APPLIED ? journal->steps
									    : journal->reached;

		r = gb_journal_enter(work->store, journal, GB_JOURNAL_RETURNING, reached, err);
	}
	if (!r)
		r = restore_all(work, err);
	if (!r)
		r = sync_disks(work, err);
	if (!r)
		r = gb_journal_enter(work->store, journal, GB_JOURNAL_BACK, 0, err);
	return r ? r : gb_journal_file(work->store, journal, err);
}

static int apply_all(struct work *work, struct gb_text *details, struct gb_err *err)
{
	int r = 0;

	for (size_t s = 0; s < work->plan->steps && !r; s++)
		r = do_step(work, s, details, err);
	if (!r)
		r = sync_disks(work, err);
	for (size_t i = 0; i < work->journal.entries && !r; i++)
		r = read_back(work, &work->journal.entry[i], err);
	if (!r)
		r = gb_journal_result(work->store, &work->journal, err);
	if (!r)
		r = stopped(work, err);
	if (!r)
		r = gb_journal_enter(work->store, &work->journal, GB_JOURNAL_APPLIED, 0, err);
	return r;
}

static int preflight(struct work *work, struct gb_text *details, struct gb_err *err)
{
	int r = 0;

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
	if (bring_back(work, &back)) {
		*ret_end = GB_END_PARTLY;
		gb_wrap(err, "%s; and before that", back.text);
	}
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
	switch (work->journal.state) {
	case GB_JOURNAL_APPLIED:
		*ret_end = GB_END_DONE;
		r = finish(work, err);
		break;
	case GB_JOURNAL_DONE:
	case GB_JOURNAL_BACK:
		*ret_end = work->journal.state == GB_JOURNAL_DONE ? GB_END_DONE : GB_END_BACK;
		r = gb_journal_file(work->store, &work->journal, err);
		break;
	default:
		*ret_end = GB_END_BACK;
		r = bring_back(work, err);
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
