/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspection.h"

#include <limits.h>
#include <stdio.h>
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

static bool is_known(const struct gb_inspection *inspection, struct gb_bdf bdf)
{
	for (size_t i = 0; i < inspection->knowns; i++)
		if (gb_bdf_equal(inspection->known[i].bdf, bdf))
			return true;
	return false;
}

static void note(struct gb_inspection *inspection, struct gb_config_reader *reader,
		 struct gb_bdf bdf)
{
	struct gb_known_config *known;

	if (is_known(inspection, bdf))
		return;
	if (inspection->knowns == inspection->room) {
		size_t room = inspection->room ? inspection->room * 2 : 16;

		known = realloc(inspection->known, room * sizeof(*known));
		if (!known)
			return;
		inspection->known = known;
		inspection->room = room;
	}
	known = &inspection->known[inspection->knowns++];
	known->bdf = bdf;
	gb_config_read(reader, bdf, true, &known->config);
}

/* The link names every bridge: ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0 */
static void note_with_bridges(struct gb_inspection *inspection, struct gb_root *root,
			      struct gb_config_reader *reader, struct gb_bdf bdf)
{
	char address[GB_BDF_MAX], link[64], target[PATH_MAX];
	char *rest = target, *name;
	struct gb_bdf at;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", gb_bdf_format(bdf, address));
	if (gb_root_readlink(root, link, target, sizeof(target)) > 0)
		while ((name = strsep(&rest, "/")))
			if (gb_bdf_parse(name, &at))
				note(inspection, reader, at);
	note(inspection, reader, bdf);
}

void gb_inspection_before(struct gb_inspection *inspection, struct gb_root *root,
			  const struct gb_claim *claim)
{
	double start = cpu_now_ms();
	struct gb_config_reader *reader;

	if (!gb_config_open(root, &reader, NULL)) {
		for (size_t i = 0; i < claim->tasks; i++)
			note_with_bridges(inspection, root, reader, claim->task[i].device->bdf);
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
			   inspection->known, inspection->knowns, &survey, NULL))
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
	free(inspection->known);
	memset(inspection, 0, sizeof(*inspection));
}
