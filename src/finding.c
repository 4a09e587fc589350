/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *gb_weight_name(enum gb_weight weight)
{
	static const char *const names[] = { "note", "useless", "conflict", "mistake", "danger" };

	return names[weight];
}

const char *gb_finding_file(const struct gb_findings *f, const struct gb_finding *finding)
{
	return f->file[finding->file];
}

bool gb_finding_enter(struct gb_findings *f, const char *file)
{
	if (f->files == GB_FINDING_FILES_MAX)
		return false;
	if (!f->file)
		f->file = calloc(GB_FINDING_FILES_MAX, sizeof(*f->file));
	if (!f->file || !(f->file[f->files] = strdup(file)))
		return false;
	f->files++;
	f->line = 0;
	return true;
}

static struct gb_finding *add(struct gb_findings *f)
{
	if (!f->files || f->findings == GB_FINDINGS_MAX) {
		f->left_out++;
		return NULL;
	}
	if (f->findings == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		void *more = realloc(f->finding, room * sizeof(*f->finding));

		if (!more) {
			f->left_out++;
			return NULL;
		}
		f->finding = more;
		f->room = room;
	}
	return memset(&f->finding[f->findings++], 0, sizeof(*f->finding));
}

/* What stands in a file may hold anything; nothing that moves a cursor leaves here. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = *text == '\t' ? ' ' : '?';
}

void gb_foundf(struct gb_findings *f, enum gb_finding_id id, const char *words,
	       const char *format, ...)
{
	struct gb_finding *finding = add(f);
	va_list args;

	if (!finding)
		return;
	finding->id = id;
	finding->file = f->files - 1;
	finding->line = f->line;
	gb_text_copy(finding->words, sizeof(finding->words), words);
	va_start(args, format);
	vsnprintf(finding->detail, sizeof(finding->detail), format, args);
	va_end(args);
	make_plain(finding->words);
	make_plain(finding->detail);
}

void gb_found(struct gb_findings *f, enum gb_finding_id id, const char *words)
{
	gb_foundf(f, id, words, "%s", "");
}

static int compare(const void *left, const void *right)
{
	const struct gb_finding *a = left, *b = right;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return strcmp(a->words, b->words);
}

void gb_findings_sort(struct gb_findings *f)
{
	if (f->findings)
		qsort(f->finding, f->findings, sizeof(*f->finding), compare);
}

void gb_findings_clear(struct gb_findings *f)
{
	for (size_t i = 0; i < f->files; i++)
		free(f->file[i]);
	free(f->file);
	free(f->finding);
	free(f->rule);
	memset(f, 0, sizeof(*f));
}
