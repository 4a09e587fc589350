/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "confirm.h"
#include "json.h"
#include "oneshot.h"
#include "trialjudge.h"
#include "trialkeeper.h"
#include "work.h"

static const char usage[] =
	"usage: ghost-boot confirm [--force] [--dry-run] [--json] [--root DIR]\n"
	"\n"
	"Keeps what this boot tries, for good: from then on every boot has the claims.\n"
	"It looks first whether all is as it was before the trial: each claim on its\n"
	"driver, the same root, no unit that fails only now, a picture on each display\n"
	"that stays, network links and routes. Unless enable was told that nothing else\n"
	"may, a login or some time keep it, too; a restart before that goes back to how\n"
	"it was.\n"
	"\n"
	"      --force     keep it though not all is as it was before\n"
	"  -n, --dry-run   only show what was found, and what would change\n"
	"  -y, --yes       nothing: the command is its own answer\n"
	"      --json      for programs\n"
	"      --service   wait for a login or the time: ghost-boot-confirm.service\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, or there is no trial; 1 failed, nothing changed; 2 usage;\n"
	"3 refused: this boot is not the trial; 4 not all is as it was; 5 failed, and\n"
	"the state before was brought back; 6 partly, and how to go on.\n";

enum { FORCE = 256, SERVICE };

struct confirm {
	struct gb_work work;
	struct gb_keeper keeper;
	bool force, service, kept;
	char how[160]; /* by what it is kept */
};

static int take(void *ctx, int option, const char *value)
{
	struct confirm *c = ctx;

	(void)value;
	if (option == FORCE)
		c->force = true;
	else
		c->service = true;
	return -1;
}

/* ---- is this boot the trial? --------------------------------------------------------------- */

static int refuse(struct confirm *c, const char *what, const char *advice)
{
	gb_command_fail(c->work.context, what, advice);
	return GB_EXIT_REFUSED;
}

static int say_waits(struct confirm *c)
{
	const struct gb_trial *trial = &c->keeper.trial;

	if (trial->state == GB_TRIAL_ARMED &&
	    (!gb_root_is_real(c->work.host.root) || !trial->entry || !trial->entry[0] ||
	     gb_oneshot_is(&c->work.host, trial->entry) != 0))
		return refuse(c, "the trial has not been booted yet", "Restart: the next boot is it.");
	return refuse(c, "the trial has not been booted yet, and the next boot does not take it",
		      "ghost-boot enable, as before, asks the boot loader for it.");
}

static int say_other(struct confirm *c)
{
	char what[512];

	switch (c->keeper.trial.state) {
	case GB_TRIAL_PREPARED:
	case GB_TRIAL_ARMED: return say_waits(c);
	case GB_TRIAL_FAILED:
		snprintf(what, sizeof(what), "the trial failed: %.400s",
			 c->keeper.trial.reason ? c->keeper.trial.reason : "");
		return refuse(c, what, "ghost-boot enable tries it again.");
	case GB_TRIAL_BOOTED:
		return refuse(c, "this boot is not the trial", "Restart, and see ghost-boot status.");
	default: break;
	}
	if (c->keeper.arrival == GB_ARRIVAL_STRAY) {
		snprintf(what, sizeof(what), "nothing is known of the trial %s that the command line "
			 "names: %s is not there", c->keeper.boot.trial, GB_TRIAL);
		return refuse(c, what, "ghost-boot update makes what the claims file says permanent.");
	}
	puts(c->keeper.arrival == GB_ARRIVAL_TIDY || c->keeper.arrival == GB_ARRIVAL_KEPT
		     ? "It is confirmed already." : "There is no trial: nothing to confirm.");
	return gb_command_flush(GB_EXIT_DONE);
}

static bool is_unprivileged(int r)
{
	return r == -EACCES || r == -EPERM;
}

/* -1 to go on, or the exit code. Settles what the service has not. */
static int find_trial(struct confirm *c)
{
	struct gb_work *work = &c->work;
	struct gb_err err = { "" };
	int r = gb_keeper_read(work->host.root, &c->keeper, &err);

	if (!r && !work->options.dry_run)
		r = gb_keeper_settle(&work->host, &c->keeper, &err);
	if (is_unprivileged(r) && gb_root_is_real(work->host.root))
		return gb_change_needs_root(work->context);
	if (r) {
		gb_command_fail(work->context, err.text, "Nothing was changed.");
		return r == -EBUSY ? GB_EXIT_REFUSED : GB_EXIT_FAILED;
	}
	if (c->keeper.arrival == GB_ARRIVAL_ENTER || c->keeper.arrival == GB_ARRIVAL_GOES_ON)
		return -1;
	return say_other(c);
}

/* ---- is it as it was before? ---------------------------------------------------------------- */

