/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "acs.h"
#include "list.h"

/* Address and name share a column, so that the name of what is not deep down has more room. */
enum { DEVICE, GROUP, ACS, DRIVER };

/* The lines of a tree, two sets of them. */
struct strokes {
	const char *fork, *last, *beside, *none;
};

static const struct strokes drawn = { "├─ ", "└─ ", "│  ", "   " };
static const struct strokes typed = { "|- ", "`- ", "|  ", "   " };

/* Bits on: capitals; possible, and off as long as no IOMMU wants them: small; hard-wired: dashes.
 * The four that the kernel wants. */
static enum gb_colour write_acs(const struct gb_list *list, int node, char ret[static 16])
{
	const struct gb_node *at = &list->survey->topology.node[node];
	const struct gb_acs *acs = &list->survey->prediction.acs[node];
	struct gb_acs_bits bits;
	char *end = ret;

	strcpy(ret, "");
	if (!gb_list_is_port(list, node))
		return GB_PLAIN;
	if (gb_acs_read(&at->device->id, &at->config, &bits) == GB_YES) {
		for (unsigned bit = 1; bit <= GB_ACS_REQUIRED; bit <<= 1) {
			const char *name = gb_acs_bit_name(bit);

			if (!(bit & GB_ACS_REQUIRED))
				continue;
			end += sprintf(end, "%s%c%c", end == ret ? "" : " ",
				       !(bits.capability & bit) ? '-' :
				       name[0] | (bits.control & bit ? 0 : 0x20),
				       !(bits.capability & bit) ? '-' :
				       name[1] | (bits.control & bit ? 0 : 0x20));
		}
		return bits.off ? GB_YELLOW : GB_GREEN;
	}
	strcpy(ret, acs->isolated == GB_CANNOT_TELL ? "cannot tell" :
		    acs->isolated == GB_NO	     ? "no ACS" :
		    acs->rule == GB_ACS_KNOWN_MODEL  ? "by model" :
						       "not needed");
	return acs->isolated == GB_NO ? GB_RED : acs->isolated == GB_YES ? GB_GREEN : GB_CYAN;
}

static void add_node(const struct gb_list *list, struct gb_table *table, int node,
		     const char *strokes)
{
	const struct gb_device *device = list->survey->topology.node[node].device;
	bool display = gb_device_is_display(device);
	char bdf[GB_BDF_MAX], name[GB_NAME_MAX], group[GB_LIST_GROUP_MAX], acs[16];
	enum gb_colour colour = write_acs(list, node, acs);

	gb_table_row(table);
	gb_table_cell(table, display ? GB_BOLD : GB_PLAIN, "%s%s  %s", strokes,
		      gb_list_bdf(list, node, bdf), gb_list_name(list, node, name));
	gb_table_cell(table, GB_PLAIN, "%s", gb_list_group(list, node, group));
	gb_table_cell(table, colour, "%s", acs);
	gb_table_cell(table, gb_list_role_colour(list, node), "%s",
		      gb_survey_driver(list->survey, node));
}

#define STROKES_MAX (GB_HOPS_MAX * sizeof("├─ "))

static void add_below(const struct gb_list *list, struct gb_table *table, int first, int count,
		      const char *above)
{
	const struct gb_topology *topology = &list->survey->topology;
	const struct strokes *strokes = list->style.utf8 ? &drawn : &typed;
	char lines[STROKES_MAX];

	for (int i = first; i < first + count; i++) {
		const struct gb_node *node = &topology->node[i];
		bool last = i + 1 == first + count;

		snprintf(lines, sizeof(lines), "%s%s", above,
			 last ? strokes->last : strokes->fork);
		add_node(list, table, i, lines);
		snprintf(lines, sizeof(lines), "%s%s", above,
			 last ? strokes->none : strokes->beside);
		if (node->children)
			add_below(list, table, node->child, (int)node->children, lines);
	}
}

/* Functions of one root bus follow each other. */
static bool same_root(const struct gb_node *a, const struct gb_node *b)
{
	return b->parent == GB_NOWHERE && !a->lost && !b->lost &&
	       a->device->path.domain == b->device->path.domain &&
	       a->device->path.bus == b->device->path.bus;
}

static void add_notes(struct gb_table *table, const struct gb_list *list)
{
	gb_table_line(table, GB_PLAIN, "%s", "");
	gb_table_line(table, GB_DIM, "%s",
		      "ACS: SV RR CR UF are on, small letters possible and off, dashes hard-wired. "
		      "By model: isolates without it.");
	gb_list_group_notes(list, table);
}

void gb_list_tree(const struct gb_list *list, struct gb_text *ret)
{
	const struct gb_topology *topology = &list->survey->topology;
	struct gb_table table = { .flexible = DEVICE, .right = 1 << GROUP,
				  .spare = { DRIVER, ACS } };
	static const char *const heads[] = { "DEVICE", "GROUP", "ACS", "DRIVER" };

	gb_table_row(&table);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		gb_table_cell(&table, GB_DIM, "%s", heads[i]);
	for (int first = 0, i; first < (int)topology->nodes; first = i) {
		const struct gb_path *path = &topology->node[first].device->path;

		for (i = first + 1; i < (int)topology->nodes &&
				    same_root(&topology->node[first], &topology->node[i]);
		     i++)
			;
		if (topology->node[first].parent != GB_NOWHERE)
			continue;
		gb_table_line(&table, GB_BOLD, "%04x:%02x%s", path->domain, path->bus,
			      topology->node[first].lost ? ", and what it hangs on is not listed"
							 : "");
		add_below(list, &table, first, i - first, "");
	}
	for (size_t i = 0; i < topology->nodes; i++)
		if (table.narrowest < 3u * topology->node[i].device->path.hops + 16)
			table.narrowest = 3u * topology->node[i].device->path.hops + 16;
	if (topology->nodes)
		add_notes(&table, list);
	gb_table_text(&table, &list->style, ret);
	gb_table_clear(&table);
}
