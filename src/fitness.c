/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <string.h>

const char *gb_fitness_name(enum gb_fitness fitness)
{
	static const char *const names[] = { "ok", "refused", "unknown" };

	return names[fitness];
}

/* What must be known before anybody may say that a device is fit. */
static bool is_vital(const struct gb_check *check)
{
	static const char *const vital[] = { "group", "acs-lie" };

	for (size_t i = 0; i < sizeof(vital) / sizeof(*vital); i++)
		if (!strcmp(check->id, vital[i]))
			return true;
	/* a disk, a network or a display that may go with it */
	return strstr(check->id, "-in-group");
}

static void pass_on(const struct gb_check *check, struct gb_checks *reasons)
{
	gb_check(reasons, check->id, check->mark, check->subject, "%s", check->text);
	if (check->evidence)
		gb_check_evidence(reasons, "%s", check->evidence);
	if (check->fix)
		gb_check_fix(reasons, "%s", check->fix);
}

enum gb_fitness gb_judge_fitness(const struct gb_survey *survey, int node,
				 struct gb_checks *reasons)
{
	struct gb_checks all = { 0 };
	bool failed = false, unknown = false;

	gb_judge_group(survey, node, &all);
	gb_judge_loss(survey, node, &all);
	for (size_t i = 0; i < all.checks; i++) {
		const struct gb_check *check = &all.check[i];

		failed |= check->mark == GB_FAIL;
		unknown |= check->mark == GB_UNKNOWN && is_vital(check);
		if (check->mark != GB_PASS)
			pass_on(check, reasons);
	}
	unknown |= all.failed;
	reasons->failed |= all.failed;
	gb_checks_clear(&all);
	return failed ? GB_UNFIT : unknown ? GB_FITNESS_UNKNOWN : GB_FIT;
}
