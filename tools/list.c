/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gb_list_begin(struct gb_list *list)
{
	for (size_t i = 0; i < list->survey->topology.nodes; i++)
		list->long_bdf |= list->survey->topology.node[i].device->bdf.domain != 0;
}

bool gb_list_is_port(const struct gb_list *list, int node)
{
	const struct gb_node *at = &list->survey->topology.node[node];

	/* where config space can't be read, the class has to do: 0604 is a PCI bridge */
	return at->config.bytes ? at->config.header == 1 :
				  at->device->id.class >> 8 == 0x0604;
}

static int by_address(const void *a, const void *b, void *survey)
{
	const struct gb_node *node = ((const struct gb_survey *)survey)->topology.node;
	struct gb_bdf one = node[*(const int *)a].device->bdf;
	struct gb_bdf other = node[*(const int *)b].device->bdf;
	uint64_t x = (uint64_t)one.domain << 16 | one.bus << 8 | one.devfn;
	uint64_t y = (uint64_t)other.domain << 16 | other.bus << 8 | other.devfn;

	return (x > y) - (x < y);
}

int *gb_list_order(const struct gb_survey *survey)
{
	int *order = calloc(survey->topology.nodes + 1, sizeof(*order));

	for (size_t i = 0; order && i < survey->topology.nodes; i++)
		order[i] = (int)i;
	if (order)
		qsort_r(order, survey->topology.nodes, sizeof(*order), by_address,
			(void *)survey);
	return order;
}

const char *gb_list_bdf(const struct gb_list *list, int node, char ret[static GB_BDF_MAX])
{
	gb_bdf_format(list->survey->topology.node[node].device->bdf, ret);
	return list->long_bdf ? ret : strchr(ret, ':') + 1;
}

const char *gb_list_name(const struct gb_list *list, int node, char ret[static GB_NAME_MAX])
{
	gb_names_device(list->context->names, &list->survey->topology.node[node].device->id, ret);
	for (char *c = ret; !list->style.utf8 && *c; c++)
		if (*c < 0)
			*c = '?';
	return ret;
}

static bool certain(const struct gb_list *list, int group)
{
	return list->survey->prediction.certain[group];
}

const char *gb_list_group(const struct gb_list *list, int node,
			  char ret[static GB_LIST_GROUP_MAX])
{
	int group = gb_survey_group(list->survey, list->source, node);

	if (group < 0)
		return "-";
	snprintf(ret, GB_LIST_GROUP_MAX, "%d%s", group,
		 list->source == GB_GROUPS_KERNEL ? "" :
		 certain(list, group)		  ? "*" :
						    "?");
	return ret;
}

void gb_list_group_notes(const struct gb_list *list, struct gb_table *table)
{
	bool sure = false, unsure = false;

	if (list->source == GB_GROUPS_KERNEL)
		return;
	for (size_t i = 0; i < list->survey->prediction.groups; i++)
		*(certain(list, (int)i) ? &sure : &unsure) = true;
	if (sure || unsure)
		gb_table_line(table, GB_PLAIN, "%s", "");
	if (sure)
		gb_table_line(table, GB_DIM, "%s",
			      "* predicted by the rules of " GB_PREDICT_RULES
			      ", as if the IOMMU were on");
	if (unsure)
		gb_table_line(table, GB_DIM, "%s",
			      "? predicted, and there may be fewer in it: not all config space "
			      "could be read");
}

const char *gb_list_role(const struct gb_list *list, int node)
{
	const struct gb_line *line = gb_survey_line(list->survey, node);

	return !line ? "free" : line->keep ? "kept" : "claimed";
}

enum gb_colour gb_list_role_colour(const struct gb_list *list, int node)
{
	const struct gb_line *line = gb_survey_line(list->survey, node);

	return !line ? GB_PLAIN : line->keep ? GB_BLUE : GB_GREEN;
}

enum gb_fitness gb_list_judge(const struct gb_list *list, int node, struct gb_checks *reasons)
{
	const struct gb_device *device = list->survey->topology.node[node].device;
	char bdf[GB_BDF_MAX];

	/* drivers/vfio/pci/vfio_pci_core.c vfio_pci_core_register_device takes header type 0 */
	if (GB_BASE_CLASS(device->id.class) == GB_CLASS_BRIDGE) {
		gb_check(reasons, "bridge", GB_FAIL, gb_bdf_format(device->bdf, bdf),
			 "a bridge: vfio-pci takes none");
		return GB_UNFIT;
	}
	return gb_judge_fitness(list->survey, node, reasons);
}

const struct gb_check *gb_list_reason(const struct gb_checks *reasons, enum gb_fitness fitness)
{
	enum gb_mark wanted = fitness == GB_UNFIT ? GB_FAIL :
			      fitness == GB_FIT	  ? GB_WARN :
						    GB_UNKNOWN;

	for (size_t i = 0; i < reasons->checks; i++)
		if (reasons->check[i].mark == wanted)
			return &reasons->check[i];
	return fitness == GB_FIT || !reasons->checks ? NULL : &reasons->check[0];
}

void gb_list_difference(const struct gb_list *list, const struct gb_difference *difference,
			char *ret, size_t size)
{
	const struct gb_node *node = list->survey->topology.node;
	char one[GB_BDF_MAX], other[GB_BDF_MAX] = "";
	int a = node[difference->a].device->group, b = -1;
	const char *first = gb_list_bdf(list, difference->a, one), *second = "";

	if (difference->b != GB_NOWHERE) {
		second = gb_list_bdf(list, difference->b, other);
		b = node[difference->b].device->group;
	}
	switch (difference->kind) {
	case GB_SPLIT:
		snprintf(ret, size, "%s and %s are apart (groups %d and %d), and nothing that "
			 "can be read isolates them: an ACS override patch, or a quirk not known "
			 "here", first, second, a, b);
		break;
	case GB_JOINED:
		snprintf(ret, size, "%s and %s are together (group %d), though the rules hold "
			 "them apart: another kernel's rules, or firmware", first, second, a);
		break;
	case GB_LEFT_OUT:
		snprintf(ret, size, "%s has no group: no IOMMU works for it", first);
		break;
	case GB_UNPROVEN:
		snprintf(ret, size, "%s and %s, groups %d and %d", first, second, a, b);
		break;
	}
}
