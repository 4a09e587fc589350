/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "list.h"

static void add_ids(struct gb_json *json, const char *key, unsigned vendor, unsigned device)
{
	char text[sizeof("10de:2203")];

	snprintf(text, sizeof(text), "%04x:%04x", vendor & 0xffff, device & 0xffff);
	/* a bridge has no subsystem in its header, and sysfs then says 0 */
	gb_json_string(json, key, vendor || device ? text : NULL);
}

static void add_reasons(const struct gb_checks *reasons, struct gb_json *json)
{
	gb_json_open(json, "reasons", '[');
	for (size_t i = 0; i < reasons->checks; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "id", reasons->check[i].id);
		gb_json_string(json, "text", reasons->check[i].text);
		gb_json_string(json, "evidence", reasons->check[i].evidence);
		gb_json_string(json, "fix", reasons->check[i].fix);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	json->text->failed |= reasons->failed;
}

static void add_device(const struct gb_list *list, struct gb_json *json, int node)
{
	const struct gb_device *device = list->survey->topology.node[node].device;
	const char *driver = gb_survey_driver(list->survey, node);
	char bdf[GB_BDF_MAX], path[GB_PATH_MAX], class[sizeof("030000")];
	struct gb_checks reasons = { 0 };

	snprintf(class, sizeof(class), "%06x", device->id.class & 0xffffff);
	gb_json_open(json, NULL, '{');
	gb_json_string(json, "bdf", gb_bdf_format(device->bdf, bdf));
	gb_json_string(json, "path", gb_path_format(&device->path, path));
	add_ids(json, "id", device->id.vendor, device->id.device);
	add_ids(json, "subsys", device->id.subvendor, device->id.subdevice);
	gb_json_string(json, "class", class);
	gb_json_string(json, "driver", driver[0] ? driver : NULL);
	gb_json_bool(json, "boot_vga", device->boot_vga);
	if (device->group >= 0)
		gb_json_int(json, "group", device->group);
	else
		gb_json_null(json, "group");
	gb_json_string(json, "role", gb_list_role(list, node));
	gb_json_string(json, "verdict", gb_fitness_name(gb_list_judge(list, node, &reasons)));
	add_reasons(&reasons, json);
	gb_json_close(json, '}');
	gb_checks_clear(&reasons);
}

/* A display, or beside one. */
static bool of_a_card(const struct gb_list *list, int node)
{
	const struct gb_topology *topology = &list->survey->topology;

	if (gb_device_is_display(topology->node[node].device))
		return true;
	for (int step = -1; step <= 1; step += 2)
		for (int i = node + step; i >= 0 && i < (int)topology->nodes &&
					  gb_survey_same_slot(list->survey, i, node);
		     i += step)
			if (gb_device_is_display(topology->node[i].device))
				return true;
	return false;
}

void gb_list_json(const struct gb_list *list, struct gb_text *ret)
{
	struct gb_json json = { .text = ret };
	int *order = gb_list_order(list->survey);

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "tool", GB_VERSION);
	gb_json_open(&json, "devices", '[');
	for (size_t i = 0; order && i < list->survey->topology.nodes; i++)
		if (list->all || of_a_card(list, order[i]))
			add_device(list, &json, order[i]);
	gb_json_close(&json, ']');
	gb_json_close(&json, '}');
	ret->failed |= !order;
	free(order);
}
