/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "members.h"
#include "root.h"

#define NAMES_MAX 640

struct subject {
	struct gb_members members;
	char bdf[GB_BDF_MAX];
	struct gb_checks *checks;
};

static const struct gb_device *device_of(const struct subject *s)
{
	return s->members.survey->topology.node[s->members.node].device;
}

/* ---- its group ------------------------------------------------------------------------- */

static bool is_other(const struct gb_members *members, int node)
{
	return node != members->node;
}

/* Without intel_iommu=on, kernels configured INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF leave it out. */
static bool is_intel_graphics(const struct gb_device *device)
{
	return device->id.vendor == 0x8086 && gb_device_is_display(device) &&
	       device->path.hops == 1;
}

static void check_left_out(const struct subject *s)
{
	gb_check(s->checks, "group", GB_FAIL, s->bdf,
		 "other devices have an IOMMU group, but not this one: it can't be passed "
		 "through");
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/iommu_group: not there", s->bdf);
	if (is_intel_graphics(device_of(s)))
		gb_judge_add_word(s->members.survey, "intel_iommu=on", s->checks);
	else
		gb_check_fix(s->checks, "look for a newer firmware (BIOS) of this mainboard: its "
					"table leaves the device out");
}

static void check_predicted(const struct subject *s, const char *with)
{
	if (s->members.certain)
		gb_check(s->checks, "group", GB_WARN, s->bdf,
			 "the kernel has no IOMMU groups; with the IOMMU on, it would be in one "
			 "%s%s", *with ? "with " : "of its own", with);
	else if (*with)
		gb_check(s->checks, "group", GB_UNKNOWN, s->bdf,
			 "the kernel has no IOMMU groups, and what would be in its own can't be "
			 "told; perhaps %s", with);
	else
		gb_check(s->checks, "group", GB_UNKNOWN, s->bdf,
			 "the kernel has no IOMMU groups, and it can't be told whether it would "
			 "be alone in one");
	gb_check_evidence(s->checks, "predicted by the rules of " GB_PREDICT_RULES);
	if (s->members.certain)
		gb_check_fix(s->checks, "turn the IOMMU on");
	else
		gb_check_fix(s->checks, "read config space as root, or turn the IOMMU on");
}

static void check_group(const struct subject *s)
{
	char with[NAMES_MAX];

	if (s->members.source == GB_GROUPS_PREDICTED && s->members.survey->grouped) {
		check_left_out(s);
		return;
	}
	gb_members_list(&s->members, is_other, with, sizeof(with), NULL);
	if (s->members.source == GB_GROUPS_PREDICTED) {
		check_predicted(s, with);
		return;
	}
	gb_check(s->checks, "group", GB_PASS, s->bdf, "in IOMMU group %d, %s%s", s->members.group,
		 *with ? "with " : "alone", with);
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/iommu_group", s->bdf);
}

/* ---- who else is in it ------------------------------------------------------------------ */

static bool is_foreign(const struct gb_members *members, int node)
{
	return gb_members_goes(members, node) &&
	       !gb_survey_same_slot(members->survey, node, members->node);
}

/* At boot, and without the kernel's groups, their members are not known. */
static bool looked_at_part(const struct gb_members *members)
{
	return members->source == GB_GROUPS_PREDICTED && !members->survey->machine.complete;
}

static void check_members(const struct subject *s)
{
	char names[NAMES_MAX];
	size_t sure;

	if (!gb_members_list(&s->members, is_foreign, names, sizeof(names), &sure) &&
	    looked_at_part(&s->members)) {
		gb_check(s->checks, "group-members", GB_UNKNOWN, s->bdf,
			 "what else would be in its group can't be told: not all devices were "
			 "looked at");
		gb_members_evidence(&s->members, s->checks);
		gb_check_fix(s->checks, "ghost-verify looks at all");
		return;
	}
	if (!gb_members_list(&s->members, is_foreign, names, sizeof(names), &sure)) {
		gb_check(s->checks, "group-members", GB_PASS, s->bdf,
			 "nothing of another card is in its group");
		gb_members_evidence(&s->members, s->checks);
		return;
	}
	gb_check(s->checks, "group-members", sure ? GB_WARN : GB_UNKNOWN, s->bdf,
		 "other cards %s in its group: %s", sure ? "are" : "may be", names);
	gb_members_evidence(&s->members, s->checks);
	gb_check_fix(s->checks, "give all of them away together, or put the card into a slot of "
				"another group");
}

