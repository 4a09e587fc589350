/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "lines.h"
#include "mount.h"
#include "mountuuid.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define FSTAB_MAX (1u << 20)

void gb_home_clear(struct gb_home *home)
{
	free(home->point);
	free(home->type);
	free(home->source);
	free(home->uuid);
	memset(home, 0, sizeof(*home));
}

/* What automount(8) or systemd mounts when it is used is mounted by opening the folder. */
static int find_mount(struct gb_store *store, const char *place, struct gb_mount *ret,
		      char *ret_uuid, size_t size, struct gb_err *err)
{
	struct gb_place opened;
	int r = gb_store_place(store, place, false, &opened, err);

	if (r)
		return r;
	r = gb_mount_of(store->root, place, ret) ? 0 : -ENOENT;
	gb_place_clear(&opened);
	if (r)
		return gb_fail(err, -r, "what %s is on can't be told from /proc/self/mountinfo",
			       place);
	gb_mount_unescape(ret->source);
	if (!gb_mount_uuid(store->root, ret, ret_uuid, size))
		ret_uuid[0] = '\0';
	return 0;
}

int gb_home_find(struct gb_store *store, const char *place, struct gb_home *ret)
{
	struct gb_mount mount;
	char uuid[128];

	memset(ret, 0, sizeof(*ret));
	if (find_mount(store, place, &mount, uuid, sizeof(uuid), NULL) || !strcmp(mount.point, "/"))
		return 0;
	*ret = (struct gb_home){ strdup(mount.point), strdup(mount.type), strdup(mount.source),
				 strdup(uuid) };
	if (ret->point && ret->type && ret->source && ret->uuid)
		return 0;
	gb_home_clear(ret);
	return -ENOMEM;
}

struct search {
	const char *point;
	bool found;
};

static void look_at(void *ctx, unsigned number, const char *line)
{
	struct search *search = ctx;
	char source[1024], point[1024];

	(void)number;
	if (sscanf(line, "%1023s %1023s", source, point) != 2 || source[0] == '#')
		return;
	gb_mount_unescape(point);
	search->found |= !strcmp(point, search->point);
}

static bool is_in_fstab(struct gb_root *root, const char *point)
{
	struct search search = { point, false };
	size_t len;
	char *data;

	if (gb_root_read_all(root, "/etc/fstab", FSTAB_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, look_at, &search);
	free(data);
	return search.found;
}

static void add_command(struct gb_root *root, const struct gb_home *home, struct gb_text *ret)
{
	gb_text_addf(ret, "mount ");
	if (!is_in_fstab(root, home->point)) {
		if (home->uuid[0])
			gb_text_addf(ret, "UUID=");
		else
			gb_text_addf(ret, "-t %s ", home->type);
		gb_text_add_harmless(ret, home->uuid[0] ? home->uuid : home->source);
		gb_text_addf(ret, " ");
	}
	gb_text_add_harmless(ret, home->point);
}

int gb_home_check(struct gb_store *store, const struct gb_home *home, const char *place,
		  const char *path, struct gb_err *err)
{
	struct gb_text command = { 0 };
	struct gb_mount mount;
	char uuid[128];
	bool mounted;
	int r = home->point ? find_mount(store, place, &mount, uuid, sizeof(uuid), err) : 0;

	if (r || !home->point)
		return r;
	mounted = !strcmp(mount.point, home->point);
	if (mounted && !strcmp(mount.type, home->type) &&
	    (!uuid[0] || !home->uuid[0] || !strcmp(uuid, home->uuid)))
		return 0;
	if (mounted) {
		gb_text_addf(&command, "umount ");
		gb_text_add_harmless(&command, home->point);
		gb_text_addf(&command, " && ");
	}
	add_command(store->root, home, &command);
	gb_fail(err, ENODEV, "%s is on a file system that is not mounted%s: %s", path,
		mounted ? ", and another is in its place" : "", command.failed ? "" : command.data);
	gb_text_clear(&command);
	return -ENODEV;
}
