/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SETUP_PARTS_H
#define GB_SETUP_PARTS_H

#include "setup.h"

#define GB_STANDING_FOOTPRINT GB_STATE "/standing-footprint"

struct gb_image_wish;
struct gb_need_words;
struct gb_retire;
struct gb_want;

/* What the setup files share. 0 or a negative errno with the reason. */

/* (setup.c) */

int gb_setup_plan_retired(struct gb_setup *setup, const struct gb_retire *retire,
			  struct gb_err *err);
/* What becomes of the command line. */
struct gb_setup_words {
	const struct gb_target *target;
	const struct gb_retire *retire; /* whose words go at the same time; or NULL */
	const struct gb_want *extra;	/* one more; or NULL */
	const char *line; /* what its sources say now, where the running one is another; or NULL */
};
/* That, and all images. */
int gb_setup_plan_both(struct gb_setup *setup, const struct gb_setup_words *words,
		       struct gb_err *err);
int gb_setup_plan_footprint(struct gb_setup *setup, struct gb_err *err);
struct gb_image_wish gb_setup_image_wish(const struct gb_setup *setup);

/* (setup-entries.c) */

/* What becomes of the usual entry's words in one of ours; points into itself. */
struct gb_entry_words {
	struct gb_want *want; /* the caller frees it */
	size_t wants;
	char trial[32];
};
/* False: no memory. */
bool gb_setup_trial_words(const struct gb_need_words *need, const struct gb_trial *trial,
			  struct gb_entry_words *ret);
/* Both of ours, or with `trial` NULL the recovery's alone. */
struct gb_bootentries;
int gb_setup_plan_entries(struct gb_setup *setup, const struct gb_bootentries *entries,
			  const struct gb_entry_words *trial, const char *image, struct gb_err *err);

/* The entry that boots without claims; the trial's goes, unless setup->keeps_trial. A machine whose
 * loader can have none goes without, and setup->no_recovery says why. */
int gb_setup_plan_recovery(struct gb_setup *setup, struct gb_err *err);
int gb_setup_drop_entries(struct gb_setup *setup, struct gb_err *err);
void gb_setup_trial_word(const struct gb_trial *trial, char *ret, size_t size);

/* (setup-trial.c) */

/* What stands is no longer told apart from what is claimed. Planned before the images, whose builders
 * would put into them what stands. */
int gb_setup_end_standing(struct gb_setup *setup, struct gb_err *err);
/* What else was made for a trial goes, with `state` its record, too. */
int gb_setup_end_trial(struct gb_setup *setup, bool state, struct gb_err *err);
/* What is claimed, and what is noted of that, as before the trial: what failed is no base for
 * another change. -ESTALE: somebody has edited the claims file since. */
int gb_setup_rewind(struct gb_setup *setup, struct gb_err *err);
int gb_setup_plan_state(struct gb_setup *setup, const struct gb_trial *trial, struct gb_err *err);

#endif
