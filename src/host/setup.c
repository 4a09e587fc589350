/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claimsfile.h"
#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "need-words.h"
#include "retire.h"
#include "root.h"
#include "survey.h"
#include "target.h"

#define CLAIMS_FOLDER "/etc/ghost-boot"
#define GB_PROGRAM "/usr/sbin/ghost-claim" /* as the images have it, whatever SBINDIR is */

/* ---- what there is ---------------------------------------------------------------------- */

static int read_claims(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_root_read_all(setup->host->root, GB_CLAIMS_FILE, GB_CLAIMS_SIZE_MAX,
				 &setup->claims, &setup->claims_len);

	if (r == -ENOENT)
		return 0;
	if (r)
		return gb_fail(err, -r, GB_CLAIMS_FILE ": %s", strerror(-r));
	gb_text_add(&setup->wanted, setup->claims, setup->claims_len);
	setup->wants_claims = true;
	return setup->wanted.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

int gb_setup_open(struct gb_host *host, const struct gb_survey *survey, struct gb_setup *ret,
		  struct gb_err *err)
{
	int r;

	*ret = (struct gb_setup){ .host = host, .survey = survey };
	r = read_claims(ret, err);
	if (!r)
		r = gb_footprint_read(host->root, &ret->footprint, err);
	ret->standing = ret->footprint.traces;
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
	gb_cmdplan_report_clear(&setup->report);
	gb_images_clear(&setup->images);
	gb_disks_clear(&setup->disks);
	gb_footprint_clear(&setup->footprint);
	free(setup->claims);
	memset(setup, 0, sizeof(*setup));
}

/* ---- the claims file -------------------------------------------------------------------- */

static int change_claims(struct gb_setup *setup, const struct gb_wish *wish, size_t wishes,
			 struct gb_err *err)
{
	struct gb_claims_text now = { 0 };
	int r = gb_claimsfile_change(setup->wants_claims ? setup->wanted.data : NULL,
				     setup->wanted.len, wish, wishes, &setup->footprint, &now, err);

	if (r) {
		gb_claims_text_clear(&now);
		return r;
	}
	if (!setup->wants_claims) {
		if (!gb_root_exists(setup->host->root, CLAIMS_FOLDER))
			gb_footprint_add(&setup->footprint, GB_TRACE_MADE, CLAIMS_FOLDER, NULL, NULL);
		gb_footprint_add(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL, NULL);
	}
	setup->wants_claims = true;
	gb_text_clear(&setup->wanted);
	setup->wanted = now.text;
	now.text = (struct gb_text){ 0 };
	gb_claims_text_clear(&now);
	return 0;
}

static int wish_for(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, struct gb_err *err)
{
	struct gb_wish *wish = calloc(target->items + 1, sizeof(*wish));
	int r;

	if (!wish)
		return gb_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < target->items; i++)
		wish[i] = (struct gb_wish){
			.mode = target->item[i].line.keep ? GB_WISH_KEEP : GB_WISH_CLAIM,
			.line = target->item[i].line,
			.title = title ? title[i] : NULL,
		};
	r = change_claims(setup, wish, target->items, err);
	free(wish);
	return r;
}

/* A display that is given back stays with the host from now on. */
static int wish_back(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err)
{
	struct gb_wish *wish = calloc(2 * target->claims + 1, sizeof(*wish));
	size_t wishes = 0;
	int r;

	if (!wish)
		return gb_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < target->claims; i++)
		wish[wishes++] = (struct gb_wish){ .mode = GB_WISH_FREE,
						   .line = target->item[i].line };
	for (size_t i = 0; i < target->claims; i++) {
		if (!gb_device_is_display(setup->survey->topology.node[target->item[i].node].device))
			continue;
		wish[wishes] = (struct gb_wish){ .mode = GB_WISH_KEEP,
						 .line = target->item[i].line };
		wish[wishes++].line.keep = true;
	}
	r = change_claims(setup, wish, wishes, err);
	free(wish);
	return r;
}

/* What we wrote is taken out; a file that was ours and has nothing else in it goes. */
static int restore_claims(struct gb_setup *setup, struct gb_err *err)
{
	const bool made = gb_footprint_next(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL);
	struct gb_claims_text now = { 0 };
	size_t left = 0;
	int r;

	if (!setup->wants_claims)
		return 0;
	r = gb_claimsfile_restore(setup->wanted.data, setup->wanted.len, &setup->footprint, &now,
				  &left, err);
	if (!r) {
		gb_text_clear(&setup->wanted);
		setup->wanted = now.text;
		now.text = (struct gb_text){ 0 };
		setup->wants_claims = !(made && now.bare);
	}
	gb_claims_text_clear(&now);
	return r;
}

