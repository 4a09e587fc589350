/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "check.h"
#include "command.h"
#include "confirm.h"
#include "host.h"
#include "logins.h"
#include "trialjudge.h"
#include "trialkeeper.h"
#include "vigil.h"

#define PAUSE_MS 10000ul /* before it is looked again, twice as long each time */
#define REASONS_SHOWN 4
#define WALL_S 10

struct service {
	struct gb_context *context;
	struct gb_host host;
	struct gb_keeper keeper;
	struct gb_login login;
	bool logged_in, timed_out;
	unsigned long pause_ms;
	char *how; /* it is to be kept: by what */
	size_t size;
};

void gb_confirm_reasons(const struct gb_checks *checks, struct gb_text *ret)
{
	size_t shown = 0, all = gb_checks_count(checks, GB_FAIL) + gb_checks_count(checks, GB_UNKNOWN);

	for (size_t i = 0; i < checks->checks && shown < REASONS_SHOWN; i++) {
		const struct gb_check *check = &checks->check[i];

		if (check->mark != GB_FAIL && check->mark != GB_UNKNOWN)
			continue;
		gb_text_addf(ret, "%s%s: %s", shown++ ? "; " : "", check->subject, check->text);
	}
	if (shown < all)
		gb_text_addf(ret, "; and %zu more", all - shown);
}

/* ---- telling ------------------------------------------------------------------------------ */

/* To those who are logged in now: the journal has it, and whoever comes later gets the notice. */
static void tell_terminals(struct gb_host *host, const struct gb_text *text)
{
	const char *const argv[] = { "/usr/bin/wall", text->data, NULL };
	struct gb_program wall = { .argv = (char *const *)argv, .timeout_s = WALL_S, .log = -1,
				   .hold = -1 };
	struct gb_ran ran = { 0 };

	host->runner.run(host->runner.ctx, &wall, &ran, NULL);
	gb_ran_pass_on(&ran);
}

void gb_confirm_tell(struct gb_context *context, struct gb_host *host,
		     const struct gb_keeper *keeper, bool terminals)
{
	struct gb_text text = { 0 };
	struct gb_err err = { "" };

	gb_trial_notice(&keeper->trial, &keeper->boot, keeper->arrival, &text);
	if (keeper->warning[0])
		gb_text_addf(&text, "But %s.\nLook at the boot menu before you restart.\n",
			     keeper->warning);
	if (text.failed || gb_keeper_publish(host->root, &text, &err))
		gb_command_fail(context, text.failed ? "out of memory" : err.text, NULL);
	if (text.len && !text.failed && terminals)
		tell_terminals(host, &text);
	gb_text_clear(&text);
}

