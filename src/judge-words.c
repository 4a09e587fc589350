/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <string.h>

#include "bootwords.h"
#include "cmdline.h"
#include "recipe.h"

#define SYSTEM "system"
#define ID "iommu-words"

void gb_judge_add_word(const struct gb_survey *survey, const char *word, struct gb_checks *checks)
{
	char fix[512];

	gb_site_add_word(&survey->site, word, fix, sizeof(fix));
	gb_check_fix(checks, "%s", fix);
}

void gb_judge_remove_word(const struct gb_survey *survey, const char *word,
			  struct gb_checks *checks)
{
	char fix[512];

	gb_site_remove_word(&survey->site, word, fix, sizeof(fix));
	gb_check_fix(checks, "%s", fix);
}

bool gb_judge_is_iommu_word(enum gb_finding_id id)
{
	switch (id) {
	case GB_AMD_IOMMU_ON:
	case GB_IOMMU_OFF:
	case GB_IOMMU_PT:
	case GB_IOMMU_UNKNOWN:
	case GB_IOMMU_BOTH:
	case GB_IOMMU_OTHER_VENDOR:
	case GB_ACS_OVERRIDE:
	case GB_INTREMAP:
	case GB_PCI_NOMMCONF:
	case GB_PCI_ACS:
	case GB_UNSAFE_INTERRUPTS:
	case GB_UNSAFE_NOIOMMU:
		return true;
	default:
		return false;
	}
}

static size_t count(const struct gb_survey *s, enum gb_difference_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->differences.differences; i++)
		n += s->differences.difference[i].kind == kind;
	return n;
}

/* A word of a patch that distributions do not ship: what it did here shows in the groups. */
static void judge_override(const struct gb_survey *s, struct gb_checks *checks)
{
	if (count(s, GB_SPLIT))
		gb_check(checks, ID, GB_WARN, SYSTEM, "pcie_acs_override makes groups look isolated "
			 "that are not");
	else if (count(s, GB_UNPROVEN) || !s->grouped)
		gb_check(checks, ID, GB_WARN, SYSTEM, "pcie_acs_override is set; cannot tell what it "
			 "does here, and groups can't be believed with it");
	else
		gb_check(checks, ID, GB_WARN, SYSTEM, "pcie_acs_override does nothing here: this "
			 "kernel ignores it, or the hardware isolates without it");
}

static bool can_run_with(const struct gb_finding *finding)
{
	return finding->id == GB_AMD_IOMMU_ON || finding->id == GB_IOMMU_OTHER_VENDOR ||
	       finding->id == GB_IOMMU_BOTH;
}

static void judge_finding(const struct gb_survey *s, const struct gb_finding *finding,
			  struct gb_checks *checks)
{
	const struct gb_finding_kind *kind = gb_finding_kind(finding->id);

	if (finding->id == GB_ACS_OVERRIDE)
		judge_override(s, checks);
	else if (finding->id == GB_IOMMU_PT)
		gb_check(checks, ID, GB_PASS, SYSTEM, "iommu=pt only makes the host's own devices "
			 "faster; passthrough is the same without it");
	else
		gb_check(checks, ID, GB_WARN, SYSTEM, "%s: %s", finding->words,
			 kind->wrong ? kind->wrong : kind->means);
	gb_check_evidence(checks, "/proc/cmdline: %s", finding->words);
	if (finding->detail[0])
		gb_check_evidence(checks, "%s", finding->detail);
	if (finding->id == GB_IOMMU_PT)
		return;
	/* of both vendors' words one may be wanted */
	if (finding->id == GB_IOMMU_BOTH)
		gb_check_fix(checks, "keep the one of this machine's processor");
	else
		gb_judge_remove_word(s, finding->words, checks);
	if (can_run_with(finding) && s->grouped)
		gb_check_evidence(checks, "harmless: the IOMMU runs");
}

void gb_judge_words(const struct gb_survey *survey, struct gb_checks *checks)
{
	struct gb_findings f = { .machine = &survey->machine };
	size_t before = checks->checks;

	if (!survey->cmdline[0]) {
		gb_check(checks, ID, GB_UNKNOWN, SYSTEM, "cannot tell what is on the kernel command line");
		gb_check_evidence(checks, "/proc/cmdline: not there, or empty");
		return;
	}
	if (gb_finding_enter(&f, "/proc/cmdline")) {
		f.line = 1;
		gb_bootwords_read(&f, survey->cmdline);
	}
	for (size_t i = 0; i < f.findings; i++)
		if (gb_judge_is_iommu_word(f.finding[i].id))
			judge_finding(survey, &f.finding[i], checks);
	if (checks->checks == before) {
		gb_check(checks, ID, GB_PASS, SYSTEM,
			 "no useless or harmful word about the IOMMU on the kernel command line");
		gb_check_evidence(checks, "/proc/cmdline");
	}
	gb_findings_clear(&f);
}
