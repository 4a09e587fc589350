/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALSTATE_H
#define GB_TRIALSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmdline.h"
#include "journal.h"
#include "observation.h"
#include "sha256.h"

struct gb_err;
struct gb_root;
struct gb_store;
struct gb_text;

/* A trial boot, from enable to its end: one file of lines (recordtext), replaced as a whole. It
 * lives apart from the journal: a change is over within minutes, a trial may wait for weeks.
 * initramfs/README.md draws the states. */
#define GB_TRIAL GB_STATE "/trial"

enum gb_trial_state {
	GB_TRIAL_NONE,	    /* there is no file */
	GB_TRIAL_PREPARED,  /* all of it is on the disk; the loader knows nothing of it */
	GB_TRIAL_ARMED,	    /* the loader takes the trial entry at the next boot, once */
	GB_TRIAL_BOOTED,    /* a boot of the trial entry has come as far as the host */
	GB_TRIAL_CONFIRMED, /* it is the default now; only tidying is left */
	GB_TRIAL_FAILED,    /* `reason` says why; its entry and image are still there */
	GB_TRIAL_STATES,
};

/* What moves it, and who. */
enum gb_trial_event {
	GB_TRIAL_PREPARE, /* enable: its transaction is done */
	GB_TRIAL_ARM,	  /* enable, or the shutdown before an orderly reboot */
	GB_TRIAL_DISARM,  /* enable, before it changes what is prepared */
	GB_TRIAL_ENTER,	  /* the host came up with this trial's word on its command line */
	GB_TRIAL_LEAVE,	  /* the host came up without it */
	GB_TRIAL_CONFIRM, /* the transaction that makes it the default is done */
	GB_TRIAL_TIDY,	  /* all that a confirmed trial left is gone */
	GB_TRIAL_CANCEL,  /* disable, update: entry and image are gone, with the same transaction */
	GB_TRIAL_EVENTS,
};

#define GB_BOOT_ID 37 /* a boot_id and its end: a UUID as text (drivers/char/random.c) */

/* Owns its strings: gb_trial_clear. Zeroed, there is none. Strings may be NULL where they are not
 * known; written and read again they are then "". */
struct gb_trial {
	enum gb_trial_state state;
	uint32_t id;	    /* of the words "ghost.trial=ID" and "ghost.trial=IDc" */
	bool counted;	    /* the latter: ghost-claim counts boots in an EFI variable */
	int64_t time;	    /* of GB_TRIAL_PREPARE, seconds since 1970; for a person only */
	char boot[GB_BOOT_ID]; /* boot_id of the boot that armed it, then of the one that entered it */
	bool manual;	    /* only a person's word confirms, neither login nor time */
	unsigned seconds;   /* else: so long after the host came up it is confirmed by itself; a day at most */
	char claims[GB_SHA256_TEXT]; /* the claims file that is tried */
	char *kernel;	    /* release */
	char *loader;	    /* gb_backend_name */
	char *entry, *entry_file; /* as the loader knows it; where it is written */
	char *usual;	    /* the entry that the loader takes without a one-shot */
	char **image;	    /* made for the trial alone, to be removed with it */
	size_t images;
	char *stamp;	    /* gb_images_stamp of the kernel's usual ones */
	bool retire;	    /* earlier recipes are taken out of use when it is confirmed */
	bool watchdog;	    /* restarts it when it hangs */
	char *reason;	    /* why it is in this state, for a person: a sentence without its stop */
	struct gb_observation before; /* the system that enable ran in */
};

/* Where an event leads to; GB_TRIAL_STATES: it can't happen there, and whoever meets it changes
 * nothing. */
enum gb_trial_state gb_trial_next(enum gb_trial_state state, enum gb_trial_event event);
const char *gb_trial_name(enum gb_trial_state state); /* "armed", stable */

/* "1a2b3c4d", as on the command line, without the letter behind it. */
void gb_trial_id(uint32_t id, char ret[GB_TRIAL_ID]);

/* None is GB_TRIAL_NONE, and success. -EBADMSG: cut or changed by hand; -EPROTONOSUPPORT: a newer
 * ghost-boot's; then nothing may be concluded, and nothing be changed but by a person. *ret is
 * always to be cleared. */
int gb_trial_read(struct gb_root *root, struct gb_trial *ret, struct gb_err *err);
int gb_trial_parse(const char *data, size_t len, struct gb_trial *ret, struct gb_err *err);
/* The whole file, for a step of a plan; *ret is empty before, and always to be cleared. An error for
 * what could not be read again: -EBADMSG, -EFBIG; -ENOMEM. */
int gb_trial_print(const struct gb_trial *trial, struct gb_text *ret, struct gb_err *err);
void gb_trial_clear(struct gb_trial *trial);

/* Replaces the file durably, or removes it with GB_TRIAL_NONE: the old or the new after a power
 * cut. Errors also as gb_trial_print. For what is moved outside of a transaction; the caller holds the lock. */
int gb_trial_write(struct gb_store *store, const struct gb_trial *trial, struct gb_err *err);
/* Sets a string of it, by copy; NULL empties it. False: no memory. */
bool gb_trial_set(char **field, const char *text);

#endif
