/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of it is not as it should be, and what to do. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "condition.h"
#include "host.h"
#include "text.h"

void gb_condition_note(struct gb_condition *c, const char *id, const char *next,
		       const char *format, ...)
{
	struct gb_condition_note *n = &c->note[c->notes];
	va_list args;

	if (c->notes == GB_CONDITION_NOTES_MAX)
		return;
	n->id = id;
	gb_text_copy(n->next, sizeof(n->next), next);
	va_start(args, format);
	vsnprintf(n->text, sizeof(n->text), format, args);
	va_end(args);
	c->notes++;
}

/* ---- functions ------------------------------------------------------------------------- */

static enum gb_known claims_it(const struct gb_condition_side *side, const struct gb_line *line)
{
	if (side->there == GB_CANNOT_TELL)
		return GB_CANNOT_TELL;
	return line && !line->keep ? side->armed : GB_NO;
}

static bool on_driver(const struct gb_condition_function *f, const struct gb_line *line)
{
	return f->driver[0] && gb_text_same_module(f->driver, line->driver);
}

/* This boot claims it: is it so? */
static void judge_booted(struct gb_condition_function *f, enum gb_known stays, bool tried)
{
	const struct gb_account_device *account = f->account;

	f->kind = GB_FUNCTION_WRONG;
	if (f->node == GB_NOWHERE) {
		snprintf(f->text, sizeof(f->text), "claimed, and not there");
	} else if (!on_driver(f, f->booted)) {
		if (account && strcmp(account->decision, "claim") &&
		    strcmp(account->decision, "moved"))
			snprintf(f->text, sizeof(f->text), "not claimed: %.180s", account->text);
		else
			snprintf(f->text, sizeof(f->text), "claimed for %s, and %s has it",
				 f->booted->driver, f->driver[0] ? f->driver : "no driver");
	} else if (stays == GB_YES) {
		f->kind = GB_FUNCTION_GOOD;
	} else if (tried) {
		f->kind = GB_FUNCTION_GOOD;
		snprintf(f->text, sizeof(f->text), "tried in this boot");
	} else if (stays == GB_NO) {
		f->kind = GB_FUNCTION_WAITS;
		snprintf(f->text, sizeof(f->text), "no longer claimed after a reboot");
	} else {
		f->kind = GB_FUNCTION_UNKNOWN;
		snprintf(f->text, sizeof(f->text), "claimed; after a reboot: cannot tell");
	}
}

static void judge_function(const struct gb_condition *c, struct gb_condition_function *f)
{
	const enum gb_known will = claims_it(&c->configured, f->configured);
	const enum gb_known is = claims_it(&c->booted, f->booted);

	if (is == GB_YES) {
		judge_booted(f, will, c->trial.tried);
	} else if (is == GB_CANNOT_TELL) {
		f->kind = GB_FUNCTION_UNKNOWN;
		snprintf(f->text, sizeof(f->text), "what this boot did with it: cannot tell");
	} else if (will == GB_YES && f->node == GB_NOWHERE) {
		f->kind = GB_FUNCTION_WAITS;
		snprintf(f->text, sizeof(f->text), "claimed after a reboot, if it is there then");
	} else if (will == GB_YES) {
		f->kind = GB_FUNCTION_WAITS;
		snprintf(f->text, sizeof(f->text), "claimed after a reboot");
	} else if (will == GB_CANNOT_TELL) {
		f->kind = GB_FUNCTION_UNKNOWN;
		snprintf(f->text, sizeof(f->text), "whether it is claimed after a reboot: cannot tell");
	} else if (f->configured && !f->configured->keep && c->trial.open) {
		f->kind = gb_condition_trial_claim(c, f->text, sizeof(f->text));
	} else if (f->configured && !f->configured->keep) {
		f->kind = GB_FUNCTION_WRONG;
		snprintf(f->text, sizeof(f->text), "its claim is not armed");
	} else {
		f->kind = f->configured || f->booted ? GB_FUNCTION_GOOD : GB_FUNCTION_FREE;
	}
}

/* ---- the whole ------------------------------------------------------------------------- */

