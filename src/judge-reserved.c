/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "members.h"
#include "root.h"

/* Memory that the firmware wants some devices always to reach, in the host's own addresses. A
 * guest has other ones, so VFIO refuses such a device, but for graphics and USB, whose firmware is
 * done with it by then (drivers/iommu/intel/iommu.c device_rmrr_is_relaxable). */

struct regions {
	char direct[48], relaxable[48]; /* the first of each: "0x…-0x…" */
};

static void read_region(void *ctx, unsigned number, const char *line)
{
	char start[20], end[20], type[32];
	struct regions *regions = ctx;
	char *to;

	(void)number;
	if (sscanf(line, "%19s %19s %31s", start, end, type) != 3)
		return;
	to = !strcmp(type, "direct")	       ? regions->direct :
	     !strcmp(type, "direct-relaxable") ? regions->relaxable :
						 NULL;
	if (to && !*to)
		snprintf(to, sizeof(regions->direct), "%s-%s", start, end);
}

static void say(const struct gb_members *members, const struct regions *regions,
		const char *evidence, struct gb_checks *checks)
{
	bool direct = regions->direct[0], relaxable = regions->relaxable[0];

	gb_check(checks, "reserved-memory", direct ? GB_FAIL : GB_PASS, members->subject, "%s",
		 direct	   ? "the firmware keeps memory for one of its devices, so VFIO refuses it" :
		 relaxable ? "the firmware's memory for one of its devices may be taken away" :
			     "the firmware keeps no memory for its devices");
	if (direct || relaxable)
		gb_check_evidence(checks, "%s: %s %s", evidence,
				  direct ? "direct" : "direct-relaxable",
				  direct ? regions->direct : regions->relaxable);
	if (direct)
		gb_check_fix(checks, "look for a firmware update or setting (RMRR, legacy USB, "
				     "remote management), or use another slot");
}

static void check_kernel(const struct gb_members *members, struct gb_checks *checks)
{
	struct regions regions = { "", "" };
	char file[80], *text;
	size_t len;
	int r;

	snprintf(file, sizeof(file), "/sys/kernel/iommu_groups/%d/reserved_regions",
		 members->group);
	r = gb_root_read_all(members->survey->root, file, 64u << 10, &text, &len);
	if (r) {
		gb_check(checks, "reserved-memory", GB_UNKNOWN, members->subject,
			 "whether the firmware keeps memory for its devices can't be told");
		gb_check_evidence(checks, "%s: %s", file, strerror(-r));
		return;
	}
	gb_lines_each(text, len, read_region, &regions);
	free(text);
	say(members, &regions, file, checks);
}

/* Integrated or not, graphics and USB controllers. */
static bool is_relaxable(const struct gb_device *device)
{
	return GB_BASE_CLASS(device->id.class) == GB_CLASS_DISPLAY ||
	       device->id.class >> 8 == 0x0c03;
}

static void add_dmar(const struct gb_survey *survey, const struct gb_device *device,
		     struct regions *regions)
{
	const struct gb_dmar *dmar = &survey->dmar;
	size_t i = gb_dmar_find(dmar, GB_DMAR_RESERVED, device, 0);
	char *to = is_relaxable(device) ? regions->relaxable : regions->direct;

	if (i < dmar->parts && !*to)
		snprintf(to, sizeof(regions->direct), "%#llx-%#llx",
			 (unsigned long long)dmar->part[i].base,
			 (unsigned long long)dmar->part[i].limit);
}

static void add_ivrs(const struct gb_survey *survey, const struct gb_device *device,
		     struct regions *regions)
{
	for (size_t i = 0; i < survey->ivrs.ivmds && !regions->direct[0]; i++) {
		const struct gb_ivmd *ivmd = &survey->ivrs.ivmd[i];

		/* drivers/iommu/amd/init.c init_memory_definitions */
		if (ivmd->flags & (GB_IVMD_UNITY | GB_IVMD_EXCLUSION) && ivmd->length &&
		    gb_ivmd_covers(ivmd, device))
			snprintf(regions->direct, sizeof(regions->direct), "%#llx-%#llx",
				 (unsigned long long)ivmd->base,
				 (unsigned long long)(ivmd->base + ivmd->length - 1));
	}
}

/* While the IOMMU is off only the tables tell. */
static void check_tables(const struct gb_members *members, struct gb_checks *checks)
{
	const struct gb_survey *survey = members->survey;
	bool dmar = survey->dmar.table.length, ivrs = survey->ivrs.table.length;
	struct regions regions = { "", "" };

	if (survey->dmar_error == EACCES || survey->ivrs_error == EACCES) {
		gb_check(checks, "reserved-memory", GB_UNKNOWN, members->subject,
			 "only root may read what memory the firmware keeps for its devices");
		return;
	}
	if (!dmar && !ivrs)
		return;
	for (int i = members->node; i != GB_NOWHERE; i = gb_members_next(members, i)) {
		const struct gb_device *device = survey->topology.node[i].device;

		if (!gb_members_goes(members, i) || !gb_members_sure(members, i))
			continue;
		if (dmar)
			add_dmar(survey, device, &regions);
		if (ivrs)
			add_ivrs(survey, device, &regions);
	}
	say(members, &regions, dmar ? GB_DMAR_FILE : GB_IVRS_FILE, checks);
}

void gb_judge_reserved(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct gb_members members;

	gb_members_of(survey, node, &members);
	if (gb_checks_have(checks, "reserved-memory", members.subject))
		return;
	if (members.source == GB_GROUPS_KERNEL)
		check_kernel(&members, checks);
	else
		check_tables(&members, checks);
}
