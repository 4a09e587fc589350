/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "bootdefault.h"
#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "leftover.h"
#include "need-words.h"
#include "retire.h"
#include "setup-claims.h"
#include "setup-parts.h"
#include "survey.h"

/* ---- what there is ---------------------------------------------------------------------- */

/* A trial alone has changed nothing of the usual boot: no word on the command line. */
static bool stands(const struct gb_setup *setup)
{
	static const enum gb_trace_kind words[] = { GB_TRACE_ADDED, GB_TRACE_REPLACED, GB_TRACE_SEEN };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (gb_footprint_next(&setup->footprint, words[i], NULL, NULL))
			return true;
	return setup->footprint.traces && gb_setup_arms_always(setup);
}

/* In a trial the entry that booted is ours: what others are made from is the usual one. */
static int find_usual(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_loader *loader = setup->host->loader;
	struct gb_bootdefault usual;
	int r;

	if (!loader->entry[0] || !gb_bls_is_ours(loader->entry))
		return 0;
	r = gb_bootdefault_find(setup->host, NULL, &usual, NULL);
	gb_text_copy(loader->entry, sizeof(loader->entry), r || usual.ours ? "" : usual.file);
	return r == -ENOMEM ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

/* What can't be read says nothing of what is tried; whoever changes something says so. */
static int read_trial(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_err why = { "" };
	int r = gb_trial_read(setup->host->root, &setup->trial, &why);

	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (r)
		gb_text_copy(setup->odd_trial, sizeof(setup->odd_trial), why.text);
	return find_usual(setup, err);
}

bool gb_setup_tries(const struct gb_setup *setup)
{
	return setup->trial.state == GB_TRIAL_PREPARED || setup->trial.state == GB_TRIAL_ARMED ||
	       setup->trial.state == GB_TRIAL_BOOTED;
}

int gb_setup_open(struct gb_host *host, const struct gb_survey *survey, struct gb_setup *ret,
		  struct gb_err *err)
{
	int r;

	*ret = (struct gb_setup){ .host = host, .survey = survey };
	r = gb_setup_read_claims(ret, err);
	if (!r)
		r = gb_footprint_read(host->root, &ret->footprint, err);
	if (!r)
		r = read_trial(ret, err);
	ret->standing = stands(ret);
	if (!r)
		r = gb_disks_read(host->root, host->has_blkid ? &host->blkid : NULL, &ret->disks, err);
	if (!r)
		r = gb_images_find(host, &survey->site, &ret->images, err);
	return r;
}

void gb_setup_close(struct gb_setup *setup)
{
	gb_plan_clear(&setup->plan);
	gb_text_clear(&setup->wanted);
	gb_text_clear(&setup->line);
	gb_text_clear(&setup->left);
	gb_cmdplan_report_clear(&setup->report);
	gb_images_clear(&setup->images);
	gb_disks_clear(&setup->disks);
	gb_footprint_clear(&setup->footprint);
	gb_trial_clear(&setup->trial);
	free(setup->claims);
	memset(setup, 0, sizeof(*setup));
}

/* ---- earlier recipes -------------------------------------------------------------------- */

static int write_retired(struct gb_setup *setup, const struct gb_retire *retire, const char *why,
			 struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < retire->files && r >= 0; i++)
		r = gb_plan_write(&setup->plan, &setup->host->store, retire->file[i].path,
				  retire->file[i].text.data ? retire->file[i].text.data : "",
				  retire->file[i].text.len, 0644, why, err);
	return r < 0 ? r : 0;
}

int gb_setup_plan_retired(struct gb_setup *setup, const struct gb_retire *retire,
			  struct gb_err *err)
{
	gb_retire_note(retire, &setup->footprint);
	return write_retired(setup, retire, "an earlier recipe, which the claims make unnecessary",
			     err);
}

static int plan_unretired(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_retire retire = { 0 };
	int r = gb_retire_undo(setup->host->root, &setup->footprint, &retire, &setup->left, err);

	if (!r)
		r = write_retired(setup, &retire, "the earlier recipe is in use again", err);
	gb_retire_clear(&retire);
	return r;
}

/* ---- images, command line ---------------------------------------------------------------- */

/* As the plan wants them; its bytes are the setup's. */
static struct gb_image_wish image_wish(const struct gb_setup *setup)
{
	const char *text = setup->wanted.data ? setup->wanted.data : "";
	struct gb_image_wish wish = gb_images_wish(setup->wants_claims ? text : NULL,
						   setup->wanted.len);

