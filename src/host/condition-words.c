/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of ours on the kernel's command line: where it comes from, and what booted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "condition.h"
#include "footprint.h"
#include "grubfile.h"
#include "host.h"
#include "root.h"
#include "text.h"

#define ARM "ghost.claim=on"

/* What one file, or GRUB's together, will put on the command line. */
struct origin {
	struct gb_text text;
	bool lost; /* not all of it can be told */
};

struct origins {
	struct origin origin[GB_CMDLINE_SOURCES_MAX];
	size_t origins;
};

static void read_grub(struct gb_root *root, bool drop_ins, struct origin *ret)
{
	static const char *const names[] = { GB_GRUB_ALWAYS, GB_GRUB_DEFAULT };
	struct gb_grub grub = { 0 };

	gb_grub_load(root, drop_ins, NULL, &grub, NULL);
	for (size_t i = 0; i < 2; i++) {
		const char *text = gb_grub_get(&grub, names[i], NULL);

		ret->lost |= !text;
		gb_text_addf(&ret->text, "%s ", text ? text : "");
	}
	gb_grub_clear(&grub);
}

static void take_entry(enum gb_backend backend, const char *data, size_t len, struct origin *ret)
{
	struct gb_bls bls;
	const char *options;

	if (gb_bls_parse(data, len, &bls, NULL)) {
		ret->lost = true;
		return;
	}
	options = backend == GB_BACKEND_GRUB_BLS ? bls.grub_options : bls.options;
	ret->lost |= backend == GB_BACKEND_GRUB_BLS && (bls.expands || !options);
	gb_text_addf(&ret->text, "%s", options ? options : "");
	gb_bls_clear(&bls);
}

/* One that is not there says nothing. False: its command line is not this machine's, but another
 * system's or a rescue entry's. */
static bool read_file(const struct gb_host *host, const char *running,
		      const struct gb_cmdline_source *source, struct origin *ret)
{
	bool counts = true;
	char *data;
	size_t len, line;
	int r = gb_root_read_all(host->root, source->path, GB_BLS_MAX, &data, &len);

	if (r) {
		ret->lost = r != -ENOENT;
		return true;
	}
	if (source->kind == GB_CMDLINE_ENTRY) {
		const char *alone = gb_cmdplan_left_alone(host, source->path, data, len, running);

		counts = !alone || !*alone;
		if (counts)
			take_entry(host->loader->backend, data, len, ret);
	} else if (gb_cmdline_file_line(data, len, &line, NULL)) {
		ret->lost = true;
	} else {
		gb_text_add(&ret->text, data, line);
	}
	free(data);
	return counts;
}

static void read_origins(const struct gb_host *host, const char *running, struct origins *ret)
{
	const struct gb_loader *loader = host->loader;
	bool grub = false, drop_ins = loader->backend == GB_BACKEND_GRUB_DROP_IN;

	for (size_t i = 0; i < loader->sources; i++) {
		const struct gb_cmdline_source *source = &loader->source[i];
		const bool shell = source->kind == GB_CMDLINE_GRUB ||
				   source->kind == GB_CMDLINE_DROP_IN;

		drop_ins |= source->kind == GB_CMDLINE_DROP_IN;
		if (!shell && read_file(host, running, source, &ret->origin[ret->origins]))
			ret->origins++;
		grub |= shell;
	}
	if (grub && ret->origins < GB_CMDLINE_SOURCES_MAX)
		read_grub(host->root, drop_ins, &ret->origin[ret->origins++]);
}

static enum gb_known has_word(const char *line, const char *word)
{
	struct gb_arguments all = { 0 }, one = { 0 };
	enum gb_known r = GB_CANNOT_TELL;

	if (!gb_arguments_parse(line, strlen(line), &all) &&
	    !gb_arguments_parse(word, strlen(word), &one))
		r = gb_arguments_lacking(&all, &one) ? GB_NO : GB_YES;
	gb_arguments_clear(&all);
	gb_arguments_clear(&one);
	return r;
}

static void ask_origins(const struct origins *all, struct gb_condition_word *word)
{
	bool lost = !all->origins;

	for (size_t i = 0; i < all->origins; i++) {
		const struct origin *one = &all->origin[i];
		enum gb_known has = one->text.failed ? GB_CANNOT_TELL :
			has_word(one->text.data ? one->text.data : "", word->word);

		word->carry += has == GB_YES;
		lost |= has == GB_CANNOT_TELL || (has == GB_NO && one->lost);
	}
	word->sources = all->origins;
	word->configured = word->carry == word->sources && word->sources ? GB_YES
			   : lost					  ? GB_CANNOT_TELL
									  : GB_NO;
}

static void add_word(struct gb_condition *c, const struct origins *all, const char *text)
{
	struct gb_condition_word *word = &c->word[c->words];

	for (size_t i = 0; i < c->words; i++)
		if (!strcmp(c->word[i].word, text))
			return;
	if (c->words == GB_CONDITION_WORDS_MAX || !gb_text_copy(word->word, sizeof(word->word), text))
		return;
	for (char *b = word->word; *b; b++)
		if (*b < ' ' || *b > '~')
			*b = '?';
	ask_origins(all, word);
	word->booted = *c->survey->cmdline ? has_word(c->survey->cmdline, text) : GB_CANNOT_TELL;
	c->words++;
}

/* What `enable` put there, and so wants there. */
static void add_traces(struct gb_condition *c, const struct origins *all)
{
	struct gb_footprint footprint = { 0 };
	const struct gb_trace *trace = NULL;

	gb_footprint_read(c->host->root, &footprint, NULL);
	while ((trace = gb_footprint_next(&footprint, GB_TRACE_KINDS, NULL, trace)))
		if (trace->kind == GB_TRACE_ADDED || trace->kind == GB_TRACE_REPLACED)
			add_word(c, all, trace->text);
	gb_footprint_clear(&footprint);
}

void gb_condition_words(struct gb_condition *c)
{
	struct origins *all = calloc(1, sizeof(*all));

	c->configured.armed = GB_CANNOT_TELL;
	if (!all)
		return;
	read_origins(c->host, c->survey->cmdline, all);
	add_word(c, all, ARM);
	c->configured.armed = c->configured.claims.arm_always ? GB_YES : c->word[0].configured;
	if (!gb_condition_claims_any(&c->configured.claims) && !c->word[0].carry && c->word[0].booted != GB_YES)
		c->words = 0; /* nobody has asked for it */
	add_traces(c, all);
	for (size_t i = 0; i < all->origins; i++)
		gb_text_clear(&all->origin[i].text);
	free(all);
}
