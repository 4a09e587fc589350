/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "below.h"

#include <limits.h>
#include <stdio.h>

#include "device.h"
#include "root.h"

#define DEPTH_MAX 24 /* a USB stick behind seven hubs is 18 folders deep */

struct walk {
	struct gb_root *root;
	const char *folder; /* being listed */
	unsigned depth;
	gb_below_fn each;
	void *ctx;
};

static int step(void *ctx, const char *name)
{
	struct walk *w = ctx;
	const char *parent = w->folder;
	char folder[PATH_MAX], target[8];
	int r = 0;

	if (snprintf(folder, sizeof(folder), "%s/%s", parent, name) >= (int)sizeof(folder) ||
	    gb_root_readlink(w->root, folder, target, sizeof(target)) >= 0)
		return 0;
	if (w->depth < DEPTH_MAX) {
		w->folder = folder;
		w->depth++;
		r = gb_root_list(w->root, folder, step, w); /* -ENOTDIR: an attribute */
		w->folder = parent;
		w->depth--;
	}
	if (r <= 0)
		r = w->each(w->ctx, parent, name);
	return r > 0 ? r : 0;
}

int gb_below_walk(struct gb_root *root, struct gb_bdf bdf, gb_below_fn each, void *ctx)
{
	struct walk w = { .root = root, .each = each, .ctx = ctx };
	char folder[GB_SYSFS_MAX];

	w.folder = gb_bdf_file(bdf, "", folder);
	return gb_root_list(root, w.folder, step, &w);
}
