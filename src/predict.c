/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "predict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "quirk.h"

/* One run of the kernel's rules over all functions in its order. What can't be told counts as
 * isolating, if `trusting`, or as not. */
struct run {
	const struct gb_topology *topology;
	const struct gb_acs *acs;
	const bool *aliased; /* for each node: uses other requester IDs than its own */
	bool any_aliased;
	bool trusting;
	struct gb_member *member;
	int *culprit; /* for each node: what on the way from there up does not isolate */
	size_t groups;
};

/* While one function looks for its group. */
struct search {
	const struct run *run;
	int top; /* how far up it got */
	uint64_t visited[4];
};

static bool isolated(const struct run *run, int node)
{
	enum gb_known known = run->acs[node].isolated;

	return known == GB_YES || (known == GB_CANNOT_TELL && run->trusting);
}

static bool presumed(const struct run *run, enum gb_known known)
{
	return known == GB_YES || (known == GB_CANNOT_TELL && !run->trusting);
}

static const struct gb_device *device_of(const struct run *run, int node)
{
	return run->topology->node[node].device;
}

static int parent_of(const struct run *run, int node)
{
	return run->topology->node[node].parent;
}

/* Below the same bridge or on the same root bus; virtual functions' own buses count as that. */
static bool beside(const struct run *run, int a, int b)
{
	const struct gb_path *one = &device_of(run, a)->path, *other = &device_of(run, b)->path;

	return parent_of(run, a) == parent_of(run, b) && one->domain == other->domain &&
	       one->bus == other->bus && one->hops == other->hops;
}

static bool same_bus(const struct run *run, int a, int b)
{
	return beside(run, a, b) && device_of(run, a)->bdf.bus == device_of(run, b)->bdf.bus;
}

/* The nodes beside `node`, itself included. */
static void siblings(const struct run *run, int node, int *ret_first, int *ret_end)
{
	int parent = parent_of(run, node), nodes = (int)run->topology->nodes;

	if (parent != GB_NOWHERE) {
		*ret_first = run->topology->node[parent].child;
		*ret_end = *ret_first + (int)run->topology->node[parent].children;
		return;
	}
	for (*ret_first = node; *ret_first > 0 && beside(run, *ret_first - 1, node);)
		--*ret_first;
	for (*ret_end = node + 1; *ret_end < nodes && beside(run, *ret_end, node);)
		++*ret_end;
}

static bool uses_id_of(const struct run *run, int node, int other)
{
	const struct gb_device *device = device_of(run, node);
	uint8_t devfn = device_of(run, other)->bdf.devfn;
	uint64_t mask[4];

	return run->aliased[node] &&
	       gb_quirk_aliases(&device->id, device->bdf.devfn, mask) &&
	       mask[devfn / 64] >> devfn % 64 & 1;
}

static bool join(struct run *run, int node, enum gb_join how, int with, int because)
{
	int group = run->member[with].group;

	if (group == GB_NOWHERE)
		return false;
	run->member[node] = (struct gb_member){ group, 0, how, with, because };
	return true;
}

static int function_group(struct search *search, int node);

/* drivers/iommu/iommu.c get_pci_alias_group: a node with a group, or GB_NOWHERE. */
static int alias_group(struct search *search, int node)
{
	uint8_t devfn = device_of(search->run, node)->bdf.devfn;
	int first, end, found = GB_NOWHERE;

	if (search->visited[devfn / 64] >> devfn % 64 & 1)
		return GB_NOWHERE;
	search->visited[devfn / 64] |= UINT64_C(1) << devfn % 64;
	if (search->run->member[node].group != GB_NOWHERE)
		return node;
	if (!search->run->any_aliased)
		return GB_NOWHERE;
	siblings(search->run, node, &first, &end);
	for (int other = first; other < end && found == GB_NOWHERE; other++) {
		if (other == node || !same_bus(search->run, node, other))
			continue;
		if (!uses_id_of(search->run, node, other) && !uses_id_of(search->run, other, node))
			continue;
		found = alias_group(search, other);
		if (found == GB_NOWHERE)
			found = function_group(search, other);
	}
	return found;
}

