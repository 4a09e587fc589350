/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "svg.h"

#define WIDTH 1040
#define ROW 28
#define DISPLAY_ROW 50
#define GAP 6

static const struct gb_node *node_of(const struct gb_map *map, int node)
{
	return &map->list->survey->topology.node[node];
}

/* ---- groups ------------------------------------------------------------------------------ */

struct entry {
	int group, node;
};

static int compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	if (one->group != other->group)
		return one->group < other->group ? -1 : 1;
	return (one->node > other->node) - (one->node < other->node);
}

/* A group that has more than one function, or a display, is an area of its own colour; those of
 * displays come first, so that theirs are used for nothing else if they suffice. */
static void colour_groups(struct gb_map *map)
{
	int displays = 0, others = 0, reserved;

	for (size_t i = 0; i < map->groups; i++) {
		map->group[i].area = GB_NOWHERE;
		if (map->group[i].displays)
			map->group[i].area = displays++ % GB_SVG_AREAS;
	}
	reserved = displays < GB_SVG_AREAS / 2 ? displays : GB_SVG_AREAS / 2;
	for (size_t i = 0; i < map->groups; i++)
		if (map->group[i].area == GB_NOWHERE && map->group[i].members > 1)
			map->group[i].area = reserved + others++ % (GB_SVG_AREAS - reserved);
}

static int make_groups(struct gb_map *map)
{
	const struct gb_survey *survey = map->list->survey;
	size_t nodes = survey->topology.nodes, entries = 0;
	struct entry *entry = calloc(nodes + 1, sizeof(*entry));

	map->group = calloc(nodes + 1, sizeof(*map->group));
	map->group_of = calloc(nodes + 1, sizeof(*map->group_of));
	if (!entry || !map->group || !map->group_of) {
		free(entry);
		return -ENOMEM;
	}
	for (size_t i = 0; i < nodes; i++) {
		int group = gb_survey_group(survey, map->list->source, (int)i);

		map->group_of[i] = GB_NOWHERE;
		if (group >= 0)
			entry[entries++] = (struct entry){ group, (int)i };
	}
	qsort(entry, entries, sizeof(*entry), compare);
	for (size_t i = 0; i < entries; i++) {
		struct gb_map_group *group;

		if (!i || entry[i].group != entry[i - 1].group)
			map->group[map->groups++].number = entry[i].group;
		group = &map->group[map->groups - 1];
		group->members++;
		group->displays += gb_device_is_display(node_of(map, entry[i].node)->device);
		map->group_of[entry[i].node] = (int)map->groups - 1;
	}
	free(entry);
	colour_groups(map);
	return 0;
}

