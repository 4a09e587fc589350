/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bootentries.h"
#include "err.h"
#include "host.h"
#include "retire.h"
#include "root.h"
#include "setup-claims.h"
#include "setup-parts.h"
#include "survey.h"
#include "target.h"

/* What was tried becomes the usual boot. */

/* All that the claims file takes, for the words and recipes that hang on it. */
static int read_claimed(struct gb_setup *setup, struct gb_target *ret, struct gb_err *err)
{
	const struct gb_topology *topology = &setup->survey->topology;
	int *node = calloc(topology->nodes + 1, sizeof(*node));
	size_t nodes = 0;
	int r;

	*ret = (struct gb_target){ 0 };
	if (!node)
		return gb_fail(err, ENOMEM, "out of memory");
	for (int i = 0; i < (int)topology->nodes; i++)
		if (gb_survey_is_claimed(setup->survey, i))
			node[nodes++] = i;
	r = gb_target_read(setup->survey, &setup->disks, node, nodes, ret, err);
	free(node);
	return r;
}

/* The image that was tried is its kernel's from now on, where it is what a new one would be: the
 * claims are the same, and no recipe goes that it has a copy of. */
static void take_tried(struct gb_setup *setup)
{
	const struct gb_trial *trial = &setup->trial;
	char hash[GB_SHA256_TEXT];

	gb_sha256_of(setup->wanted.data, setup->wanted.len, hash);
	if (trial->kernel && trial->images == 1 && !trial->retire && trial->stamp &&
	    !strcmp(hash, trial->claims) && gb_root_exists(setup->host->root, trial->image[0]))
		gb_images_take_tried(setup->host, &setup->images, trial->kernel, trial->image[0],
				     trial->stamp);
}

int gb_setup_confirm(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err)
{
	const struct gb_want extra = { GB_WANT_NO_NAME, GB_TRIAL_WORD, "the trial is over" };
	struct gb_setup_words words = { .extra = &extra };
	struct gb_bootentries entries = { 0 };
	struct gb_retire retire = { 0 };
	struct gb_target claimed = { 0 };
	int r = gb_setup_wish_for(setup, kept, NULL, err);

	if (!gb_bootentries_find(setup->host, &setup->images, &setup->survey->site, &entries, NULL))
		words.line = entries.words;
	words.target = &claimed;
	words.retire = setup->trial.retire ? &retire : NULL;
	if (!r)
		r = gb_setup_plan_claims(setup, "what the host lives on now", err);
	if (!r)
		r = gb_setup_end_standing(setup, err);
	if (!r)
		r = read_claimed(setup, &claimed, err);
	if (!r && setup->trial.retire)
		r = gb_retire_read(&claimed, &retire, err);
	if (!r && setup->trial.retire)
		r = gb_setup_plan_retired(setup, &retire, err);
	if (!r)
		take_tried(setup);
	if (!r)
		r = gb_setup_plan_recovery(setup, err);
	if (!r)
		r = gb_setup_plan_both(setup, &words, err);
	if (!r)
		r = gb_setup_end_trial(setup, false, err);
	gb_retire_clear(&retire);
	gb_target_clear(&claimed);
	gb_bootentries_clear(&entries);
	return r ? r : gb_setup_plan_footprint(setup, err);
}
