/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acs.h"
#include "pen.h"

static double left_of(const struct gb_map_row *row)
{
	return MARGIN + row->depth * STEP;
}

static double right_of(const struct gb_pen *pen)
{
	return pen->map->width - MARGIN - GROUP_WIDTH;
}

static double top_of(const struct gb_map_row *row)
{
	return HEAD + row->y;
}

static double middle_of(const struct gb_map_row *row)
{
	return top_of(row) + (row->height < 40 ? row->height / 2 : 17);
}

static const struct gb_node *node_of(const struct gb_pen *pen, int node)
{
	return &pen->list->survey->topology.node[node];
}

/* ---- areas and ways ---------------------------------------------------------------------- */

static void draw_areas(struct gb_pen *pen)
{
	const struct gb_map *map = pen->map;

	for (size_t first = 0, end; first < map->rows; first = end) {
		int group = map->row[first].group;
		double left = left_of(&map->row[first]);
		char class[8];

		for (end = first + 1; end < map->rows && map->row[end].group == group; end++)
			if (left_of(&map->row[end]) < left)
				left = left_of(&map->row[end]);
		if (group == GB_NOWHERE || map->group[group].area == GB_NOWHERE)
			continue;
		snprintf(class, sizeof(class), "a%d", map->group[group].area);
		gb_svg_box(&pen->svg, class, left - 6, top_of(&map->row[first]) - 3,
			   map->width - MARGIN - left + 12,
			   map->row[end - 1].y + map->row[end - 1].height - map->row[first].y + 6,
			   9);
	}
}

static void draw_ways(struct gb_pen *pen, bool hot)
{
	const struct gb_map *map = pen->map;

	for (size_t i = 0; i < map->rows; i++) {
		const struct gb_map_row *row = &map->row[i], *above;

		if (row->parent == GB_NOWHERE || row->hot != hot)
			continue;
		above = &map->row[row->parent];
		gb_svg_elbow(&pen->svg, hot ? "path" : row->lost ? "edge dashed" : "edge",
			     left_of(above) + STEP / 2.0, top_of(above) + above->height,
			     left_of(row), middle_of(row));
	}
}

/* ---- rows -------------------------------------------------------------------------------- */

static void name_group(const struct gb_pen *pen, const struct gb_map_row *row, char *ret, size_t size)
{
	const struct gb_map *map = pen->map;
	int first = map->group_of[row->node];
	int last = map->group_of[row->node + row->count - 1];
	const char *mark = pen->list->source == GB_GROUPS_KERNEL ? "" : "*";

	if (first == GB_NOWHERE || last == GB_NOWHERE)
		snprintf(ret, size, "no group");
	else if (first == last)
		snprintf(ret, size, "group %d%s", map->group[first].number, mark);
	else
		snprintf(ret, size, "%d … %d%s", map->group[first].number,
			 map->group[last].number, mark);
}

static void draw_group(struct gb_pen *pen, const struct gb_map_row *row)
{
	const struct gb_map_row *before = row > pen->map->row ? row - 1 : NULL;
	int group = row->group;
	bool area = group != GB_NOWHERE && pen->map->group[group].area != GB_NOWHERE;
	char text[40], class[16] = "dim";

	/* an area is named once */
	if (area && before && before->group == group)
		return;
	if (area)
		snprintf(class, sizeof(class), "bold a%d", pen->map->group[group].area);
	name_group(pen, row, text, sizeof(text));
	gb_svg_label(&pen->svg, class, pen->map->width - MARGIN - 8, middle_of(row) + 4.5, "end",
		     "%s", text);
}

/* From right to left: returns where the next thing may end. */
static double draw_pill(struct gb_pen *pen, const char *class, double right, double middle,
			const char *text)
{
	double width = gb_svg_width("small", text) + 10;

	gb_pen_chip(pen, class, right - width, middle, text);
	return right - width - 6;
}

