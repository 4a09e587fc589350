/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "pen.h"

static bool read_line(const struct gb_pen *pen, const char *path, const char *key, char *ret,
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

static void name_machine(const struct gb_pen *pen, char *ret, size_t size)
{
	char maker[80], board[80];

	if (read_line(pen, "/sys/class/dmi/id/board_name", "", board, sizeof(board)) &&
	    read_line(pen, "/sys/class/dmi/id/board_vendor", "", maker, sizeof(maker)))
		snprintf(ret, size, "%s %s", maker, board);
	else if (!read_line(pen, "/sys/class/dmi/id/product_name", "", ret, size))
		snprintf(ret, size, "PCI devices and IOMMU groups");
}

static void add_sum(const struct gb_pen *pen, struct gb_text *text)
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

void gb_pen_heading(struct gb_pen *pen)
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

double gb_pen_chip(struct gb_pen *pen, const char *class, double x, double middle,
		   const char *text)
{
	double width = gb_svg_width("small", text) + 10;
	char label[32];

	snprintf(label, sizeof(label), "small %s", strcmp(class, "accent") ? class : "strong");
	gb_svg_box(&pen->svg, class, x, middle - 8, width, 16, 4);
	gb_svg_label(&pen->svg, label, x + width / 2, middle + 4, "middle", "%s", text);
	return x + width + 4;
}

static double legend(struct gb_pen *pen, double x, double middle, const char *text)
{
	gb_svg_label(&pen->svg, "dim", x + 4, middle + 4.5, "start", "%s", text);
	return x + gb_svg_width("dim", text) + 30;
}

void gb_pen_legend(struct gb_pen *pen)
{
	double top = HEAD + pen->map->height + 16, x = MARGIN, y = top + 22;

	gb_svg_line(&pen->svg, "rule", MARGIN, top, pen->map->width - MARGIN, top);
	gb_svg_line(&pen->svg, "path", x, y, x + 30, y);
	x = legend(pen, x + 34, y, "from the CPU to a display");
	gb_svg_box(&pen->svg, "a0", x, y - 8, 30, 16, 5);
	x = legend(pen, x + 34, y, "one IOMMU group, which moves as a whole");
	x = legend(pen, gb_pen_chip(pen, "info", x, y, "comes along"), y, "of the same card");
	legend(pen, gb_pen_chip(pen, "warn", x, y, "comes along"), y, "of another");
	x = MARGIN;
	y += 28;
	x = legend(pen, x - 4, y, "ACS of a port:") - 20;
	x = legend(pen, gb_pen_chip(pen, "good", x, y, "SV"), y, "on");
	x = legend(pen, gb_pen_chip(pen, "warn", x, y, "SV"), y, "possible, off until the IOMMU is on");
	x = legend(pen, gb_pen_chip(pen, "none", x, y, "SV"), y, "hard-wired");
	x = legend(pen, gb_pen_chip(pen, "bad", x, y, "no ACS"), y, "does not isolate");
	legend(pen, gb_pen_chip(pen, "none dashed", x, y, "ACS ?"), y, "cannot tell");
	gb_svg_label(&pen->svg, "small dim", pen->map->width - MARGIN, y + 32, "end",
		     "ghost-boot " GB_VERSION);
	gb_svg_label(&pen->svg, "small dim", MARGIN, y + 32, "start",
		     "SV source validation, RR request redirect, CR completion redirect, "
		     "UF upstream forwarding");
}
