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
	bool standing;	       /* ghost-boot has changed this machine, and that stands */
	struct gb_plan plan;
	struct gb_cmdplan_report report;
};

/* Reads all that a plan is made of. 0 or a negative errno; *ret is always to be closed. */
int gb_setup_open(struct gb_host *host, const struct gb_survey *survey, struct gb_setup *ret,
		  struct gb_err *err);
void gb_setup_close(struct gb_setup *setup);

/* Does the claims file arm by itself, without a word on the command line? */
bool gb_setup_arms_always(const struct gb_setup *setup);

/* Each fills setup->plan; nothing in it means that all is so already. A negative errno with the
 * reason where it can't be done; -EOPNOTSUPP: this machine's images are not ours to build. */

/* Claims the target. `title`, one for each of its items, is what the claims file calls the card
 * above its first line, or NULL. `retire`: the earlier recipes to take out of use, or NULL. */
int gb_setup_enable(struct gb_setup *setup, const struct gb_target *target,
		    const char *const *title, const struct gb_retire *retire,
		    struct gb_err *err);
/* Gives the target back; NULL: everything, and the machine is as if ghost-boot had never changed
 * it. */
int gb_setup_disable(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err);
/* What the claims file says, for the kernels there are now, with what is to be kept now. Words go
 * onto the command line only where an `enable` stands: a claims file of its owner's alone arms
 * nothing. */
int gb_setup_update(struct gb_setup *setup, const struct gb_target *kept, struct gb_err *err);

/* The transaction's `prove`: `setup` is the struct. */
int gb_setup_prove(void *setup, const struct gb_plan *plan, size_t step, struct gb_err *err);
/* When the plan was carried out: writes down which images were proved, and looks once more whether
 * the boot entries name them (-EBADMSG). */
int gb_setup_done(struct gb_setup *setup, struct gb_err *err);

#endif
