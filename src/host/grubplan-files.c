/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubplan-parts.h"
#include "root.h"
#include "wordtrace.h"

#define FILE_MAX (256u << 10)

int gb_grubwork_memory(struct gb_grubwork *w)
{
	return gb_fail(w->err, ENOMEM, "out of memory");
}

static int add_name(void *ctx, const char *name)
{
	struct gb_grubnames *names = ctx;
	size_t len = strlen(name);

	if (name[0] == '.' || len < 5 || strcmp(name + len - 4, ".cfg") ||
	    !strcmp(name, strrchr(GB_GRUB_DROP_IN, '/') + 1))
		return 0;
	if (names->names < GB_GRUBNAMES_MAX)
		names->name[names->names] = strdup(name);
	if (names->names == GB_GRUBNAMES_MAX || !names->name[names->names]) {
		names->failed = true;
		return -ENOMEM;
	}
	names->names++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void gb_grubwork_clear_names(struct gb_grubnames *names)
{
	for (size_t i = 0; i < names->names; i++)
		free(names->name[i]);
	names->names = 0;
}

/* Not there is success, with NULL. */
int gb_grubwork_read(struct gb_grubwork *w, const char *path, char **ret)
{
	size_t len;
	int r = gb_root_read_all(w->root, path, FILE_MAX, ret, &len);

	if (r == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (!r && strlen(*ret) != len) {
		free(*ret);
		return gb_fail(w->err, EINVAL, "%s: it has a NUL byte", path);
	}
	return r ? gb_fail(w->err, -r, "%s: %s", path, strerror(-r)) : 0;
}

/* As it becomes. */
int gb_grubwork_load(struct gb_grubwork *w, const char *path, struct gb_grub *grub)
{
	char *text = NULL;
	int r = 0;

	for (size_t i = 1; i < w->plan->files && !text; i++)
		if (!strcmp(w->plan->file[i].path, path)) {
			text = strdup(w->plan->file[i].text);
			r = text ? 0 : gb_grubwork_memory(w);
		}
	if (!r && !text)
		r = gb_grubwork_read(w, path, &text);
	if (r || !text)
		return r;
	r = gb_grub_read(grub, path, text, strlen(text), w->err);
	free(text);
	return r;
}

/* Those whose place before or behind ours depends on the language are read behind it. */
static int load_drop_ins(struct gb_grubwork *w, bool behind, struct gb_grub *grub)
{
	char path[sizeof(GB_GRUB_FOLDER) + 256];
	int r = 0;

	for (size_t i = 0; i < w->names.names && !r; i++) {
		snprintf(path, sizeof(path), GB_GRUB_FOLDER "/%s", w->names.name[i]);
		if (gb_grub_is_after_drop_in(w->names.name[i]) == behind)
			r = gb_grubwork_load(w, path, grub);
	}
	return r;
}

int gb_grubwork_before(struct gb_grubwork *w)
{
	int r;

	if (!w->drop_in)
		return 0;
	gb_grub_clear(&w->before);
	gb_grubwork_clear_names(&w->names);
	gb_root_list(w->root, GB_GRUB_FOLDER, add_name, &w->names);
	if (w->names.failed)
		return gb_grubwork_memory(w);
	if (w->names.names)
		qsort(w->names.name, w->names.names, sizeof(*w->names.name), compare_names);
	r = gb_grubwork_load(w, GB_GRUB_FILE, &w->before);
	return r ? r : load_drop_ins(w, false, &w->before);
}

/* All variables as they are with the text that we have now. */
int gb_grubwork_after(struct gb_grubwork *w)
{
	int r = 0;

	gb_grub_clear(&w->after);
	if (gb_grub_copy(&w->before, &w->after))
		return gb_grubwork_memory(w);
	if (w->text)
		r = gb_grub_read(&w->after, w->file->path, w->text, strlen(w->text), w->err);
	return r || !w->drop_in ? r : load_drop_ins(w, true, &w->after);
}