static double draw_acs(struct gb_pen *pen, int at, double right, double middle)
{
	const struct gb_node *node = node_of(pen, at);
	const struct gb_acs *acs = &pen->list->survey->prediction.acs[at];
	struct gb_acs_bits bits;

	if (!gb_list_is_port(pen->list, at))
		return right;
	if (gb_acs_read(&node->device->id, &node->config, &bits) != GB_YES) {
		if (acs->isolated == GB_YES)
			return acs->rule == GB_ACS_KNOWN_MODEL ?
				       draw_pill(pen, "good", right, middle, "by model") :
				       right;
		return acs->isolated == GB_NO ?
			       draw_pill(pen, "bad", right, middle, "no ACS") :
			       draw_pill(pen, "none dashed", right, middle, "ACS ?");
	}
	for (unsigned bit = GB_ACS_UPSTREAM_FORWARDING; bit; bit >>= 1)
		if (bit & GB_ACS_REQUIRED)
			right = draw_pill(pen, !(bits.capability & bit) ? "none" :
					       bits.control & bit	? "good" :
									  "warn",
					  right, middle, gb_acs_bit_name(bit)) + 2;
	return right - 2;
}

static bool beside_a_display(const struct gb_pen *pen, int node)
{
	const struct gb_topology *topology = &pen->list->survey->topology;

	for (int step = -1; step <= 1; step += 2)
		for (int i = node + step; i >= 0 && i < (int)topology->nodes &&
					  gb_survey_same_slot(pen->list->survey, i, node);
		     i += step)
			if (gb_device_is_display(topology->node[i].device))
				return true;
	return false;
}

static double draw_marks(struct gb_pen *pen, const struct gb_map_row *row, double right, double middle)
{
	const char *driver = gb_survey_driver(pen->list->survey, row->node);
	const struct gb_line *line = gb_survey_line(pen->list->survey, row->node);

	if (row->count == 1 && driver[0])
		right = draw_pill(pen, "soft", right, middle, driver);
	if (line)
		right = draw_pill(pen, line->keep ? "info" : "accent", right, middle,
				  line->keep ? "kept" : "claimed");
	if (gb_map_comes_along(pen->map, row->node))
		right = draw_pill(pen, beside_a_display(pen, row->node) ? "info" : "warn", right,
				  middle, "comes along");
	return draw_acs(pen, row->node, right, middle);
}

static void draw_name(struct gb_pen *pen, const struct gb_map_row *row, const char *class,
		      double right)
{
	double x = left_of(row) + 12, y = middle_of(row) + 4.5;
	char buf[GB_BDF_MAX], whole[GB_NAME_MAX], fitted[GB_NAME_MAX];
	const char *bdf = gb_list_bdf(pen->list, row->node, buf);

	gb_svg_label(&pen->svg, "mono dim", x, y, "start", "%s", bdf);
	x += gb_svg_width("mono", bdf) + 10;
	if (row->count > 1)
		snprintf(whole, sizeof(whole), "to %s · %d × %s",
			 gb_list_bdf(pen->list, row->node + row->count - 1, buf), row->count,
			 gb_class_text(node_of(pen, row->node)->device->id.class));
	else
		gb_list_name(pen->list, row->node, whole);
	gb_svg_label(&pen->svg, class, x, y, "start", "%s",
		     gb_svg_fit(class, whole, right - x - 4, fitted, sizeof(fitted)));
}

static void draw_display(struct gb_pen *pen, const struct gb_map_row *row)
{
	static const char *const classes[] = { "good", "bad", "none" };
	const struct gb_device *device = node_of(pen, row->node)->device;
	double left = left_of(row), right = right_of(pen);
	struct gb_checks reasons = { 0 };
	enum gb_fitness fitness = gb_list_judge(pen->list, row->node, &reasons);
	const struct gb_check *reason;
	char text[300], fitted[200];

	gb_svg_box(&pen->svg, "accent", left, top_of(row), 14, row->height, 6);
	gb_svg_box(&pen->svg, "card", left + 5, top_of(row), right - left - 5, row->height, 5);
	draw_name(pen, row, "bold",
		  draw_pill(pen, classes[fitness],
			    draw_marks(pen, row, right - 8, middle_of(row)), middle_of(row),
			    fitness == GB_FIT ? "can be passed through" :
						gb_fitness_name(fitness)));
	reason = gb_list_reason(&reasons, fitness);
	snprintf(text, sizeof(text), "%04x:%04x%s%s%s", device->id.vendor, device->id.device,
		 device->boot_vga ? " · boot display" : "", reason ? " · " : "",
		 reason ? reason->text : "");
	gb_svg_label(&pen->svg, "small dim", left + 12, top_of(row) + 39, "start", "%s",
		     gb_svg_fit("small dim", text, right - left - 24, fitted, sizeof(fitted)));
	pen->svg.text->failed |= reasons.failed;
	gb_checks_clear(&reasons);
}