/* In the way once the device is claimed: on a driver that needs the DMA for itself. */
static bool in_the_way(const struct gb_members *members, int node)
{
	const struct gb_survey *survey = members->survey;

	if (gb_driver_is_viable(gb_survey_driver(survey, node)))
		return false;
	return gb_survey_is_claimed(survey, members->node) ||
	       (!gb_survey_is_claimed(survey, node) &&
		!gb_survey_same_slot(survey, node, members->node));
}

static void check_viable(const struct subject *s)
{
	bool claimed = gb_survey_is_claimed(s->members.survey, s->members.node);
	char names[NAMES_MAX];
	size_t sure;

	if (gb_checks_have(s->checks, "viable", s->members.subject))
		return;
	if (!gb_members_list(&s->members, in_the_way, names, sizeof(names), &sure)) {
		if (looked_at_part(&s->members))
			return; /* said of its members */
		gb_check(s->checks, "viable", GB_PASS, s->members.subject, claimed ?
			 "no driver of the host is in it" :
			 "no driver of the host would be left in it");
		gb_members_evidence(&s->members, s->checks);
		return;
	}
	gb_check(s->checks, "viable", !sure ? GB_UNKNOWN : claimed ? GB_FAIL : GB_WARN,
		 s->members.subject, "VFIO %s it while the host drives %s",
		 claimed ? "refuses" : "would refuse", names);
	gb_members_evidence(&s->members, s->checks);
	gb_check_fix(s->checks, "claim what is named here too, or leave it without a driver");
}

/* ---- the kernel's groups against the hardware ---------------------------------------------- */

static const struct gb_difference *find_difference(const struct subject *s,
						   enum gb_difference_kind kind)
{
	const struct gb_survey *survey = s->members.survey;
	const struct gb_differences *all = &survey->differences;
	bool concerned = false;

	for (int i = s->members.node; i != GB_NOWHERE; i = gb_members_next(&s->members, i))
		concerned |= survey->doubts[i] & 1u << kind;
	for (size_t i = 0; concerned && i < all->differences; i++) {
		const struct gb_difference *d = &all->difference[i];

		if (d->kind == kind &&
		    (survey->topology.node[d->a].device->group == s->members.group ||
		     survey->topology.node[d->b].device->group == s->members.group))
			return d;
	}
	return NULL;
}

/* What joins the two by the rules. The later of them joined the earlier, or what that joined. */
static int culprit_of(const struct gb_survey *survey, const struct gb_difference *d)
{
	const struct gb_member *member = survey->prediction.member;
	int last = d->b > d->a ? d->b : d->a;

	return member[last].because != GB_NOWHERE ? member[last].because :
						    member[d->a + d->b - last].because;
}

static void explain(const struct subject *s, const struct gb_difference *d)
{
	const struct gb_survey *survey = s->members.survey;
	int culprit = culprit_of(survey, d);
	char bdf[GB_BDF_MAX], word[128];

	if (culprit != GB_NOWHERE)
		gb_check_evidence(s->checks, "%s: %s",
				  gb_bdf_format(survey->topology.node[culprit].device->bdf, bdf),
				  gb_acs_rule_text(survey->prediction.acs[culprit].rule));
	gb_check_evidence(s->checks, "rules of " GB_PREDICT_RULES);
	if (gb_cmdline_find(survey->cmdline, "pcie_acs_override", NULL, word, sizeof(word)))
		gb_check_evidence(s->checks, "/proc/cmdline: %s", word);
}

static void name_two(const struct gb_survey *survey, const struct gb_difference *d,
		     char one[static GB_BDF_MAX], char other[static GB_BDF_MAX])
{
	gb_bdf_format(survey->topology.node[d->a].device->bdf, one);
	gb_bdf_format(survey->topology.node[d->b].device->bdf, other);
}

