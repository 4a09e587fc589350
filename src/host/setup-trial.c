/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootentries.h"
#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "loader.h"
#include "need-words.h"
#include "root.h"
#include "setup-claims.h"
#include "setup-parts.h"
#include "survey.h"
#include "target.h"
#include "text.h"

/* Plans around a trial. The usual boot stays as it is, byte for byte: its entry, its image, and
 * where claims stand already, the claims that an image gets which is built meanwhile. */

/* ---- what there is beside them ------------------------------------------------------------ */

static int keep_text(struct gb_setup *setup, const char *path, const char *from, struct gb_err *err)
{
	size_t len = 0;
	char *data = NULL;
	int r = gb_root_read_all(setup->host->root, from, GB_CLAIMS_SIZE_MAX, &data, &len);

	if (r && r != -ENOENT)
		return gb_fail(err, -r, "%s: %s", from, strerror(-r));
	if (!r)
		r = gb_plan_write(&setup->plan, &setup->host->store, path, data, len, 0600,
				  "as it stands, until the trial is confirmed", err);
	free(data);
	return r < 0 ? r == -ENOENT ? 0 : r : 0;
}

/* Once: a second trial in the place of the first comes from the same. */
static int plan_standing(struct gb_setup *setup, struct gb_err *err)
{
	int r = 0;

	if (!setup->standing || gb_root_exists(setup->host->root, GB_STANDING_CLAIMS))
		return 0;
	r = keep_text(setup, GB_STANDING_CLAIMS, GB_CLAIMS_FILE, err);
	return r ? r : keep_text(setup, GB_STANDING_FOOTPRINT, GB_FOOTPRINT, err);
}

static int remove_file(struct gb_setup *setup, const char *path, const char *why,
		       struct gb_err *err)
{
	int r = 0;

	if (gb_root_exists(setup->host->root, path))
		r = gb_plan_drop(&setup->plan, &setup->host->store, path, why, err);
	return r < 0 ? r : 0;
}

int gb_setup_end_standing(struct gb_setup *setup, struct gb_err *err)
{
	int r = remove_file(setup, GB_STANDING_CLAIMS, "nothing is tried any more", err);

	return r ? r : remove_file(setup, GB_STANDING_FOOTPRINT, "nothing is tried any more", err);
}

/* The state may be lost, so all is looked for where it would be. */
int gb_setup_end_trial(struct gb_setup *setup, bool state, struct gb_err *err)
{
	const size_t first = setup->plan.steps;
	char image[320] = "";
	int r = 0;

	if (gb_bootentries_image(setup->host, image, sizeof(image)))
		r = remove_file(setup, image, "the trial's image", err);
	/* by another name, too: there was another system on its ESP */
	for (size_t i = 0; i < setup->trial.images && !r; i++)
		if (strcmp(setup->trial.image[i], image) != 0)
			r = remove_file(setup, setup->trial.image[i], "the trial's image", err);
	gb_plan_mark(&setup->plan, first, GB_BOOT_IMAGE);
	if (!r && state)
		r = remove_file(setup, GB_TRIAL, "nothing is tried any more", err);
	return r;
}

/* ---- back to before ------------------------------------------------------------------------- */

static int read_standing(struct gb_setup *setup, struct gb_err *err)
{
	size_t len;
	char *data;
	int r = gb_root_read_all(setup->host->root, GB_STANDING_CLAIMS, GB_CLAIMS_SIZE_MAX, &data, &len);

	if (r)
		return gb_fail(err, -r, GB_STANDING_CLAIMS ": %s", strerror(-r));
	gb_text_clear(&setup->wanted);
	gb_text_add(&setup->wanted, data, len);
	setup->wants_claims = true;
	free(data);
	gb_footprint_clear(&setup->footprint);
	return setup->wanted.failed ? gb_fail(err, ENOMEM, "out of memory") :
				      gb_footprint_read_file(setup->host->root, GB_STANDING_FOOTPRINT,
							     &setup->footprint, err);
}

static bool is_edited(const struct gb_setup *setup)
{
	char hash[GB_SHA256_TEXT];

	gb_sha256_of(setup->claims ? setup->claims : "", setup->claims_len, hash);
	return strcmp(hash, setup->trial.claims) != 0;
}

