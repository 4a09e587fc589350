/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "disks.h"
#include "mount.h"
#include "mountuuid.h"
#include "observation.h"
#include "root.h"
#include "text.h"

/* ---- what is written on it --------------------------------------------------------------- */

/* Its type, what it is, and which folder of it. A name below /dev says little: the kernel gives
 * most of them out in the order in which it finds disks. */
static void add_identity(struct gb_root *root, struct gb_mount *mount, struct gb_observation *seen)
{
	char uuid[128], text[2400];

	if (gb_mount_uuid(root, mount, uuid, sizeof(uuid)))
		snprintf(text, sizeof(text), "%s %s %s", mount->type, uuid, mount->folder);
	else if (strncmp(mount->source, "/dev/", 5))
		snprintf(text, sizeof(text), "%s %s %s", mount->type, mount->source, mount->folder);
	else
		seen->blind[GB_FACT_ROOT] = true;
	if (!seen->blind[GB_FACT_ROOT])
		gb_observation_add(seen, GB_FACT_ROOT, "/", text);
}

/* ---- what it hangs on -------------------------------------------------------------------- */

static void add_places(struct gb_root *root, const struct gb_disk *disk, struct gb_observation *seen)
{
	char file[GB_SYSFS_MAX], place[GB_PATH_MAX], link[PATH_MAX];
	struct gb_path path;

	for (size_t i = 0; i < disk->parts; i++) {
		if (!disk->part[i].placed)
			continue;
		gb_bdf_file(disk->part[i].bdf, "", file);
		if (gb_root_readlink(root, file, link, sizeof(link)) > 0 &&
		    gb_path_from_sysfs(link, &path))
			gb_observation_add(seen, GB_FACT_PLACE, "/", gb_path_format(&path, place));
	}
}

static void add_disks(struct gb_root *root, struct gb_observation *seen)
{
	const struct gb_disk *disk = NULL;
	struct gb_disks disks;

	if (gb_disks_read(root, NULL, &disks, NULL))
		seen->failed = true;
	for (size_t i = 0; i < disks.disks; i++)
		if (disks.disk[i].from == GB_DISK_MOUNTED && !strcmp(disks.disk[i].what, "/"))
			disk = &disks.disk[i];
	seen->blind[GB_FACT_PLACE] = !disk || disk->placed == GB_CANNOT_TELL;
	if (!seen->blind[GB_FACT_PLACE])
		add_places(root, disk, seen);
	gb_disks_clear(&disks);
}

void gb_observe_root(struct gb_root *root, struct gb_observation *seen)
{
	struct gb_mount mount = { .device = "" };

	if (!gb_mount_of(root, "/", &mount)) {
		seen->blind[GB_FACT_ROOT] = seen->blind[GB_FACT_PLACE] = true;
		return;
	}
	gb_mount_unescape(mount.source);
	add_identity(root, &mount, seen);
	add_disks(root, seen);
}
