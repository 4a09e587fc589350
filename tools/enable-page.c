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

/* Those that are taken out of use now stand in the plan, with the rest of it. */
static const char *when_retired(const struct gb_trying *trying)
{
	return !trying->retire ? "no" : trying->way == GB_WAY_TRIAL ? "when kept" : "now";
}

static void add_recipe(struct gb_text *text, const char *where, unsigned line, const char *words)
{
	gb_text_addf(text, "  %s", where);
	if (line)
		gb_text_addf(text, " line %u", line);
	gb_text_addf(text, ": ");
	gb_text_add_harmless(text, words);
	gb_text_addf(text, "\n");
}

void gb_enable_recipes(const struct gb_work *work, const struct gb_trying *trying)
{
	const struct gb_retire *recipes = &work->recipes;
	const char *when = when_retired(trying);
	struct gb_text text = { 0 };

	if ((!recipes->files && !recipes->wants) || !strcmp(when, "now"))
		return;
	gb_text_addf(&text, strcmp(when, "no") ?
		     "Earlier recipes, which are taken out of use when the trial is kept:\n" :
		     "Earlier recipes that this makes unnecessary; --retire takes them out of use:\n");
	for (size_t i = 0; i < recipes->files; i++)
		for (size_t k = 0; k < recipes->file[i].lines; k++)
			add_recipe(&text, recipes->file[i].path, recipes->file[i].line[k].line,
				   recipes->file[i].line[k].was);
	for (size_t i = 0; i < recipes->wants; i++)
		add_recipe(&text, "kernel command line", 0, recipes->want[i].word);
	if (!text.failed)
		printf("%s\n", text.data);
	gb_text_clear(&text);
}

static void json_recipe(struct gb_json *json, const char *path, unsigned line, const char *words,
			const char *reason)
{
	gb_json_open(json, NULL, '{');
	gb_json_string(json, "path", path);
	if (line)
		gb_json_int(json, "line", line);
	gb_json_string(json, "text", words);
	gb_json_string(json, "reason", reason);
	gb_json_close(json, '}');
}

static void json_recipes(const struct gb_work *work, struct gb_json *json)
{
	const struct gb_retire *recipes = &work->recipes;

	gb_json_open(json, "earlier_recipes", '[');
	for (size_t i = 0; i < recipes->files; i++)
		for (size_t k = 0; k < recipes->file[i].lines; k++)
			json_recipe(json, recipes->file[i].path, recipes->file[i].line[k].line,
				    recipes->file[i].line[k].was, recipes->file[i].line[k].reason);
	for (size_t i = 0; i < recipes->wants; i++)
		json_recipe(json, "/proc/cmdline", 0, recipes->want[i].word, recipes->want[i].reason);
	gb_json_close(json, ']');
	gb_json_string(json, "retired", when_retired(work->trying));
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
	if (work->trying) {
		json_recipes(work, json);
		gb_trying_json(work->trying, json);
	}
}
