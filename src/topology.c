/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "topology.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* Root bus, then depth, then the way down to the bus. */
static int compare_buses(const struct gb_path *a, const struct gb_path *b)
{
	if (a->domain != b->domain)
		return ORDER(a->domain, b->domain);
	if (a->bus != b->bus)
		return ORDER(a->bus, b->bus);
	if (a->hops != b->hops)
		return ORDER(a->hops, b->hops);
	return memcmp(a->hop, b->hop, a->hops - 1u);
}

/* The kernel finds virtual functions when all else has a group. They may have the path of a
 * physical one. */
static int compare_nodes(const void *one, const void *other)
{
	const struct gb_device *a = ((const struct gb_node *)one)->device;
	const struct gb_device *b = ((const struct gb_node *)other)->device;
	int order = compare_buses(&a->path, &b->path);

	if (!order)
		order = ORDER(a->virtual, b->virtual);
	if (!order)
		order = ORDER(a->path.hop[a->path.hops - 1], b->path.hop[b->path.hops - 1]);
	return order ? order : ORDER(a->bdf.bus, b->bdf.bus);
}

/* The physical function with that path, or GB_NOWHERE. */
static int find(const struct gb_topology *topology, const struct gb_path *path)
{
	const struct gb_device wanted = { .path = *path };
	const struct gb_node key = { .device = &wanted };
	size_t low = 0, high = topology->nodes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_nodes(&topology->node[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == topology->nodes || topology->node[low].device->virtual ||
	    !gb_path_equal(&topology->node[low].device->path, path))
		return GB_NOWHERE;
	return (int)low;
}

static void link_nodes(struct gb_topology *topology, const struct gb_machine *machine)
{
	for (size_t i = 0; i < topology->nodes; i++) {
		struct gb_node *node = &topology->node[i];
		struct gb_path above = node->device->path;

		topology->at[node->device - machine->device] = (int)i;
		node->requester = (int)i;
		node->parent = node->child = GB_NOWHERE;
		if (above.hops < 2)
			continue;
		above.hops--;
		node->parent = find(topology, &above);
		node->lost = node->parent == GB_NOWHERE;
		if (!node->lost) {
			struct gb_node *parent = &topology->node[node->parent];

			node->lost = parent->lost;
			if (!parent->children++)
				parent->child = (int)i;
		}
	}
}

int gb_topology_build(const struct gb_machine *machine, const struct gb_config *config,
		      struct gb_topology *ret, struct gb_err *err)
{
	struct gb_topology topology = { .nodes = machine->devices };

	topology.node = calloc(machine->devices + 1, sizeof(*topology.node));
	topology.at = calloc(machine->devices + 1, sizeof(*topology.at));
	if (!topology.node || !topology.at) {
		gb_topology_clear(&topology);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < machine->devices; i++) {
		topology.node[i].device = &machine->device[i];
		topology.node[i].config = config[i];
	}
	qsort(topology.node, topology.nodes, sizeof(*topology.node), compare_nodes);
	link_nodes(&topology, machine);
	*ret = topology;
	return 0;
}

/* A VMD domain's root bus lies below the controller: "…/0000:00:0e.0/pci10000:e0/…". */
static int find_controller(struct gb_root *root, const struct gb_topology *topology,
			   struct gb_bdf bdf)
{
	char file[GB_SYSFS_MAX], link[PATH_MAX], *cut = NULL;
	struct gb_path path;

	if (gb_root_readlink(root, gb_bdf_file(bdf, "", file), link, sizeof(link)) < 0)
		return GB_NOWHERE;
	for (char *s = link; (s = strstr(s, "/pci")); s++)
		cut = s;
	if (!cut)
		return GB_NOWHERE;
	*cut = '\0';
	return gb_path_from_sysfs(link, &path) ? find(topology, &path) : GB_NOWHERE;
}

/* Domains above 16 bits are VMD's (drivers/pci/controller/vmd.c vmd_find_free_domain). */
static void find_requesters(struct gb_root *root, struct gb_topology *topology)
{
	for (size_t i = 0; i < topology->nodes; i++) {
		struct gb_node *node = &topology->node[i];
		int above, controller;

		if (node->device->bdf.domain <= UINT16_MAX)
			continue;
		above = node->parent;
		controller = above == GB_NOWHERE ?
				     find_controller(root, topology, node->device->bdf) :
				     topology->node[above].requester;
		node->lost |= controller == GB_NOWHERE ||
			      (above != GB_NOWHERE && topology->node[above].lost);
		if (!node->lost)
			node->requester = controller;
	}
}

int gb_topology_read(struct gb_root *root, const struct gb_machine *machine, bool wake,
		     const struct gb_config *known, struct gb_topology *ret, struct gb_err *err)
{
	struct gb_config *config = calloc(machine->devices + 1, sizeof(*config));
	struct gb_config_reader *reader = NULL;
	int r;

	if (!config)
		return gb_fail(err, ENOMEM, "out of memory");
	r = gb_config_open(root, &reader, err);
	for (size_t i = 0; !r && i < machine->devices; i++) {
		if (known && known[i].bytes)
			config[i] = known[i];
		else
			gb_config_read(reader, machine->device[i].bdf, wake, &config[i]);
	}
	gb_config_close(reader);
	if (!r)
		r = gb_topology_build(machine, config, ret, err);
	free(config);
	if (!r)
		find_requesters(root, ret);
	return r;
}

void gb_topology_clear(struct gb_topology *topology)
{
	free(topology->node);
	free(topology->at);
	memset(topology, 0, sizeof(*topology));
}
