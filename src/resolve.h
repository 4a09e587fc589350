/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RESOLVE_H
#define GB_RESOLVE_H

#include <stdbool.h>

#include "claims.h"
#include "machine.h"

enum gb_decision {
	GB_KEEP,      /* a keep line: nothing to do */
	GB_CLAIM,     /* at its path, with its identity */
	GB_MOVED,     /* elsewhere, and no doubt about it */
	GB_REFUSED,   /* unsafe */
	GB_MISMATCH,  /* the path holds something else */
	GB_AMBIGUOUS, /* it moved, but which one is it? */
	GB_ABSENT,
};

struct gb_verdict {
	enum gb_decision decision;
	const char *reason; /* stable id, for programs */
	char text[200];	    /* for a person */
	int device;	    /* index into the machine, or GB_NOWHERE */
	bool last_display;  /* claimed though no other display remains (allow=last-display) */
};

/* The decision table, a pure function: one verdict for each line, in the file's order. Returns
 * true when it could say more if it knew every device: then scan and ask again. Until then what
 * can't be decided is refused. */
bool gb_resolve(const struct gb_claims *claims, const struct gb_machine *machine,
		struct gb_verdict *ret);

bool gb_decision_acts(enum gb_decision decision); /* GB_CLAIM or GB_MOVED */
const char *gb_decision_name(enum gb_decision decision);

#endif
