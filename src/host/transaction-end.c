/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "transaction-parts.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "aside.h"
#include "err.h"
#include "published.h"
#include "synced.h"

int gb_transaction_stopped(const struct gb_transaction_work *work, struct gb_err *err)
{
	const struct timespec now = { 0 };
	int signal = sigtimedwait(&work->signals, NULL, &now);

	return signal > 0 ? gb_fail(err, EINTR, "stopped by %s", sigdescr_np(signal)) : 0;
}

void gb_transaction_turn_to(struct gb_transaction_work *work, enum gb_boot boot)
{
	if (work->boot && work->boot != boot) {
		gb_synced_show(work->t, &work->journal, work->boot);
		work->boot = GB_BOOT_NO;
	}
}

static int check_home(struct gb_transaction_work *work, size_t i, struct gb_err *err)
{
	const struct gb_entry *entry = &work->journal.entry[i];

	return gb_home_check(work->store, &entry->home, entry->place, entry->path, err);
}

/* With one file system away nothing is touched: what is on the others may need what is there. */
static int check_homes(struct gb_transaction_work *work, struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < work->journal.entries && !r && !work->t->force; i++)
		if (work->journal.state == GB_JOURNAL_APPLIED || gb_journal_has_begun(&work->journal, i))
			r = check_home(work, i, err);
	return r;
}

/* Whoever insists gives up what is on one that is away. */
static bool is_given_up(struct gb_transaction_work *work, size_t i)
{
	return work->t->force && check_home(work, i, NULL);
}

int gb_transaction_finish(struct gb_transaction_work *work, struct gb_err *err)
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
static int restore_all(struct gb_transaction_work *work, struct gb_err *err)
{
	struct gb_err *first = err;
	int r = 0;

	for (size_t i = work->journal.entries; i-- > 0;) {
		const struct gb_entry *entry = &work->journal.entry[i];
		const bool staged = entry->kind == GB_ENTRY_STAGED;
		int one = 0;

		if (!gb_journal_has_begun(&work->journal, i) || (r && staged) || is_given_up(work, i))
			continue;
		if (entry->boot || staged)
			gb_transaction_turn_to(work, staged ? GB_BOOT_NO : entry->boot);
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

/* What published them does so again. What was to stop the change has. */
int gb_transaction_end_back(struct gb_transaction_work *work, enum gb_end *ret_end,
			    struct gb_err *err)
{
	int one, r = work->journal.publishes ? check_homes(work, err) : 0;

	if (r) {
		*ret_end = GB_END_PARTLY;
		return r;
	}
	while (gb_transaction_stopped(work, NULL))
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
int gb_transaction_bring_back(struct gb_transaction_work *work, enum gb_end *ret_end,
			      struct gb_err *err)
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
	gb_transaction_turn_to(work, GB_BOOT_NO);
	if (!r)
		r = gb_journal_enter(work->store, journal, GB_JOURNAL_BACK, journal->reached, err);
	if (r)
		*ret_end = GB_END_PARTLY;
	return r ? r : gb_transaction_end_back(work, ret_end, err);
}
