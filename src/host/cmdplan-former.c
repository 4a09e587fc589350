/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "grubfile.h"
#include "host.h"
#include "plan.h"
#include "root.h"

/* Sources of the command line that the present boot loader does not read, or that came since: what
 * they have of ours goes all the same. */

#define ENTRIES "/loader/entries/"

static bool has_trace(const struct gb_cmdwork *w, const char *path)
{
	static const enum gb_trace_kind kinds[] = { GB_TRACE_ADDED, GB_TRACE_REPLACED, GB_TRACE_MADE };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (gb_footprint_next(w->footprint, kinds[i], path, NULL))
			return true;
	return false;
}

/* ---- entries --------------------------------------------------------------------------------- */

struct folder {
	struct gb_cmdwork *w;
	char path[320];
	int r;
};

static int visit_entry(void *ctx, const char *file)
{
	struct folder *folder = ctx;
	struct gb_bls_name name;
	char path[640];

	if (!gb_bls_name(file, &name))
		return 0;
	snprintf(path, sizeof(path), "%s%s", folder->path, file);
	folder->r = gb_cmdwork_entry(folder->w, path);
	return folder->r;
}

/* "/boot/loader/entries/" of an entry's path; false for one of the present loader's folder. */
static bool former_folder(const struct gb_cmdwork *w, const char *path, char *ret, size_t size)
{
	const char *entries = strstr(path, ENTRIES);
	const struct gb_loader *loader = w->host->loader;
	int len = entries ? (int)(entries - path) + (int)strlen(ENTRIES) : 0;

	if (!entries || snprintf(ret, size, "%.*s", len, path) >= (int)size)
		return false;
	for (size_t i = 0; i < loader->sources; i++)
		if (loader->source[i].kind == GB_CMDLINE_ENTRY &&
		    !strncmp(loader->source[i].path, ret, (size_t)len))
			return false;
	return true;
}

/* Each folder once, with the entries that came since. */
static bool is_first(const struct gb_cmdwork *w, size_t trace, const char *folder)
{
	for (size_t i = 0; i < trace; i++)
		if (!strncmp(w->footprint->trace[i].path, folder, strlen(folder)))
			return false;
	return true;
}

static int do_folders(struct gb_cmdwork *w)
{
	struct folder folder = { .w = w };

	for (size_t i = 0; i < w->footprint->traces && !folder.r; i++) {
		const char *path = w->footprint->trace[i].path;

		if (former_folder(w, path, folder.path, sizeof(folder.path)) &&
		    is_first(w, i, folder.path))
			gb_root_list(w->host->root, folder.path, visit_entry, &folder);
	}
	return folder.r;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Not made anew: GRUB may be gone, and nobody reads it. */
static void say_grub_cfg(struct gb_cmdwork *w)
{
	static const char *const files[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (gb_root_exists(w->host->root, files[i]))
			gb_text_addf(&w->report->left, "%s: GRUB did not boot this machine, so it is not "
				     "made anew\n", files[i]);
}

int gb_cmdwork_former(struct gb_cmdwork *w)
{
	const bool drop_in = has_trace(w, GB_GRUB_DROP_IN);
	int r = 0;

	if (!gb_cmdwork_is_source(w, GB_CMDLINE_GRUB) && (drop_in || has_trace(w, GB_GRUB_FILE))) {
		r = gb_cmdwork_grub(w, drop_in);
		say_grub_cfg(w);
	}
	if (!r && !gb_cmdwork_is_source(w, GB_CMDLINE_KERNEL) && has_trace(w, GB_CMDLINE_FILE))
		r = gb_cmdwork_kernel(w);
	return r ? r : do_folders(w);
}

static bool is_touched(const struct gb_plan *plan, const char *path)
{
	for (size_t s = 0; s < plan->steps; s++)
		for (size_t t = 0; t < plan->step[s].touches; t++)
			if (!strcmp(plan->step[s].touch[t].path, path))
				return true;
	return false;
}

int gb_cmdwork_since(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	int r = 0;

	for (size_t i = 0; i < loader->sources && !r; i++)
		if (loader->source[i].kind == GB_CMDLINE_ENTRY &&
		    !is_touched(w->plan, loader->source[i].path))
			r = gb_cmdwork_entry(w, loader->source[i].path);
	return r;
}