static int plan_claims(struct gb_setup *setup, const char *why, struct gb_err *err)
{
	int r;

	if (setup->wants_claims)
		r = gb_plan_write(&setup->plan, &setup->host->store, GB_CLAIMS_FILE,
				  setup->wanted.data, setup->wanted.len, 0644, why, err);
	else if (setup->claims)
		r = gb_plan_remove(&setup->plan, &setup->host->store, GB_CLAIMS_FILE, why, err);
	else
		r = 0;
	if (r >= 0 && !setup->wants_claims &&
	    gb_footprint_next(&setup->footprint, GB_TRACE_MADE, CLAIMS_FOLDER, NULL))
		r = gb_plan_remove(&setup->plan, &setup->host->store, CLAIMS_FOLDER,
				   "it was made for that file", err);
	return r < 0 ? r : 0;
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
	return (struct gb_image_wish){
		.claims = setup->wants_claims ? setup->wanted.data : NULL,
		.claims_len = setup->wants_claims ? setup->wanted.len : 0,
		.program = GB_PROGRAM,
	};
}

static int plan_images(struct gb_setup *setup, struct gb_err *err)
{
	const struct gb_image_wish wish = image_wish(setup);
	int r;

	if (!setup->images.usable)
		return gb_fail(err, EOPNOTSUPP, "%s", setup->images.why);
	r = gb_images_plan(setup->host, &setup->images, &wish, &setup->plan, err);
	return r < 0 ? r : 0;
}

bool gb_setup_arms_always(const struct gb_setup *setup)
{
	struct gb_claims claims;
	bool always = !gb_claims_parse(setup->wanted.data ? setup->wanted.data : "", setup->wanted.len, &claims, NULL) &&
		      claims.arm_always;

	gb_claims_clear(&claims);
	return always;
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
	int r = gb_footprint_plan(&setup->footprint, &setup->host->store, &setup->plan, err);

	return r < 0 ? r : 0;
}

/* ---- the changes ------------------------------------------------------------------------ */

int gb_setup_enable(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, const struct gb_retire *retire, struct gb_err *err)
{
	int r = wish_for(setup, target, title, err);

	if (!r)
		r = plan_claims(setup, "what is claimed at boot, and what is kept for the host", err);
	if (!r && retire)
		r = plan_retired(setup, retire, err);
	if (!r)
		r = plan_images(setup, err);
	if (!r)
		r = plan_words(setup, target, retire, err);
	return r ? r : plan_footprint(setup, err);
}

static int disable_all(struct gb_setup *setup, struct gb_err *err)
{
	int r = gb_cmdplan_undo(setup->host, &setup->footprint, &setup->plan, &setup->report, err);

	if (r >= 0)
		r = restore_claims(setup, err);
	if (!r)
		r = plan_claims(setup, "nothing is claimed any more", err);
	if (!r)
		r = plan_unretired(setup, err);
	if (!r)
		r = plan_images(setup, err);
	if (!r)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, GB_CLAIMS_FILE);
	if (!r && !setup->wants_claims)
		gb_footprint_drop(&setup->footprint, GB_TRACE_MADE, CLAIMS_FOLDER);
	return r ? r : plan_footprint(setup, err);
}

/* Does the wanted text still claim anything? */
static int claims_left(const struct gb_setup *setup, bool *ret, struct gb_err *err)
{
	struct gb_claims claims;
	int r = gb_claims_parse(setup->wanted.data, setup->wanted.len, &claims, err);

	*ret = false;
	for (size_t i = 0; !r && i < claims.lines; i++)
		*ret = *ret || !claims.line[i].keep;
	gb_claims_clear(&claims);
	return r;
}

int gb_setup_disable(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err)
{
	bool left;
	int r;

	if (!target || !setup->wants_claims)
		return disable_all(setup, err);
	r = wish_back(setup, target, err);
	if (!r)
		r = claims_left(setup, &left, err);
	if (r)
		return r;
	if (!left)
		return disable_all(setup, err);
	r = plan_claims(setup, "this device is the host's again", err);
	if (!r)
		r = plan_images(setup, err);
	return r ? r : plan_footprint(setup, err);
}

int gb_setup_update(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err)
{
	int r = wish_for(setup, kept, NULL, err);

	if (!r)
		r = plan_claims(setup, "what the host lives on now", err);
	if (!r)
		r = plan_images(setup, err);
	if (!r && setup->standing)
		r = plan_words(setup, kept, NULL, err);
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
