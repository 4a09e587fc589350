/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

size_t gb_group_read(struct gb_root *root, struct gb_machine *machine)
{
	size_t grouped = 0;

	for (size_t i = 0; i < machine->devices; i++) {
		gb_device_read_group(root, &machine->device[i]);
		grouped += machine->device[i].group >= 0;
	}
	return grouped;
}

struct entry {
	int key, node;
};

struct comparison {
	const struct gb_prediction *prediction;
	struct entry *entry; /* sorted by key, so that one key's nodes are together */
	size_t entries;
	struct gb_difference *difference;
	size_t differences;
};

static int compare_entries(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

static const struct gb_node *node_of(const struct comparison *c, int node)
{
	return &c->prediction->topology->node[node];
}

static int kernel_group(const struct comparison *c, int node)
{
	return node_of(c, node)->device->group;
}

/* What the topology says of it can be relied on. */
static bool located(const struct comparison *c, int node)
{
	return node_of(c, node)->config.bytes && !node_of(c, node)->lost;
}

static int key_of(const struct comparison *c, enum gb_difference_kind kind, int node)
{
	const struct gb_member *member = &c->prediction->member[node];

	if (kernel_group(c, node) < 0 || (kind == GB_JOINED && !located(c, node)))
		return GB_NOWHERE;
	if (kind == GB_JOINED)
		return kernel_group(c, node);
	return kind == GB_SPLIT ? member->surest : member->group;
}

static bool differ(const struct comparison *c, enum gb_difference_kind kind, int a, int b)
{
	const struct gb_member *one = &c->prediction->member[a];
	const struct gb_member *other = &c->prediction->member[b];

	if (kind == GB_JOINED)
		return one->group != other->group;
	return kernel_group(c, a) != kernel_group(c, b) &&
	       (kind == GB_SPLIT || one->surest != other->surest);
}

static void add(struct comparison *c, enum gb_difference_kind kind, int a, int b)
{
	c->difference[c->differences++] = (struct gb_difference){ kind, a, b };
}

/* Each node against the first of those it should be, or is, together with. */
static void compare(struct comparison *c, enum gb_difference_kind kind)
{
	size_t first = 0;

	c->entries = 0;
	for (int i = 0; i < (int)c->prediction->topology->nodes; i++) {
		int key = key_of(c, kind, i);

		if (key != GB_NOWHERE)
			c->entry[c->entries++] = (struct entry){ key, i };
	}
	qsort(c->entry, c->entries, sizeof(*c->entry), compare_entries);
	for (size_t i = 1; i < c->entries; i++) {
		if (c->entry[i].key != c->entry[first].key)
			first = i;
		else if (differ(c, kind, c->entry[first].node, c->entry[i].node))
			add(c, kind, c->entry[first].node, c->entry[i].node);
	}
}

/* An IOMMU's own function never has a group, and AMD's tables begin behind the host bridge. */
static bool needs_group(const struct gb_device *device)
{
	return device->id.class >> 8 != 0x0806 && device->id.class >> 8 != 0x0600;
}

static void find_left_out(struct comparison *c)
{
	int nodes = (int)c->prediction->topology->nodes;
	bool grouped = false;

	for (int i = 0; i < nodes; i++)
		grouped |= kernel_group(c, i) >= 0;
	for (int i = 0; i < nodes && grouped; i++)
		if (kernel_group(c, i) < 0 && needs_group(node_of(c, i)->device))
			add(c, GB_LEFT_OUT, i, GB_NOWHERE);
}

int gb_group_compare(const struct gb_prediction *prediction, struct gb_differences *ret,
		     struct gb_err *err)
{
	size_t nodes = prediction->topology->nodes;
	struct comparison c = {
		.prediction = prediction,
		.entry = calloc(nodes + 1, sizeof(*c.entry)),
		.difference = calloc(4 * nodes + 1, sizeof(*c.difference)),
	};

	if (!c.entry || !c.difference) {
		free(c.entry);
		free(c.difference);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	compare(&c, GB_SPLIT);
	compare(&c, GB_JOINED);
	compare(&c, GB_UNPROVEN);
	find_left_out(&c);
	free(c.entry);
	ret->difference = c.difference;
	ret->differences = c.differences;
	return 0;
}

void gb_differences_clear(struct gb_differences *differences)
{
	free(differences->difference);
	memset(differences, 0, sizeof(*differences));
}

const char *gb_difference_name(enum gb_difference_kind kind)
{
	static const char *const names[] = {
		[GB_UNPROVEN] = "unproven",
		[GB_SPLIT] = "split",
		[GB_JOINED] = "joined",
		[GB_LEFT_OUT] = "left-out",
	};

	return names[kind];
}