static void tell(struct service *s, bool terminals)
{
	struct gb_text text = { 0 };

	gb_confirm_tell(s->context, &s->host, &s->keeper, terminals);
	gb_trial_notice(&s->keeper.trial, &s->keeper.boot, s->keeper.arrival, &text);
	if (text.len && !text.failed)
		gb_command_print(s->context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
	if (s->keeper.warning[0])
		gb_command_fail(s->context, s->keeper.warning, "Look at the boot menu before you "
				"restart.");
}

/* ---- judging ------------------------------------------------------------------------------ */

static int note(struct service *s, const char *reason)
{
	struct gb_err err = { "" };

	if (gb_keeper_note(&s->host, &s->keeper, reason, &err))
		return gb_command_fail(s->context, err.text, NULL);
	return -1;
}

static int keep(struct service *s)
{
	if (s->logged_in)
		snprintf(s->how, s->size, "%s logged in (%s)", s->login.user, s->login.how);
	else
		snprintf(s->how, s->size, "nobody took it back within %u seconds",
			 s->keeper.trial.seconds);
	return -1;
}

/* Said once, and by the state's next reader. */
static int say_reasons(struct service *s, const struct gb_checks *checks)
{
	struct gb_text reasons = { 0 };
	bool news;
	int code;

	gb_confirm_reasons(checks, &reasons);
	if (reasons.failed) {
		gb_text_clear(&reasons);
		return gb_command_fail(s->context, "out of memory", NULL);
	}
	news = !s->keeper.trial.reason || strcmp(s->keeper.trial.reason, reasons.data);
	code = note(s, reasons.data);
	if (code < 0 && (news || s->timed_out))
		tell(s, s->timed_out);
	gb_text_clear(&reasons);
	return code;
}

/* Not yet as good as before: some of it comes late. When the time is up, that is the end of it. */
static int refuse(struct service *s, struct gb_vigil *vigil, const struct gb_checks *checks)
{
	struct gb_err err = { "" };
	int code = say_reasons(s, checks);

	if (code >= 0)
		return code;
	if (s->timed_out)
		return GB_EXIT_DONE;
	if (gb_vigil_retry(vigil, s->pause_ms, &err))
		return gb_command_fail(s->context, err.text, NULL);
	s->pause_ms *= 2;
	return -1;
}

/* -1: goes on, or is to be kept when `how` says by what. */
static int judge(struct service *s, struct gb_vigil *vigil)
{
	struct gb_checks checks = { 0 };
	struct gb_err err = { "" };
	int code;

	if (gb_keeper_examine(&s->host, &s->keeper, &checks, &err))
		code = gb_command_fail(s->context, err.text, NULL);
	else if (gb_trial_is_good(&checks))
		code = keep(s);
	else
		code = refuse(s, vigil, &checks);
	gb_checks_clear(&checks);
	return code;
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* A person has confirmed it, or taken it back, or made another one. */
static int look_again(struct service *s)
{
	struct gb_err err = { "" };
	char warning[sizeof(s->keeper.warning)];

	strcpy(warning, s->keeper.warning);
	gb_keeper_clear(&s->keeper);
	if (gb_keeper_read(s->host.root, &s->keeper, &err))
		return gb_command_fail(s->context, err.text, NULL);
	strcpy(s->keeper.warning, warning); /* still true: it is said to whoever comes */
	if (s->keeper.arrival == GB_ARRIVAL_GOES_ON)
		return -1;
	if (s->keeper.arrival == GB_ARRIVAL_STRAY) /* taken back: there is nothing to tell any more */
		gb_keeper_publish(s->host.root, &(struct gb_text){ 0 }, NULL);
	else
		gb_confirm_tell(s->context, &s->host, &s->keeper, false);
	return GB_EXIT_DONE;
}

static int end(struct service *s)
{
	const char *reason = s->keeper.trial.reason;

	if (!reason || !reason[0])
		note(s, "it was shut down before it was confirmed");
	return GB_EXIT_DONE;
}

static int on_login(struct service *s, struct gb_vigil *vigil)
{
	if (s->logged_in)
		return -1;
	s->logged_in = gb_login_find(s->host.root, &s->host.runner, &s->login);
	return s->logged_in ? judge(s, vigil) : -1;
}

static int on_event(struct service *s, struct gb_vigil *vigil, enum gb_vigil_event event)
{
	const bool manual = s->keeper.trial.manual;

	switch (event) {
	case GB_VIGIL_STOP: return end(s);
	case GB_VIGIL_CHANGE: return look_again(s);
	case GB_VIGIL_LOGIN: return manual ? -1 : on_login(s, vigil);
	case GB_VIGIL_TIME: s->timed_out = true; break;
	case GB_VIGIL_RETRY: break;
	}
	return judge(s, vigil);
}

static int watch(struct service *s, struct gb_vigil *vigil)
{
	enum gb_vigil_event event;
	struct gb_err err = { "" };
	int code = look_again(s); /* what happened before it was watched */

	if (code < 0)
		tell(s, false);
	while (code < 0 && !s->how[0])
		code = gb_vigil_wait(vigil, &event, &err) ? gb_command_fail(s->context, err.text, NULL)
							  : on_event(s, vigil, event);
	return code;
}

static int wait_for_it(struct service *s)
{
	const struct gb_trial *trial = &s->keeper.trial;
	const unsigned long wait_ms = trial->manual ? 0 : trial->seconds * 1000ul + 1;
	struct gb_vigil *vigil;
	struct gb_err err = { "" };
	int code;

	if (gb_vigil_open(s->host.root, wait_ms, GB_VIGIL_SETTLE_MS, &vigil, &err))
		return gb_command_fail(s->context, err.text, NULL);
	code = watch(s, vigil);
	gb_vigil_close(vigil);
	return code;
}

/* ---- all ---------------------------------------------------------------------------------- */

/* A file that says nothing: no boot loader was told anything by it, and nothing can be undone. */
static int say_unreadable(struct service *s, const char *why)
{
	struct gb_text text = { 0 };

	gb_text_addf(&text, "ghost-boot can't tell whether a boot is being tried: %s.\n"
		     "\"ghost-boot disable\" takes back what is claimed, and that file.\n", why);
	gb_keeper_publish(s->host.root, &text, NULL);
	gb_text_clear(&text);
	gb_command_fail(s->context, why, NULL);
	return GB_EXIT_DONE;
}

static int serve(struct service *s)
{
	struct gb_err err = { "" };
	int code = -1, r = gb_keeper_read(s->host.root, &s->keeper, &err);

	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return say_unreadable(s, err.text);
	if (r || gb_keeper_settle(&s->host, &s->keeper, &err))
		return gb_command_fail(s->context, err.text, NULL);
	if (s->keeper.arrival == GB_ARRIVAL_GOES_ON)
		code = note(s, ""); /* what was found before we were started again */
	else if (s->keeper.arrival == GB_ARRIVAL_ENTER)
		s->keeper.arrival = GB_ARRIVAL_GOES_ON;
	if (code >= 0)
		return code;
	if (s->keeper.arrival == GB_ARRIVAL_GOES_ON) {
		gb_keeper_look_ahead(&s->host, &s->keeper);
		return wait_for_it(s);
	}
	tell(s, false);
	return GB_EXIT_DONE;
}

int gb_confirm_serve(struct gb_context *context, char *how, size_t size)
{
	const struct gb_change_options options = { .yes = true };
	struct service s = { .context = context, .pause_ms = PAUSE_MS, .how = how, .size = size };
	struct gb_err err = { "" };
	int code;

	how[0] = '\0';
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	code = gb_change_recover(context, context->root, &options);
	if (code < 0 && gb_host_open(context->root, &s.host, &err))
		code = gb_command_fail(context, err.text, NULL);
	if (code < 0)
		code = serve(&s);
	gb_keeper_clear(&s.keeper);
	if (s.host.root)
		gb_host_close(&s.host);
	gb_root_close(context->root);
	context->root = NULL;
	return code;
}