static enum gb_known find_reboot(const struct gb_condition *c)
{
	enum gb_known r = GB_NO;

	for (size_t i = 0; i < c->functions; i++) {
		const struct gb_condition_function *f = &c->function[i];

		if (f->kind == GB_FUNCTION_WAITS)
			return GB_YES;
		if (f->kind == GB_FUNCTION_UNKNOWN)
			r = GB_CANNOT_TELL;
	}
	for (size_t i = 0; i < c->words; i++) {
		const struct gb_condition_word *word = &c->word[i];

		if (word->configured == GB_YES && word->booted == GB_NO)
			return GB_YES;
		if (word->booted == GB_CANNOT_TELL ||
		    (word->configured == GB_CANNOT_TELL && word->booted == GB_NO))
			r = GB_CANNOT_TELL;
	}
	return c->configured.there == GB_CANNOT_TELL ? GB_CANNOT_TELL : r;
}

static void judge_file(struct gb_condition *c)
{
	const struct gb_condition_side *side = &c->configured;
	const struct gb_problem *first = side->claims.problem;

	if (side->there == GB_YES && side->error[0])
		gb_condition_note(c, "claims-file", "mend it: ghost-boot-claims(5)", "%s", side->error);
	else if (side->claims.problems)
		gb_condition_note(c, "claims-file", "mend it: ghost-boot-claims(5)", GB_CLAIMS_FILE ":%u:%u: %s",
		     first->line, first->column, first->text);
}

static void judge_words(struct gb_condition *c)
{
	const bool arms = c->configured.claims.arm_always;

	for (size_t i = 0; i < c->words; i++) {
		const struct gb_condition_word *word = &c->word[i];

		if (word->configured != GB_NO || (arms && !i) || c->configured.there != GB_YES)
			continue;
		if (word->sources == 1)
			gb_condition_note(c, "words", "sudo ghost-boot update",
			     "%s is not on the command line that is configured", word->word);
		else
			gb_condition_note(c, "words", "sudo ghost-boot update",
			     "%s is on %zu of the %zu command lines that are configured",
			     word->word, word->carry, word->sources);
	}
}

static void judge_images(struct gb_condition *c)
{
	const struct gb_condition_image *first = NULL;
	size_t bad = 0;

	for (size_t i = 0; c->image && i < c->images.kernels; i++) {
		const struct gb_condition_image *image = &c->image[i];

		if (image->claims == GB_IMAGE_UNKNOWN || image->claims == GB_IMAGE_SAME)
			continue;
		first = first ? first : image;
		bad++;
	}
	if (bad)
		gb_condition_note(c, "images", "sudo ghost-boot update", "the image of %s%s: %s",
		     first->kernel->release, bad > 1 ? " (and others)" : "", first->text);
}

static void judge_wrong(struct gb_condition *c)
{
	for (size_t i = 0; i < c->functions; i++) {
		const struct gb_condition_function *f = &c->function[i];
		char bdf[GB_BDF_MAX], path[GB_PATH_MAX];

		if (f->kind != GB_FUNCTION_WRONG || claims_it(&c->booted, f->booted) != GB_YES)
			continue;
		gb_path_format(&f->path, path);
		gb_condition_note(c, "function", "ghost-boot diag", "%s: %s",
		     f->node == GB_NOWHERE ? path : gb_bdf_format(f->bdf, bdf), f->text);
	}
}

void gb_condition_judge(struct gb_condition *c)
{
	c->notes = 0;
	for (size_t i = 0; i < c->functions; i++)
		judge_function(c, &c->function[i]);
	c->reboot = find_reboot(c);
	if (c->journal == GB_YES)
		gb_condition_note(c, "journal", "sudo ghost-boot recover", "a change was interrupted");
	judge_file(c);
	gb_condition_trial_judge(c);
	if (!c->trial.open) {
		judge_words(c);
		judge_images(c);
	}
	judge_wrong(c);
	if (c->reboot == GB_YES && !c->trial.open)
		gb_condition_note(c, "reboot", "sudo reboot", "what is configured holds after a reboot");
}
