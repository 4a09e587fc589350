/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "err.h"
#include "machine.h"
#include "observation.h"
#include "resolve.h"
#include "root.h"
#include "text.h"

#define DRM "/sys/class/drm"

struct watcher {
	struct gb_root *root;
	struct gb_observation *seen;
};

bool gb_observe_place(struct gb_root *root, const char *link, char *ret, size_t size)
{
	char file[GB_SYSFS_MAX], target[PATH_MAX], text[GB_PATH_MAX];
	struct gb_path path;
	struct gb_bdf bdf;

	return gb_root_readlink(root, link, target, sizeof(target)) > 0 &&
	       gb_bdf_in_link(target, &bdf) &&
	       gb_root_readlink(root, gb_bdf_file(bdf, "", file), target, sizeof(target)) > 0 &&
	       gb_path_from_sysfs(target, &path) &&
	       gb_text_copy(ret, size, gb_path_format(&path, text));
}

/* ---- displays --------------------------------------------------------------------------- */

/* "card0-HDMI-A-1": the card's number is given out anew at every boot. `status` is what the driver
 * last saw; reading it asks no monitor (drivers/gpu/drm/drm_sysfs.c, status_show). */
static int look_at_connector(void *ctx, const char *name)
{
	struct watcher *w = ctx;
	const char *dash = strchr(name, '-');
	char path[NAME_MAX + sizeof(DRM "//status")], status[32], place[GB_PATH_MAX];

	if (strncmp(name, "card", 4) || !dash)
		return 0;
	snprintf(path, sizeof(path), DRM "/%s/status", name);
	if (gb_root_read(w->root, path, status, sizeof(status)) <= 0 ||
	    strcmp(status, "connected\n"))
		return 0;
	snprintf(path, sizeof(path), DRM "/%s", name);
	if (gb_observe_place(w->root, path, place, sizeof(place)))
		gb_observation_add(w->seen, GB_FACT_PICTURE, place, dash + 1);
	return 0;
}

/* A kernel without graphics has no such folder: then there is no picture. */
static void look_at_displays(struct watcher *w)
{
	int r = gb_root_list(w->root, DRM, look_at_connector, w);

	w->seen->blind[GB_FACT_PICTURE] = r < 0 && r != -ENOENT;
}

/* ---- claims ----------------------------------------------------------------------------- */

static void look_at_claim(struct watcher *w, const struct gb_line *line,
			  const struct gb_machine *machine, const struct gb_verdict *verdict)
{
	char path[GB_PATH_MAX], driver[GB_DRIVER_MAX];

	if (line->keep || verdict->device == GB_NOWHERE)
		return;
	if (gb_device_driver(w->root, machine->device[verdict->device].bdf, driver))
		driver[0] = '\0';
	gb_observation_add(w->seen, GB_FACT_CLAIM, gb_path_format(&line->path, path), driver);
}

static int look_at_claims(struct watcher *w, const struct gb_claims *claims, struct gb_err *err)
{
	struct gb_machine machine;
	struct gb_verdict *verdict = calloc(claims->lines + 1, sizeof(*verdict));
	int r = gb_machine_place(w->root, claims, &machine, err);

	if (!r && !verdict)
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r && gb_resolve(claims, &machine, verdict)) {
		if (!gb_machine_scan(w->root, claims, &machine, NULL))
			gb_resolve(claims, &machine, verdict);
	}
	for (size_t i = 0; i < claims->lines && !r; i++)
		look_at_claim(w, &claims->line[i], &machine, &verdict[i]);
	gb_machine_clear(&machine);
	free(verdict);
	return r;
}

int gb_observe(struct gb_root *root, const struct gb_runner *runner,
	       const struct gb_claims *claims, struct gb_observation *ret, struct gb_err *err)
{
	struct watcher w = { root, ret };
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	gb_observe_root(root, ret);
	gb_observe_units(runner, ret);
	look_at_displays(&w);
	gb_observe_network(root, ret);
	if (claims)
		r = look_at_claims(&w, claims, err);
	return !r && ret->failed ? gb_fail(err, ENOMEM, "out of memory") : r;
}
