/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <string.h>

#include "cmdline.h"

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

/* The host bridge says it where neither /proc nor a firmware table does. */
static bool is_of(const struct gb_survey *s, enum gb_processor processor, uint32_t table,
		  uint16_t vendor)
{
	const struct gb_device *first = s->topology.nodes ? s->topology.node[0].device : NULL;

	if (s->site.processor != GB_PROCESSOR_OTHER)
		return s->site.processor == processor;
	if (s->dmar.table.length || s->ivrs.table.length)
		return table;
	return first && first->id.class >> 8 == 0x0600 && first->id.vendor == vendor;
}

bool gb_judge_is_intel(const struct gb_survey *s)
{
	return is_of(s, GB_INTEL, s->dmar.table.length, 0x8086);
}

bool gb_judge_is_amd(const struct gb_survey *s)
{
	return is_of(s, GB_AMD, s->ivrs.table.length, 0x1022);
}

/* A word that is better not there. src/bootwords knows more of them, and is too large for an
 * image. */
static const struct {
	const char *name, *piece; /* the piece NULL: any */
	const char *means;
} words[] = {
	/* drivers/iommu/amd/init.c, parse_amd_iommu_options */
	{ "amd_iommu", "on", "is no option of the kernel's, which turns AMD's IOMMU on by itself "
			     "if the firmware has it" },
	/* drivers/iommu/irq_remapping.c, setup_irqremap */
	{ "nointremap", NULL, "turns interrupt remapping off, and VFIO then refuses devices" },
	{ "intremap", "off", "turns interrupt remapping off, and VFIO then refuses devices" },
	{ "intremap", "nosid", "lets a device send interrupts in another's name" },
	/* arch/x86/pci/common.c, pcibios_setup */
	{ "pci", "nommconf", "hides what isolates devices: nearly all come into one group" },
	{ "vfio_iommu_type1.allow_unsafe_interrupts", NULL,
	  "lets a guest send the host any interrupt where interrupts are not remapped" },
	{ "vfio.enable_unsafe_noiommu_mode", NULL,
	  "lets whoever has a device read and write all memory where there is no IOMMU" },
};

/* lib/kstrtox.c, kstrtobool: such a word switches off what it names. */
static bool is_no(const char *word)
{
	const char *value = strchr(word, '=');

	return value && value[1] && strchr("0nN", value[1]);
}

static void warn(const struct gb_survey *s, const char *word, const char *means,
		 struct gb_checks *checks)
{
	gb_check(checks, ID, GB_WARN, SYSTEM, "%s %s", word, means);
	gb_check_evidence(checks, "/proc/cmdline: %s", word);
	gb_judge_remove_word(s, word, checks);
}

static void judge_vendors(const struct gb_survey *s, struct gb_checks *checks)
{
	char intel[128], amd[128];
	bool has_intel = gb_cmdline_find(s->cmdline, "intel_iommu", NULL, intel, sizeof(intel));
	bool has_amd = gb_cmdline_find(s->cmdline, "amd_iommu", NULL, amd, sizeof(amd));

	if (has_intel && gb_judge_is_amd(s))
		warn(s, intel, "does nothing: this machine is AMD's", checks);
	else if (has_amd && gb_judge_is_intel(s))
		warn(s, amd, "does nothing: this machine is Intel's", checks);
	else if (has_intel && has_amd) {
		gb_check(checks, ID, GB_WARN, SYSTEM, "%s and %s: a machine has only one of them, "
			 "and the other's word does nothing", intel, amd);
		gb_check_fix(checks, "keep the one of this machine's processor");
	}
}

static bool differs(const struct gb_survey *s, enum gb_difference_kind kind)
{
	for (size_t i = 0; i < s->differences.differences; i++)
		if (s->differences.difference[i].kind == kind)
			return true;
	return false;
}

/* A word of a patch that distributions do not ship: what it did here shows in the groups. */
static void judge_override(const struct gb_survey *s, struct gb_checks *checks)
{
	char word[128];

	if (!gb_cmdline_find(s->cmdline, "pcie_acs_override", NULL, word, sizeof(word)))
		return;
	if (differs(s, GB_SPLIT))
		warn(s, word, "makes groups look isolated that are not", checks);
	else if (differs(s, GB_UNPROVEN) || !s->grouped)
		warn(s, word, "makes groups unbelievable; cannot tell what it does here", checks);
	else
		warn(s, word, "does nothing here: this kernel ignores it, or the hardware isolates "
		     "without it", checks);
}

/* "does nothing" is said once of a word, with the better reason. */
static bool is_said(const struct gb_survey *s, const char *name)
{
	return !strcmp(name, "amd_iommu") && gb_judge_is_intel(s);
}

void gb_judge_words(const struct gb_survey *survey, struct gb_checks *checks)
{
	size_t before = checks->checks;
	char word[128];

	if (!survey->cmdline[0]) {
		gb_check(checks, ID, GB_UNKNOWN, SYSTEM,
			 "cannot tell what is on the kernel command line");
		gb_check_evidence(checks, "/proc/cmdline: not there, or empty");
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (gb_cmdline_find(survey->cmdline, words[i].name, words[i].piece, word,
				    sizeof(word)) &&
		    !is_said(survey, words[i].name) && (words[i].piece || !is_no(word)))
			warn(survey, word, words[i].means, checks);
	judge_vendors(survey, checks);
	judge_override(survey, checks);
	if (checks->checks == before) {
		gb_check(checks, ID, GB_PASS, SYSTEM,
			 "no useless or harmful word about the IOMMU on the kernel command line");
		gb_check_evidence(checks, "/proc/cmdline");
	}
	if (gb_cmdline_find(survey->cmdline, "iommu", "pt", word, sizeof(word))) {
		gb_check(checks, ID, GB_PASS, SYSTEM, "iommu=pt only makes the host's own devices "
			 "faster; passthrough is the same without it");
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
	}
}
