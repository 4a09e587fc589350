/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "members.h"
#include "root.h"
#include "vfio.h"

static const struct {
	enum gb_mark mark;
	const char *text, *fix;
} answers[] = {
	[GB_VFIO_VIABLE] = { GB_PASS, "VFIO itself says that it is viable", NULL },
	[GB_VFIO_NOT_VIABLE] = { GB_FAIL, "VFIO itself says that it is not viable",
				 "all that is in it must be claimed too, or be without a driver" },
	[GB_VFIO_IN_USE] = { GB_UNKNOWN, "in use: a program has it open, a virtual machine perhaps, "
			     "and VFIO answers only one", NULL },
	[GB_VFIO_ABSENT] = { GB_UNKNOWN, "VFIO can't be asked: it has no file for it, since nothing in it is "
			     "on vfio-pci or /dev is not filled", NULL },
	[GB_VFIO_DENIED] = { GB_UNKNOWN, "VFIO can't be asked: only root may", "ask again as root" },
	[GB_VFIO_NO_IOMMU] = { GB_FAIL, "VFIO has it without an IOMMU: whoever is given it can read "
					"and write all memory",
			       "turn the IOMMU on, and enable_unsafe_noiommu_mode of vfio off" },
	[GB_VFIO_FAILED] = { GB_UNKNOWN, "VFIO gave no answer", NULL },
};

void gb_judge_answer(int group, enum gb_vfio_answer answer, int error, struct gb_checks *checks)
{
	char subject[32];

	snprintf(subject, sizeof(subject), "group %d", group);
	gb_check(checks, "viable-vfio", answers[answer].mark, subject, "%s", answers[answer].text);
	gb_check_evidence(checks, "/dev/vfio/%d: %s", group,
			  error ? strerror(error) : "VFIO_GROUP_GET_STATUS");
	if (answers[answer].fix)
		gb_check_fix(checks, "%s", answers[answer].fix);
}

void gb_judge_viable(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct gb_members members;
	enum gb_vfio_answer answer;
	struct gb_vfio vfio;
	int error;

	gb_members_of(survey, node, &members);
	if (members.source != GB_GROUPS_KERNEL || !gb_root_is_real(survey->root) ||
	    gb_checks_have(checks, "viable-vfio", members.subject))
		return;
	gb_vfio_of(survey->root, &vfio);
	answer = gb_vfio_ask(&vfio, members.group, &error);
	gb_judge_answer(members.group, answer, error, checks);
}