/* get_pci_function_alias_group */
static int function_group(struct search *search, int node)
{
	const struct run *run = search->run;
	int first, end, found = GB_NOWHERE;

	if (!presumed(run, run->acs[node].multifunction) || isolated(run, node))
		return GB_NOWHERE;
	siblings(run, node, &first, &end);
	for (int other = first; other < end && found == GB_NOWHERE; other++)
		if (other != node && same_bus(run, node, other) && !isolated(run, other) &&
		    GB_DEVICE(device_of(run, node)->bdf.devfn) ==
			    GB_DEVICE(device_of(run, other)->bdf.devfn))
			found = alias_group(search, other);
	return found;
}

/* pci_for_each_dma_alias with get_pci_alias_or_group */
static bool join_above(struct run *run, int node, int *top)
{
	int requester = run->topology->node[node].requester;

	if (requester != node && join(run, node, GB_JOIN_REQUESTER, requester, requester))
		return true;
	*top = requester;
	for (int at = parent_of(run, requester); at != GB_NOWHERE; at = parent_of(run, at)) {
		if (gb_quirk_translates(&device_of(run, at)->id))
			break;
		if (!presumed(run, run->acs[at].aliases))
			continue;
		*top = at;
		if (join(run, node, GB_JOIN_BRIDGE, at, at))
			return true;
	}
	return false;
}

static bool join_path(struct run *run, int node, int *top)
{
	int at = parent_of(run, *top);

	for (; at != GB_NOWHERE && run->culprit[at] != GB_NOWHERE; at = parent_of(run, at)) {
		*top = at;
		if (join(run, node, GB_JOIN_PATH, at, run->culprit[at]))
			return true;
	}
	return false;
}

/* pci_device_group */
static void place(struct run *run, int node)
{
	struct search search = { .run = run, .top = node };
	int with;

	if (join_above(run, node, &search.top) || join_path(run, node, &search.top))
		return;
	with = alias_group(&search, search.top);
	if (with != GB_NOWHERE && join(run, node, GB_JOIN_ALIAS, with, with))
		return;
	with = function_group(&search, search.top);
	if (with != GB_NOWHERE && join(run, node, GB_JOIN_FUNCTION, with, with))
		return;
	run->member[node] = (struct gb_member){ (int)run->groups++, 0, GB_JOIN_NONE, GB_NOWHERE,
						GB_NOWHERE };
}

/* pci_acs_path_enabled, for all at once: bridges come first. */
static void find_culprits(struct run *run)
{
	for (int i = 0; i < (int)run->topology->nodes; i++) {
		int parent = parent_of(run, i);

		run->member[i].group = GB_NOWHERE;
		run->culprit[i] = parent == GB_NOWHERE ? GB_NOWHERE : run->culprit[parent];
		if (!isolated(run, i))
			run->culprit[i] = i;
	}
}

static size_t follow_rules(struct run run)
{
	find_culprits(&run);
	for (int i = 0; i < (int)run.topology->nodes; i++)
		place(&run, i);
	return run.groups;
}

/* A group is certain when it comes out the same with and without trust, and all in it could be
 * read and located. `size` counts the members of the surest groups. */
static void find_certain(struct gb_prediction *prediction, size_t *size, int *surest)
{
	const struct gb_topology *topology = prediction->topology;
	size_t *sizes = size + topology->nodes;

	for (size_t i = 0; i < topology->nodes; i++) {
		const struct gb_member *member = &prediction->member[i];

		size[member->surest]++;
		sizes[member->group]++;
		surest[member->group] = member->surest;
		prediction->certain[member->group] = true;
	}
	for (size_t i = 0; i < topology->nodes; i++) {
		const struct gb_member *member = &prediction->member[i];
		const struct gb_node *node = &topology->node[i];

		if (surest[member->group] != member->surest ||
		    size[member->surest] != sizes[member->group] || node->lost ||
		    !node->config.bytes)
			prediction->certain[member->group] = false;
	}
}

