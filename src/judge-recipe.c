/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <string.h>

#include "recipe.h"

#define SYSTEM "system"

/* What gb_judge_words and gb_judge_iommu say, and better, since they see what came of it. */
static bool is_said(const struct gb_finding *finding, const char *file)
{
	static const enum gb_finding_id said[] = { GB_AMD_IOMMU_ON, GB_IOMMU_OFF, GB_IOMMU_BOTH,
		GB_IOMMU_OTHER_VENDOR, GB_ACS_OVERRIDE, GB_INTREMAP, GB_PCI_NOMMCONF,
		GB_UNSAFE_INTERRUPTS, GB_UNSAFE_NOIOMMU };

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		if (finding->id == said[i])
			return !strcmp(file, "/proc/cmdline");
	return false;
}

/* What is copied into the image changes nothing before the image is made anew. */
static bool goes_into_image(const char *file)
{
	static const char *const places[] = { "/modprobe.d/", "/modules-load.d/", "/dracut",
					      "/initramfs-tools/", "/mkinitcpio", "/initcpio/",
					      "/rules.d/", "/etc/modules" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (strstr(file, places[i]))
			return true;
	return false;
}

static void advise(const struct gb_survey *s, const struct gb_finding *finding, const char *file,
		   struct gb_checks *checks)
{
	char rebuild[128];

	if (!strcmp(file, "/proc/cmdline")) {
		gb_judge_remove_word(s, finding->words, checks);
		return;
	}
	gb_check_fix(checks, "%s", gb_finding_kind(finding->id)->weight == GB_CONFLICT ?
		     "remove it: claims do this work" : "correct it, or remove it: claims do not "
		     "need it");
	if (goes_into_image(file)) {
		gb_site_rebuild(&s->site, rebuild, sizeof(rebuild));
		gb_check_fix(checks, "then %s", rebuild);
	}
}

static void judge_finding(const struct gb_survey *s, const struct gb_findings *f,
			  const struct gb_finding *finding, struct gb_checks *checks)
{
	const struct gb_finding_kind *kind = gb_finding_kind(finding->id);
	const char *file = gb_finding_file(f, finding), *but = kind->wrong;

	if (!but)
		but = kind->conflict;
	gb_check(checks, kind->id, GB_WARN, SYSTEM, "%s%s%s", kind->means, but ? ": " : "",
		 but ? but : "");
	if (finding->line)
		gb_check_evidence(checks, "%s:%u: %s", file, finding->line, finding->words);
	else
		gb_check_evidence(checks, "%s: %s", file, finding->words);
	if (finding->detail[0])
		gb_check_evidence(checks, "%s", finding->detail);
	advise(s, finding, file, checks);
}

/* The lines that do what they are meant to do, and what no line here was read for. */
static void sum_up(const struct gb_findings *f, size_t notes, size_t judged,
		   struct gb_checks *checks)
{
	if (f->left_out) {
		gb_check(checks, "recipes", GB_UNKNOWN, SYSTEM,
			 "cannot tell all about earlier passthrough set-ups: %zu findings were too "
			 "many", f->left_out);
	} else if (notes) {
		gb_check(checks, "recipes", GB_PASS, SYSTEM, "%zu line%s of an earlier passthrough "
			 "set-up %s as meant; claims don't need %s", notes, notes == 1 ? "" : "s",
			 notes == 1 ? "does" : "do", notes == 1 ? "it" : "them");
		for (size_t i = 0; i < f->findings; i++)
			if (gb_finding_kind(f->finding[i].id)->weight == GB_NOTE)
				gb_check_evidence(checks, "%s:%u", gb_finding_file(f, &f->finding[i]),
						  f->finding[i].line);
	} else if (!judged) {
		gb_check(checks, "recipes", GB_PASS, SYSTEM, "no earlier passthrough set-up found");
		gb_check_evidence(checks, "modprobe.d, modules-load.d, dracut.conf.d, "
				  "initramfs-tools, /proc/cmdline");
	}
}

void gb_judge_recipe(const struct gb_survey *survey, struct gb_checks *checks)
{
	struct gb_findings f;
	size_t notes = 0, judged = 0;

	if (gb_recipe_read(survey->root, &survey->machine, &f, NULL)) {
		checks->failed = true;
		return;
	}
	for (size_t i = 0; i < f.findings; i++) {
		const struct gb_finding *finding = &f.finding[i];

		if (gb_finding_kind(finding->id)->weight == GB_NOTE) {
			notes++;
		} else if (!is_said(finding, gb_finding_file(&f, finding))) {
			judge_finding(survey, &f, finding, checks);
			judged++;
		}
	}
	sum_up(&f, notes, judged, checks);
	gb_findings_clear(&f);
}
