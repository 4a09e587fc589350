/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial-back.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counter.h"
#include "efi.h"
#include "lock.h"
#include "oneshot.h"
#include "transaction.h"
#include "trialkeeper.h"
#include "trialstate.h"
#include "work.h"

int gb_trial_forget(void *ctx, struct gb_err *err)
{
	struct gb_work *work = ctx;
	const struct gb_trial *trial = &work->setup.trial;

	return trial->entry && trial->entry[0] ? gb_oneshot_disarm(&work->host, trial->entry, NULL, err) : 0;
}

/* In the middle of a change that is still to be brought back, the record is that one's. */
static int note_disarmed(struct gb_work *work, bool *ret_other, struct gb_err *err)
{
	struct gb_store *store = &work->host.store;
	struct gb_trial trial = { 0 };
	int lock, r = gb_lock_take(store, &lock, err);

	if (r)
		return r;
	if (!gb_transaction_is_open(store))
		r = gb_trial_read(work->host.root, &trial, err);
	*ret_other = trial.id && trial.id != work->setup.trial.id;
	if (!r && trial.state == GB_TRIAL_ARMED) {
		trial.state = gb_trial_next(trial.state, GB_TRIAL_DISARM);
		r = gb_trial_write(store, &trial, err);
	}
	gb_trial_clear(&trial);
	close(lock);
	return r;
}

int gb_trial_after(struct gb_work *work, int code)
{
	const struct gb_trial *trial = &work->setup.trial;
	const bool was = trial->state == GB_TRIAL_ARMED && trial->entry && trial->entry[0];
	struct gb_err err = { "" };
	bool other = false;

	if (!code || !was || work->options.dry_run || gb_oneshot_is(&work->host, trial->entry) == 1)
		return code;
	if (note_disarmed(work, &other, &err))
		gb_command_say(stderr, "%s", err.text);
	if (!other)
		gb_command_say(stderr, "The trial of before is still prepared, but the next boot does not take "
			       "it any more: ghost-boot enable, as before, asks for it again.");
	return code;
}

void gb_trial_uncount(struct gb_host *host)
{
	if (host->efi)
		host->efi->remove(host->efi, GB_COUNTER);
}

void gb_trial_count(struct gb_host *host, const struct gb_trial *trial)
{
	uint8_t want[GB_COUNTER_SIZE], *now;
	size_t len;
	bool is_its = false;

	if (!host->efi)
		return;
	if (!host->efi->read(host->efi, GB_COUNTER, &now, &len)) {
		gb_counter_value(trial->id, len > 1 ? now[1] : 0, want);
		is_its = len == sizeof(want) && !memcmp(now, want, len);
		free(now);
	}
	gb_counter_value(trial->id, 0, want);
	if (!is_its)
		gb_efi_set(host->efi, GB_COUNTER, want, sizeof(want), NULL);
}

int gb_trial_forgotten(void *ctx, struct gb_err *err)
{
	struct gb_work *work = ctx;

	(void)err;
	if (work->setup.trial.counted)
		gb_trial_uncount(&work->host);
	/* what it tells whoever logs in is over, too */
	gb_keeper_publish(work->host.root, &(struct gb_text){ 0 }, NULL);
	return 0;
}

static int cancel(struct gb_context *context, const struct gb_change_options *options)
{
	struct gb_work work = { .options = *options };
	struct gb_err err = { "" };
	int r, code;

	gb_root_close(context->root);
	context->root = NULL;
	code = gb_work_open(&work, context);
	if (code < 0) {
		work.options.start = gb_trial_forget;
		work.options.finish = gb_trial_forgotten;
		gb_plan_because(&work.setup.plan, "take back: the trial");
		r = gb_setup_cancel(&work.setup, &err);
		code = r < 0 ? gb_work_refuse(&work, r, &err) : gb_trial_after(&work, gb_work_run(&work));
	}
	gb_work_close(&work);
	return code;
}

static int refuse_ended(struct gb_context *context)
{
	gb_command_fail(context, "the last change ended a trial, and the trial's image is gone",
			"Nothing was changed. What is claimed is taken back by ghost-boot disable.");
	gb_command_close(context);
	return GB_EXIT_REFUSED;
}

/* A counted one is a change of the usual boot, and goes as any other. */
int gb_trial_back(struct gb_context *context, const struct gb_change_options *options)
{
	struct gb_store store = { .root = context->root };
	struct gb_trial trial;
	bool is_over, counted;

	if (gb_transaction_last_has(&store, GB_TRIAL, NULL) != 1)
		return -1;
	if (gb_trial_read(context->root, &trial, NULL))
		trial = (struct gb_trial){ 0 };
	is_over = trial.state == GB_TRIAL_NONE || trial.state == GB_TRIAL_CONFIRMED;
	counted = trial.counted;
	gb_trial_clear(&trial);
	if (is_over)
		return refuse_ended(context);
	return counted ? -1 : cancel(context, options);
}
