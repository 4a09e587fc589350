/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "list.h"

enum { ADDRESS, NAME, ID, GROUP, DRIVER, ROLE };

static const struct gb_table empty = { .flexible = NAME, .right = 1 << GROUP,
				       .spare = { ID, ROLE } };

static void add_head(struct gb_table *table, const char *last)
{
	static const char *const heads[] = { "ADDRESS", "NAME", "ID", "GROUP", "DRIVER", "ROLE" };

	gb_table_row(table);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		gb_table_cell(table, GB_DIM, "%s", heads[i]);
	gb_table_cell(table, GB_DIM, "%s", last);
}

static void add_device(const struct gb_list *list, struct gb_table *table, int node,
		       const char *indent, bool strong)
{
	const struct gb_device *device = list->survey->topology.node[node].device;
	char bdf[GB_BDF_MAX], group[GB_LIST_GROUP_MAX], name[GB_NAME_MAX];
	const char *driver = gb_survey_driver(list->survey, node);

	gb_table_row(table);
	gb_table_cell(table, strong ? GB_BOLD : GB_PLAIN, "%s%s", indent,
		      gb_list_bdf(list, node, bdf));
	gb_table_cell(table, strong ? GB_BOLD : GB_PLAIN, "%s", gb_list_name(list, node, name));
	gb_table_cell(table, GB_DIM, "%04x:%04x", device->id.vendor, device->id.device);
	gb_table_cell(table, GB_PLAIN, "%s", gb_list_group(list, node, group));
	gb_table_cell(table, GB_PLAIN, "%s", driver[0] ? driver : "-");
	gb_table_cell(table, gb_list_role_colour(list, node), "%s", gb_list_role(list, node));
}

static enum gb_colour fitness_colour(enum gb_fitness fitness)
{
	return fitness == GB_FIT ? GB_GREEN : fitness == GB_UNFIT ? GB_RED : GB_CYAN;
}

static void add_verdict(const struct gb_list *list, struct gb_table *table, int node)
{
	struct gb_checks reasons = { 0 };
	enum gb_fitness fitness = gb_list_judge(list, node, &reasons);
	const struct gb_check *first = gb_list_reason(&reasons, fitness);
	size_t others = reasons.checks - (first ? 1 : 0);
	char bdf[GB_BDF_MAX];

	gb_table_line(table, fitness_colour(fitness), "  %s%s%s", gb_fitness_name(fitness),
		      !first		  ? "" :
		      fitness == GB_FIT ? ", but " :
					  ": ",
		      first ? first->text : "");
	if (others)
		gb_table_line(table, GB_DIM, "  %zu more to know: ghost-boot verify %s", others,
			      gb_list_bdf(list, node, bdf));
	table->failed |= reasons.failed;
	gb_checks_clear(&reasons);
}

/* A display, and below it what is in the same slot. */
static size_t add_card(const struct gb_list *list, struct gb_table *table, int display)
{
	const struct gb_topology *topology = &list->survey->topology;
	size_t shown = 1;

	add_device(list, table, display, "", true);
	/* those of one slot follow each other, virtual functions apart */
	for (int step = -1; step <= 1; step += 2)
		for (int i = display + step; i >= 0 && i < (int)topology->nodes &&
					     gb_survey_same_slot(list->survey, i, display);
		     i += step)
			if (!gb_device_is_display(topology->node[i].device)) {
				add_device(list, table, i, "  ", false);
				shown++;
			}
	add_verdict(list, table, display);
	gb_table_line(table, GB_PLAIN, "%s", "");
	return shown;
}

void gb_list_displays(const struct gb_list *list, struct gb_text *ret)
{
	const struct gb_topology *topology = &list->survey->topology;
	struct gb_table table = empty;
	int *order = gb_list_order(list->survey);
	size_t shown = 0;

	add_head(&table, "");
	for (size_t i = 0; order && i < topology->nodes; i++)
		if (gb_device_is_display(topology->node[order[i]].device))
			shown += add_card(list, &table, order[i]);
	if (!shown) {
		gb_table_clear(&table);
		gb_table_line(&table, GB_PLAIN, "%s", "There is no display here.");
	}
	gb_table_line(&table, GB_DIM, "%zu other devices: ghost-boot list --all",
		      topology->nodes - shown);
	if (shown)
		gb_list_group_notes(list, &table);
	gb_table_text(&table, &list->style, ret);
	ret->failed |= !order;
	gb_table_clear(&table);
	free(order);
}

static void add_fitness(const struct gb_list *list, struct gb_table *table, int node)
{
	struct gb_checks reasons = { 0 };
	enum gb_fitness fitness;

	if (!gb_device_is_display(list->survey->topology.node[node].device))
		return;
	fitness = gb_list_judge(list, node, &reasons);
	gb_table_cell(table, fitness_colour(fitness), "%s", gb_fitness_name(fitness));
	gb_checks_clear(&reasons);
}

void gb_list_all(const struct gb_list *list, struct gb_text *ret)
{
	const struct gb_topology *topology = &list->survey->topology;
	struct gb_table table = empty;
	int *order = gb_list_order(list->survey);

	add_head(&table, "VERDICT");
	for (size_t i = 0; order && i < topology->nodes; i++) {
		add_device(list, &table, order[i], "",
			   gb_device_is_display(topology->node[order[i]].device));
		add_fitness(list, &table, order[i]);
	}
	gb_list_group_notes(list, &table);
	gb_table_text(&table, &list->style, ret);
	ret->failed |= !order;
	gb_table_clear(&table);
	free(order);
}
