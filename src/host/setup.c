/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "leftover.h"
#include "need-words.h"
#include "retire.h"
#include "setup-claims.h"
#include "survey.h"

/* ---- what there is ---------------------------------------------------------------------- */

int gb_setup_open(struct gb_host *host, const struct gb_survey *survey, struct gb_setup *ret,
		  struct gb_err *err)
{
	int r;

	*ret = (struct gb_setup){ .host = host, .survey = survey };
	r = gb_setup_read_claims(ret, err);
	if (!r)
		r = gb_footprint_read(host->root, &ret->footprint, err);
	ret->standing = ret->footprint.traces && !gb_leftover_alone(&ret->footprint);
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
	gb_cmdplan_report_clear(&setup->report);
	gb_images_clear(&setup->images);
	gb_disks_clear(&setup->disks);
	gb_footprint_clear(&setup->footprint);
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

static int plan_retired(struct gb_setup *setup, const struct gb_retire *retire, struct gb_err *err)
{
	gb_retire_note(retire, &setup->footprint);
	return write_retired(setup, retire, "an earlier recipe, which the claims make unnecessary",
			     err);
}

static int plan_unretired(struct gb_setup *setup, struct gb_err *err)
{
	struct gb_retire retire = { 0 };
	size_t left = 0;
	int r = gb_retire_undo(setup->host->root, &setup->footprint, &retire, &left, err);

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

/* `retire`: words of an earlier recipe that go at the same time, or NULL. */
static int plan_words(struct gb_setup *setup, const struct gb_target *target,
		      const struct gb_retire *retire, struct gb_err *err)
{
	const size_t gone = retire ? retire->wants : 0;
	struct gb_need_words need = { 0 };
	struct gb_want *want = NULL;
	int r = gb_need_words_read(target, gb_setup_arms_always(setup), NULL, 0, &need, err);

	if (!r) {
		want = calloc(need.wants + gone + 1, sizeof(*want));
		r = want ? 0 : gb_fail(err, ENOMEM, "out of memory");
	}
	if (!r) {
		memcpy(want, need.want, need.wants * sizeof(*want));
		if (gone)
			memcpy(want + need.wants, retire->want, gone * sizeof(*want));
		r = gb_cmdplan(setup->host, want, need.wants + gone, &setup->footprint, &setup->plan,
			       &setup->report, err);
	}
	free(want);
	gb_need_words_clear(&need);
	return r < 0 ? r : 0;
}

static int plan_footprint(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_leftover_note(&setup->footprint, &setup->host->store, &setup->plan, err);

	if (r >= 0)
		r = gb_footprint_plan(&setup->footprint, &setup->host->store, &setup->plan, err);
	return r < 0 ? r : 0;
}

/* Unified images have the words in them, and no other file does anything before they are made. */
static int plan_both(struct gb_setup *setup, const struct gb_target *target,
		     const struct gb_retire *retire, struct gb_err *err)
{
	const bool first = is_unified(setup);
	int r = first ? plan_words(setup, target, retire, err) : plan_images(setup, err);

	if (!r)
		r = first ? plan_images(setup, err) : plan_words(setup, target, retire, err);
	return r;
}

/* ---- the changes ------------------------------------------------------------------------ */

int gb_setup_enable(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, const struct gb_retire *retire, struct gb_err *err)
{
	int r = gb_setup_wish_for(setup, target, title, err);

	if (!r)
		r = gb_setup_plan_claims(setup, "what is claimed at boot, and what is kept for the host", err);
	if (!r && retire)
		r = plan_retired(setup, retire, err);
	if (!r)
		r = plan_both(setup, target, retire, err);
	return r ? r : plan_footprint(setup, err);
}

static int disable_all(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_cmdplan_undo(setup->host, &setup->footprint, &setup->plan, &setup->report, err);

	if (r >= 0)
		r = gb_setup_restore_claims(setup, err);
	if (!r)
		r = gb_setup_plan_claims(setup, "nothing is claimed any more", err);
	if (!r)
		r = plan_unretired(setup, err);
	if (!r)
		r = plan_images(setup, err);
	if (!r)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE);
	if (!r && !setup->wants_claims)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FOLDER);
	return r ? r : plan_footprint(setup, err);
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
	return r ? r : plan_footprint(setup, err);
}

int gb_setup_update(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err)
{
	int r = gb_setup_wish_for(setup, kept, NULL, err);

	if (!r)
		r = gb_setup_plan_claims(setup, "what the host lives on now", err);
	if (!r)
		r = setup->standing ? plan_both(setup, kept, NULL, err) : plan_images(setup, err);
	return r ? r : plan_footprint(setup, err);
}

/* ---- carrying out ----------------------------------------------------------------------- */

int gb_setup_prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct gb_setup *setup = ctx;
	const struct gb_image_wish wish = image_wish(setup);
	int r = gb_images_prove(setup->host, &setup->images, &wish, plan, step, err);

	return r ? r : gb_cmdplan_prove(setup->host, &setup->report, plan, step, err);
}

int gb_setup_done(struct gb_setup *setup, struct gb_err *err)
{
	const struct gb_image_wish wish = image_wish(setup);

	gb_images_remember(setup->host, &setup->images, &wish, NULL);
	return gb_images_check(setup->host, &setup->survey->site, &setup->images, err);
}
