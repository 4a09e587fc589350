/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enable.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "table.h"
#include "trying.h"
#include "work.h"

/* What enable shows before its plan, and puts into its document. */

enum { ADDRESS, NAME, ID, WHY };

static void add_item(const struct gb_work *work, const struct gb_target_item *item,
		     struct gb_table *table)
{
	const struct gb_device *device = work->context->survey.topology.node[item->node].device;
	char bdf[GB_BDF_MAX], name[GB_NAME_MAX];

	gb_table_row(table);
	gb_table_cell(table, item->line.keep ? GB_PLAIN : GB_BOLD, "  %s",
		      gb_work_bdf(work, item->node, bdf));
	gb_table_cell(table, GB_PLAIN, "%s",
		      gb_names_device(work->context->names, &device->id, name));
	gb_table_cell(table, GB_DIM, "%04x:%04x", device->id.vendor, device->id.device);
	gb_table_cell(table, GB_DIM, "%s", item->reason);
}

void gb_enable_target(const struct gb_work *work)
{
	struct gb_table table = { .flexible = NAME, .spare = { ID } };
	const struct gb_target *target = &work->target;
	struct gb_text text = { 0 };
	struct gb_style style;

	gb_style_detect(stdout, &style);
	for (size_t i = 0; i < target->items; i++) {
		if (!i)
			gb_table_line(&table, GB_PLAIN, "Claimed for virtual machines at every boot:");
		if (i == target->claims)
			gb_table_line(&table, GB_PLAIN, "Kept for the host:");
		add_item(work, &target->item[i], &table);
	}
	gb_table_line(&table, GB_PLAIN, "%s", "");
	gb_table_text(&table, &style, &text);
	if (text.len && !text.failed)
		fwrite(text.data, 1, text.len, stdout);
	gb_text_clear(&text);
	gb_table_clear(&table);
}

void gb_enable_checks(FILE *out, const struct gb_checks *checks)
{
	struct gb_text text = { 0 };
	struct gb_style style;

	if (!checks->checks)
		return;
	fflush(stdout);
	gb_style_detect(out, &style);
	gb_checks_text(checks, &style, false, &text);
	if (text.len && !text.failed)
		fwrite(text.data, 1, text.len, out);
	fputc('\n', out);
	gb_text_clear(&text);
}

static void json_items(const struct gb_work *work, const char *key, size_t from, size_t to,
		       struct gb_json *json)
{
	gb_json_open(json, key, '[');
	for (size_t i = from; i < to; i++) {
		const struct gb_target_item *item = &work->target.item[i];
		const struct gb_device *device =
			work->context->survey.topology.node[item->node].device;
		char bdf[GB_BDF_MAX], id[16];

		snprintf(id, sizeof(id), "%04x:%04x", device->id.vendor, device->id.device);
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "bdf", gb_bdf_format(device->bdf, bdf));
		gb_json_string(json, "id", id);
		gb_json_string(json, "reason", item->reason);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

void gb_enable_json(void *ctx, struct gb_json *json)
{
	const struct gb_work *work = ctx;

	json_items(work, "claimed", 0, work->target.claims, json);
	json_items(work, "kept", work->target.claims, work->target.items, json);
	gb_checks_json(&work->checks, json);
	if (work->trying)
		gb_trying_json(work->trying, json);
}
