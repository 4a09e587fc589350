/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "counter.h"
#include "efi.h"
#include "json.h"
#include "observe.h"
#include "retire.h"
#include "trialboot.h"
#include "watchdog.h"
#include "work.h"

void gb_trying_clear(struct gb_trying *trying)
{
	gb_trial_clear(&trying->trial);
	free(trying->counted);
	trying->counted = NULL;
}

/* ---- which way ---------------------------------------------------------------------------- */

/* Where the firmware's variables can be reached, boots could at least be counted. */
static void say_no(struct gb_trying *t, const char *why, const char *hint)
{
	const struct gb_host *host = &t->work->host;

	t->way = host->efi ? GB_WAY_COUNTED : GB_WAY_PERMANENT;
	gb_text_copy(t->why, sizeof(t->why), why);
	gb_text_copy(t->hint, sizeof(t->hint), *hint || host->efi ? hint : gb_efi_reach_hint(host->root));
}

static void find_way(struct gb_trying *t)
{
	struct gb_err err = { "" };

	t->way = GB_WAY_TRIAL;
	gb_oneshot_find(&t->work->host, &t->oneshot);
	if (t->oneshot.kind == GB_ONESHOT_NONE)
		say_no(t, t->oneshot.why, t->oneshot.hint);
	else if (gb_setup_can_try(&t->work->setup, &err))
		say_no(t, err.text, "");
}

/* When the machine does not come up. */
static void say_ways_back(const struct gb_trying *t, FILE *out)
{
	const bool editable = gb_trying_can_edit(t);
	struct gb_err why = { "" };

	fprintf(out, "What is left when the machine does not come up: ");
	if (!gb_setup_can_recover(&t->work->setup, &why)) {
		fprintf(out, "the entry \"without GPU claims\" in the\nboot menu%s.\n\n", editable ?
			", or there: e, and ghost.claim=off at the end of the command line" : "");
		return;
	}
	if (editable)
		fprintf(out, "in the boot menu, e, and\nghost.claim=off at the end of the command line.\n");
	else
		fprintf(out, "another system to boot from. With\nSecure Boot the command line of a unified "
			"image can't be edited in the boot menu.\n");
	gb_command_say(out, "An entry without GPU claims can't be had: %s.", why.text);
	fputc('\n', out);
}

/* What is left then, in so many words. */
static void say_protection(const struct gb_trying *t)
{
	FILE *out = t->work->options.json ? stderr : stdout;

	gb_command_say(out, "No trial boot can be made on this machine: %s.", t->why);
	if (t->hint[0] && !strstr(t->hint, GB_LOADER_WORD))
		gb_command_say(out, "What helps: %s", t->hint);
	if (t->way == GB_WAY_COUNTED)
		gb_command_say(out, "What protects instead: its boots are counted in an EFI variable, and after "
			       "%d that\nnobody confirmed nothing is claimed any more. That holds for claims, "
			       "not for\nwords such as intel_iommu=on, and every boot until then is one with "
			       "claims.", GB_COUNTER_BOOTS);
	else
		gb_command_say(out, "So the change holds from the next boot on, at once and for good, and "
			       "nothing\ntakes it back by itself.");
	say_ways_back(t, out);
}

static int ask_for_it(struct gb_trying *t)
{
	const struct gb_change_options *options = &t->work->options;

	if (t->way == GB_WAY_COUNTED || options->dry_run || (!options->yes && !options->json && isatty(STDIN_FILENO)))
		return -1;
	return gb_work_deny(t->work, "refused: there is no protection against a boot that fails",
		      "Nothing was changed. With --no-trial it goes on without.");
}

/* Nothing else could be changed there, either. */
static int deny_read_only(struct gb_trying *t)
{
	char advice[sizeof(t->hint) + 64];

	snprintf(advice, sizeof(advice), "Nothing was changed. What helps: %s", t->hint);
	return gb_work_deny(t->work, t->why, advice);
}

static int find_watchdog(struct gb_trying *t)
{
	struct gb_err err = { "" };
	char what[sizeof(err.text) + 16];

	if (!t->watchdog || !gb_watchdog_find(t->work->host.root, &err))
		return -1;
	snprintf(what, sizeof(what), "refused: %s", err.text);
	return gb_work_deny(t->work, what, "Nothing was changed. Without --watchdog it goes on.");
}

