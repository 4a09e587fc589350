/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SETUP_CLAIMS_H
#define GB_SETUP_CLAIMS_H

#include "setup.h"

/* The claims file as a setup leaves it: for setup.c. Each returns 0 or a negative errno. */

#define GB_CLAIMS_FOLDER "/etc/ghost-boot"

/* What there is; wanted is the same at first. */
int gb_setup_read_claims(struct gb_setup *setup, struct gb_err *err);
/* The target's lines are wanted. `title` as gb_setup_enable has it. */
int gb_setup_wish_for(struct gb_setup *setup, const struct gb_target *target,
		      const char *const *title, struct gb_err *err);
/* A target's claims are wanted no more; a display that is given back stays with the host. */
int gb_setup_wish_back(struct gb_setup *setup, const struct gb_target *target, struct gb_err *err);
/* What we wrote is taken out; a file that was ours and has nothing else in it goes. */
int gb_setup_restore_claims(struct gb_setup *setup, struct gb_err *err);
/* The step that makes the file as it is wanted. */
int gb_setup_plan_claims(struct gb_setup *setup, const char *why, struct gb_err *err);
/* Does the wanted text still claim anything? */
int gb_setup_claims_left(const struct gb_setup *setup, bool *ret, struct gb_err *err);

#endif
