/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <string.h>

#include "cmdline.h"
#include "root.h"
#include "text.h"

#define SYSTEM "system"
#define SHOWN 4 /* examples; all of them are in `ghost-boot list --groups --predict` */

static const struct gb_device *device(const struct gb_survey *s, int node)
{
	return s->topology.node[node].device;
}

static bool is_display_pair(const struct gb_survey *s, const struct gb_difference *d)
{
	return gb_device_is_display(device(s, d->a)) ||
	       (d->b != GB_NOWHERE && gb_device_is_display(device(s, d->b)));
}

/* An integrated display without a group has a check of its own. */
static bool is_integrated_display(const struct gb_survey *s, int node)
{
	const struct gb_device *d = device(s, node);

	return gb_device_is_display(d) && d->id.vendor == 0x8086 && d->path.hops == 1;
}

static bool counts(const struct gb_survey *s, const struct gb_difference *d,
		   enum gb_difference_kind kind)
{
	return d->kind == kind && (kind != GB_LEFT_OUT || !is_integrated_display(s, d->a));
}

static size_t count(const struct gb_survey *s, enum gb_difference_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->differences.differences; i++)
		n += counts(s, &s->differences.difference[i], kind);
	return n;
}

/* "0000:01:00.0 with 0000:01:00.1, …", those with a display first. */
static void add_examples(const struct gb_survey *s, enum gb_difference_kind kind,
			 struct gb_checks *checks)
{
	struct gb_text text = { 0 };
	char a[GB_BDF_MAX], b[GB_BDF_MAX];
	size_t shown = 0, all = count(s, kind);

	for (int display = 1; display >= 0; display--)
		for (size_t i = 0; i < s->differences.differences && shown < SHOWN; i++) {
			const struct gb_difference *d = &s->differences.difference[i];

			if (!counts(s, d, kind) || is_display_pair(s, d) != display)
				continue;
			gb_text_addf(&text, "%s%s", shown++ ? ", " : "",
				     gb_bdf_format(device(s, d->a)->bdf, a));
			if (d->b != GB_NOWHERE)
				gb_text_addf(&text, " and %s",
					     gb_bdf_format(device(s, d->b)->bdf, b));
		}
	if (all > shown)
		gb_text_addf(&text, ", and %zu more", all - shown);
	if (text.data && !text.failed)
		gb_check_evidence(checks, "%s", text.data);
	gb_text_clear(&text);
}

/* ---- the ACS override lie ---------------------------------------------------------------- */

static void judge_split(const struct gb_survey *s, const char *word, struct gb_checks *checks)
{
	gb_check(checks, "acs-override", word[0] ? GB_FAIL : GB_WARN, SYSTEM,
		 word[0] ? "groups are split that the hardware does not separate: devices in them "
			   "can reach each other's memory"
			 : "groups are split that the rules of " GB_PREDICT_RULES " hold together: a "
			   "newer kernel that knows these devices, or one with the ACS override "
			   "patch");
	add_examples(s, GB_SPLIT, checks);
	if (word[0])
		gb_judge_remove_word(s, word, checks);
	else
		gb_check_fix(checks, "boot a kernel of the distribution, and compare");
}

static void judge_unproven(const struct gb_survey *s, const char *word, struct gb_checks *checks)
{
	size_t pairs = count(s, GB_UNPROVEN);

	gb_check(checks, "acs-override", word[0] ? GB_WARN : GB_UNKNOWN, SYSTEM,
		 "cannot tell whether %zu pair%s of devices in different groups %s really separate%s",
		 pairs, pairs == 1 ? "" : "s", pairs == 1 ? "is" : "are",
		 word[0] ? ", and the override is on" : "");
	add_examples(s, GB_UNPROVEN, checks);
	gb_check_fix(checks, "run it as root, so that config space can be read");
}

static void judge_override(const struct gb_survey *s, struct gb_checks *checks)
{
	char word[128] = "";

	if (!gb_cmdline_find(s->cmdline, "pcie_acs_override", NULL, word, sizeof(word)))
		word[0] = '\0';
	if (!s->grouped) {
		gb_check(checks, "acs-override", GB_UNKNOWN, SYSTEM,
			 "without groups nothing can be said about their truth");
		gb_check_evidence(checks, "/sys/kernel/iommu_groups: none");
	} else if (count(s, GB_SPLIT)) {
		judge_split(s, word, checks);
	} else if (count(s, GB_UNPROVEN)) {
		judge_unproven(s, word, checks);
	} else {
		gb_check(checks, "acs-override", GB_PASS, SYSTEM,
			 "the hardware separates all that the kernel's groups separate");
		gb_check_evidence(checks, "config space, by the rules of " GB_PREDICT_RULES);
	}
	if (word[0])
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
}