static void check_split(const struct subject *s, const struct gb_difference *d)
{
	const struct gb_survey *survey = s->members.survey;
	char one[GB_BDF_MAX], other[GB_BDF_MAX], word[128];
	bool told = survey->cmdline[0];
	bool overridden = gb_cmdline_find(survey->cmdline, "pcie_acs_override", NULL, word,
					  sizeof(word));

	name_two(survey, d, one, other);
	/* another kernel may know of models that isolate and do not say so */
	if (told && !overridden) {
		gb_check(s->checks, "acs-lie", GB_UNKNOWN, s->members.subject,
			 "the kernel shows %s and %s apart; whether it knows more of this "
			 "hardware than the rules do can't be told", one, other);
		explain(s, d);
		return;
	}
	gb_check(s->checks, "acs-lie", GB_FAIL, s->members.subject,
		 "the kernel shows %s and %s apart, but the hardware does not isolate them: a "
		 "guest could reach the other's memory", one, other);
	explain(s, d);
	if (overridden)
		gb_judge_remove_word(survey, word, s->checks);
	gb_check_fix(s->checks, "use a slot that the hardware isolates");
}

static void check_unproven(const struct subject *s, const struct gb_difference *d)
{
	char one[GB_BDF_MAX], other[GB_BDF_MAX];

	name_two(s->members.survey, d, one, other);
	gb_check(s->checks, "acs-lie", GB_UNKNOWN, s->members.subject,
		 "the kernel shows %s and %s apart; whether the hardware isolates them can't be "
		 "told, since config space could not be read", one, other);
	explain(s, d);
	gb_check_fix(s->checks, "ask again as root, with ghost-verify, which wakes sleeping "
				"devices");
}

static void check_joined(const struct subject *s)
{
	const struct gb_difference *d = find_difference(s, GB_JOINED);
	char one[GB_BDF_MAX], other[GB_BDF_MAX];

	if (!d)
		return;
	name_two(s->members.survey, d, one, other);
	gb_check(s->checks, "group-joined", GB_WARN, s->members.subject,
		 "the kernel holds %s and %s together though the hardware could part them", one,
		 other);
	gb_check_evidence(s->checks, "rules of " GB_PREDICT_RULES);
	gb_check_fix(s->checks, "look for pci=nommconf or pci=noacs on the command line; a kernel "
				"of other rules may part them");
}

/* Where nothing of config space is there, not even its place in the tree can be relied on. */
static int find_unlocated(const struct subject *s)
{
	for (int i = s->members.node; i != GB_NOWHERE; i = gb_members_next(&s->members, i)) {
		const struct gb_node *node = &s->members.survey->topology.node[i];

		if (node->lost || (!node->config.bytes && !node->config.asleep))
			return i;
	}
	return GB_NOWHERE;
}

static void check_unlocated(const struct subject *s, int node)
{
	const struct gb_device *device = s->members.survey->topology.node[node].device;
	char bdf[GB_BDF_MAX];

	gb_check(s->checks, "acs-lie", GB_UNKNOWN, s->members.subject,
		 "whether the hardware agrees with the kernel's group can't be told");
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/config: can't be read",
			  gb_bdf_format(device->bdf, bdf));
	gb_check_fix(s->checks, "ask again as root");
}

static void check_agreed(const struct subject *s)
{
	gb_check(s->checks, "acs-lie", GB_PASS, s->members.subject,
		 "the hardware agrees with the kernel's group");
	gb_check_evidence(s->checks, "config space, by the rules of " GB_PREDICT_RULES);
}

static void check_truth(const struct subject *s)
{
	const struct gb_difference *d;
	int unlocated;

	if (s->members.source != GB_GROUPS_KERNEL ||
	    gb_checks_have(s->checks, "acs-lie", s->members.subject))
		return;
	if ((d = find_difference(s, GB_SPLIT)))
		check_split(s, d);
	else if ((d = find_difference(s, GB_UNPROVEN)))
		check_unproven(s, d);
	else if ((unlocated = find_unlocated(s)) != GB_NOWHERE)
		check_unlocated(s, unlocated);
	else
		check_agreed(s);
	check_joined(s);
}

void gb_judge_group(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct subject s = { .checks = checks };
	bool said;

	gb_members_of(survey, node, &s.members);
	gb_bdf_format(device_of(&s)->bdf, s.bdf);
	said = gb_members_said(&s.members, checks, "group");
	check_group(&s);
	if (said)
		return;
	check_members(&s);
	check_viable(&s);
	check_truth(&s);
	gb_judge_path(survey, node, checks);
	gb_judge_reserved(survey, node, checks);
}
