/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mountuuid.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "mount.h"
#include "root.h"
#include "text.h"

#define UDEV_MAX (256u << 10)

/* btrfs gives a number of its own to each mount: that of the device it names instead. */
static bool find_number(struct gb_root *root, struct gb_mount *mount)
{
	char path[PATH_MAX], link[PATH_MAX];

	if (strncmp(mount->device, "0:", 2))
		return true;
	if (strncmp(mount->source, "/dev/", 5))
		return false;
	gb_text_copy(path, sizeof(path), mount->source);
	for (unsigned i = 0; i < 8 && gb_root_readlink(root, path, link, sizeof(link)) > 0; i++)
		gb_text_copy(path, sizeof(path), link);
	/* a link to a sibling has no folder in it */
	snprintf(link, sizeof(link), "/sys/class/block/%.64s/dev", gb_text_base(path));
	if (gb_root_read(root, link, mount->device, sizeof(mount->device)) <= 0)
		return false;
	mount->device[strcspn(mount->device, "\n")] = '\0';
	return true;
}

struct uuid {
	char *text;
	size_t size;
	bool found;
};

static void look_at_property(void *ctx, unsigned number, const char *line)
{
	static const char key[] = "E:ID_FS_UUID=";
	struct uuid *uuid = ctx;

	(void)number;
	if (!strncmp(line, key, strlen(key)) && line[strlen(key)])
		uuid->found = gb_text_copy(uuid->text, uuid->size, line + strlen(key));
}

/* udev has read it: "E:ID_FS_UUID=…" (systemd: sd_device_get_property_value). */
bool gb_mount_uuid(struct gb_root *root, struct gb_mount *mount, char *ret, size_t size)
{
	struct uuid uuid = { ret, size, false };
	char path[80], *data;
	size_t len;

	if (!find_number(root, mount))
		return false;
	snprintf(path, sizeof(path), "/run/udev/data/b%s", mount->device);
	if (gb_root_read_all(root, path, UDEV_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, look_at_property, &uuid);
	free(data);
	return uuid.found;
}
