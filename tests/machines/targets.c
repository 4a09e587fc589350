/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what `enable` would do with each display of one machine: a line for each function that is
 * claimed or kept, and what the boot says of its line; a line for each refusal. Fails where the
 * claims file does not come back as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claimsfile.h"
#include "disks.h"
#include "err.h"
#include "footprint.h"
#include "judge.h"
#include "need-words.h"
#include "refusal.h"
#include "root.h"
#include "target.h"

#define BEFORE "# somebody's\nghost-boot claims 1\noptions vfio-pci disable_vga=1\n"

static struct gb_err err;

static void print_refusals(const struct gb_target *target, const struct gb_disks *disks)
{
	struct gb_refusals refusals;
	struct gb_need_words words;

	if (gb_need_words_read(target, false, NULL, 0, &words, &err) ||
	    gb_refusals_read(target, disks, &words, 0, &refusals, &err))
		exit(3);
	for (size_t i = 0; i < words.wants; i++)
		printf("word\t%s\n", words.want[i].word);
	for (size_t i = 0; i < refusals.checks.checks; i++) {
		const struct gb_check *check = &refusals.checks.check[i];

		printf("refusal\t%s\t%s\t%s\t%s\n", check->id, gb_mark_name(check->mark),
		       check->subject, check->fix ? check->fix : "");
	}
	gb_refusals_clear(&refusals);
	gb_need_words_clear(&words);
}

/* What the next boot would do on this very machine. */
static void print_items(struct gb_root *root, const struct gb_target *target, const char *text,
			size_t len)
{
	struct gb_machine machine = { 0 };
	struct gb_claims claims;
	struct gb_verdict *verdict;
	char bdf[GB_BDF_MAX];

	if (gb_claims_parse(text, len, &claims, &err) || claims.problems ||
	    gb_machine_place(root, &claims, &machine, &err) ||
	    gb_machine_scan(root, &claims, &machine, &err) ||
	    !(verdict = calloc(claims.lines + 1, sizeof(*verdict))))
		exit(4);
	gb_resolve(&claims, &machine, verdict);
	for (size_t i = 0; i < target->items && claims.lines == target->items; i++)
		printf("item\t%s\t%s\t%s\t%s\n",
		       gb_bdf_format(target->survey->topology.node[target->item[i].node].device->bdf,
				     bdf),
		       target->item[i].line.keep ? "keep" : "claim",
		       gb_decision_name(verdict[i].decision), target->item[i].reason);
	if (claims.lines != target->items)
		exit(5);
	free(verdict);
	gb_machine_clear(&machine);
	gb_claims_clear(&claims);
}

static void print_target(struct gb_root *root, const struct gb_survey *survey,
			 const struct gb_disks *disks, int node)
{
	struct gb_claims_text made, back;
	struct gb_footprint footprint = { 0 };
	struct gb_target target;
	struct gb_wish *wish;
	char bdf[GB_BDF_MAX];
	size_t left;

	printf("target\t%s\n", gb_bdf_format(survey->topology.node[node].device->bdf, bdf));
	if (gb_target_read(survey, disks, &node, 1, &target, &err) ||
	    !(wish = calloc(target.items + 1, sizeof(*wish))))
		exit(6);
	for (size_t i = 0; i < target.items; i++)
		wish[i] = (struct gb_wish){ target.item[i].line.keep ? GB_WISH_KEEP : GB_WISH_CLAIM,
					    target.item[i].line,
					    gb_target_leads(&target, i) ? bdf : NULL };
	if (gb_claimsfile_change(BEFORE, strlen(BEFORE), wish, target.items, &footprint, &made, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(7);
	}
	print_items(root, &target, made.text.data, made.text.len);
	if (gb_claimsfile_restore(made.text.data, made.text.len, &footprint, &back, &left, &err) ||
	    left || strcmp(back.text.data, BEFORE))
		exit(8);
	print_refusals(&target, disks);
	for (size_t i = 0; i < target.perhapses; i++)
		printf("perhaps\t%s\n",
		       gb_bdf_format(survey->topology.node[target.perhaps[i]].device->bdf, bdf));
	free(wish);
	gb_claims_text_clear(&made);
	gb_claims_text_clear(&back);
	gb_footprint_clear(&footprint);
	gb_target_clear(&target);
}

int main(int argc, char **argv)
{
	struct gb_survey survey;
	struct gb_disks disks;
	struct gb_root *root;
	int r;

	if (argc != 2 || gb_root_open(argv[1], &root, &err) < 0)
		return 2;
	r = gb_survey_read(root, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE | GB_SURVEY_SITE,
			   "/etc/ghost-boot/claims", NULL, 0, &survey, &err);
	if (!r)
		r = gb_disks_read(root, NULL, &disks, &err);
	else
		disks = (struct gb_disks){ 0 };
	if (r)
		fprintf(stderr, "%s\n", err.text);
	for (int i = 0; !r && i < (int)survey.topology.nodes; i++)
		if (gb_device_is_display(survey.topology.node[i].device))
			print_target(root, &survey, &disks, i);
	gb_disks_clear(&disks);
	gb_survey_clear(&survey);
	gb_root_close(root);
	return r != 0;
}
