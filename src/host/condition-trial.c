/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial boot: how far it is, and what comes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "condition.h"
#include "err.h"
#include "host.h"
#include "oneshot.h"
#include "root.h"
#include "text.h"
#include "trialjudge.h"

/* Another entry was asked for since, or a boot that was none has taken it: hibernation's. */
static bool is_unasked(struct gb_host *host, const struct gb_keeper *keeper)
{
	const struct gb_trial *trial = &keeper->trial;

	return trial->state == GB_TRIAL_ARMED && keeper->arrival == GB_ARRIVAL_NOTHING && trial->entry &&
	       trial->entry[0] && gb_oneshot_is(host, trial->entry) == 0;
}

/* Our folder is root's alone, and a captured machine may lack what says which boot it was in. */
int gb_condition_trial(struct gb_condition *c, struct gb_err *err)
{
	struct gb_condition_trial *trial = &c->trial;
	struct gb_keeper *keeper = &trial->keeper;
	struct gb_err why = { "" };
	int r = gb_trial_read(c->host->root, &keeper->trial, &why);

	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (r)
		gb_text_copy(trial->error, sizeof(trial->error), why.text);
	else
		trial->there = keeper->trial.state ? GB_YES : GB_NO;
	if (gb_trial_boot_read(c->host->root, &keeper->boot, NULL) || r)
		return 0;
	keeper->arrival = gb_trial_arrive(&keeper->trial, &keeper->boot);
	trial->open = keeper->trial.state && keeper->trial.state != GB_TRIAL_CONFIRMED;
	trial->unasked = gb_root_is_real(c->host->root) && is_unasked(c->host, keeper);
	trial->tried = keeper->arrival == GB_ARRIVAL_ENTER || keeper->arrival == GB_ARRIVAL_GOES_ON;
	return trial->tried ? gb_keeper_examine(c->host, keeper, &trial->checks, err) : 0;
}

enum gb_condition_kind gb_condition_trial_claim(const struct gb_condition *c, char *ret,
						size_t size)
{
	switch (c->trial.keeper.trial.state) {
	case GB_TRIAL_PREPARED:
		snprintf(ret, size, "to be tried");
		return GB_FUNCTION_WAITS;
	case GB_TRIAL_ARMED:
		if (c->trial.keeper.arrival == GB_ARRIVAL_NOTHING) {
			snprintf(ret, size, c->trial.unasked ? "to be tried" : "tried at the next boot");
			return GB_FUNCTION_WAITS;
		}
		break;
	default: break;
	}
	snprintf(ret, size, "its trial failed");
	return GB_FUNCTION_WRONG;
}

/* ---- what to do ---------------------------------------------------------------------------- */

/* The service has noted why it did not keep it, and may have ended. */
static void judge_noted(struct gb_condition *c)
{
	struct gb_text text = { 0 };

	gb_text_add_harmless(&text, c->trial.keeper.trial.reason);
	gb_condition_note(c, "trial", "sudo ghost-boot confirm", "this boot is a trial, and is not kept: %.240s",
			  text.failed ? "" : text.data);
	gb_text_clear(&text);
}

static void judge_tried(struct gb_condition *c)
{
	const struct gb_trial *trial = &c->trial.keeper.trial;

	if (!gb_trial_is_good(&c->trial.checks))
		gb_condition_note(c, "trial", "see to that, then: sudo ghost-boot confirm",
				  "this boot is a trial, and not all is as it was before");
	else if (trial->state == GB_TRIAL_BOOTED && trial->reason && trial->reason[0])
		judge_noted(c);
	else if (trial->manual)
		gb_condition_note(c, "trial", "sudo ghost-boot confirm",
				  "this boot is a trial, and is kept when you say so");
	else
		gb_condition_note(c, "trial", "sudo ghost-boot confirm, or wait",
				  "this boot is a trial, and is kept once you are logged in, or "
				  "after %u seconds", trial->seconds);
}

static void judge_over(struct gb_condition *c)
{
	const struct gb_trial *trial = &c->trial.keeper.trial;
	const bool known = trial->state == GB_TRIAL_FAILED && trial->reason && trial->reason[0];
	struct gb_text text = { 0 };

	gb_text_add_harmless(&text, known ? trial->reason : "this boot is not it");
	gb_condition_note(c, "trial", "sudo ghost-boot enable tries again, sudo ghost-boot disable "
			  "forgets it", "the trial failed: %.240s", text.failed ? "" : text.data);
	gb_text_clear(&text);
}

/* It waits for a boot. */
static void judge_waiting(struct gb_condition *c)
{
	if (c->trial.keeper.trial.state != GB_TRIAL_ARMED)
		gb_condition_note(c, "trial", "sudo ghost-boot enable, as before",
				  "a trial is prepared, and the boot loader is not asked for it");
	else if (c->trial.unasked)
		gb_condition_note(c, "trial", "sudo ghost-boot enable, as before",
				  "a trial waits, and the boot loader is not asked for it any more");
	else
		gb_condition_note(c, "trial", "sudo reboot", "the next boot tries the claims, once");
}

void gb_condition_trial_judge(struct gb_condition *c)
{
	const struct gb_keeper *keeper = &c->trial.keeper;

	if (keeper->arrival == GB_ARRIVAL_STRAY)
		gb_condition_note(c, "trial", "sudo reboot", "this boot was a trial of which nothing is "
				  "known: %s is not there", GB_TRIAL);
	else if (c->trial.tried)
		judge_tried(c);
	else if (keeper->arrival == GB_ARRIVAL_FAILED || keeper->arrival == GB_ARRIVAL_LEAVE)
		judge_over(c);
	else if (c->trial.open)
		judge_waiting(c);
}
