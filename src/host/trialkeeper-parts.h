/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALKEEPER_PARTS_H
#define GB_TRIALKEEPER_PARTS_H

#include <stdbool.h>

#include "trialkeeper.h"

struct gb_trial_clues;

/* What speaks for why it failed. `armed`: the loader had not taken its entry yet. What is named lives as
 * long as the trial. */
void gb_keeper_find_clues(struct gb_root *root, const struct gb_trial *trial, bool armed,
			  struct gb_trial_clues *ret);

#endif