int gb_trying_decide(struct gb_trying *t)
{
	struct gb_setup *setup = &t->work->setup;

	if (setup->odd_trial[0])
		gb_command_say(stderr, "What is known of an earlier trial can't be read, and it counts as none: "
			       "%s.", setup->odd_trial);
	if (setup->trial.state == GB_TRIAL_BOOTED && !setup->trial.counted)
		return gb_work_deny(t->work, "a trial has been booted, and is not confirmed yet",
			      "First keep it, ghost-boot confirm, or take it back, ghost-boot disable.");
	/* what can't be built anyhow says so by itself */
	if (t->no_trial || !setup->images.usable) {
		t->way = GB_WAY_PERMANENT;
		return -1;
	}
	if (gb_setup_arms_always(setup))
		return gb_work_deny(t->work, "the claims file arms by itself (arm always), so every boot has its "
				    "claims and none can be tried",
				    "Nothing was changed. Take that line out of it, or use --no-trial: then it "
				    "holds at once and for good.");
	find_way(t);
	if (t->way == GB_WAY_TRIAL)
		return find_watchdog(t);
	if (t->oneshot.read_only)
		return deny_read_only(t);
	say_protection(t);
	if (t->watchdog)
		return gb_work_deny(t->work, "refused: without a trial no watchdog can watch it",
				    "Nothing was changed. Without --watchdog it goes on.");
	return ask_for_it(t);
}

/* ---- the plan ----------------------------------------------------------------------------- */

static int new_id(uint32_t *ret)
{
	do
		if (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
			return -errno;
	while (!*ret);
	return 0;
}

static int begin_trial(struct gb_trying *t, struct gb_err *err)
{
	struct gb_host *host = &t->work->host;
	struct gb_trial *trial = &t->trial;
	int r = new_id(&trial->id);

	if (r)
		return gb_fail(err, -r, "no random number is to be had: %s", strerror(-r));
	trial->time = time(NULL);
	trial->manual = t->manual;
	trial->seconds = t->seconds;
	trial->retire = t->retire;
	trial->watchdog = t->watchdog;
	gb_trial_boot_id(host->root, trial->boot, NULL);
	return gb_observe(host->root, &host->runner, NULL, &trial->before, err);
}

/* The same, once more: kept as it is unless something else was asked for. */
static bool waits(struct gb_trying *t, const char *const *title)
{
	const struct gb_trial *now = &t->work->setup.trial;

	return now->manual == t->manual && (t->manual || now->seconds == t->seconds) &&
	       now->retire == t->retire && now->watchdog == t->watchdog &&
	       gb_setup_is_prepared(&t->work->setup, &t->work->target, title);
}

int gb_trying_plan(struct gb_trying *t, const char *const *title, const struct gb_retire *retire,
		   bool *ret_waits, struct gb_err *err)
{
	struct gb_setup *setup = &t->work->setup;
	int r;

	/* what is left then is as with `update`: images, words */
	if (t->way == GB_WAY_TRIAL && !t->retire && gb_setup_is_claimed(setup, &t->work->target, title))
		t->way = GB_WAY_PERMANENT;
	*ret_waits = t->way == GB_WAY_TRIAL && waits(t, title);
	if (*ret_waits)
		return 0;
	if (t->way == GB_WAY_PERMANENT)
		return gb_setup_enable(setup, &t->work->target, title, retire, NULL, err);
	r = begin_trial(t, err);
	if (r)
		return r;
	return t->way == GB_WAY_TRIAL ?
		       gb_setup_try(setup, &t->work->target, title, &t->trial, err) :
		       gb_setup_enable(setup, &t->work->target, title, retire, &t->trial, err);
}

/* ---- told ---------------------------------------------------------------------------------- */

void gb_trying_json(const struct gb_trying *t, struct gb_json *json)
{
	char id[GB_TRIAL_ID];

	if (t->way == GB_WAY_PERMANENT) {
		gb_json_null(json, "trial");
		gb_json_string(json, "no_trial", t->why[0] ? t->why : NULL);
		return;
	}
	gb_trial_id(t->trial.id, id);
	gb_json_open(json, "trial", '{');
	gb_json_string(json, "id", id);
	gb_json_string(json, "kernel", t->trial.kernel);
	gb_json_string(json, "entry", t->trial.entry);
	gb_json_bool(json, "counted", t->trial.counted);
	gb_json_bool(json, "armed", t->armed);
	gb_json_string(json, "confirm", t->trial.manual ? "manual" : "auto");
	gb_json_bool(json, "watchdog", t->trial.watchdog);
	gb_json_int(json, "confirm_after", t->trial.manual ? 0 : (long long)t->trial.seconds);
	gb_json_close(json, '}');
	gb_json_string(json, "no_trial", t->why[0] ? t->why : NULL);
}
