/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "counter.h"
#include "live-system.h"
#include "trying.h"
#include "work.h"

/* systemd-stub(7): with Secure Boot, what is passed to an image that has its own line is ignored. */
bool gb_trying_can_edit(const struct gb_trying *t)
{
	return !t->work->setup.images.unified.program[0] ||
	       t->work->context->survey.site.secure_boot == GB_NO;
}

static void add_time(unsigned seconds, struct gb_text *ret)
{
	if (seconds % 60)
		gb_text_addf(ret, "%u seconds", seconds);
	else
		gb_text_addf(ret, "%u minute%s", seconds / 60, seconds == 60 ? "" : "s");
}

static void add_trial(const struct gb_trying *t, struct gb_text *ret)
{
	gb_text_addf(ret, "The next boot tries it, once: restart when it suits you. Should the power fail\n"
			  "before that, the boot after it is the trial.\n"
			  "A black screen, or a machine that hangs: hold the power button until it is off.\n"
			  "The boot after that is the old one, with %s.\n",
		     t->work->setup.standing ? "the claims of before" : "nothing claimed");
	if (t->trial.watchdog)
		gb_text_addf(ret, "One that hangs once systemd runs is restarted after a minute by itself.\n");
	if (t->trial.manual)
		gb_text_addf(ret, "It is kept by `ghost-boot confirm` alone. Any restart before that goes "
				  "back.\n");
	else {
		gb_text_addf(ret, "It is kept once all is as before and somebody has logged in, or after\n");
		add_time(t->trial.seconds, ret);
		gb_text_addf(ret, "; at once by `ghost-boot confirm`. Any restart before that goes\nback.\n");
	}
	gb_text_addf(ret, "`ghost-boot disable` takes all of it back, now or later.");
}

static void add_counted(const struct gb_trying *t, struct gb_text *ret)
{
	gb_text_addf(ret, "It holds from the next boot on. Until it is confirmed, %d boots have the claims,\n"
			  "and later ones nothing: after a black screen, press the power button until it\n"
			  "is off, and start again.\n", GB_COUNTER_BOOTS);
	if (t->trial.manual)
		gb_text_addf(ret, "`ghost-boot confirm` alone confirms it.\n");
	else {
		gb_text_addf(ret, "It is confirmed once all is as before and somebody has logged in, or after\n");
		add_time(t->trial.seconds, ret);
		gb_text_addf(ret, "; at once by `ghost-boot confirm`.\n");
	}
	gb_text_addf(ret, "`ghost-boot disable` takes all of it back, now or later.");
}

static void add_permanent(const struct gb_trying *t, struct gb_text *ret)
{
	const struct gb_setup *setup = &t->work->setup;

	gb_text_addf(ret, "Done. It holds from the next boot on, at once and for good: a look at\n"
			  "`ghost-boot status` after it tells. ");
	if (!gb_trying_can_edit(t))
		gb_text_addf(ret, "With Secure Boot, the command line of a unified\nimage can't be edited in "
				  "the boot menu: the way back is ghost-boot disable.");
	else if (setup->no_recovery[0])
		gb_text_addf(ret, "To boot once without it, press e in the\nboot menu and add ghost.claim=off; "
				  "for good, ghost-boot disable.");
	else
		gb_text_addf(ret, "To boot once without it, take the entry\n\"without GPU claims\" in the boot "
				  "menu; for good, ghost-boot disable.");
}

void gb_trying_words(const struct gb_trying *t, struct gb_text *ret)
{
	if (t->way == GB_WAY_TRIAL)
		add_trial(t, ret);
	else if (t->way == GB_WAY_COUNTED)
		add_counted(t, ret);
	else
		add_permanent(t, ret);
	gb_live_system_commands(t->work, ret);
}
