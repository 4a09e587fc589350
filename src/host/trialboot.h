/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALBOOT_H
#define GB_TRIALBOOT_H

#include <stdbool.h>

#include "trialstate.h"

struct gb_err;
struct gb_root;
struct gb_text;

/* What the running boot is to a trial, and what is said of it to a person. */

struct gb_trial_boot {
	char trial[GB_TRIAL_ID]; /* on the kernel's command line; or "" */
	char confirmed[GB_TRIAL_ID]; /* the trial that was confirmed in this boot; or "" */
	char how[160];		     /* and by what */
	bool stopped; /* its boots are counted, and ghost-claim claimed nothing any more */
	char uncounted[100]; /* because it could not count them: why; or "" */
	char boot[GB_BOOT_ID];
};

/* In a boot whose trial was confirmed, the command line has its word to the end: this file, two
 * lines, says that nothing is missing. */
#define GB_TRIAL_KEPT "/run/ghost-boot/confirmed"

/* 0, or a negative errno where that can't be told: then nothing may be concluded. */
int gb_trial_boot_read(struct gb_root *root, struct gb_trial_boot *ret, struct gb_err *err);

/* The running boot's boot_id; *ret is left alone when that can't be told. */
int gb_trial_boot_id(struct gb_root *root, char ret[GB_BOOT_ID], struct gb_err *err);

/* What is to be done about it, now that the host is up. */
enum gb_arrival {
	GB_ARRIVAL_NOTHING, /* there is none, or it waits for another boot */
	GB_ARRIVAL_STRAY,   /* the command line has a trial's word, and nothing is known of it */
	GB_ARRIVAL_ENTER,   /* GB_TRIAL_ENTER: this boot is the trial */
	GB_ARRIVAL_GOES_ON, /* it is, and that was noted before */
	GB_ARRIVAL_LEAVE,   /* GB_TRIAL_LEAVE: the trial is over, and this boot is not it */
	GB_ARRIVAL_FAILED,  /* that was noted before */
	GB_ARRIVAL_KEPT,    /* it was confirmed in this boot */
	GB_ARRIVAL_TIDY,    /* GB_TRIAL_TIDY: it was confirmed, and something of it is left */
};

/* A pure function. Never goes by the time: clocks may be wrong. */
enum gb_arrival gb_trial_arrive(const struct gb_trial *trial, const struct gb_trial_boot *boot);

/* What can be found out of a trial that never said anything. */
struct gb_trial_clues {
	bool armed;	   /* the boot loader still has the one-shot: it did not take it */
	bool kernel_gone;  /* the kernel's modules are away */
	const char *gone;  /* an image of it that is not there; NULL: all are */
	const char *crash; /* where a kernel's last words lie; NULL: nowhere */
};

/* Why it failed: a sentence without its stop. */
void gb_trial_guess(const struct gb_trial *trial, const struct gb_trial_boot *boot,
		    const struct gb_trial_clues *clues, struct gb_text *ret);

/* For whoever logs in next: lines, or nothing where there is nothing to say. */
void gb_trial_notice(const struct gb_trial *trial, const struct gb_trial_boot *boot,
		     enum gb_arrival arrival, struct gb_text *ret);

#endif
