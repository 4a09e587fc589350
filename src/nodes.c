/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nodes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "below.h"
#include "device.h"
#include "root.h"
#include "text.h"

struct search {
	struct gb_root *root;
	struct gb_text *nodes;
};

/* DEVNAME= in uevent names the node below /dev (drivers/base/core.c dev_uevent). */
static int note_node(void *ctx, const char *folder, const char *name)
{
	struct search *s = ctx;
	char file[PATH_MAX], text[1024], *node;

	if (strcmp(name, "dev"))
		return 0;
	snprintf(file, sizeof(file), "%s/uevent", folder);
	if (gb_root_read(s->root, file, text, sizeof(text)) <= 0)
		return 0;
	node = strstr(text, "DEVNAME=");
	if (!node)
		return 0;
	node += strlen("DEVNAME=");
	node[strcspn(node, "\n")] = '\0';
	gb_text_addf(s->nodes, "/dev/%s\n", node);
	return 0;
}

/* The node of a group is no device of the function's own (drivers/vfio/group.c). */
static void note_group(struct search *s, struct gb_bdf bdf)
{
	static const char *const names[] = { "/dev/vfio/%d", "/dev/vfio/noiommu-%d" };
	struct gb_device device = { .bdf = bdf, .group = -1 };
	char node[64];

	gb_device_read_group(s->root, &device);
	for (size_t i = 0; i < 2 && device.group >= 0; i++) {
		snprintf(node, sizeof(node), names[i], device.group);
		if (gb_root_exists(s->root, node))
			gb_text_addf(s->nodes, "%s\n", node);
	}
}

/* NVIDIA's own driver makes its nodes past sysfs, and says which is whose here. */
static void note_nvidia(struct search *s, struct gb_bdf bdf)
{
	char file[80], text[1024], address[GB_BDF_MAX], *line;
	unsigned minor;

	snprintf(file, sizeof(file), "/proc/driver/nvidia/gpus/%s/information",
		 gb_bdf_format(bdf, address));
	if (gb_root_read(s->root, file, text, sizeof(text)) <= 0)
		return;
	line = strstr(text, "Device Minor:");
	if (line && sscanf(line, "Device Minor: %u", &minor) == 1)
		gb_text_addf(s->nodes, "/dev/nvidia%u\n", minor);
}

int gb_nodes_find(struct gb_root *root, struct gb_bdf bdf, struct gb_text *ret)
{
	struct search s = { root, ret };
	int r = gb_below_walk(root, bdf, note_node, &s);

	if (r)
		return r;
	note_group(&s, bdf);
	note_nvidia(&s, bdf);
	return ret->failed ? -ENOMEM : 0;
}
