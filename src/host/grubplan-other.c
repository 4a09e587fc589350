/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubplan-parts.h"
#include "root.h"
#include "wordtrace.h"

static struct gb_grubplan_file *find_file(struct gb_grubwork *w, const char *path)
{
	struct gb_grubplan *plan = w->plan;

	for (size_t i = 1; i < plan->files; i++)
		if (!strcmp(plan->file[i].path, path))
			return &plan->file[i];
	if (plan->files == GB_GRUBPLAN_FILES_MAX) {
		gb_fail(w->err, E2BIG, "too many files would change; take the words out by hand");
		return NULL;
	}
	gb_text_copy(plan->file[plan->files].path, sizeof(plan->file[0].path), path);
	return &plan->file[plan->files];
}

/* The variables as they are where the file begins. */
static int load_until(struct gb_grubwork *w, const char *path, struct gb_grub *ret)
{
	char other[sizeof(GB_GRUB_FOLDER) + 256];
	int r;

	if (!strcmp(path, GB_GRUB_FILE))
		return 0;
	r = gb_grubwork_load(w, GB_GRUB_FILE, ret);
	for (size_t i = 0; i < w->names.names && !r; i++) {
		snprintf(other, sizeof(other), GB_GRUB_FOLDER "/%s", w->names.name[i]);
		if (!strcmp(other, path))
			break;
		r = gb_grubwork_load(w, other, ret);
	}
	return r;
}

static int add_swap(struct gb_grubwork *w, struct gb_grubplan_file *file, const struct gb_grub *before,
		    const char *text, const char *variable, const char *line)
{
	struct gb_grub grub = { 0 };
	const char *old;
	int r = 0;

	if (file->swaps == GB_GRUBPLAN_SWAPS_MAX)
		return gb_fail(w->err, E2BIG, "%s: too many words would go", file->path);
	if (gb_grub_copy(before, &grub))
		r = gb_grubwork_memory(w);
	if (!r)
		r = gb_grub_read(&grub, file->path, text, strlen(text), w->err);
	old = r ? NULL : gb_grub_get(&grub, variable, NULL);
	if (old && gb_wordtrace_region(old, line, &file->swap[file->swaps].was,
				       &file->swap[file->swaps].now))
		r = gb_grubwork_memory(w);
	file->swaps += old != NULL;
	gb_grub_clear(&grub);
	return r;
}

static int change_file(struct gb_grubwork *w, const char *path, const struct gb_want *want,
		       const char *variable, bool *ret_differs)
{
	struct gb_grubplan_file *file = find_file(w, path);
	struct gb_grub_change change = { 0 };
	struct gb_grub before = { 0 };
	char *old = NULL, *now = NULL;
	size_t len;
	int r = file ? load_until(w, path, &before) : -E2BIG;

	if (!r && file->text)
		old = strdup(file->text);
	else if (!r)
		r = gb_grubwork_read(w, path, &old);
	if (!r && old)
		r = gb_grub_change(&before, path, old, strlen(old), variable, want, 1, &change, w->err);
	*ret_differs = !r && change.changes.differs;
	if (*ret_differs && gb_edit_apply(old, strlen(old), &change.edit, &now, &len))
		r = gb_grubwork_memory(w);
	if (now)
		r = add_swap(w, file, &before, old, variable, change.changes.line);
	if (now && !file->old) {
		file->old = old;
		old = NULL;
		w->plan->files++;
	}
	if (now) {
		free(file->text);
		file->text = now;
	}
	free(old);
	gb_grub_change_clear(&change);
	gb_grub_clear(&before);
	return r;
}

static const char *const variables[] = { GB_GRUB_ALWAYS, GB_GRUB_DEFAULT };

/* Does the file set the variable itself? What it has from those before is changed there. */
static bool sets_words(struct gb_grubwork *w, const char *path, const char *variable)
{
	const struct gb_grub_value *value;
	struct gb_grub grub = { 0 };
	bool is = false;

	if (!load_until(w, path, &grub) && !gb_grubwork_load(w, path, &grub)) {
		gb_grub_get(&grub, variable, &value);
		is = value && value->file && !strcmp(value->file, path);
	}
	gb_grub_clear(&grub);
	return is;
}

/* Out of every file of a person's that has it. */
int gb_grubwork_take_out(struct gb_grubwork *w, const struct gb_want *want)
{
	char path[sizeof(GB_GRUB_FOLDER) + 256];
	bool differs;
	int r = 0;

	for (size_t i = 0; i <= w->names.names && !r; i++) {
		if (i)
			snprintf(path, sizeof(path), GB_GRUB_FOLDER "/%s", w->names.name[i - 1]);
		else
			snprintf(path, sizeof(path), GB_GRUB_FILE);
		for (size_t v = 0; v < 2 && !r; v++)
			if (sets_words(w, path, variables[v]))
				r = change_file(w, path, want, variables[v], &differs);
	}
	return r ? r : gb_grubwork_before(w);
}

int gb_grubwork_other(struct gb_grubwork *w, const char *path, const struct gb_want *want)
{
	bool differs = false;
	int r = 0;

	for (size_t v = 2; v-- > 0 && !r && !differs;)
		if (sets_words(w, path, variables[v]))
			r = change_file(w, path, want, variables[v], &differs);
	return r;
}
