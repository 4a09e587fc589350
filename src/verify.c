/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify.h"

#include "exit.h"
#include "json.h"

static void judge(const struct gb_survey *survey, const struct gb_verify *what, int node,
		  struct gb_checks *checks)
{
	gb_judge_group(survey, node, checks);
	if (what->ask_vfio)
		gb_judge_viable(survey, node, checks);
	if (!what->at_boot)
		gb_judge_loss(survey, node, checks);
	gb_judge_device(survey, node, checks);
}

void gb_verify_run(const struct gb_survey *survey, const struct gb_verify *what,
		   struct gb_checks *checks)
{
	bool claimed = false;

	gb_judge_iommu(survey, checks);
	gb_judge_interrupts(survey, checks);
	gb_judge_words(survey, checks);
	gb_judge_rules(survey, checks);
	if (!what->at_boot)
		gb_judge_system(survey, checks);
	if (what->recipes)
		what->recipes(survey, checks);
	if (what->node != GB_NOWHERE) {
		judge(survey, what, what->node, checks);
		return;
	}
	for (int i = 0; i < (int)survey->topology.nodes; i++)
		claimed |= gb_survey_is_claimed(survey, i);
	for (int i = 0; i < (int)survey->topology.nodes; i++)
		if (claimed ? gb_survey_is_claimed(survey, i)
			    : gb_device_is_display(survey->topology.node[i].device))
			judge(survey, what, i, checks);
}

void gb_verify_json(const struct gb_checks *checks, double cpu_ms, struct gb_text *ret)
{
	struct gb_json json = { .text = ret };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "tool", GB_VERSION);
	if (cpu_ms >= 0)
		gb_json_fixed(&json, "cpu_ms", cpu_ms, 3);
	gb_checks_json(checks, &json);
	gb_json_close(&json, '}');
	gb_text_add(ret, "\n", 1);
}

int gb_verify_exit(const struct gb_checks *checks)
{
	return gb_checks_count(checks, GB_FAIL) ? GB_EXIT_NOT_READY : GB_EXIT_DONE;
}
