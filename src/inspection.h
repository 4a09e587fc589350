/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_INSPECTION_H
#define GB_INSPECTION_H

#include "machine.h"
#include "survey.h"
#include "text.h"

struct gb_claim;
struct gb_claims;
struct gb_root;

/* The checks that go with a boot's claim, in two parts: a device that vfio-pci has is soon asleep,
 * so its config space is read before it is bound, and judged once it is. Zero-initialise. */
struct gb_inspection {
	struct gb_focus *focus; /* the claimed functions, and the bridges above them */
	size_t focused, room;
	double cpu_ms; /* of this process, both parts together */
};

void gb_inspection_before(struct gb_inspection *inspection, struct gb_root *root,
			  const struct gb_claims *claims, const struct gb_claim *claim);
/* Makes verify.json. `claims_file` is the one that was used. Its `failed` is set when nothing could be
 * said, being out of memory. */
void gb_inspection_after(struct gb_inspection *inspection, struct gb_root *root,
			 const char *claims_file, struct gb_text *ret);
void gb_inspection_clear(struct gb_inspection *inspection);

#endif
