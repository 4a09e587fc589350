/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trialboot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "cmdlinefile.h"
#include "counter.h"
#include "err.h"
#include "root.h"
#include "text.h"

/* ---- reading ------------------------------------------------------------------------------ */

static int read_words(struct gb_root *root, struct gb_cmdline *ret, struct gb_err *err)
{
	char *text;
	int r = gb_cmdline_running(root, &text, err);

	if (r)
		return r;
	gb_cmdline_read(text, ret);
	free(text);
	return 0;
}

int gb_trial_boot_id(struct gb_root *root, char ret[GB_BOOT_ID], struct gb_err *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	char text[64];
	ssize_t n = gb_root_read(root, path, text, sizeof(text));

	if (n < 0)
		return gb_fail(err, (int)-n, "%s: %s", path, strerror((int)-n));
	text[strcspn(text, "\n")] = '\0';
	if (!text[0] || !gb_text_copy(ret, GB_BOOT_ID, text))
		return gb_fail(err, EINVAL, "%s says nothing known", path);
	return 0;
}

/* ghost-claim wrote down whether the counter let it claim. */
static int read_stopped(struct gb_root *root, struct gb_trial_boot *ret, struct gb_err *err)
{
	struct gb_account account = { .file = NULL };
	int r = gb_account_read(root, &account);

	if (!r)
		ret->stopped = account.counter[0] && strcmp(account.counter, gb_count_name(GB_COUNTED));
	if (!r && ret->stopped && strcmp(account.counter, gb_count_name(GB_COUNT_OVER)) != 0)
		gb_text_copy(ret->uncounted, sizeof(ret->uncounted), account.counter_text);
	gb_account_clear(&account);
	return r ? gb_fail(err, -r, "out of memory") : 0;
}

/* What is no such file says nothing. */
static void read_kept(struct gb_root *root, struct gb_trial_boot *ret)
{
	char text[sizeof(ret->confirmed) + sizeof(ret->how)], *how;
	const size_t id = sizeof(ret->confirmed) - 1;

	if (gb_root_read(root, GB_TRIAL_KEPT, text, sizeof(text)) <= 0)
		return;
	how = strchr(text, '\n');
	if (!how || how != text + id)
		return;
	*how++ = '\0';
	how[strcspn(how, "\n")] = '\0';
	strcpy(ret->confirmed, text);
	gb_text_copy(ret->how, sizeof(ret->how), how);
}

int gb_trial_boot_read(struct gb_root *root, struct gb_trial_boot *ret, struct gb_err *err)
{
	struct gb_cmdline words;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = read_words(root, &words, err);
	if (!r)
		r = gb_trial_boot_id(root, ret->boot, err);
	if (!r && words.counted)
		r = read_stopped(root, ret, err);
	if (!r)
		strcpy(ret->trial, words.trial);
	if (!r && words.trial[0])
		read_kept(root, ret);
	return r;
}

/* ---- deciding ----------------------------------------------------------------------------- */

static bool is_its_boot(const struct gb_trial *trial, const struct gb_trial_boot *boot)
{
	char id[GB_TRIAL_ID];

	gb_trial_id(trial->id, id);
	return !strcmp(boot->trial, id) && !boot->stopped;
}

/* In the boot that armed or entered it nothing new has happened. */
static enum gb_arrival again(const struct gb_trial *trial, const struct gb_trial_boot *boot)
{
	if (trial->state == GB_TRIAL_FAILED)
		return GB_ARRIVAL_FAILED;
	return trial->state == GB_TRIAL_BOOTED && is_its_boot(trial, boot) ? GB_ARRIVAL_GOES_ON
									    : GB_ARRIVAL_NOTHING;
}

static enum gb_arrival without_one(const struct gb_trial_boot *boot)
{
	if (!boot->trial[0])
		return GB_ARRIVAL_NOTHING;
	return strcmp(boot->confirmed, boot->trial) ? GB_ARRIVAL_STRAY : GB_ARRIVAL_KEPT;
}

enum gb_arrival gb_trial_arrive(const struct gb_trial *trial, const struct gb_trial_boot *boot)
{
	if (trial->state == GB_TRIAL_NONE)
		return without_one(boot);
	if (trial->state == GB_TRIAL_CONFIRMED)
		return GB_ARRIVAL_TIDY;
	if (!strcmp(trial->boot, boot->boot))
		return again(trial, boot);
	if (is_its_boot(trial, boot))
		return GB_ARRIVAL_ENTER;
	if (trial->state == GB_TRIAL_PREPARED)
		return GB_ARRIVAL_NOTHING;
	return trial->state == GB_TRIAL_FAILED ? GB_ARRIVAL_FAILED : GB_ARRIVAL_LEAVE;
}

