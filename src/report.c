/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mask.h"
#include "record.h"
#include "root.h"
#include "story.h"
#include "style.h"

#define LOG_SHOWN 400 /* lines */
#define FILE_SHOWN (64u << 10)

static void begin(struct gb_text *text, const char *title)
{
	gb_text_addf(text, "\n## %s\n\n", title);
}

static void add_file(const struct gb_diag *diag, const char *path, struct gb_text *text)
{
	char *data;
	size_t len;

	if (gb_root_read_all(diag->root, path, FILE_SHOWN, &data, &len))
		return;
	begin(text, path);
	gb_text_addf(text, "%s%s", data, len && data[len - 1] == '\n' ? "" : "\n");
	free(data);
}

/* The system's own words for itself. */
static void add_versions(const struct gb_diag *diag, struct gb_text *text)
{
	static const char *const files[] = { "/proc/version", "/sys/class/dmi/id/board_vendor",
					     "/sys/class/dmi/id/board_name",
					     "/sys/class/dmi/id/bios_version" };
	char line[256];

	gb_text_addf(text, "ghost-boot %s, ", GB_VERSION);
	gb_text_addf(text, "%s\n", diag->survey.site.initramfs	     ? "in an initramfs"
				   : gb_root_is_real(diag->root) ? "on the running system"
								 : "of a captured machine");
	if (diag->survey.site.name[0])
		gb_text_addf(text, "%s\n", diag->survey.site.name);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (gb_root_read(diag->root, files[i], line, sizeof(line)) > 0)
			gb_text_addf(text, "%s: %.*s\n", strrchr(files[i], '/') + 1,
				     (int)strcspn(line, "\n"), line);
	if (diag->text)
		gb_text_addf(text, "command line: %.*s\n", (int)strcspn(diag->text, "\n"),
			     diag->text);
}

static void add_function(const struct gb_survey *survey, int node, struct gb_text *text)
{
	const struct gb_device *device = survey->topology.node[node].device;
	const struct gb_line *line = gb_survey_line(survey, node);
	const char *driver = gb_survey_driver(survey, node);
	enum gb_group_source source = gb_survey_groups(survey);
	char address[GB_BDF_MAX], path[GB_PATH_MAX];

	gb_text_addf(text, "%s %04x:%04x %04x:%04x %06x %s driver %s group %d%s%s%s\n",
		     gb_bdf_format(device->bdf, address), device->id.vendor, device->id.device,
		     device->id.subvendor, device->id.subdevice, device->id.class,
		     gb_path_format(&device->path, path), *driver ? driver : "-",
		     gb_survey_group(survey, source, node),
		     source == GB_GROUPS_PREDICTED ? " (predicted)" : "",
		     device->boot_vga ? ", boot display" : "",
		     !line ? "" : line->keep ? ", kept" : ", claimed");
}

static void add_functions(const struct gb_diag *diag, struct gb_text *text)
{
	if (!diag->surveyed)
		return;
	begin(text, "PCI functions");
	for (int i = 0; i < (int)diag->survey.topology.nodes; i++)
		add_function(&diag->survey, i, text);
}

/* Lines about our devices, and about what passthrough stands on. */
static bool is_wanted(const struct gb_diag *diag, const struct gb_log_line *line)
{
	static const char *const words[] = { "ghost-boot", "vfio", "VFIO", "iommu", "IOMMU",
					     "DMAR",	   "AMD-Vi", "module_load",
					     "Command line" };
	struct gb_event event;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(line->text, words[i]))
			return true;
	for (size_t i = 0; i < diag->devices; i++)
		if (diag->device[i].placed && gb_event_read(line, diag->device[i].bdf, &event))
			return true;
	return false;
}

static void add_log(const struct gb_diag *diag, struct gb_text *text)
{
	size_t shown = 0;

	begin(text, "Kernel log, in part");
	if (diag->log_error)
		gb_text_addf(text, "/dev/kmsg: %s\n", strerror(diag->log_error));
	if (diag->log.cut)
		gb_text_addf(text, "(some lines were overwritten)\n");
	for (size_t i = 0; i < diag->log.lines && shown < LOG_SHOWN; i++) {
		const struct gb_log_line *line = &diag->log.line[i];

		if (!is_wanted(diag, line))
			continue;
		shown++;
		if (line->us != GB_LOG_NO_TIME)
			gb_text_addf(text, "[%12.6f] ", (double)line->us / 1e6);
		gb_text_addf(text, "%s\n", line->text);
	}
}

void gb_report_write(const struct gb_diag *diag, gb_report_fn more, struct gb_text *ret)
{
	const struct gb_style style = { .columns = 100 };
	struct gb_text text = { 0 };
	struct gb_mask mask;

	gb_diag_screen(diag, &style, &text);
	begin(&text, "System");
	add_versions(diag, &text);
	begin(&text, diag->checks_file ? "Checks, made at boot" : "Checks, made now");
	gb_checks_text(&diag->checks, &style, true, &text);
	add_functions(diag, &text);
	add_file(diag, GB_CLAIMS_FILE, &text);
	add_file(diag, GB_RECORDS "/claims", &text);
	if (diag->account.file)
		add_file(diag, diag->account.file, &text);
	if (more)
		more(diag, &text);
	add_log(diag, &text);
	gb_mask_read(diag->root, &mask);
	if (text.failed)
		ret->failed = true;
	else
		gb_mask_text(&mask, text.data, ret);
	gb_text_clear(&text);
}
