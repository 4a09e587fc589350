/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_REFUSAL_H
#define GB_REFUSAL_H

#include <stdbool.h>

#include "address.h"
#include "check.h"

struct gb_disks;
struct gb_err;
struct gb_need_words;
struct gb_target;

/* What stands against claiming a target. Each is a check with the device, what is said where, and
 * the way out: with the `--allow ID` that lifts it, where one may. What can't be told, but would
 * stand against it, does too. */

struct gb_refusals {
	struct gb_checks checks; /* fail, unknown: it stands; warn: it was lifted */
	unsigned lifted;	 /* the words of allow= that were needed: for gb_target_allow */
	unsigned wanted;	 /* those that would lift more */
	size_t standing;	 /* so many stand */
	size_t firm;		 /* of these, so many that no word lifts */
};

/* Ids that may be lifted are those of enum gb_allow, "system-disk" (root, boot, ESP) only for a
 * controller that was selected itself; the others: "bridge", "virtual-function" and "kept" (by the
 * claims file, for another reason). `allow`
 * are the words that were given now; those that stand in the claims file for these devices count as
 * well. 0 or -ENOMEM; *ret is always to be cleared. */
int gb_refusals_read(const struct gb_target *target, const struct gb_disks *disks,
		     const struct gb_need_words *words, unsigned allow, struct gb_refusals *ret,
		     struct gb_err *err);
void gb_refusals_clear(struct gb_refusals *refusals);

/* ---- its parts ---------------------------------------------------------------------------- */

struct gb_refusal {
	const struct gb_target *target;
	const struct gb_disks *disks;
	const struct gb_need_words *words;
	unsigned allow;
	struct gb_refusals *ret;
	char name[GB_BDF_MAX];
};

/* One more; its text, evidence and mend are then added to ret->checks. `bit` 0: it stays. */
__attribute__((format(printf, 6, 7)))
void gb_refuse(struct gb_refusal *r, unsigned bit, const char *id, bool unknown,
	       const char *subject, const char *format, ...);
/* The end of the last one's mend: the word that lifts it, and what that means. */
void gb_refuse_unless(struct gb_refusal *r, unsigned bit, const char *means);
const char *gb_refuse_name(struct gb_refusal *r, int node); /* its address, until the next */

void gb_refuse_displays(struct gb_refusal *r);	/* (refusal-display.c) */
void gb_refuse_keyboard(struct gb_refusal *r);
void gb_refuse_disks(struct gb_refusal *r);	/* (refusal-disk.c) */
void gb_refuse_network(struct gb_refusal *r);

#endif
