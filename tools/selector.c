/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "selector.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "root.h"
#include "survey.h"
#include "table.h"
#include "text.h"

/* What a word turned out to be. */
struct wanted {
	enum { BY_ADDRESS, BY_SLOT, BY_PATH, BY_IDS, BY_NAME } by;
	struct gb_bdf bdf;
	struct gb_path path;
	uint16_t vendor, device;
	const char *name;
};

/* "01:00.0" with the first domain before it. */
static bool parse_short(const char *word, const char *before, const char *after,
			struct gb_bdf *ret)
{
	char whole[GB_BDF_MAX];

	return snprintf(whole, sizeof(whole), "%s%s%s", before, word, after) <
		       (int)sizeof(whole) &&
	       gb_bdf_parse(whole, ret);
}

static bool parse_ids(const char *word, struct wanted *wanted)
{
	uint64_t vendor, device;

	if (!gb_text_hex(&word, 4, &vendor) || *word++ != ':' ||
	    !gb_text_hex(&word, 4, &device) || *word)
		return false;
	wanted->vendor = (uint16_t)vendor;
	wanted->device = (uint16_t)device;
	return true;
}

static void understand(const char *word, struct wanted *ret)
{
	*ret = (struct wanted){ .name = word };
	if (parse_short(word, "", "", &ret->bdf) || parse_short(word, "0000:", "", &ret->bdf))
		ret->by = BY_ADDRESS;
	else if (parse_short(word, "", ".0", &ret->bdf) ||
		 parse_short(word, "0000:", ".0", &ret->bdf))
		ret->by = BY_SLOT;
	else if (gb_path_parse(word, &ret->path, NULL))
		ret->by = BY_PATH;
	else
		ret->by = parse_ids(word, ret) ? BY_IDS : BY_NAME;
}

static bool matches(const struct wanted *wanted, const struct gb_device *device,
		    struct gb_names *names)
{
	char name[GB_NAME_MAX];
	struct gb_bdf slot = device->bdf;

	switch (wanted->by) {
	case BY_ADDRESS:
		return gb_bdf_equal(wanted->bdf, device->bdf);
	case BY_SLOT:
		slot.devfn &= (uint8_t)~7;
		return gb_bdf_equal(wanted->bdf, slot);
	case BY_PATH:
		return !device->virtual && gb_path_equal(&wanted->path, &device->path);
	case BY_IDS:
		return wanted->vendor == device->id.vendor && wanted->device == device->id.device;
	case BY_NAME:
		return wanted->name[0] &&
		       strcasestr(gb_names_device(names, &device->id, name), wanted->name);
	}
	return false;
}

/* Keeps the displays, if there are any. */
static void prefer_displays(const struct gb_survey *survey, struct gb_selection *selection)
{
	size_t displays = 0;

	for (size_t i = 0; i < selection->nodes; i++)
		if (gb_device_is_display(survey->topology.node[selection->node[i]].device))
			selection->node[displays++] = selection->node[i];
	if (displays)
		selection->nodes = displays;
}

void gb_select(const struct gb_survey *survey, struct gb_names *names, const char *word,
	       struct gb_selection *ret)
{
	struct gb_selection selection = { .node = calloc(survey->topology.nodes + 1,
							 sizeof(*selection.node)) };
	struct wanted wanted;

	selection.failed = !selection.node;
	understand(word, &wanted);
	for (size_t i = 0; selection.node && i < survey->topology.nodes; i++)
		if (matches(&wanted, survey->topology.node[i].device, names))
			selection.node[selection.nodes++] = (int)i;
	if (wanted.by == BY_NAME || wanted.by == BY_SLOT)
		prefer_displays(survey, &selection);
	if (wanted.by == BY_SLOT && selection.nodes > 1)
		selection.nodes = 1;
	*ret = selection;
}

void gb_selection_clear(struct gb_selection *selection)
{
	free(selection->node);
	memset(selection, 0, sizeof(*selection));
}

/* ---- what is plugged in ----------------------------------------------------------------- */

