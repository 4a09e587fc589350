/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trying.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bootdefault.h"
#include "counter.h"
#include "efi.h"
#include "lock.h"
#include "trial-back.h"
#include "trialboot.h"
#include "work.h"

/* Before anything asks for it: claims whose boots can't be counted are not claimed. */
static int begin_count(struct gb_trying *t, struct gb_err *err)
{
	struct gb_efi *efi = t->work->host.efi;
	uint8_t value[GB_COUNTER_SIZE];
	int r;

	if (efi->read(efi, GB_COUNTER, &t->counted, &t->counted_len))
		t->counted = NULL;
	t->counts = true;
	gb_counter_value(t->trial.id, 0, value);
	r = gb_efi_set(efi, GB_COUNTER, value, sizeof(value), err);
	gb_text_copy(t->oneshot.hint, sizeof(t->oneshot.hint), gb_efi_hint(r));
	return r;
}

/* An older one whose boots are counted goes on being counted. */
static void end_count(struct gb_trying *t)
{
	struct gb_err err = { "" };

	if (!t->counted)
		gb_trial_uncount(&t->work->host);
	else if (gb_efi_set(t->work->host.efi, GB_COUNTER, t->counted, t->counted_len, &err))
		gb_command_say(stderr, "The boots of the change before it are not counted any more, so the next "
			       "one claims nothing: %s", err.text);
}

/* An older one's entry is about to change, or to go. */
static int start(struct gb_trying *t, struct gb_err *err)
{
	int r = gb_trial_forget(t->work, err);

	if (!r && t->way == GB_WAY_TRIAL)
		r = gb_oneshot_try(&t->work->host, &t->oneshot, err);
	else if (!r && t->way == GB_WAY_COUNTED)
		r = begin_count(t, err);
	return r;
}

/* What was computed for files that were to be written, once more with those that are there. */
static int check_usual(struct gb_host *host, const struct gb_trial *trial, struct gb_err *err)
{
	struct gb_bootdefault now;
	int r = gb_bootdefault_find(host, NULL, &now, err);

	if (!r && (now.ours || !trial->usual || strcmp(now.id, trial->usual)))
		r = gb_fail(err, EPERM, "the boot loader would boot %.120s by itself by now, and no longer %.120s",
			    now.id, trial->usual ? trial->usual : "");
	return r;
}

/* The record first: "armed" with nothing set is a boot as usual, which is noticed. A loader that was
 * told while the record says nothing of it would be a trial that nobody meant. */
static int arm(struct gb_trying *t, struct gb_trial *trial, struct gb_err *err)
{
	struct gb_host *host = &t->work->host;
	char boot[sizeof(trial->boot)];
	int lock, r = gb_lock_take(&host->store, &lock, err);

	if (r)
		return r;
	r = check_usual(host, trial, err);
	if (r) {
		close(lock);
		return r;
	}
	strcpy(boot, trial->boot);
	trial->state = gb_trial_next(trial->state, GB_TRIAL_ARM);
	gb_trial_boot_id(host->root, trial->boot, NULL);
	r = gb_trial_write(&host->store, trial, err);
	if (!r)
		r = gb_oneshot_arm(host, &t->oneshot, trial->entry, err);
	if (r) {
		trial->state = gb_trial_next(trial->state, GB_TRIAL_DISARM);
		strcpy(trial->boot, boot);
		gb_trial_write(&host->store, trial, NULL);
	}
	close(lock);
	t->armed = !r;
	return r;
}

static int on_start(void *ctx, struct gb_err *err)
{
	struct gb_work *work = ctx;
	struct gb_trying *t = work->trying;
	int r = start(t, err);

	if (r)
		work->options.hint = t->oneshot.hint[0] ? t->oneshot.hint :
							  "With --no-trial it holds at once and for good.";
	return r;
}

static int on_finish(void *ctx, struct gb_err *err)
{
	struct gb_work *work = ctx;
	struct gb_trying *t = work->trying;
	int r = t->way == GB_WAY_TRIAL ? arm(t, &t->trial, err) : 0;

	t->armed = t->armed || t->way == GB_WAY_COUNTED;
	if (t->way != GB_WAY_COUNTED && !r)
		gb_trial_forgotten(work, NULL);
	if (r)
		work->options.hint = t->oneshot.hint;
	else if (!work->options.json)
		gb_trying_words(t, t->done);
	if (!r && t->done->data)
		work->options.done = t->done->data;
	return r;
}

int gb_trying_run(struct gb_trying *t)
{
	struct gb_work *work = t->work;
	struct gb_text done = { 0 };
	int code;

	t->done = &done;
	work->trying = t;
	work->options.start = on_start;
	work->options.finish = on_finish;
	code = gb_trial_after(work, gb_work_run(work));
	if (code && t->counts && !t->armed)
		end_count(t);
	gb_text_clear(&done);
	t->done = NULL;
	return code;
}

int gb_trying_arm(struct gb_trying *t)
{
	struct gb_work *work = t->work;
	struct gb_trial *trial = &work->setup.trial;
	struct gb_err err = { "" };
	struct gb_text done = { 0 };
	int code;

	if (trial->entry && trial->state == GB_TRIAL_ARMED && gb_oneshot_is(&work->host, trial->entry) == 1)
		t->armed = true;
	if (!t->armed && work->options.dry_run)
		return gb_command_print(work->context, &done, GB_EXIT_DONE);
	if (!t->armed && geteuid() && gb_root_is_real(work->host.root))
		return gb_change_needs_root(work->context);
	if (trial->state == GB_TRIAL_ARMED)
		trial->state = gb_trial_next(trial->state, GB_TRIAL_DISARM);
	if (!t->armed && arm(t, trial, &err))
		return gb_command_fail(work->context, err.text,
				       t->oneshot.hint[0] ? t->oneshot.hint : "The trial stays prepared.");
	t->trial = (struct gb_trial){ .id = trial->id, .state = GB_TRIAL_ARMED, .manual = trial->manual,
				      .seconds = trial->seconds, .watchdog = trial->watchdog };
	gb_text_addf(&done, "This waits already for its trial: nothing had to be built.\n");
	gb_trying_words(t, &done);
	gb_text_addf(&done, "\n");
	code = gb_command_print(work->context, &done, GB_EXIT_DONE);
	gb_text_clear(&done);
	return code;
}
