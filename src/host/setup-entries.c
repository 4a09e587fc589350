/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootentries.h"
#include "err.h"
#include "need-words.h"
#include "setup-parts.h"
#include "survey.h"
#include "text.h"

/* Our own boot entries, as a setup's plan has them: with which words, and for how long. */

#define PANIC "panic=30" /* seconds; a machine that hangs there would never come back by itself */
/* seconds; systemd(1): from then on that it runs, it has to answer in time */
#define WATCHDOG "systemd.watchdog_sec=60"

/* ---- words -------------------------------------------------------------------------------- */

static bool make_room(struct gb_entry_words *words, size_t wants)
{
	words->want = calloc(wants + 1, sizeof(*words->want));
	return words->want;
}

static void add(struct gb_entry_words *words, enum gb_want_mode mode, const char *word, const char *reason)
{
	words->want[words->wants++] = (struct gb_want){ mode, word, reason };
}

void gb_setup_trial_word(const struct gb_trial *trial, char *ret, size_t size)
{
	char text[GB_TRIAL_ID];

	gb_trial_id(trial->id, text);
	snprintf(ret, size, GB_TRIAL_WORD "=%s%s", text, trial->counted ? "c" : "");
}

bool gb_setup_trial_words(const struct gb_need_words *need, const struct gb_trial *trial,
			struct gb_entry_words *ret)
{
	if (!make_room(ret, need->wants + 3))
		return false;
	for (size_t i = 0; i < need->wants; i++)
		ret->want[ret->wants++] = need->want[i];
	gb_setup_trial_word(trial, ret->trial, sizeof(ret->trial));
	add(ret, GB_WANT_ONLY, ret->trial, "this boot is the trial");
	add(ret, GB_WANT_ONLY, PANIC, "a crash ends the trial");
	if (trial->watchdog)
		add(ret, GB_WANT_ONLY, WATCHDOG, "a machine that hangs ends the trial");
	return true;
}

/* The usual entry's words without ours. */
static bool recovery_words(const struct gb_footprint *footprint, struct gb_entry_words *ret)
{
	if (!make_room(ret, footprint->traces + 2))
		return false;
	for (size_t i = footprint->traces; i-- > 0;) {
		const struct gb_trace *trace = &footprint->trace[i];

		if (trace->kind == GB_TRACE_ADDED)
			add(ret, GB_WANT_GONE, trace->text, NULL);
		else if (trace->kind == GB_TRACE_REPLACED)
			add(ret, GB_WANT_SWAP, trace->text, trace->was);
	}
	add(ret, GB_WANT_NO_NAME, GB_TRIAL_WORD, NULL);
	add(ret, GB_WANT_ONLY, "ghost.claim=off", NULL);
	return true;
}

/* ---- entries ------------------------------------------------------------------------------ */

int gb_setup_plan_entries(struct gb_setup *setup, const struct gb_bootentries *entries,
			const struct gb_entry_words *trial, const char *image, struct gb_err *err)
{
	struct gb_entry_words recovery = { 0 };
	struct gb_bootentries_want want = { .image = image, .keep = !trial && setup->keeps_trial };
	int r;

	if (!recovery_words(&setup->footprint, &recovery))
		return gb_fail(err, ENOMEM, "out of memory");
	want.recovery = recovery.want;
	want.recoveries = recovery.wants;
	if (trial) {
		want.trial = trial->want;
		want.trials = trial->wants;
	}
	r = gb_bootentries_plan(entries, &want, &setup->footprint, &setup->plan, err);
	free(recovery.want);
	return r;
}

/* Nothing that may keep a change from being made: claims can be undone in the boot menu, too. */
int gb_setup_plan_recovery(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_bootentries entries;
	struct gb_err why = { "" };
	const size_t steps = setup->plan.steps;
	int r = gb_bootentries_find(setup->host, &setup->images, &setup->survey->site, &entries, &why);

	if (!r)
		r = gb_setup_plan_entries(setup, &entries, NULL, "", &why);
	gb_bootentries_clear(&entries);
	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (r && setup->plan.steps > steps)
		return gb_fail(err, -r, "%s", why.text);
	gb_text_copy(setup->no_recovery, sizeof(setup->no_recovery), r ? why.text : "");
	/* a trial's is not to stay; a recovery's does no harm */
	return r && setup->trial.state && !setup->keeps_trial ? gb_setup_drop_entries(setup, err) : 0;
}

int gb_setup_drop_entries(struct gb_setup *setup, struct gb_err *err)
{
	return gb_bootentries_drop(setup->host, &setup->footprint, &setup->plan, err);
}
