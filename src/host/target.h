/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TARGET_H
#define GB_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"

struct gb_disks;
struct gb_err;
struct gb_survey;

/* All that is claimed when a person selects a device, and all that is kept for the host then. */

enum gb_target_why {
	GB_TARGET_SELECTED,
	GB_TARGET_CARD,	 /* beside a selected one, in the same slot */
	GB_TARGET_GROUP, /* in the group of one of these */
	GB_TARGET_DISPLAY, GB_TARGET_DISK, GB_TARGET_NETWORK, /* kept */
};

struct gb_target_item {
	int node; /* in the survey's topology */
	enum gb_target_why why;
	char reason[96]; /* "same card as 0000:01:00.0", "same IOMMU group 14", "disk of /" */
	struct gb_line line; /* keep or claim, with the identity of now; no number */
};

struct gb_target {
	const struct gb_survey *survey; /* borrowed */
	struct gb_target_item *item;	/* the claims, each card together, then what is kept */
	size_t items, claims;
	int *unclaimable; /* selected, and never claimed: bridges, virtual functions */
	size_t unclaimables;
	int *perhaps; /* what could not be read leaves open whether the group has these, too */
	size_t perhapses;
};

/* The survey is of the whole machine, with the configured claims (GB_CLAIMS_FILE): what they take
 * already is not kept. Reads the serial numbers of what it finds, which wakes those devices. 0 or
 * -ENOMEM; *ret is always to be cleared. */
int gb_target_read(const struct gb_survey *survey, const struct gb_disks *disks, const int *node,
		   size_t nodes, struct gb_target *ret, struct gb_err *err);
/* No node selected: only what is kept, for `update` and for giving one card back. */
void gb_target_clear(struct gb_target *target);

bool gb_target_claims(const struct gb_target *target, int node);
/* The same, or claimed by the file already. */
bool gb_target_takes(const struct gb_target *target, int node);
/* Puts words of allow= on the lines that they are about. */
void gb_target_allow(struct gb_target *target, unsigned allow);
/* What the claims file calls a card, above its lines: `name` and where it is. */
void gb_target_title(const struct gb_target *target, size_t item, const char *name, char *ret,
		     size_t size);
/* The first claim of its card, which the title stands above. */
bool gb_target_leads(const struct gb_target *target, size_t item);

#endif
