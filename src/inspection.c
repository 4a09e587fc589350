/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspection.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "claim.h"
#include "err.h"
#include "root.h"
#include "verify.h"

static double cpu_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct gb_focus *find(struct gb_inspection *inspection, struct gb_bdf bdf)
{
	for (size_t i = 0; i < inspection->focused; i++)
		if (gb_bdf_equal(inspection->focus[i].bdf, bdf))
			return &inspection->focus[i];
	return NULL;
}

/* NULL when out of memory. */
static struct gb_focus *add(struct gb_inspection *inspection, struct gb_bdf bdf)
{
	struct gb_focus *focus;

	if (inspection->focused == inspection->room) {
		size_t room = inspection->room ? inspection->room * 2 : 16;

		focus = realloc(inspection->focus, room * sizeof(*focus));
		if (!focus)
			return NULL;
		inspection->focus = focus;
		inspection->room = room;
	}
	focus = &inspection->focus[inspection->focused++];
	*focus = (struct gb_focus){ .bdf = bdf, .line = GB_NOWHERE };
	return focus;
}

static void read_once(struct gb_inspection *inspection, struct gb_config_reader *reader,
		      struct gb_bdf bdf, int line)
{
	struct gb_focus *focus = find(inspection, bdf);

	if (!focus) {
		focus = add(inspection, bdf);
		if (!focus)
			return;
		gb_config_read(reader, bdf, true, &focus->config);
	}
	if (line != GB_NOWHERE)
		focus->line = line;
}

/* The link names every bridge: ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0 */
static void read_bridges(struct gb_inspection *inspection, struct gb_root *root,
			 struct gb_config_reader *reader, struct gb_bdf bdf)
{
	char file[GB_SYSFS_MAX], target[PATH_MAX];
	char *rest = target, *name;
	struct gb_bdf at;

	if (gb_root_readlink(root, gb_bdf_file(bdf, "", file), target, sizeof(target)) <= 0)
		return;
	while ((name = strsep(&rest, "/")))
		if (gb_bdf_parse(name, &at) && !gb_bdf_equal(at, bdf))
			read_once(inspection, reader, at, GB_NOWHERE);
}

void gb_inspection_before(struct gb_inspection *inspection, struct gb_root *root,
			  const struct gb_claims *claims, const struct gb_claim *claim)
{
	double start = cpu_now_ms();
	struct gb_config_reader *reader;

	if (!gb_config_open(root, &reader, NULL)) {
		for (size_t i = 0; i < claim->tasks; i++) {
			struct gb_bdf bdf = claim->task[i].device->bdf;

			struct gb_bdf before = i ? claim->task[i - 1].device->bdf : bdf;

			if (i == 0 || bdf.bus != before.bus || bdf.domain != before.domain)
				read_bridges(inspection, root, reader, bdf);
			read_once(inspection, reader, bdf,
				  (int)(claim->task[i].line - claims->line));
		}
		gb_config_close(reader);
	}
	inspection->cpu_ms += cpu_now_ms() - start;
}

void gb_inspection_after(struct gb_inspection *inspection, struct gb_root *root,
			 const char *claims_file, struct gb_text *ret)
{
	const struct gb_verify what = { .at_boot = true, .node = GB_NOWHERE };
	double start = cpu_now_ms();
	struct gb_checks checks = { 0 };
	struct gb_survey survey;

	if (gb_survey_read(root, GB_SURVEY_FIRMWARE | GB_SURVEY_SITE, claims_file,
			   inspection->focus, inspection->focused, &survey, NULL))
		ret->failed = true;
	else
		gb_verify_run(&survey, &what, &checks);
	gb_survey_clear(&survey);
	inspection->cpu_ms += cpu_now_ms() - start;
	gb_verify_json(&checks, inspection->cpu_ms, ret);
	gb_checks_clear(&checks);
}

void gb_inspection_clear(struct gb_inspection *inspection)
{
	free(inspection->focus);
	memset(inspection, 0, sizeof(*inspection));
}
