/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "list.h"

/* Nodes by group, those without one last, then by address. */
struct member {
	int group, place, node;
};

static int compare(const void *a, const void *b)
{
	const struct member *one = a, *other = b;

	if (one->group != other->group)
		return one->group < other->group ? -1 : 1;
	return (one->place > other->place) - (one->place < other->place);
}

static struct member *members(const struct gb_list *list)
{
	size_t nodes = list->survey->topology.nodes;
	struct member *member = calloc(nodes + 1, sizeof(*member));
	int *order = gb_list_order(list->survey);

	if (!member || !order) {
		free(member);
		free(order);
		return NULL;
	}
	for (size_t i = 0; i < nodes; i++) {
		int group = gb_survey_group(list->survey, list->source, order[i]);

		member[i] = (struct member){ group < 0 ? INT_MAX : group, (int)i, order[i] };
	}
	free(order);
	qsort(member, nodes, sizeof(*member), compare);
	return member;
}

enum { GROUP, ADDRESS, NAME, ID, DRIVER, ROLE };

static void add_head(struct gb_table *table)
{
	static const char *const heads[] = { "GROUP", "ADDRESS", "NAME", "ID", "DRIVER", "ROLE" };

	gb_table_row(table);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		gb_table_cell(table, GB_DIM, "%s", heads[i]);
}

/* The group stands beside the first of its devices. */
static void add_device(const struct gb_list *list, struct gb_table *table, int node, bool first)
{
	const struct gb_device *device = list->survey->topology.node[node].device;
	const char *driver = gb_survey_driver(list->survey, node);
	char bdf[GB_BDF_MAX], name[GB_NAME_MAX], group[GB_LIST_GROUP_MAX];
	enum gb_colour colour = gb_device_is_display(device) ? GB_BOLD : GB_PLAIN;

	gb_table_row(table);
	gb_table_cell(table, GB_CYAN, "%s", first ? gb_list_group(list, node, group) : "");
	gb_table_cell(table, colour, "%s", gb_list_bdf(list, node, bdf));
	gb_table_cell(table, colour, "%s", gb_list_name(list, node, name));
	gb_table_cell(table, GB_DIM, "%04x:%04x", device->id.vendor, device->id.device);
	gb_table_cell(table, GB_PLAIN, "%s", driver[0] ? driver : "-");
	gb_table_cell(table, gb_list_role_colour(list, node), "%s", gb_list_role(list, node));
}

static size_t count(const struct gb_list *list, bool unproven)
{
	const struct gb_differences *found = &list->survey->differences;
	size_t n = 0;

	for (size_t i = 0; i < found->differences; i++)
		n += (found->difference[i].kind == GB_UNPROVEN) == unproven;
	return n;
}

static void add_some(const struct gb_list *list, struct gb_table *table, bool unproven,
		     const char *heading)
{
	const struct gb_differences *found = &list->survey->differences;
	char text[256];

	gb_table_line(table, GB_BOLD, "%s", heading);
	for (size_t i = 0; i < found->differences; i++) {
		const struct gb_difference *difference = &found->difference[i];

		if ((difference->kind == GB_UNPROVEN) != unproven)
			continue;
		gb_list_difference(list, difference, text, sizeof(text));
		gb_table_line(table, unproven ? GB_CYAN :
			      difference->kind == GB_SPLIT ? GB_RED : GB_YELLOW,
			      "  %s: %s", gb_difference_name(difference->kind), text);
	}
}

/* Differences that say something of the machine are always shown; those that come from what
 * could not be read only on request. */
static void add_differences(const struct gb_list *list, struct gb_table *table)
{
	size_t unproven = count(list, true), others = count(list, false);

	gb_table_line(table, GB_PLAIN, "%s", "");
	if (others)
		add_some(list, table, false, "The kernel's groups are not what the rules of "
					     GB_PREDICT_RULES " give:");
	if (unproven && list->predict)
		add_some(list, table, true, "The kernel has these apart, and the config space "
					    "that would prove it can't be read:");
	else if (unproven)
		gb_table_line(table, GB_CYAN, "The kernel has %zu apart that can't be proven, "
			      "since config space can't be read: ghost-boot list --groups "
			      "--predict", unproven);
	if (!unproven && !others)
		gb_table_line(table, GB_GREEN, "%s",
			      "The kernel's groups are those that the rules of " GB_PREDICT_RULES
			      " give.");
}

void gb_list_groups(const struct gb_list *list, struct gb_text *ret)
{
	struct gb_table table = { .flexible = NAME, .right = 1 << GROUP, .spare = { ID, ROLE } };
	struct member *member = members(list);
	size_t nodes = list->survey->topology.nodes;

	add_head(&table);
	for (size_t i = 0; member && i < nodes; i++)
		add_device(list, &table, member[i].node,
			   !i || member[i].group != member[i - 1].group);
	gb_list_group_notes(list, &table);
	if (list->survey->grouped)
		add_differences(list, &table);
	else if (nodes)
		gb_table_line(&table, GB_YELLOW, "The kernel has no groups: the IOMMU is off.");
	gb_table_text(&table, &list->style, ret);
	ret->failed |= !member;
	gb_table_clear(&table);
	free(member);
}

static void add_group(const struct gb_list *list, struct gb_json *json, int group)
{
	gb_json_open(json, NULL, '{');
	/* a predicted number is none that the kernel would give */
	if (group == INT_MAX || list->source == GB_GROUPS_PREDICTED)
		gb_json_null(json, "number");
	else
		gb_json_int(json, "number", group);
	gb_json_string(json, "source",
		       list->source == GB_GROUPS_KERNEL ? "kernel" : "predicted");
	gb_json_open(json, "devices", '[');
}

static void add_differences_json(const struct gb_list *list, struct gb_json *json)
{
	const struct gb_differences *found = &list->survey->differences;
	char a[GB_BDF_MAX], b[GB_BDF_MAX], text[256];

	gb_json_open(json, "differences", '[');
	for (size_t i = 0; i < found->differences; i++) {
		const struct gb_difference *difference = &found->difference[i];
		const struct gb_node *node = list->survey->topology.node;

		gb_json_open(json, NULL, '{');
		gb_json_string(json, "kind", gb_difference_name(difference->kind));
		gb_json_string(json, "a", gb_bdf_format(node[difference->a].device->bdf, a));
		gb_json_string(json, "b", difference->b == GB_NOWHERE ? NULL :
			       gb_bdf_format(node[difference->b].device->bdf, b));
		gb_list_difference(list, difference, text, sizeof(text));
		gb_json_string(json, "text", text);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

void gb_list_groups_json(const struct gb_list *list, struct gb_text *ret)
{
	struct gb_json json = { .text = ret };
	struct member *member = members(list);
	size_t nodes = member ? list->survey->topology.nodes : 0;
	char bdf[GB_BDF_MAX];

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "tool", GB_VERSION);
	gb_json_string(&json, "rules", GB_PREDICT_RULES);
	gb_json_open(&json, "groups", '[');
	for (size_t i = 0; i < nodes; i++) {
		int node = member[i].node;

		if (!i || member[i].group != member[i - 1].group)
			add_group(list, &json, member[i].group);
		gb_bdf_format(list->survey->topology.node[node].device->bdf, bdf);
		gb_json_string(&json, NULL, bdf);
		if (i + 1 == nodes || member[i].group != member[i + 1].group) {
			gb_json_close(&json, ']');
			gb_json_close(&json, '}');
		}
	}
	gb_json_close(&json, ']');
	add_differences_json(list, &json);
	gb_json_close(&json, '}');
	ret->failed |= !member;
	free(member);
}