	wish.line = setup->line.data;
	return wish;
}

static bool is_unified(const struct gb_setup *setup)
{
	return setup->images.unified.program[0];
}

/* Once it is planned what the command line becomes. */
static int find_line(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_text line = { 0 };
	int r = is_unified(setup) ? gb_cmdplan_line(setup->host, &setup->report, &line, err) : 0;

	gb_text_clear(&setup->line);
	if (!r && is_unified(setup))
		gb_images_line(&setup->images, line.data, &setup->line);
	gb_text_clear(&line);
	return r ? r : setup->line.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

static int plan_images(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_image_wish wish;
	int r;

	if (!setup->images.usable)
		return gb_fail(err, EOPNOTSUPP, "%s", setup->images.why);
	r = find_line(setup, err);
	if (r)
		return r;
	wish = image_wish(setup);
	r = gb_images_plan(setup->host, &setup->images, &wish, &setup->plan, err);
	return r < 0 ? r : 0;
}

static int plan_words(struct gb_setup *setup, const struct gb_setup_words *words,
		      struct gb_err *err)
{
	const size_t gone = words->retire ? words->retire->wants : 0;
	struct gb_need_words need = { 0 };
	struct gb_want *want = NULL;
	size_t wants = 0;
	int r = gb_need_words_read(words->target, gb_setup_arms_always(setup), &words->line,
				   words->line != NULL, &need, err);

	if (!r) {
		want = calloc(need.wants + gone + 2, sizeof(*want));
		r = want ? 0 : gb_fail(err, ENOMEM, "out of memory");
	}
	if (!r) {
		for (size_t i = 0; i < need.wants; i++)
			want[wants++] = need.want[i];
		for (size_t i = 0; i < gone; i++)
			want[wants++] = words->retire->want[i];
		if (words->extra)
			want[wants++] = *words->extra;
		r = gb_cmdplan(setup->host, want, wants, &setup->footprint, &setup->plan, &setup->report,
			       err);
	}
	free(want);
	gb_need_words_clear(&need);
	return r < 0 ? r : 0;
}

int gb_setup_plan_footprint(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_leftover_note(&setup->footprint, &setup->host->store, &setup->plan, err);

	if (r >= 0)
		r = gb_footprint_plan(&setup->footprint, &setup->host->store, &setup->plan, err);
	return r < 0 ? r : 0;
}

/* Unified images have the words in them, and no other file does anything before they are made. */
int gb_setup_plan_both(struct gb_setup *setup, const struct gb_setup_words *words,
		       struct gb_err *err)
{
	const bool first = is_unified(setup);
	int r = first ? plan_words(setup, words, err) : plan_images(setup, err);

	if (!r)
		r = first ? plan_images(setup, err) : plan_words(setup, words, err);
	return r;
}

/* ---- the changes ------------------------------------------------------------------------ */

static int plan_counted(struct gb_setup *setup, struct gb_trial *trial, struct gb_err *err)
{
	trial->state = GB_TRIAL_ARMED;
	gb_sha256_of(setup->wanted.data, setup->wanted.len, trial->claims);
	if (!gb_trial_set(&trial->kernel, setup->survey->site.release) ||
	    !gb_trial_set(&trial->loader, gb_backend_name(setup->host->loader->backend)))
		return gb_fail(err, ENOMEM, "out of memory");
	return gb_setup_plan_state(setup, trial, err);
}

int gb_setup_enable(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, const struct gb_retire *retire,
		    struct gb_trial *counted, struct gb_err *err)
{
	struct gb_want extra = { .mode = GB_WANT_NO_NAME, .word = GB_TRIAL_WORD,
				 .reason = setup->trial.state ? "there is no trial any more" : NULL };
	const struct gb_setup_words words = { target, retire, &extra, NULL };
	char word[32];
	int r = setup->trial.state == GB_TRIAL_FAILED ? gb_setup_rewind(setup, err) : 0;

	if (!r)
		r = gb_setup_wish_for(setup, target, title, err);
	if (counted) {
		counted->counted = true;
		gb_setup_trial_word(counted, word, sizeof(word));
		extra = (struct gb_want){ GB_WANT_ONLY, word, "its boots are counted until it is confirmed" };
	}

	if (!r)
		r = gb_setup_plan_claims(setup, "what is claimed at boot, and what is kept for the host", err);
	if (!r)
		r = gb_setup_end_standing(setup, err);
	if (!r && retire)
		r = gb_setup_plan_retired(setup, retire, err);
	if (!r)
		r = gb_setup_plan_recovery(setup, err);
	if (!r)
		r = gb_setup_plan_both(setup, &words, err);
	if (!r)
		r = gb_setup_end_trial(setup, !counted, err);
	if (!r)
		r = gb_setup_plan_footprint(setup, err);
	return r || !counted ? r : plan_counted(setup, counted, err);
}

static int disable_all(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_cmdplan_undo(setup->host, &setup->footprint, &setup->plan, &setup->report, err);

	if (r >= 0)
		r = gb_setup_drop_entries(setup, err);
	if (!r)
		r = gb_setup_restore_claims(setup, err);
	if (!r)
		r = gb_setup_plan_claims(setup, gb_setup_still_claims(setup) ?
					 "without what ghost-boot wrote" : "nothing is claimed any more", err);
	if (!r)
		r = gb_setup_end_standing(setup, err);
	if (!r)
		r = plan_unretired(setup, err);
	if (!r)
		r = plan_images(setup, err);
	if (!r)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE);
	if (!r && !setup->wants_claims)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FOLDER);
	if (!r)
		r = gb_setup_end_trial(setup, true, err);
	return r ? r : gb_setup_plan_footprint(setup, err);
}

