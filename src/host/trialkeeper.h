/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALKEEPER_H
#define GB_TRIALKEEPER_H

#include "trialboot.h"

struct gb_checks;
struct gb_err;
struct gb_host;
struct gb_root;

/* Moves a trial on in the boot that meets it: what this boot is to it, and how well it works. Makes
 * it permanent never by itself: that is a change of its own (setup). */

#define GB_NOTICE_FOLDER "/run/motd.d" /* pam_motd(8) shows what is there at a login */
#define GB_NOTICE GB_NOTICE_FOLDER "/ghost-boot"

struct gb_keeper {
	struct gb_trial trial;
	struct gb_trial_boot boot;
	enum gb_arrival arrival;
	char warning[384]; /* the boot loader may take it again, and why; or "" */
};

/* Reads both. Errors as of gb_trial_read and gb_trial_boot_read; *ret is always to be cleared. */
int gb_keeper_read(struct gb_root *root, struct gb_keeper *ret, struct gb_err *err);
void gb_keeper_clear(struct gb_keeper *keeper);

/* Does what the arrival asks for, under the lock, everything read once more: notes that the trial
 * has come up, or failed and why, or removes what a confirmed one has left. Before that, a boot
 * loader that still has the one-shot is told to forget it, and one that remembers what was chosen last
 * to remember what it would have booted. `arrival` stays as it was met. -EBUSY:
 * somebody else is changing the system. */
int gb_keeper_settle(struct gb_host *host, struct gb_keeper *keeper, struct gb_err *err);

/* Is this boot as good as the one before, with the very claims that were tried? Without claims that
 * can be read nothing is judged: "trial-claims" is the only check, and says why. And would a restart
 * go back? Reads only. */
int gb_keeper_examine(struct gb_host *host, const struct gb_keeper *keeper, struct gb_checks *ret,
		      struct gb_err *err);

/* In the trial's boot: sets `warning` if the boot loader would boot it by itself by now. */
void gb_keeper_look_ahead(struct gb_host *host, struct gb_keeper *keeper);

/* Writes why it is as it is, if it is still the trial of this boot, and that is new. */
int gb_keeper_note(struct gb_host *host, struct gb_keeper *keeper, const char *reason,
		   struct gb_err *err);

/* What whoever logs in is told; nothing to say takes it away. `text` is at most lines. */
int gb_keeper_publish(struct gb_root *root, const struct gb_text *text, struct gb_err *err);

#endif
