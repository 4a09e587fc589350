/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BOOT_H
#define GB_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "claim.h"
#include "claims.h"
#include "cmdline.h"
#include "err.h"
#include "exit.h"
#include "inspection.h"
#include "machine.h"
#include "record.h"
#include "resolve.h"
#include "text.h"

struct gb_loader;
struct gb_root;

/* One run of the claim, from the command line's words to the record. Set the first group,
 * zero the rest, call one of the functions once, read the rest, clear. */
struct gb_boot {
	struct gb_root *root;
	const struct gb_loader *loader;
	const char *records; /* folder */
	bool dry_run;	     /* decide as if armed; change nothing */
	bool verify;	     /* check afterwards what was claimed: verify.json */

	struct gb_report report;
	struct gb_text json;	/* the record */
	struct gb_err warning;	/* what went wrong without changing the outcome, or "" */
	bool made_before;	/* this boot's claim was there; nothing was done */

	struct gb_cmdline cmdline;
	struct gb_counter counter;
	struct gb_claims claims;
	struct gb_machine machine;
	struct gb_verdict *verdict;
	struct gb_claim claim;
	struct gb_inspection inspection;
	char file[4096]; /* the claims that booted; late claims only */
	char *text;	 /* of the claims file */
	size_t len;
};

/* The claim of this boot. Always leaves a record and a kernel log line; returns the exit code. */
int gb_boot_claim(struct gb_boot *boot);
/* One device that appeared after that, with the claims that booted. Records only if something
 * happened. Returns the exit code. */
int gb_boot_late(struct gb_boot *boot, struct gb_bdf bdf);
/* Moves the records from a folder of the image to boot->records. GB_EXIT_FAILED when there are
 * none. */
int gb_boot_publish(struct gb_boot *boot, const char *from);
/* Only reads a claims file; 0 or a negative errno, and boot->report.error. */
int gb_boot_read_claims(struct gb_boot *boot, const char *file);
void gb_boot_clear(struct gb_boot *boot);

#endif
