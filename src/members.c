/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "members.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 5 /* the others are counted */

void gb_members_of(const struct gb_survey *survey, int node, struct gb_members *ret)
{
	bool kernel = survey->topology.node[node].device->group >= 0;

	*ret = (struct gb_members){
		.survey = survey,
		.node = node,
		.source = kernel ? GB_GROUPS_KERNEL : GB_GROUPS_PREDICTED,
		.certain = true,
	};
	ret->group = gb_survey_group(survey, ret->source, node);
	if (!kernel)
		ret->certain = survey->machine.complete && survey->prediction.certain[ret->group];
	snprintf(ret->subject, sizeof(ret->subject), "%sgroup %d", kernel ? "" : "predicted ",
		 ret->group);
}

int gb_members_next(const struct gb_members *members, int at)
{
	int next = gb_survey_next(members->survey, members->source, at);

	return next == members->node ? GB_NOWHERE : next;
}

bool gb_members_sure(const struct gb_members *members, int node)
{
	const struct gb_member *member = members->survey->prediction.member;

	return members->source == GB_GROUPS_KERNEL ||
	       member[node].surest == member[members->node].surest;
}

bool gb_members_goes(const struct gb_members *members, int node)
{
	const struct gb_node *there = &members->survey->topology.node[node];

	return GB_BASE_CLASS(there->device->id.class) != GB_CLASS_BRIDGE;
}

bool gb_members_said(const struct gb_members *members, const struct gb_checks *checks,
		     const char *id)
{
	const struct gb_survey *survey = members->survey;
	char bdf[GB_BDF_MAX];

	if (!checks->checks)
		return false;
	for (int i = gb_members_next(members, members->node); i != GB_NOWHERE;
	     i = gb_members_next(members, i))
		if (gb_survey_same_slot(survey, i, members->node) &&
		    gb_checks_have(checks, id,
				   gb_bdf_format(survey->topology.node[i].device->bdf, bdf)))
			return true;
	return false;
}

bool gb_driver_is_vfio(const char *driver)
{
	return strstr(driver, "vfio");
}

bool gb_driver_is_viable(const char *driver)
{
	return !*driver || gb_driver_is_vfio(driver) || !strcmp(driver, "pci-stub") ||
	       !strcmp(driver, "pcieport");
}

/* PCI Code and ID Assignment Specification, 1. */
static const char *class_word(uint32_t class)
{
	static const struct {
		uint32_t class, mask;
		const char *word;
	} words[] = {
		{ 0x010000, 0xff0000, "storage" },	 { 0x020000, 0xff0000, "network" },
		{ 0x030000, 0xff0000, "display" },	 { 0x040100, 0xffff00, "audio" },
		{ 0x040300, 0xffff00, "audio" },	 { 0x040000, 0xff0000, "multimedia" },
		{ 0x060000, 0xffff00, "host bridge" },	 { 0x060400, 0xffff00, "PCI bridge" },
		{ 0x060000, 0xff0000, "bridge" },	 { 0x080500, 0xffff00, "SD card reader" },
		{ 0x080600, 0xffff00, "IOMMU" },	 { 0x0c0300, 0xffff00, "USB" },
		{ 0x0c0500, 0xffff00, "SMBus" },	 { 0x0c0000, 0xff0000, "serial bus" },
		{ 0x0d0000, 0xff0000, "wireless" },	 { 0x100000, 0xff0000, "encryption" },
		{ 0x120000, 0xff0000, "accelerator" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if ((class & words[i].mask) == words[i].class)
			return words[i].word;
	return NULL;
}

const char *gb_members_name(const struct gb_survey *survey, int node,
			    char ret[static GB_MEMBER_MAX])
{
	const struct gb_device *device = survey->topology.node[node].device;
	const char *word = class_word(device->id.class);
	const char *driver = gb_survey_driver(survey, node);
	char bdf[GB_BDF_MAX], class[20];

	snprintf(class, sizeof(class), "class %06x", (unsigned)device->id.class);
	snprintf(ret, GB_MEMBER_MAX, "%s (%s%s%.60s)", gb_bdf_format(device->bdf, bdf),
		 word ? word : class, *driver ? ", " : "", driver);
	return ret;
}

size_t gb_members_list(const struct gb_members *members, gb_member_fn wanted, char *ret,
		       size_t size, size_t *ret_sure)
{
	size_t count = 0, sure = 0, at = 0;
	char name[GB_MEMBER_MAX];

	*ret = '\0';
	for (int i = members->node; i != GB_NOWHERE; i = gb_members_next(members, i)) {
		if (!wanted(members, i))
			continue;
		sure += gb_members_sure(members, i);
		if (count++ < NAMED_MAX && at < size)
			at += (size_t)snprintf(ret + at, size - at, "%s%s", at ? ", " : "",
					       gb_members_name(members->survey, i, name));
	}
	if (count > NAMED_MAX && at < size)
		snprintf(ret + at, size - at, " and %zu more", count - NAMED_MAX);
	if (ret_sure)
		*ret_sure = sure;
	return count;
}

void gb_members_evidence(const struct gb_members *members, struct gb_checks *checks)
{
	if (members->source == GB_GROUPS_KERNEL)
		gb_check_evidence(checks, "/sys/kernel/iommu_groups/%d/devices", members->group);
	else
		gb_check_evidence(checks, "predicted by the rules of " GB_PREDICT_RULES);
}