int gb_setup_rewind(struct gb_setup *setup, struct gb_err *err)
{
	const bool aside = gb_root_exists(setup->host->root, GB_STANDING_CLAIMS);

	/* one whose boots are counted is in the place of what stood */
	if (!aside && setup->standing && !setup->trial.counted)
		return gb_fail(err, ENOENT, GB_STANDING_CLAIMS " is away, and so what was claimed before the "
			       "trial is not known: ghost-boot disable takes all of it back");
	if (!aside)
		return gb_setup_restore_claims(setup, err);
	if (is_edited(setup))
		return gb_fail(err, ESTALE, GB_CLAIMS_FILE " was edited since the trial was made, and is not "
			       "overwritten: ghost-boot disable takes all of it back");
	return read_standing(setup, err);
}

int gb_setup_cancel(struct gb_setup *setup, struct gb_err *err)
{
	int r;

	if (!setup->standing || !gb_root_exists(setup->host->root, GB_STANDING_CLAIMS))
		return gb_setup_disable(setup, NULL, err);
	r = gb_setup_rewind(setup, err);
	if (!r)
		r = gb_setup_plan_recovery(setup, err);
	if (!r)
		r = gb_setup_plan_claims(setup, "what stood before the trial", err);
	if (!r)
		r = gb_setup_end_standing(setup, err);
	if (!r)
		r = gb_setup_end_trial(setup, true, err);
	return r ? r : gb_setup_plan_footprint(setup, err);
}

/* ---- trying ------------------------------------------------------------------------------- */

static int plan_image(struct gb_setup *setup, const struct gb_bootentries *entries,
		      struct gb_err *err)
{
	const size_t first = setup->plan.steps;
	struct gb_plan *plan = &setup->plan;
	struct gb_store *store = &setup->host->store;
	const char *slash;
	int r;

	if (!gb_bootentries_image(setup->host, setup->trial_image, sizeof(setup->trial_image)))
		return gb_fail(err, EOPNOTSUPP, "where this boot loader reads images is not known");
	slash = strrchr(setup->trial_image, '/');
	snprintf(setup->trial_staged, sizeof(setup->trial_staged), "%.*s/.%s",
		 (int)(slash - setup->trial_image), setup->trial_image, slash + 1);
	setup->trial_kernel = entries->kernel;
	r = gb_images_check_hook(setup->host, &setup->images, err);
	if (!r)
		r = gb_images_build(setup->host, &setup->images, entries->kernel, setup->trial_staged, true,
				    "an image for the trial alone, with the claims in it", plan, err);
	if (r >= 0)
		r = gb_plan_place(plan, store, setup->trial_staged, setup->trial_image, 0600,
				  "the trial's image, once it was read and found as planned", err);
	gb_plan_mark(plan, first, GB_BOOT_IMAGE);
	return r < 0 ? r : 0;
}

static int fill_trial(struct gb_setup *setup, const struct gb_bootentries *entries,
		      struct gb_trial *trial, struct gb_err *err)
{
	struct gb_text stamp = { 0 };
	char file[400], name[GB_BOOTENTRIES_NAME];
	bool good = gb_bootentries_file(setup->host, GB_BLS_TRIAL, file, sizeof(file));

	gb_bootentries_name(setup->host, GB_BLS_TRIAL, name);
	trial->state = gb_trial_next(GB_TRIAL_NONE, GB_TRIAL_PREPARE);
	gb_sha256_of(setup->wanted.data, setup->wanted.len, trial->claims);
	trial->image = calloc(1, sizeof(*trial->image));
	if (trial->image)
		trial->image[trial->images++] = strdup(setup->trial_image);
	good = good && trial->images && trial->image[0] && gb_trial_set(&trial->entry_file, file) &&
	       gb_trial_set(&trial->kernel, entries->kernel->release) &&
	       gb_trial_set(&trial->loader, gb_backend_name(setup->host->loader->backend)) &&
	       gb_trial_set(&trial->entry, name) &&
	       gb_trial_set(&trial->usual, entries->usual.id) &&
	       gb_trial_set(&trial->stamp, gb_images_stamp(setup->host, entries->kernel, &stamp) ?
					   stamp.data : "");
	gb_text_clear(&stamp);
	return good ? 0 : gb_fail(err, ENOMEM, "out of memory");
}

int gb_setup_plan_state(struct gb_setup *setup, const struct gb_trial *trial, struct gb_err *err)
{
	struct gb_text text = { 0 };
	int r;

	r = gb_trial_print(trial, &text, err);
	if (!r)
		r = gb_plan_write(&setup->plan, &setup->host->store, GB_TRIAL, text.data, text.len, 0600,
				  "what is tried, and how the system was before", err);
	gb_text_clear(&text);
	return r < 0 ? r : 0;
}