struct outlets {
	struct gb_root *root;
	char folder[PATH_MAX / 2];
	struct gb_text found;
	bool any;
};

static int look_at_outlet(void *ctx, const char *name)
{
	struct outlets *outlets = ctx;
	const char *outlet = strncmp(name, "card", 4) ? NULL : strchr(name, '-');
	char file[PATH_MAX], status[32];

	if (!outlet || snprintf(file, sizeof(file), "%s/%s/status", outlets->folder, name) >=
			       (int)sizeof(file))
		return 0;
	if (gb_root_read(outlets->root, file, status, sizeof(status)) < 0)
		return 0;
	outlets->any = true;
	if (!strncmp(status, "connected", strlen("connected")))
		gb_text_addf(&outlets->found, "%s%.20s", outlets->found.len ? ", " : "",
			     outlet + 1);
	return 0;
}

static int look_at_card(void *ctx, const char *name)
{
	struct outlets *outlets = ctx;
	size_t len = strlen(outlets->folder);

	if (strncmp(name, "card", 4) || len + strlen(name) + 2 > sizeof(outlets->folder))
		return 0;
	sprintf(outlets->folder + len, "/%s", name);
	gb_root_list(outlets->root, outlets->folder, look_at_outlet, outlets);
	outlets->folder[len] = '\0';
	return 0;
}

void gb_select_outlets(struct gb_root *root, struct gb_bdf bdf, char *ret, size_t size)
{
	struct outlets outlets = { .root = root };
	char folder[GB_SYSFS_MAX];

	strcpy(outlets.folder, gb_bdf_file(bdf, "drm", folder));
	gb_root_list(root, outlets.folder, look_at_card, &outlets);
	gb_text_copy(ret, size, outlets.found.len ? outlets.found.data :
				outlets.any	  ? "nothing" :
						    "");
	for (char *c = ret; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	gb_text_clear(&outlets.found);
}

/* ---- when it is not one ----------------------------------------------------------------- */

enum { COMMAND, NAME, GROUP, PLUGGED };

static void add_candidate(const struct gb_survey *survey, struct gb_names *names, int node,
			  const char *command, struct gb_table *table)
{
	const struct gb_device *device = survey->topology.node[node].device;
	char bdf[GB_BDF_MAX], name[GB_NAME_MAX], outlets[64];
	int group = gb_survey_group(survey, gb_survey_groups(survey), node);

	gb_select_outlets(survey->root, device->bdf, outlets, sizeof(outlets));
	gb_table_row(table);
	gb_table_cell(table, GB_BOLD, "  ghost-boot %s %s", command,
		      gb_bdf_format(device->bdf, bdf));
	gb_table_cell(table, GB_PLAIN, "%s", gb_names_device(names, &device->id, name));
	if (group < 0)
		gb_table_cell(table, GB_PLAIN, "no group");
	else
		gb_table_cell(table, GB_PLAIN, "group %d%s", group, survey->grouped ? "" : "*");
	gb_table_cell(table, GB_PLAIN, "%s%s", outlets[0] ? "plugged in: " : "", outlets);
}

void gb_select_complain(const struct gb_survey *survey, struct gb_names *names,
			const struct gb_selection *selection, const char *word,
			const char *command, const struct gb_style *style, struct gb_text *ret)
{
	struct gb_table table = { .flexible = NAME };

	if (selection->failed) {
		ret->failed = true;
		return;
	}
	if (!selection->nodes) {
		gb_table_line(&table, GB_PLAIN, "ghost-boot %s: no device is called %s", command,
			      word);
		gb_table_line(&table, GB_PLAIN, "Try: ghost-boot list --all");
	} else {
		gb_table_line(&table, GB_PLAIN,
			      "ghost-boot %s: %s may be any of these; type one of the lines",
			      command, word);
	}
	for (size_t i = 0; i < selection->nodes; i++)
		add_candidate(survey, names, selection->node[i], command, &table);
	if (selection->nodes && !survey->grouped)
		gb_table_line(&table, GB_DIM, "  * predicted: the kernel has no groups");
	gb_table_text(&table, style, ret);
	gb_table_clear(&table);
}
