/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "retire.h"

#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "ids.h"
#include "lines.h"
#include "modprobe.h"
#include "survey.h"
#include "target.h"

static const struct gb_device *device_of(const struct gb_target *target, int node)
{
	return target->survey->topology.node[node].device;
}

/* ---- drivers that are kept away ---------------------------------------------------------------- */

static const struct {
	const char *driver;
	uint16_t vendor;
} displays[] = {
	{ "nouveau", 0x10de }, { "nvidia", 0x10de }, { "nvidia_drm", 0x10de },
	{ "nvidia_modeset", 0x10de }, { "nvidia_uvm", 0x10de }, { "nvidiafb", 0x10de },
	{ "rivafb", 0x10de }, { "nova_core", 0x10de }, { "amdgpu", 0x1002 }, { "radeon", 0x1002 },
	{ "i915", 0x8086 }, { "xe", 0x8086 },
};

/* A display of that maker that stays may want it, whatever drives it today. */
bool gb_retire_driver(const struct gb_target *target, const char *driver)
{
	uint16_t vendor = 0;
	bool claimed = false;

	for (size_t i = 0; i < sizeof(displays) / sizeof(*displays); i++)
		if (gb_text_same_module(displays[i].driver, driver))
			vendor = displays[i].vendor;
	for (int i = 0; vendor && i < (int)target->survey->topology.nodes; i++) {
		const struct gb_device *device = device_of(target, i);

		if (!gb_device_is_display(device) || device->id.vendor != vendor)
			continue;
		if (!gb_target_takes(target, i))
			return false;
		claimed = true;
	}
	return claimed;
}

/* ---- IDs ------------------------------------------------------------------------------------- */

/* Everything that these IDs catch here is claimed, and something is. */
static bool are_claimed(const struct gb_target *target, const struct gb_findings *findings,
			const char *path, unsigned line)
{
	bool any = false;

	for (size_t i = 0; i < findings->rules; i++) {
		const struct gb_id_rule *rule = &findings->rule[i];

		if (strcmp(findings->file[rule->file], path) || (line && rule->line != line))
			continue;
		for (int k = 0; k < (int)target->survey->topology.nodes; k++) {
			const struct gb_device *device = device_of(target, k);

			if (!gb_ids_match(rule, device) ||
			    GB_BASE_CLASS(device->id.class) == GB_CLASS_BRIDGE)
				continue;
			if (!gb_target_takes(target, k))
				return false;
			any = true;
		}
	}
	return any;
}

/* ---- lines ----------------------------------------------------------------------------------- */

#define LOADED "ghost-claim loads vfio-pci itself, before any driver"

static const char *retire_modprobe(const struct gb_target *target,
				   const struct gb_findings *findings, const char *path,
				   unsigned number, const char *line)
{
	char statement[16] = "", first[64] = "", second[64] = "", third[64] = "";

	if (sscanf(line, "%15s %63s %63s %63s", statement, first, second, third) < 2)
		return NULL;
	if (!strcmp(statement, "options") && gb_text_same_module(first, "vfio-pci") &&
	    strstr(line, "ids=") && are_claimed(target, findings, path, number))
		return "all that these IDs catch is claimed, device by device";
	if (!strcmp(statement, "blacklist") && !second[0] && gb_retire_driver(target, first))
		return "no device that stays with the host is this driver's, and a claim comes first";
	if (!strcmp(statement, "install") && !third[0] &&
	    (!strcmp(second, "/bin/false") || !strcmp(second, "/bin/true") ||
	     !strcmp(second, "/usr/bin/false") || !strcmp(second, "/usr/bin/true")) &&
	    gb_retire_driver(target, first))
		return "no device that stays with the host is this driver's, and a claim comes first";
	/* "softdep nvidia pre: vfio-pci", and nothing else in it */
	if (!strcmp(statement, "softdep") && !strcmp(second, "pre:") && gb_modprobe_is_vfio(third)) {
		const char *at = strstr(line, "pre:") + strlen("pre:");
		char word[64];

		while (gb_lines_word(&at, word, sizeof(word)))
			if (!gb_modprobe_is_vfio(word))
				return NULL;
		return LOADED;
	}
	return NULL;
}

static bool all_vfio(const char *list, const char *blanks)
{
	char copy[256], *save = NULL;
	bool any = false;

	if (!gb_text_copy(copy, sizeof(copy), list))
		return false;
	for (char *s = strtok_r(copy, blanks, &save); s; s = strtok_r(NULL, blanks, &save)) {
		if (!gb_modprobe_is_vfio(s))
			return false;
		any = true;
	}
	return any;
}

static const char *retire_modules(const char *line)
{
	char module[64];

	return sscanf(line, "%63s", module) == 1 && gb_modprobe_is_vfio(module) ? LOADED : NULL;
}

/* force_drivers+=" vfio_pci vfio ": one assignment of names alone. */
static const char *retire_dracut(const char *line)
{
	static const char *const names[] = { "force_drivers+=", "add_drivers+=" };
	char list[256];

	line += strspn(line, " \t");
	for (size_t i = 0; i < 2; i++) {
		const char *value = line + strlen(names[i]), *end;

		if (strncmp(line, names[i], strlen(names[i])) || (*value != '"' && *value != '\''))
			continue;
		end = strchr(value + 1, *value);
		if (!end || end[1 + strspn(end + 1, " \t\r")] ||
		    (size_t)(end - value) > sizeof(list))
			continue;
		snprintf(list, sizeof(list), "%.*s", (int)(end - value - 1), value + 1);
		if (all_vfio(list, " \t"))
			return LOADED;
	}
	return NULL;
}

const char *gb_retire_line(const struct gb_target *target, const struct gb_findings *findings,
			   const char *path, unsigned number, const char *statement)
{
	if (strstr(path, "/modprobe.d/"))
		return retire_modprobe(target, findings, path, number, statement);
	if (strstr(path, "/dracut.conf"))
		return retire_dracut(statement);
	return retire_modules(statement);
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool keeps_away_claimed(const struct gb_target *target, const char *list)
{
	char copy[256], *save = NULL;
	bool any = false;

	if (!gb_text_copy(copy, sizeof(copy), list))
		return false;
	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		if (!gb_retire_driver(target, s))
			return false;
		any = true;
	}
	return any;
}

const char *gb_retire_word(const struct gb_target *target, const struct gb_findings *findings,
			   const struct gb_argument *argument)
{
	const char *name = argument->name, *value = argument->value;

	if (!value)
		return NULL;
	if (gb_text_same_module(name, "vfio-pci.ids"))
		return are_claimed(target, findings, "/proc/cmdline", 0) ?
			       "all that these IDs catch is claimed, device by device" : NULL;
	if (!strcmp(name, "rd.driver.pre"))
		return all_vfio(value, ",") ? LOADED : NULL;
	if (!strcmp(name, "rd.driver.blacklist") || !strcmp(name, "modprobe.blacklist") ||
	    !strcmp(name, "module_blacklist"))
		return keeps_away_claimed(target, value) ?
			       "no device that stays with the host is this driver's, and a claim "
			       "comes first" : NULL;
	return NULL;
}