static void draw_root(struct gb_pen *pen, const struct gb_map_row *row)
{
	const struct gb_device *device = row->bus_of;
	double left = left_of(row), y = middle_of(row) + 4.5;
	char bus[24] = "";

	if (device)
		snprintf(bus, sizeof(bus), "root bus %04x:%02x", device->path.domain,
			 device->path.bus);
	if (row->cpu) {
		gb_svg_box(&pen->svg, row->hot ? "accent" : "none", left, top_of(row), 46,
			   row->height, 6);
		gb_svg_label(&pen->svg, row->hot ? "bold strong" : "bold none", left + 23, y,
			     "middle", "CPU");
		left += 46;
	}
	gb_svg_label(&pen->svg, row->hot && !row->cpu ? "bold accent" : "dim", left + 10, y,
		     "start", "%s%s", bus, row->lost ? ", and what it hangs on is not listed" : "");
}

/* All that a picture has no room for. */
static void begin_tooltip(struct gb_pen *pen, const struct gb_map_row *row)
{
	const struct gb_device *device = node_of(pen, row->node)->device;
	const struct gb_prediction *prediction = &pen->list->survey->prediction;
	char bdf[GB_BDF_MAX], path[GB_PATH_MAX], name[GB_NAME_MAX], group[40];

	name_group(pen, row, group, sizeof(group));
	gb_svg_group(&pen->svg, "%s  %s  [%04x:%04x]\npath %s, %s\n%s; %s",
		     gb_bdf_format(device->bdf, bdf), gb_list_name(pen->list, row->node, name),
		     device->id.vendor, device->id.device, gb_path_format(&device->path, path),
		     group, gb_acs_rule_text(prediction->acs[row->node].rule),
		     gb_join_text(prediction->member[row->node].join));
}

static void draw_row(struct gb_pen *pen, const struct gb_map_row *row)
{
	double right = right_of(pen);

	if (row->node == GB_NOWHERE) {
		draw_root(pen, row);
		return;
	}
	begin_tooltip(pen, row);
	if (gb_device_is_display(node_of(pen, row->node)->device)) {
		draw_display(pen, row);
	} else {
		double strip = row->hot ? 3 : 0, left = left_of(row) + strip;

		if (row->hot)
			gb_svg_box(&pen->svg, "accent", left - strip, top_of(row), 12, row->height,
				   5);
		gb_svg_box(&pen->svg, "card", left, top_of(row), right - left, row->height, 5);
		draw_name(pen, row, row->count > 1 ? "dim" : "",
			  draw_marks(pen, row, right - 8, middle_of(row)));
	}
	draw_group(pen, row);
	gb_svg_group_end(&pen->svg);
}

void gb_map_draw(const struct gb_map *map, struct gb_text *ret)
{
	struct gb_pen pen = { .map = map, .list = map->list, .svg = { ret } };

	gb_svg_begin(&pen.svg, map->width, HEAD + map->height + FOOT,
		     "PCI devices and IOMMU groups");
	gb_pen_heading(&pen);
	draw_areas(&pen);
	draw_ways(&pen, false);
	draw_ways(&pen, true);
	for (size_t i = 0; i < map->rows; i++)
		draw_row(&pen, &map->row[i]);
	gb_pen_legend(&pen);
	gb_svg_end(&pen.svg);
}
