/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "need-words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "err.h"
#include "judge.h"
#include "site.h"
#include "target.h"

struct need {
	const struct gb_target *target;
	const struct gb_survey *survey;
	const char *const *line;
	size_t lines;
	struct gb_need_words *words;
};

void gb_need_words_clear(struct gb_need_words *words)
{
	for (size_t i = 0; i < words->texts; i++)
		free(words->text[i]);
	*words = (struct gb_need_words){ 0 };
}

__attribute__((format(printf, 4, 5)))
static void want(struct gb_need_words *words, enum gb_want_mode mode, const char *word,
		 const char *format, ...)
{
	char *copy = strdup(word), *reason = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	if (words->wants == GB_NEED_WORDS_MAX || !copy || !reason) {
		words->failed |= words->wants < GB_NEED_WORDS_MAX;
		free(copy);
		free(reason);
		return;
	}
	words->text[words->texts++] = copy;
	words->text[words->texts++] = reason;
	words->want[words->wants++] = (struct gb_want){ mode, copy, reason };
}

static const char *line_at(const struct need *need, size_t i)
{
	const char *line = i ? need->line[i - 1] : need->survey->cmdline;

	return line ? line : "";
}

/* ---- Intel -------------------------------------------------------------------------------- */

/* drivers/iommu/intel/iommu.c; …_INTGPU_OFF is Debian's: all but the integrated display. */
enum on { ON, ON_BUT_DISPLAY, OFF, NEVER, UNKNOWN };

static bool is_set(struct gb_root *root, const char *release, const char *name, bool *ret_known)
{
	char value[8];

	*ret_known = gb_site_kernel_config(root, release, name, value, sizeof(value));
	return *ret_known && value[0] == 'y';
}

static enum on kernel_default(struct gb_root *root, const char *release)
{
	bool known;

	if (!is_set(root, release, "INTEL_IOMMU", &known))
		return known ? NEVER : UNKNOWN;
	if (is_set(root, release, "INTEL_IOMMU_DEFAULT_ON", &known))
		return ON;
	return is_set(root, release, "INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF", &known) ?
		       ON_BUT_DISPLAY : OFF;
}

/* On the processor itself: directly on its root bus. */
static bool claims_integrated(const struct need *need)
{
	for (size_t i = 0; i < need->target->claims; i++) {
		const struct gb_line *line = &need->target->item[i].line;

		if (line->id.vendor == 0x8086 && line->path.hops == 1 &&
		    GB_BASE_CLASS(line->id.class) == GB_CLASS_DISPLAY)
			return true;
	}
	return false;
}

#define INTEL_ON "intel_iommu=on"

static bool want_intel_for(const struct need *need, const char *release)
{
	enum on on = kernel_default(need->survey->root, release);

	if (on == OFF)
		want(need->words, GB_WANT_PIECE, INTEL_ON,
		     "kernel %s leaves Intel's IOMMU off without it", release);
	else if (on == UNKNOWN)
		want(need->words, GB_WANT_PIECE, INTEL_ON,
		     "how kernel %s was built can't be told (/boot/config-%s), and many leave "
		     "Intel's IOMMU off without it", release, release);
	else if (on == ON_BUT_DISPLAY && claims_integrated(need))
		want(need->words, GB_WANT_PIECE, INTEL_ON,
		     "kernel %s leaves the processor's own graphics without an IOMMU group", release);
	else
		return false;
	return true;
}

static void want_intel(const struct need *need)
{
	const struct gb_site *site = &need->survey->site;
	char word[128];

	for (size_t i = 0; i <= need->lines; i++) {
		if (!gb_cmdline_find(line_at(need, i), "intel_iommu", "off", word, sizeof(word)))
			continue;
		want(need->words, GB_WANT_PIECE, INTEL_ON, "%s turns the IOMMU off", word);
		return;
	}
	for (size_t i = 0; i < site->kernels; i++)
		if (want_intel_for(need, site->kernel[i]))
			return;
	/* kernels without modules, or not found: this one is what can be told */
	if (!site->kernels && !(need->survey->grouped &&
				!gb_cmdline_find(need->survey->cmdline, "intel_iommu", "on", word,
						 sizeof(word))))
		want(need->words, GB_WANT_PIECE, INTEL_ON,
		     "no installed kernel was found that turns Intel's IOMMU on by itself");
}

/* ---- words in the way ----------------------------------------------------------------------- */

static bool is_wanted(const struct gb_need_words *words, const char *word)
{
	for (size_t i = 0; i < words->wants; i++)
		if (!strcmp(words->want[i].word, word))
			return true;
	return false;
}

static void lose(const struct need *need, const char *name, const char *piece)
{
	char word[256];

	for (size_t i = 0; i <= need->lines; i++)
		if (gb_cmdline_find(line_at(need, i), name, piece, word, sizeof(word)) &&
		    !is_wanted(need->words, word))
			want(need->words, GB_WANT_GONE, word, "it turns the IOMMU off");
}

static void arm(struct gb_need_words *words)
{
	want(words, GB_WANT_ONLY, "ghost.claim=on", "it arms the claims that the image carries");
}

int gb_need_words_read(const struct gb_target *target, bool arm_always, const char *const *line,
		       size_t lines, struct gb_need_words *ret, struct gb_err *err)
{
	struct need need = { target, target->survey, line, lines, ret };
	bool intel = gb_judge_is_intel(target->survey), amd = gb_judge_is_amd(target->survey);
	size_t before;

	*ret = (struct gb_need_words){ 0 };
	if (!arm_always)
		arm(ret);
	before = ret->wants;
	if (intel)
		want_intel(&need);
	else
		lose(&need, "amd_iommu", "off");
	/* arch/x86/kernel/pci-dma.c, iommu_setup: no_iommu, for both */
	lose(&need, "iommu", "off");
	/* without a firmware table or a host bridge nobody knows whose it is */
	if (!intel && !amd)
		lose(&need, "intel_iommu", "off");
	ret->iommu = ret->wants > before;
	return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}
