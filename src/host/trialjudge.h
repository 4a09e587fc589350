/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALJUDGE_H
#define GB_TRIALJUDGE_H

#include <stdbool.h>

struct gb_checks;
struct gb_claims;
struct gb_observation;

/* Is the system that a trial booted as good as the one before it? Each claim has to be on its
 * driver, root where it was, default.target reached; what worked before, works: units, a picture
 * on each display that stays, links, default routes. What the claims themselves explain is not held
 * against it: a claimed display has no picture, a claimed card no link, and some units fail without
 * what they are for.
 *
 * A pure function. Adds one check for each thing that is not so, and one that passes for each kind
 * where all is. What can't be told now is unknown, and that is not good; what could not be told
 * before can't be compared: a warning. */
void gb_trial_judge(const struct gb_observation *before, const struct gb_observation *after,
		    const struct gb_claims *claims, struct gb_checks *ret);
/* None of them failed or is unknown, and there was memory for all. */
bool gb_trial_is_good(const struct gb_checks *checks);

#endif
