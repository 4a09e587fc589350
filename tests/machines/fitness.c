/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what the library says of one machine's displays: a line for each, with its fitness; a line
 * for each reason, with its mark and text; a line for each check of a port on its way. */
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "judge.h"
#include "root.h"

static void print_display(const struct gb_survey *survey, int node)
{
	struct gb_checks reasons = { 0 }, path = { 0 };
	char bdf[GB_BDF_MAX];
	enum gb_fitness fitness = gb_judge_fitness(survey, node, &reasons);

	printf("display\t%s\t%s\n", gb_bdf_format(survey->topology.node[node].device->bdf, bdf),
	       gb_fitness_name(fitness));
	for (size_t i = 0; i < reasons.checks; i++)
		printf("reason\t%s\t%s\t%s\n", reasons.check[i].id,
		       gb_mark_name(reasons.check[i].mark), reasons.check[i].text);
	gb_judge_path(survey, node, &path);
	for (size_t i = 0; i < path.checks; i++)
		if (!strcmp(path.check[i].id, "acs-path"))
			printf("port\t%s\t%s\n", gb_mark_name(path.check[i].mark),
			       path.check[i].text);
	gb_checks_clear(&reasons);
	gb_checks_clear(&path);
}

int main(int argc, char **argv)
{
	struct gb_survey survey;
	struct gb_root *root;
	struct gb_err err;
	int r;

	if (argc != 2 || gb_root_open(argv[1], &root, &err) < 0)
		return 2;
	r = gb_survey_read(root, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE, NULL, NULL, 0, &survey,
			   &err);
	if (r)
		fprintf(stderr, "%s\n", err.text);
	for (int i = 0; !r && i < (int)survey.topology.nodes; i++)
		if (gb_device_is_display(survey.topology.node[i].device))
			print_display(&survey, i);
	gb_survey_clear(&survey);
	gb_root_close(root);
	return r != 0;
}