static int try_with(struct gb_setup *setup, const struct gb_target *target,
		    const struct gb_bootentries *entries, struct gb_trial *trial, struct gb_err *err)
{
	const char *line = entries->words;
	struct gb_need_words need = { 0 };
	struct gb_entry_words words = { 0 };
	int r = gb_need_words_read(target, false, &line, 1, &need, err);

	if (!r && !gb_setup_trial_words(&need, trial, &words))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r)
		r = plan_standing(setup, err);
	if (!r)
		r = gb_setup_plan_claims(setup, "what is claimed, and what is kept for the host", err);
	/* where kernel-install would copy the trial's own command line for a new kernel */
	if (!r)
		r = gb_cmdplan(setup->host, NULL, 0, &setup->footprint, &setup->plan, &setup->report, err);
	if (!r)
		r = plan_image(setup, entries, err);
	if (!r)
		r = gb_setup_plan_entries(setup, entries, &words, setup->trial_image, err);
	if (!r)
		r = gb_setup_plan_footprint(setup, err);
	if (!r)
		r = fill_trial(setup, entries, trial, err);
	free(words.want);
	gb_need_words_clear(&need);
	return r ? r : gb_setup_plan_state(setup, trial, err);
}

/* Of both entries, or the recovery's alone. The words play no part in it. */
static int can_have(struct gb_setup *setup, bool both, struct gb_err *err)
{
	const struct gb_need_words need = { 0 };
	const struct gb_trial trial = { 0 };
	struct gb_bootentries entries = { 0 };
	struct gb_footprint footprint = { 0 };
	struct gb_plan plan = { 0 };
	struct gb_entry_words words = { 0 };
	char image[320] = "";
	int r = gb_bootentries_find(setup->host, &setup->images, &setup->survey->site, &entries, err);

	if (!r && !gb_setup_trial_words(&need, &trial, &words))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r) {
		const struct gb_bootentries_want want = { .trial = both ? words.want : NULL,
							  .trials = words.wants, .image = image,
							  .recovery = words.want,
							  .recoveries = words.wants, .keep = !both };

		gb_bootentries_image(setup->host, image, sizeof(image));
		r = gb_bootentries_plan(&entries, &want, &footprint, &plan, err);
	}
	free(words.want);
	gb_plan_clear(&plan);
	gb_footprint_clear(&footprint);
	gb_bootentries_clear(&entries);
	return r;
}

int gb_setup_can_try(struct gb_setup *setup, struct gb_err *err)
{
	return setup->images.usable ? can_have(setup, true, err)
				    : gb_fail(err, EOPNOTSUPP, "%s", setup->images.why);
}

int gb_setup_can_recover(struct gb_setup *setup, struct gb_err *err)
{
	return can_have(setup, false, err);
}

bool gb_setup_is_claimed(struct gb_setup *setup, const struct gb_target *target,
			 const char *const *title)
{
	return setup->standing && !setup->trial.state && setup->claims &&
	       !gb_setup_wish_for(setup, target, title, NULL) &&
	       setup->wanted.len == setup->claims_len &&
	       !memcmp(setup->wanted.data, setup->claims, setup->claims_len);
}

bool gb_setup_is_prepared(struct gb_setup *setup, const struct gb_target *target,
			  const char *const *title)
{
	char hash[GB_SHA256_TEXT], image[320];

	if ((setup->trial.state != GB_TRIAL_PREPARED && setup->trial.state != GB_TRIAL_ARMED) ||
	    setup->trial.counted || gb_setup_wish_for(setup, target, title, NULL) ||
	    !gb_bootentries_image(setup->host, image, sizeof(image)) ||
	    !gb_root_exists(setup->host->root, image) || !setup->trial.entry_file ||
	    !gb_root_exists(setup->host->root, setup->trial.entry_file))
		return false;
	gb_sha256_of(setup->wanted.data, setup->wanted.len, hash);
	return !strcmp(hash, setup->trial.claims);
}

int gb_setup_try(struct gb_setup *setup, const struct gb_target *target, const char *const *title,
		 struct gb_trial *trial, struct gb_err *err)
{
	struct gb_bootentries entries = { 0 };
	int r = setup->images.usable ? 0 : gb_fail(err, EOPNOTSUPP, "%s", setup->images.why);

	if (!r)
		r = gb_bootentries_find(setup->host, &setup->images, &setup->survey->site, &entries, err);
	if (!r && setup->trial.state == GB_TRIAL_FAILED)
		r = gb_setup_rewind(setup, err);
	if (!r)
		r = gb_setup_wish_for(setup, target, title, err);
	if (!r)
		r = try_with(setup, target, &entries, trial, err);
	gb_bootentries_clear(&entries);
	return r;
}