/* What the two runs need and the prediction does not keep. */
struct scratch {
	struct gb_member *member;
	size_t *size;
	int *culprit;
	bool *aliased, any_aliased;
};

static bool allocate(struct gb_prediction *prediction, struct scratch *scratch, size_t nodes)
{
	prediction->member = calloc(nodes + 1, sizeof(*prediction->member));
	prediction->acs = calloc(nodes + 1, sizeof(*prediction->acs));
	prediction->certain = calloc(nodes + 1, sizeof(*prediction->certain));
	scratch->member = calloc(nodes + 1, sizeof(*scratch->member));
	scratch->size = calloc(2 * nodes + 1, sizeof(*scratch->size));
	scratch->culprit = calloc(nodes + 1, sizeof(*scratch->culprit));
	scratch->aliased = calloc(nodes + 1, sizeof(*scratch->aliased));
	return prediction->member && prediction->acs && prediction->certain && scratch->member &&
	       scratch->size && scratch->culprit && scratch->aliased;
}

static void judge_all(struct gb_prediction *prediction, struct scratch *scratch)
{
	for (size_t i = 0; i < prediction->topology->nodes; i++) {
		const struct gb_node *node = &prediction->topology->node[i];
		uint64_t mask[4];

		gb_acs_judge(node->device, &node->config, &prediction->acs[i]);
		scratch->aliased[i] = gb_quirk_aliases(&node->device->id,
						       node->device->bdf.devfn, mask);
		scratch->any_aliased |= scratch->aliased[i];
	}
}

static void predict(struct gb_prediction *prediction, struct scratch *scratch)
{
	struct run run = {
		.topology = prediction->topology,
		.acs = prediction->acs,
		.aliased = scratch->aliased,
		.any_aliased = scratch->any_aliased,
		.trusting = true,
		.member = scratch->member,
		.culprit = scratch->culprit,
	};

	follow_rules(run);
	run.trusting = false;
	run.member = prediction->member;
	prediction->groups = follow_rules(run);
	for (size_t i = 0; i < run.topology->nodes; i++)
		prediction->member[i].surest = scratch->member[i].group;
	find_certain(prediction, scratch->size, scratch->culprit);
}

int gb_predict(const struct gb_topology *topology, struct gb_prediction *ret,
	       struct gb_err *err)
{
	struct gb_prediction prediction = { .topology = topology };
	struct scratch scratch = { 0 };
	bool good = allocate(&prediction, &scratch, topology->nodes);

	if (good) {
		judge_all(&prediction, &scratch);
		predict(&prediction, &scratch);
		*ret = prediction;
	} else {
		gb_prediction_clear(&prediction);
	}
	free(scratch.member);
	free(scratch.size);
	free(scratch.culprit);
	free(scratch.aliased);
	return good ? 0 : gb_fail(err, ENOMEM, "out of memory");
}

void gb_prediction_clear(struct gb_prediction *prediction)
{
	free(prediction->member);
	free(prediction->acs);
	free(prediction->certain);
	memset(prediction, 0, sizeof(*prediction));
}

static const char *const joins[][2] = {
	[GB_JOIN_NONE] = { "none", "the first of its group" },
	[GB_JOIN_REQUESTER] = { "requester", "accesses memory in another's name" },
	[GB_JOIN_BRIDGE] = { "bridge", "below a bridge that gives its own ID to all below it" },
	[GB_JOIN_PATH] = { "path", "a port on its way to the CPU does not isolate" },
	[GB_JOIN_ALIAS] = { "alias", "shares its requester ID with another function" },
	[GB_JOIN_FUNCTION] = { "function", "not isolated from the function beside it" },
};

const char *gb_join_name(enum gb_join how)
{
	return joins[how][0];
}

const char *gb_join_text(enum gb_join how)
{
	return joins[how][1];
}
