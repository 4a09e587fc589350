/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SETUP_H
#define GB_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "cmdplan.h"
#include "disks.h"
#include "footprint.h"
#include "images.h"
#include "plan.h"
#include "text.h"
#include "trialstate.h"

struct gb_checks;
struct gb_err;
struct gb_host;
struct gb_retire;
struct gb_survey;
struct gb_target;

/* A whole change of the machine, put together as one plan: what enable, disable and update want.
 * The order makes every moment in between boot as before: an image that carries claims does nothing
 * until the command line says ghost.claim=on, so images come first when claims are made, and the
 * command line first when they are taken back. */
struct gb_setup {
	struct gb_host *host;		 /* borrowed */
	const struct gb_survey *survey; /* borrowed; with the configured claims */
	struct gb_disks disks;
	struct gb_images images;
	struct gb_footprint footprint; /* as the plan leaves it */
	char *claims;		       /* the claims file; NULL: there is none */
	size_t claims_len;
	struct gb_text wanted; /* the same afterwards ... */
	bool wants_claims;     /* ... if there is to be one */
	struct gb_text line;   /* what unified images have as their command line afterwards */
	bool standing;	       /* the usual boot claims, by what ghost-boot has changed */
	struct gb_trial trial; /* the one there is; a record that can't be read is none */
	char odd_trial[256];   /* and why it can't, or "" */
	bool keeps_trial;      /* its entry is not touched */
	char no_recovery[256]; /* why there is no entry that boots without claims, or "" */
	/* private: of a trial that is planned */
	char trial_image[320], trial_staged[360];
	const struct gb_kernel *trial_kernel;
	struct gb_plan plan;
	struct gb_cmdplan_report report;
	struct gb_text left; /* what is left alone of other files, as report.left has it */
};

/* Reads all that a plan is made of. 0 or a negative errno; *ret is always to be closed. */
int gb_setup_open(struct gb_host *host, const struct gb_survey *survey, struct gb_setup *ret,
		  struct gb_err *err);
void gb_setup_close(struct gb_setup *setup);

/* Does the claims file arm by itself, without a word on the command line? */
bool gb_setup_arms_always(const struct gb_setup *setup);
/* Once the plan is carried out: does it arm lines that claim something? */
bool gb_setup_still_claims(const struct gb_setup *setup);
/* Does a trial wait for its boot, or run, unconfirmed? */
bool gb_setup_tries(const struct gb_setup *setup);

/* Each fills setup->plan; nothing in it means that all is so already. A negative errno with the
 * reason where it can't be done; -EOPNOTSUPP: this machine's images are not ours to build. */

/* Claims the target, at once and for good. `counted`, or NULL, is a trial whose boots are counted,
 * since no loader takes it once: its word goes onto the command line as well, and the rest of it is
 * filled in. `title`, one for each of its items, is what the claims file calls the card
 * above its first line, or NULL. `retire`: the earlier recipes to take out of use, or NULL. */
int gb_setup_enable(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, const struct gb_retire *retire,
		    struct gb_trial *counted, struct gb_err *err);
/* Gives the target back; NULL: everything, and the machine is as if ghost-boot had never changed
 * it. */
int gb_setup_disable(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err);
/* What the claims file says, for the kernels there are now, with what is to be kept now. Words go
 * onto the command line only where an `enable` stands: a claims file of its owner's alone arms
 * nothing. While a trial waits or runs, only the entry that boots without claims is looked after. */
int gb_setup_update(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err);
/* That entry alone, if anything is claimed or tried. */
int gb_setup_update_entry(struct gb_setup *setup, struct gb_err *err);

/* Can a trial be had here, as far as entries go? Changes nothing. -EOPNOTSUPP: this machine's loader
 * can have no such entry; -EPERM: it would boot another by itself then. */
int gb_setup_can_try(struct gb_setup *setup, struct gb_err *err);
/* And an entry that boots without claims? Errors as above. */
int gb_setup_can_recover(struct gb_setup *setup, struct gb_err *err);
/* Does the usual boot claim just that already? */
bool gb_setup_is_claimed(struct gb_setup *setup, const struct gb_target *target,
			 const char *const *title);
/* Is that what waits already, prepared? */
bool gb_setup_is_prepared(struct gb_setup *setup, const struct gb_target *target,
			  const char *const *title);
/* Tries it first: the claims file, an image and an entry for one boot, and one that boots without
 * claims; the usual boot stays as it is. The caller sets of `trial` id, time, boot, manual, seconds,
 * retire and before; the rest is filled in, and its record is in the plan. Errors as above. */
int gb_setup_try(struct gb_setup *setup, const struct gb_target *target, const char *const *title,
		 struct gb_trial *trial, struct gb_err *err);
/* What is tried in this boot becomes the usual one; the trial's record is the caller's to change. */
int gb_setup_confirm(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err);
/* All of a trial is taken back, with what it was to change. */
int gb_setup_cancel(struct gb_setup *setup, struct gb_err *err);

/* The transaction's `prove`: `setup` is the struct. */
int gb_setup_prove(void *setup, const struct gb_plan *plan, size_t step, struct gb_err *err);
/* When the plan was carried out: writes down which images were proved, and looks once more whether
 * the boot entries name them (-EBADMSG). */
int gb_setup_done(struct gb_setup *setup, struct gb_err *err);

#endif
