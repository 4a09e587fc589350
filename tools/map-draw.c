/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acs.h"
#include "map.h"
#include "svg.h"

#define MARGIN 28
#define STEP 30	      /* a level of the tree */
#define HEAD 104      /* above the rows */
#define FOOT 112      /* below: the legend */
#define GROUP_WIDTH 104 /* the column on the right that names groups */

struct pen {
	const struct gb_map *map;
	const struct gb_list *list;
	struct gb_svg svg;
};

static double left_of(const struct gb_map_row *row)
{
	return MARGIN + row->depth * STEP;
}

static double right_of(const struct pen *pen)
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

static const struct gb_node *node_of(const struct pen *pen, int node)
{
	return &pen->list->survey->topology.node[node];
}

/* ---- heading and legend ------------------------------------------------------------------ */

static bool read_line(const struct pen *pen, const char *path, const char *key, char *ret,
		      size_t size)
{
	char text[4096], *at = text;
	ssize_t n = gb_root_read(pen->list->context->root, path, text, sizeof(text));

	if (n <= 0 || (*key && !(at = strstr(text, key))))
		return false;
	at += strlen(key);
	at += strspn(at, " \t:");
	at[strcspn(at, "\n")] = '\0';
	gb_text_copy(ret, size, at);
	return ret[0];
}

static void name_machine(const struct pen *pen, char *ret, size_t size)
{
	char maker[80], board[80];

	if (read_line(pen, "/sys/class/dmi/id/board_name", "", board, sizeof(board)) &&
	    read_line(pen, "/sys/class/dmi/id/board_vendor", "", maker, sizeof(maker)))
		snprintf(ret, size, "%s %s", maker, board);
	else if (!read_line(pen, "/sys/class/dmi/id/product_name", "", ret, size))
		snprintf(ret, size, "PCI devices and IOMMU groups");
}

static void add_sum(const struct pen *pen, struct gb_text *text)
{
	const struct gb_survey *survey = pen->list->survey;

	gb_text_addf(text, "%zu functions · %zu IOMMU groups, ", survey->topology.nodes,
		     pen->map->groups);
	if (pen->list->source == GB_GROUPS_KERNEL)
		gb_text_addf(text, "the kernel’s%s", survey->site.release[0] ? "" : " own");
	else
		gb_text_addf(text, "predicted by the rules of " GB_PREDICT_RULES
				   ": the kernel has none");
}

static void draw_heading(struct pen *pen)
{
	const struct gb_site *site = &pen->list->survey->site;
	char machine[168], processor[128], fitted[192];
	double room = pen->map->width - 2 * MARGIN;
	struct gb_text text = { 0 };

	name_machine(pen, machine, sizeof(machine));
	gb_svg_label(&pen->svg, "title", MARGIN, 42, "start", "%s",
		     gb_svg_fit("title", machine, room, fitted, sizeof(fitted)));
	if (site->release[0])
		gb_text_addf(&text, "Linux %s · ", site->release);
	if (read_line(pen, "/proc/cpuinfo", "model name", processor, sizeof(processor)))
		gb_text_addf(&text, "%s · ", processor);
	add_sum(pen, &text);
	gb_svg_label(&pen->svg, "dim", MARGIN, 66, "start", "%s",
		     text.failed ? "" : gb_svg_fit("dim", text.data, room, fitted,
						   sizeof(fitted)));
	pen->svg.text->failed |= text.failed;
	gb_text_clear(&text);
}

static double chip(struct pen *pen, const char *class, double x, double middle, const char *text)
{
	double width = gb_svg_width("small", text) + 10;
	char label[32];

	snprintf(label, sizeof(label), "small %s", strcmp(class, "accent") ? class : "strong");
	gb_svg_box(&pen->svg, class, x, middle - 8, width, 16, 4);
	gb_svg_label(&pen->svg, label, x + width / 2, middle + 4, "middle", "%s", text);
	return x + width + 4;
}

static double legend(struct pen *pen, double x, double middle, const char *text)
{
	gb_svg_label(&pen->svg, "dim", x + 4, middle + 4.5, "start", "%s", text);
	return x + gb_svg_width("dim", text) + 30;
}

static void draw_legend(struct pen *pen)
{
	double top = HEAD + pen->map->height + 16, x = MARGIN, y = top + 22;

	gb_svg_line(&pen->svg, "rule", MARGIN, top, pen->map->width - MARGIN, top);
	gb_svg_line(&pen->svg, "path", x, y, x + 30, y);
	x = legend(pen, x + 34, y, "from the CPU to a display");
	gb_svg_box(&pen->svg, "a0", x, y - 8, 30, 16, 5);
	x = legend(pen, x + 34, y, "one IOMMU group, which moves as a whole");
	x = legend(pen, chip(pen, "info", x, y, "comes along"), y, "of the same card");
	legend(pen, chip(pen, "warn", x, y, "comes along"), y, "of another");
	x = MARGIN;
	y += 28;
	x = legend(pen, x - 4, y, "ACS of a port:") - 20;
	x = legend(pen, chip(pen, "good", x, y, "SV"), y, "on");
	x = legend(pen, chip(pen, "warn", x, y, "SV"), y, "possible, off until the IOMMU is on");
	x = legend(pen, chip(pen, "none", x, y, "SV"), y, "hard-wired");
	x = legend(pen, chip(pen, "bad", x, y, "no ACS"), y, "does not isolate");
	legend(pen, chip(pen, "none dashed", x, y, "ACS ?"), y, "cannot tell");
	gb_svg_label(&pen->svg, "small dim", pen->map->width - MARGIN, y + 32, "end",
		     "ghost-boot " GB_VERSION);
	gb_svg_label(&pen->svg, "small dim", MARGIN, y + 32, "start",
		     "SV source validation, RR request redirect, CR completion redirect, "
		     "UF upstream forwarding");
}

/* ---- areas and ways ---------------------------------------------------------------------- */

static void draw_areas(struct pen *pen)
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

static void draw_ways(struct pen *pen, bool hot)
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

static void name_group(const struct pen *pen, const struct gb_map_row *row, char *ret, size_t size)
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

static void draw_group(struct pen *pen, const struct gb_map_row *row)
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
static double draw_pill(struct pen *pen, const char *class, double right, double middle,
			const char *text)
{
	double width = gb_svg_width("small", text) + 10;

	chip(pen, class, right - width, middle, text);
	return right - width - 6;
}

static double draw_acs(struct pen *pen, int at, double right, double middle)
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

static bool beside_a_display(const struct pen *pen, int node)
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

static double draw_marks(struct pen *pen, const struct gb_map_row *row, double right, double middle)
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

static void draw_name(struct pen *pen, const struct gb_map_row *row, const char *class,
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

static void draw_display(struct pen *pen, const struct gb_map_row *row)
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

static void draw_root(struct pen *pen, const struct gb_map_row *row)
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
static void begin_tooltip(struct pen *pen, const struct gb_map_row *row)
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

static void draw_row(struct pen *pen, const struct gb_map_row *row)
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
	struct pen pen = { .map = map, .list = map->list, .svg = { ret } };

	gb_svg_begin(&pen.svg, map->width, HEAD + map->height + FOOT, "PCI devices and IOMMU groups");
	draw_heading(&pen);
	draw_areas(&pen);
	draw_ways(&pen, false);
	draw_ways(&pen, true);
	for (size_t i = 0; i < map->rows; i++)
		draw_row(&pen, &map->row[i]);
	draw_legend(&pen);
	gb_svg_end(&pen.svg);
}