/* ---- saying ------------------------------------------------------------------------------- */

static const char *kernel_of(const struct gb_trial *trial)
{
	return trial->kernel ? trial->kernel : "of its";
}

static void guess_silent(const struct gb_trial *trial, const struct gb_trial_clues *clues,
			 struct gb_text *ret)
{
	if (clues->kernel_gone)
		gb_text_addf(ret, "its kernel %s was removed before it was booted", kernel_of(trial));
	else if (clues->gone)
		gb_text_addf(ret, "its image %s was removed before it was booted", clues->gone);
	else if (clues->armed)
		gb_text_addf(ret, "the boot loader did not take its entry");
	else
		gb_text_addf(ret, "its boot never came as far as the host's services: it hung, "
			     "crashed, ended in a rescue shell, was reset before, or another entry was taken");
}

void gb_trial_guess(const struct gb_trial *trial, const struct gb_trial_boot *boot,
		    const struct gb_trial_clues *clues, struct gb_text *ret)
{
	if (boot->uncounted[0])
		gb_text_addf(ret, "%s, and a boot that can't be counted claims nothing", boot->uncounted);
	else if (boot->stopped)
		gb_text_addf(ret, "it was not confirmed in %d boots, and claims nothing any more",
			     GB_COUNTER_BOOTS);
	else if (trial->state != GB_TRIAL_BOOTED)
		guess_silent(trial, clues, ret);
	else if (trial->reason && trial->reason[0])
		gb_text_addf(ret, "%s", trial->reason);
	else
		gb_text_addf(ret, "it came up, and was reset or lost its power before it was "
			     "confirmed");
	if (clues->crash)
		gb_text_addf(ret, " (a kernel's last words are in %s)", clues->crash);
}

static void notice_trial(const struct gb_trial *trial, struct gb_text *ret)
{
	const bool judged = trial->reason && trial->reason[0];

	gb_text_addf(ret, "This boot tries ghost-boot's claims");
	if (judged)
		gb_text_addf(ret, ", and is not kept:\n  ");
	if (judged)
		gb_text_add_harmless(ret, trial->reason);
	if (judged)
		gb_text_addf(ret, ".\nA restart goes back to how it was; \"ghost-boot confirm\" looks "
			     "again.\n");
	else if (trial->manual)
		gb_text_addf(ret, ".\n\"ghost-boot confirm\" keeps them; a restart without that goes "
			     "back.\n");
	else
		gb_text_addf(ret, ".\nOnce you are logged in, they are kept if all works that worked "
			     "before; else a\nrestart goes back. \"ghost-boot status\" says how it "
			     "stands.\n");
}

static void notice_failed(const struct gb_trial *trial, struct gb_text *ret)
{
	gb_text_addf(ret, "ghost-boot's claims were tried, and are not kept:\n  ");
	gb_text_add_harmless(ret, trial->reason && trial->reason[0] ? trial->reason
								     : "nothing is known of why");
	gb_text_addf(ret, ".\n%s \"ghost-boot enable\" tries again, \"ghost-boot status\"\nsays more, "
		     "\"ghost-boot disable\" %s.\n",
		     trial->counted ? "This boot claims nothing." : "This machine boots as it did before.",
		     trial->counted ? "takes it back" : "forgets it");
}

static void notice_kept(const char *how, struct gb_text *ret)
{
	gb_text_addf(ret, "ghost-boot's claims were tried, and are kept: ");
	gb_text_add_harmless(ret, how && how[0] ? how : "confirmed");
	gb_text_addf(ret, ".\n");
}

void gb_trial_notice(const struct gb_trial *trial, const struct gb_trial_boot *boot,
		     enum gb_arrival arrival, struct gb_text *ret)
{
	switch (arrival) {
	case GB_ARRIVAL_STRAY:
		gb_text_addf(ret, "The command line says ghost.trial=%s, but nothing is known of that "
			     "trial:\n%s is not there. Nothing was changed, and the next\nboot is the "
			     "usual one.\n", boot->trial, GB_TRIAL);
		break;
	case GB_ARRIVAL_ENTER:
	case GB_ARRIVAL_GOES_ON:
		notice_trial(trial, ret);
		break;
	case GB_ARRIVAL_LEAVE:
	case GB_ARRIVAL_FAILED:
		notice_failed(trial, ret);
		break;
	case GB_ARRIVAL_TIDY:
		notice_kept(trial->reason, ret);
		break;
	case GB_ARRIVAL_KEPT:
		notice_kept(boot->how, ret);
		break;
	case GB_ARRIVAL_NOTHING:
		break;
	}
}