bool gb_map_comes_along(const struct gb_map *map, int node)
{
	const struct gb_device *device = node_of(map, node)->device;
	int group = map->group_of[node];

	return group != GB_NOWHERE && map->group[group].displays &&
	       !gb_device_is_display(device) &&
	       GB_BASE_CLASS(device->id.class) != GB_CLASS_BRIDGE;
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool dull(const struct gb_map *map, int node)
{
	return !node_of(map, node)->children && !node_of(map, node)->lost &&
	       !gb_device_is_display(node_of(map, node)->device) &&
	       !gb_map_comes_along(map, node) && !gb_survey_line(map->list->survey, node);
}

/* Beside each other, of one kind, and nothing to tell them apart in a picture. */
static bool alike(const struct gb_map *map, int a, int b)
{
	const struct gb_acs *acs = map->list->survey->prediction.acs;
	int one = map->group_of[a], other = map->group_of[b];
	bool single = (one == GB_NOWHERE || map->group[one].members == 1) &&
		      (other == GB_NOWHERE || map->group[other].members == 1);

	return dull(map, a) && dull(map, b) && acs[a].rule == acs[b].rule &&
	       node_of(map, a)->device->id.class == node_of(map, b)->device->id.class &&
	       (one == other || single);
}

static int run_of(const struct gb_map *map, int first, int end)
{
	int next = first + 1;

	while (next < end && alike(map, first, next))
		next++;
	return next - first > 2 ? next - first : 1;
}

static bool is_area(const struct gb_map *map, int group)
{
	return group != GB_NOWHERE && map->group[group].area != GB_NOWHERE;
}

static int add_row(struct gb_map *map, struct gb_map_row row)
{
	const struct gb_map_row *before = map->rows ? &map->row[map->rows - 1] : NULL;
	bool display = row.node != GB_NOWHERE &&
		       gb_device_is_display(node_of(map, row.node)->device);

	if (before && before->group != row.group &&
	    (is_area(map, before->group) || is_area(map, row.group)))
		map->height += GAP - 1;
	row.y = map->height;
	row.height = display ? DISPLAY_ROW : ROW;
	map->height += row.height + GAP;
	row.hot = display;
	for (int up = row.parent; display && up != GB_NOWHERE; up = map->row[up].parent)
		map->row[up].hot = true;
	map->row[map->rows] = row;
	return (int)map->rows++;
}

static void add_nodes(struct gb_map *map, int first, int end, int parent, unsigned depth)
{
	for (int i = first, count; i < end; i += count) {
		const struct gb_node *node = node_of(map, i);
		int row, group = map->group_of[i];

		count = run_of(map, i, end);
		if (count > 1 && group != map->group_of[i + 1])
			group = GB_NOWHERE;
		row = add_row(map, (struct gb_map_row){ .node = i, .count = count,
							.parent = parent, .group = group,
							.depth = depth, .lost = node->lost });
		if (node->children)
			add_nodes(map, node->child, node->child + (int)node->children, row,
				  depth + 1);
	}
}

/* Functions of one root bus follow each other. */
static int end_of_root(const struct gb_map *map, int first)
{
	const struct gb_node *a = node_of(map, first), *b;
	int end = first + 1, nodes = (int)map->list->survey->topology.nodes;

	for (; end < nodes; end++) {
		b = node_of(map, end);
		if (b->parent != GB_NOWHERE || a->lost != b->lost ||
		    a->device->path.domain != b->device->path.domain ||
		    a->device->path.bus != b->device->path.bus)
			break;
	}
	return end;
}

static bool is_root(const struct gb_map *map, int node)
{
	return node_of(map, node)->parent == GB_NOWHERE;
}

/* The CPU stands for a single root bus, or else above all of them. */
static void add_roots(struct gb_map *map)
{
	struct gb_map_row root = { .node = GB_NOWHERE, .parent = GB_NOWHERE, .group = GB_NOWHERE,
				   .cpu = true };
	int nodes = (int)map->list->survey->topology.nodes, roots = 0;

	for (int i = 0; i < nodes; i = end_of_root(map, i))
		roots += is_root(map, i);
	if (roots != 1) {
		root.parent = add_row(map, root);
		root.depth = 1;
		root.cpu = false;
	}
	for (int i = 0; i < nodes; i = end_of_root(map, i)) {
		root.bus_of = node_of(map, i)->device;
		root.lost = node_of(map, i)->lost;
		if (is_root(map, i))
			add_nodes(map, i, end_of_root(map, i), add_row(map, root),
				  root.depth + 1);
	}
}

int gb_map_make(const struct gb_list *list, struct gb_map *ret)
{
	struct gb_map map = { .list = list, .width = WIDTH };
	int r = make_groups(&map);

	/* the CPU, and at most one root bus for each function */
	map.row = calloc(2 * list->survey->topology.nodes + 2, sizeof(*map.row));
	if (!r && map.row)
		add_roots(&map);
	*ret = map;
	return r ? r : map.row ? 0 : -ENOMEM;
}

void gb_map_clear(struct gb_map *map)
{
	free(map->row);
	free(map->group);
	free(map->group_of);
	memset(map, 0, sizeof(*map));
}