static void show_checks(const struct confirm *c)
{
	struct gb_text text = { 0 };
	struct gb_style style;

	gb_style_detect(stdout, &style);
	gb_checks_text(&c->work.checks, &style, false, &text);
	gb_text_addf(&text, "\n");
	gb_command_print(c->work.context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
}

static int examine(struct confirm *c)
{
	static const char usual[] = "Not all is as it was before the trial, and it is not kept. Mend that, or\n"
				    "keep it all the same: ghost-boot confirm --force. A restart goes back.";
	static const char stuck[] = "A restart would not go back, and it is not kept. Mend that, or keep it\n"
				    "all the same: ghost-boot confirm --force";
	struct gb_work *work = &c->work;
	const char *entry = c->keeper.trial.entry;
	struct gb_text reasons = { 0 };
	struct gb_err err = { "" };

	if (gb_keeper_examine(&work->host, &c->keeper, &work->checks, &err))
		return gb_command_fail(work->context, err.text, "Nothing was changed.");
	if (!work->options.json)
		show_checks(c);
	if (gb_trial_is_good(&work->checks) || c->force)
		return -1;
	gb_confirm_reasons(&work->checks, &reasons);
	gb_command_fail(work->context, reasons.failed ? "out of memory" : reasons.data,
			entry && gb_checks_have(&work->checks, "trial-default", entry) ? stuck : usual);
	gb_text_clear(&reasons);
	return GB_EXIT_NOT_READY;
}

/* ---- keeping it ----------------------------------------------------------------------------- */

static int plan_state(struct confirm *c, struct gb_err *err)
{
	struct gb_trial *trial = &c->keeper.trial;
	struct gb_text text = { 0 };
	int r;

	trial->state = gb_trial_next(trial->state, GB_TRIAL_CONFIRM);
	if (!gb_trial_set(&trial->reason, c->how))
		return gb_fail(err, ENOMEM, "out of memory");
	r = gb_trial_print(trial, &text, err);
	if (!r)
		r = gb_plan_write(&c->work.setup.plan, &c->work.host.store, GB_TRIAL, text.data, text.len,
				  0600, "the trial is over", err);
	gb_text_clear(&text);
	return r < 0 ? r : 0;
}

static int plan(struct confirm *c, struct gb_err *err)
{
	struct gb_work *work = &c->work;
	int r;

	gb_plan_because(&work->setup.plan, "keep what was tried");
	r = gb_target_read(&work->context->survey, &work->setup.disks, NULL, 0, &work->target, err);
	if (!r)
		r = gb_setup_confirm(&work->setup, &work->target, err);
	return r < 0 ? r : plan_state(c, err);
}

static void add_checks(void *ctx, struct gb_json *json)
{
	struct gb_work *work = ctx;

	gb_checks_json(&work->checks, json);
}

/* The service is started again, and does what is left. */
static int say_left(struct confirm *c, const char *what)
{
	gb_command_fail(c->work.context, what, "It is kept. What is left of the trial goes at the next boot, or "
			"with another\nghost-boot confirm.");
	return c->service ? GB_EXIT_FAILED : GB_EXIT_PARTLY;
}

/* What the transaction has left to be done, and may be done again by the next boot. */
static int finish(struct confirm *c)
{
	struct gb_work *work = &c->work;
	struct gb_err err = { "" };

	gb_keeper_clear(&c->keeper);
	if (gb_keeper_read(work->host.root, &c->keeper, &err))
		return say_left(c, err.text);
	gb_confirm_tell(work->context, &work->host, &c->keeper, c->service);
	if (gb_keeper_settle(&work->host, &c->keeper, &err))
		return say_left(c, err.text);
	return c->keeper.warning[0] ? say_left(c, c->keeper.warning) : GB_EXIT_DONE;
}

static int confirm(struct confirm *c)
{
	struct gb_work *work = &c->work;
	struct gb_err err = { "" };
	int r, code = find_trial(c);

	if (code < 0 && !c->service) /* which has looked just now */
		code = examine(c);
	if (code >= 0)
		return code;
	if (!c->how[0])
		gb_text_copy(c->how, sizeof(c->how), "by \"ghost-boot confirm\"");
	r = plan(c, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	work->options.yes = !work->options.dry_run;
	work->options.more = add_checks;
	work->options.done = "Done. It holds at every boot from now on.";
	code = gb_work_run(work);
	c->kept = !code && !work->options.dry_run;
	return c->kept ? finish(c) : code;
}

/* Whoever has logged in believes it kept. The service is started again, some times: what is in its way
 * is often another change of the system. */
static int say_unkept(struct confirm *c, int code)
{
	struct gb_work *work = &c->work;
	struct gb_host *host = &work->host;
	struct gb_err err = { "" };
	char reason[320];

	gb_keeper_clear(&c->keeper);
	if (!work->context->root || (!host->root && gb_host_open(work->context->root, host, &err)) ||
	    gb_keeper_read(host->root, &c->keeper, &err) || c->keeper.arrival != GB_ARRIVAL_GOES_ON)
		return code;
	snprintf(reason, sizeof(reason), "it was to be kept (%s), and could not be: \"journalctl -u "
		 "ghost-boot-confirm\" says why", c->how);
	/* in somebody else's change the record waits, and those who log in don't */
	if (gb_keeper_note(host, &c->keeper, reason, &err))
		gb_trial_set(&c->keeper.trial.reason, reason);
	gb_confirm_tell(work->context, host, &c->keeper, true);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	static const struct option more[] = { { "force", no_argument, NULL, FORCE },
					      { "service", no_argument, NULL, SERVICE },
					      { NULL, 0, NULL, 0 } };
	struct confirm c = { .force = false };
	int code = gb_work_options(&c.work, context, argc, argv, usage, more, take, &c);

	if (code >= 0)
		return code;
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	if (c.service)
		code = gb_confirm_serve(context, c.how, sizeof(c.how));
	if (code < 0) {
		code = gb_work_open(&c.work, context);
		if (code < 0)
			code = confirm(&c);
		if (code && c.service && !c.kept)
			code = say_unkept(&c, code);
	}
	gb_keeper_clear(&c.keeper);
	gb_work_close(&c.work);
	return code;
}

const struct gb_command gb_command_confirm = { "confirm", run,
					       "keep what this trial boot tries" };