int gb_setup_disable(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err)
{
	bool left;
	int r;

	if (!target || !setup->wants_claims)
		return disable_all(setup, err);
	r = gb_setup_wish_back(setup, target, err);
	if (!r)
		r = gb_setup_claims_left(setup, &left, err);
	if (r)
		return r;
	if (!left)
		return disable_all(setup, err);
	r = gb_setup_plan_claims(setup, "this device is the host's again", err);
	if (!r)
		r = plan_images(setup, err);
	return r ? r : gb_setup_plan_footprint(setup, err);
}

int gb_setup_update_entry(struct gb_setup *setup, struct gb_err *err)
{
	int r = 0;

	setup->keeps_trial = true;
	if (setup->standing || gb_setup_tries(setup))
		r = gb_setup_plan_recovery(setup, err);
	return r ? r : gb_setup_plan_footprint(setup, err);
}

int gb_setup_update(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err)
{
	const struct gb_setup_words words = { .target = kept };
	int r = 0;

	if (gb_setup_tries(setup))
		return gb_setup_update_entry(setup, err);
	if (setup->standing && setup->trial.state == GB_TRIAL_FAILED)
		r = gb_setup_rewind(setup, err);
	if (!r)
		r = gb_setup_wish_for(setup, kept, NULL, err);
	if (!r)
		r = gb_setup_plan_claims(setup, "what the host lives on now", err);
	if (!r && setup->standing && setup->trial.state == GB_TRIAL_FAILED)
		r = gb_setup_end_standing(setup, err);
	if (!r && setup->standing)
		r = gb_setup_plan_recovery(setup, err);
	if (!r)
		r = setup->standing ? gb_setup_plan_both(setup, &words, err) : plan_images(setup, err);
	if (!r && setup->standing && setup->trial.state == GB_TRIAL_FAILED)
		r = gb_setup_end_trial(setup, !setup->trial.counted, err); /* its word is still there */
	return r ? r : gb_setup_plan_footprint(setup, err);
}

/* ---- carrying out ----------------------------------------------------------------------- */

static int prove_trial(struct gb_setup *setup, const struct gb_image_wish *wish,
		       const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	char hash[GB_SHA256_TEXT];

	if (plan->step[step].kind != GB_STEP_BUILD ||
	    strcmp(plan->step[step].touch->path, setup->trial_staged) != 0)
		return 0;
	return gb_images_prove_file(setup->host, setup->trial_kernel->release, setup->trial_staged, wish,
				    setup->trial_kernel->place[0].size, hash, err);
}

int gb_setup_prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct gb_setup *setup = ctx;
	const struct gb_image_wish wish = image_wish(setup);
	int r = setup->trial_staged[0] ? prove_trial(setup, &wish, plan, step, err) :
					 gb_images_prove(setup->host, &setup->images, &wish, plan, step, err);

	return r ? r : gb_cmdplan_prove(setup->host, &setup->report, plan, step, err);
}

int gb_setup_done(struct gb_setup *setup, struct gb_err *err)
{
	const struct gb_image_wish wish = image_wish(setup);

	if (!setup->trial_staged[0]) /* which looked at none of the images that stay */
		gb_images_remember(setup->host, &setup->images, &wish, NULL);
	return gb_images_check(setup->host, &setup->survey->site, &setup->images, err);
}