/* ---- other disagreements ----------------------------------------------------------------- */

static void judge_joined(const struct gb_survey *s, struct gb_checks *checks)
{
	if (!count(s, GB_JOINED))
		return;
	gb_check(checks, "group-rules", GB_WARN, SYSTEM,
		 "the kernel holds devices together that the rules of " GB_PREDICT_RULES
		 " hold apart: it follows other rules, or knows a fault of theirs");
	add_examples(s, GB_JOINED, checks);
	if (s->site.release[0])
		gb_check_evidence(checks, "this kernel is %s", s->site.release);
	gb_check_fix(checks, "believe the kernel: its groups are what VFIO goes by");
}

static void judge_left_out(const struct gb_survey *s, struct gb_checks *checks)
{
	if (!count(s, GB_LEFT_OUT))
		return;
	gb_check(checks, "group-rules", GB_WARN, SYSTEM,
		 "some devices have no group though others have: the firmware's table leaves "
		 "them out, and they can't be passed through");
	add_examples(s, GB_LEFT_OUT, checks);
}

static void judge_display(const struct gb_survey *s, int node, struct gb_checks *checks)
{
	char bdf[GB_BDF_MAX], word[64], set[8];

	gb_bdf_format(device(s, node)->bdf, bdf);
	if (device(s, node)->group >= 0) {
		gb_check(checks, "integrated-gpu-group", GB_PASS, SYSTEM,
			 "the integrated display %s has a group", bdf);
		gb_check_file(checks, bdf, "iommu_group", "there");
		return;
	}
	gb_check(checks, "integrated-gpu-group", GB_WARN, SYSTEM,
		 "the integrated display %s has no group and can't be passed through", bdf);
	if (gb_cmdline_find(s->cmdline, "intel_iommu", "igfx_off", word, sizeof(word))) {
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
		gb_judge_remove_word(s, word, checks);
		return;
	}
	if (gb_site_kernel_config(s->root, s->site.release, "INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF", set,
				  sizeof(set)) && set[0] == 'y')
		gb_check_evidence(checks, "kernel configuration: INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y");
	if (!gb_cmdline_find(s->cmdline, "intel_iommu", "on", word, sizeof(word)))
		gb_judge_add_word(s, "intel_iommu=on", checks);
}

/* ---- what could not be read --------------------------------------------------------------- */

static void judge_config(const struct gb_survey *s, struct gb_checks *checks)
{
	size_t all = s->topology.nodes, cut = 0, gone = 0, asleep = 0;
	char word[64];

	for (size_t i = 0; i < all; i++) {
		const struct gb_config *config = &s->topology.node[i].config;

		if (config->asleep)
			asleep++;
		else if (config->acs == GB_CANNOT_TELL)
			++*(config->bytes ? &cut : &gone);
	}
	if (!cut && !gone && !asleep) {
		gb_check(checks, "config-space", GB_PASS, SYSTEM,
			 "config space could be read (%zu functions)", all);
		gb_check_evidence(checks, "/sys/bus/pci/devices/*/config");
		return;
	}
	gb_check(checks, "config-space", GB_UNKNOWN, SYSTEM,
		 "cannot tell what isolates %zu of %zu functions", cut + gone + asleep, all);
	if (asleep)
		gb_check_evidence(checks, "%zu asleep and not woken", asleep);
	if (gone)
		gb_check_evidence(checks, "config space of %zu: not there", gone);
	if (cut)
		gb_check_evidence(checks, "config space of %zu: cut short", cut);
	if (gb_cmdline_find(s->cmdline, "pci", "nommconf", word, sizeof(word))) {
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
		gb_judge_remove_word(s, word, checks);
	} else if (cut) {
		gb_check_fix(checks, "run it as root: others are shown 64 bytes");
	}
}

static int stop(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return 1;
}

/* A boot looks at claimed functions only: others may have groups. */
static bool kernel_has_groups(const struct gb_survey *s)
{
	return s->grouped || gb_root_list(s->root, "/sys/kernel/iommu_groups", stop, NULL) > 0;
}

void gb_judge_rules(const struct gb_survey *survey, struct gb_checks *checks)
{
	judge_config(survey, checks);
	judge_override(survey, checks);
	judge_joined(survey, checks);
	judge_left_out(survey, checks);
	for (int i = 0; i < (int)survey->topology.nodes; i++)
		if (is_integrated_display(survey, i) && kernel_has_groups(survey))
			judge_display(survey, i, checks);
}
