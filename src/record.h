/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RECORD_H
#define GB_RECORD_H

#include <stdbool.h>

#include "claim.h"
#include "claims.h"
#include "cmdline.h"
#include "counter.h"
#include "machine.h"
#include "resolve.h"
#include "text.h"

#define GB_RECORDS "/run/ghost-boot"
/* Where initramfs-tools' images keep them until /run is there. */
#define GB_RECORDS_WAIT "/.ghost-boot"

enum gb_outcome {
	GB_CLAIMED,   /* every claim that is there is bound, and at least one */
	GB_PARTLY,    /* some are not as they should be */
	GB_NOTHING,   /* armed, and nothing was claimed */
	GB_NOT_ARMED,
	GB_OFF,
	GB_ERROR,     /* the claims file or the machine could not be read */
};

/* Everything a record says. Pointers are borrowed; NULL where it did not come to that. */
struct gb_report {
	const char *file; /* claims file */
	bool armed;
	bool debug; /* ghost.debug: more kernel log lines */
	char arming[100]; /* who armed, or why nobody did */
	const struct gb_cmdline *said;
	const struct gb_counter *counter;
	enum gb_outcome outcome;
	char error[200];
	double at; /* seconds since boot */
	double took_ms;
	const struct gb_claims *claims;
	const struct gb_machine *machine;
	const struct gb_verdict *verdict;
	const struct gb_claim *claim;
};

const char *gb_outcome_name(enum gb_outcome outcome);
/* From verdicts and tasks; also the exit code that goes with it (DESIGN: 0, 1, 3, 6). */
enum gb_outcome gb_report_outcome(const struct gb_report *report, int *ret_exit);
/* What happened to a line's device, for a person; and the task, NULL where nothing was done. */
const struct gb_task *gb_report_task(const struct gb_report *report, size_t line);
const char *gb_report_text(const struct gb_report *report, size_t line);

/* claim.json; or, for one line, late/BDF.json. */
void gb_record_json(const struct gb_report *report, struct gb_text *ret);
void gb_record_late_json(const struct gb_report *report, size_t line, struct gb_text *ret);

/* One kernel log line for each claim line, and one for the whole; or just one claim's. */
void gb_record_log(struct gb_root *root, const struct gb_report *report);
void gb_record_log_line(struct gb_root *root, const struct gb_report *report, size_t line);
/* What went wrong without changing the outcome, such as a record that could not be written. */
void gb_record_log_warning(struct gb_root *root, const char *text);

#endif
