/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_VERIFY_H
#define GB_VERIFY_H

#include "judge.h"
#include "text.h"

/* All checks of one run, in the order a person reads them: machine, system, then each subject. */

struct gb_verify {
	bool ask_vfio;	/* gb_judge_viable */
	bool at_boot;	/* no loss checks: there is no block device yet; no system */
	/* gb_judge_recipe, or NULL: with all it knows it is too large for an image */
	void (*recipes)(const struct gb_survey *survey, struct gb_checks *checks);
	int node;	/* the one to judge, or GB_NOWHERE: all that are claimed, else all displays */
};

void gb_verify_run(const struct gb_survey *survey, const struct gb_verify *what,
		   struct gb_checks *checks);
/* {"version": 1, "tool": …, "checks": […]}, and "cpu_ms" unless that is negative: what the checks
 * of a boot took of its processor. */
void gb_verify_json(const struct gb_checks *checks, double cpu_ms, struct gb_text *ret);
/* Done, or not ready: something failed. */
int gb_verify_exit(const struct gb_checks *checks);

#endif
