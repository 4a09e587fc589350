/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MEMBERS_H
#define GB_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "check.h"
#include "survey.h"

/* The IOMMU group of one function as a person meets it: the kernel's if it has one, else the one
 * predicted. */

struct gb_members {
	const struct gb_survey *survey;
	int node;
	enum gb_group_source source;
	int group;
	bool certain;	  /* nothing else can be in it, and nothing less */
	char subject[32]; /* of checks: "group 14", "predicted group 3" */
};

void gb_members_of(const struct gb_survey *survey, int node, struct gb_members *ret);
/* Walks all of them, from the node itself to GB_NOWHERE. */
int gb_members_next(const struct gb_members *members, int at);
/* Surely in it; the others might be. */
bool gb_members_sure(const struct gb_members *members, int node);

/* Bridges and ports stay with the host; the rest of a group goes with the device. */
bool gb_members_goes(const struct gb_members *members, int node);
/* A function beside it, of the same group, has a check of that id already: what holds of their
 * card need not be said again. */
bool gb_members_said(const struct gb_members *members, const struct gb_checks *checks,
		     const char *id);

/* The driver manages its own DMA, so a group with it is viable (struct device_driver's
 * driver_managed_dma); an empty name is no driver, and viable too. */
bool gb_driver_is_viable(const char *driver);
bool gb_driver_is_vfio(const char *driver); /* vfio-pci and its variants */

/* "0000:02:00.0 (storage, nvme), 0000:03:00.0 (network) and 3 more": those that are wanted.
 * Returns how many they are; *ret_sure, unless NULL, of how many that is sure. */
typedef bool (*gb_member_fn)(const struct gb_members *members, int node);
size_t gb_members_list(const struct gb_members *members, gb_member_fn wanted, char *ret,
		       size_t size, size_t *ret_sure);
/* Evidence of the last check: how it is known what is in it. */
void gb_members_evidence(const struct gb_members *members, struct gb_checks *checks);
/* "0000:02:00.0 (storage, nvme)" */
#define GB_MEMBER_MAX 112
const char *gb_members_name(const struct gb_survey *survey, int node,
			    char ret[static GB_MEMBER_MAX]);

#endif
