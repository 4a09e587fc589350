/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "err.h"
#include "judge.h"
#include "members.h"
#include "need-words.h"
#include "target.h"

static const struct gb_survey *survey_of(const struct gb_refusal *r)
{
	return r->target->survey;
}

const char *gb_refuse_name(struct gb_refusal *r, int node)
{
	return gb_bdf_format(survey_of(r)->topology.node[node].device->bdf, r->name);
}

void gb_refuse(struct gb_refusal *r, unsigned bit, const char *id, bool unknown,
	       const char *subject, const char *format, ...)
{
	bool lifted = bit & r->allow;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gb_check(&r->ret->checks, id, lifted ? GB_WARN : unknown ? GB_UNKNOWN : GB_FAIL, subject,
		 "%s", text);
	if (lifted) {
		r->ret->lifted |= bit;
		return;
	}
	r->ret->standing++;
	r->ret->firm += !bit;
	r->ret->wanted |= bit;
}

void gb_refuse_unless(struct gb_refusal *r, unsigned bit, const char *means)
{
	const char *name = gb_allow_name((enum gb_allow)bit);

	if (r->allow & bit)
		gb_check_fix(&r->ret->checks, "allowed (%s): %s", name, means);
	else
		gb_check_fix(&r->ret->checks, "or --allow %s: %s", name, means);
}

/* ---- what is never claimed ------------------------------------------------------------------ */

static void refuse_unclaimable(struct gb_refusal *r)
{
	for (size_t i = 0; i < r->target->unclaimables; i++) {
		int node = r->target->unclaimable[i];
		const struct gb_node *there = &survey_of(r)->topology.node[node];
		char child[GB_BDF_MAX];

		if (there->device->virtual) {
			gb_refuse(r, 0, "virtual-function", false, gb_refuse_name(r, node),
				  "is a virtual function: it is made anew at each boot, so nothing "
				  "can be claimed before that");
			gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices/%s/physfn",
					  gb_refuse_name(r, node));
			gb_check_fix(&r->ret->checks, "bind it to vfio-pci when it has been made");
			continue;
		}
		gb_refuse(r, 0, "bridge", false, gb_refuse_name(r, node),
			  "is a bridge: the devices behind it hang on it, and vfio-pci takes none");
		gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices/%s/class: 0x%06x",
				  gb_refuse_name(r, node), (unsigned)there->device->id.class);
		if (there->child != GB_NOWHERE)
			gb_check_fix(&r->ret->checks, "select what is behind it, %s",
				     gb_bdf_format(survey_of(r)->topology.node[there->child].device->
						   bdf, child));
		else
			gb_check_fix(&r->ret->checks, "select a device: ghost-boot list --all");
	}
}

/* What its owner wrote into the file weighs more than a group. */
static void refuse_kept(struct gb_refusal *r)
{
	for (size_t i = 0; i < r->target->claims; i++) {
		const struct gb_target_item *item = &r->target->item[i];
		const struct gb_line *line = gb_survey_line(survey_of(r), item->node);

		if (item->why != GB_TARGET_GROUP || !line || !line->keep)
			continue;
		gb_refuse(r, 0, "kept", false, gb_refuse_name(r, item->node),
			  "would go with it (%s), and the claims file keeps it for the host",
			  item->reason);
		gb_check_evidence(&r->ret->checks, "%s, line %u", survey_of(r)->claims_file,
				  line->number);
		gb_check_fix(&r->ret->checks, "put the card into a slot of another group; or, if the "
			     "host can do without it, select %s as well",
			     gb_refuse_name(r, item->node));
	}
}

/* ---- the machine ---------------------------------------------------------------------------- */

static void pass_on(struct gb_refusal *r, unsigned bit, const char *id, const char *subject,
		    const struct gb_check *check, const char *means)
{
	for (size_t i = 0; i < r->ret->checks.checks; i++)
		if (!strcmp(r->ret->checks.check[i].id, id) &&
		    !strcmp(r->ret->checks.check[i].text, check->text))
			return;
	gb_refuse(r, bit, id, false, subject, "%s", check->text);
	if (check->evidence)
		gb_check_evidence(&r->ret->checks, "%s", check->evidence);
	if (check->fix)
		gb_check_fix(&r->ret->checks, "%s", check->fix);
	gb_refuse_unless(r, bit, means);
}

static const struct gb_check *failed_check(const struct gb_checks *checks, const char *id,
					   const struct gb_check *after)
{
	size_t i = after ? (size_t)(after - checks->check) + 1 : 0;

	for (; i < checks->checks; i++)
		if (checks->check[i].mark == GB_FAIL && !strcmp(checks->check[i].id, id))
			return &checks->check[i];
	return NULL;
}

/* Words that are added switch on what the firmware has; more they can't. */
static void refuse_no_iommu(struct gb_refusal *r)
{
	struct gb_checks all = { 0 };
	const struct gb_check *check;

	gb_judge_iommu(survey_of(r), &all);
	check = failed_check(&all, "firmware-table", NULL);
	if (!check && !r->words->iommu)
		check = failed_check(&all, "iommu-running", NULL);
	if (check)
		pass_on(r, GB_ALLOW_NO_IOMMU, "no-iommu", "system", check,
			"it is claimed, and no guest can have it until an IOMMU runs");
	r->ret->checks.failed |= all.failed;
	gb_checks_clear(&all);
}

static void refuse_no_vfio(struct gb_refusal *r)
{
	struct gb_checks all = { 0 };
	const struct gb_check *check = NULL;

	gb_judge_system(survey_of(r), &all);
	while ((check = failed_check(&all, "vfio-module", check)))
		pass_on(r, GB_ALLOW_NO_VFIO, "no-vfio", check->subject, check,
			"with that kernel no guest can have it, and the host neither");
	r->ret->checks.failed |= all.failed;
	gb_checks_clear(&all);
}

/* ---- the device itself ---------------------------------------------------------------------- */

/* Those that no other refusal is about, and nothing that is written mends. */
static bool is_unfit(const struct gb_refusal *r, const struct gb_check *check)
{
	static const char *const ids[] = { "acs-lie", "acs-path", "reserved-memory" };

	if (check->mark != GB_FAIL)
		return false;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		if (!strcmp(check->id, ids[i]))
			return true;
	/* without a group: what the words bring is not there yet */
	return !strcmp(check->id, "group") && !r->words->iommu;
}

/* A bridge or a virtual function stays, and so does its driver. */
static bool stays_driven(const struct gb_members *members, int node)
{
	const struct gb_survey *survey = members->survey;

	return (!gb_members_goes(members, node) || survey->topology.node[node].device->virtual) &&
	       gb_members_sure(members, node) &&
	       !gb_driver_is_viable(gb_survey_driver(survey, node));
}

static void refuse_not_viable(struct gb_refusal *r, int node)
{
	struct gb_members members;
	char names[512], text[640];
	struct gb_check check = { .text = text };

	gb_members_of(survey_of(r), node, &members);
	if (!gb_members_list(&members, stays_driven, names, sizeof(names), NULL))
		return;
	snprintf(text, sizeof(text), "VFIO refuses its %s: the host drives %s, which can't be claimed",
		 members.subject, names);
	check.fix = (char *)"put the card into a slot of another group";
	pass_on(r, GB_ALLOW_UNFIT, "unfit", gb_refuse_name(r, node), &check,
		"it is claimed, though no guest can have it");
}

static void refuse_unfit(struct gb_refusal *r)
{
	struct gb_checks all = { 0 };

	for (size_t i = 0; i < r->target->claims; i++) {
		int node = r->target->item[i].node;
		size_t before = all.checks;

		gb_judge_group(survey_of(r), node, &all);
		gb_judge_device(survey_of(r), node, &all);
		for (size_t k = before; k < all.checks; k++)
			if (is_unfit(r, &all.check[k]))
				pass_on(r, GB_ALLOW_UNFIT, "unfit", gb_refuse_name(r, node),
					&all.check[k], "it is claimed as it is");
		refuse_not_viable(r, node);
	}
	r->ret->checks.failed |= all.failed;
	gb_checks_clear(&all);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* A second `enable` need not be told again. */
static unsigned allowed_before(const struct gb_target *target)
{
	unsigned allow = 0;

	for (size_t i = 0; i < target->claims; i++) {
		const struct gb_line *line = gb_survey_line(target->survey, target->item[i].node);

		if (line && !line->keep)
			allow |= line->allow;
	}
	return allow;
}

int gb_refusals_read(const struct gb_target *target, const struct gb_disks *disks,
		     const struct gb_need_words *words, unsigned allow, struct gb_refusals *ret,
		     struct gb_err *err)
{
	struct gb_refusal r = { target, disks, words, allow | allowed_before(target), ret, "" };

	*ret = (struct gb_refusals){ 0 };
	refuse_unclaimable(&r);
	gb_refuse_disks(&r);
	gb_refuse_network(&r);
	refuse_kept(&r);
	gb_refuse_displays(&r);
	gb_refuse_keyboard(&r);
	if (target->claims) {
		refuse_no_iommu(&r);
		refuse_no_vfio(&r);
		refuse_unfit(&r);
	}
	return ret->checks.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

void gb_refusals_clear(struct gb_refusals *refusals)
{
	gb_checks_clear(&refusals->checks);
	*refusals = (struct gb_refusals){ 0 };
}
