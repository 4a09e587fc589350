/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DIAG_H
#define GB_DIAG_H

#include "account.h"
#include "channel.h"
#include "check.h"
#include "cmdline.h"
#include "kmsg.h"
#include "survey.h"
#include "text.h"

/* What is to be said of one boot: what was planned, what happened, who has what now and how it
 * came to that. Each part may be missing: without /run, /proc or /sys the rest still stands. */

enum gb_standing {
	GB_STANDS_OURS,	     /* on the driver it was claimed for */
	GB_STANDS_RIVAL,     /* claimed, and another driver has it */
	GB_STANDS_HELD,	     /* claimed, and no driver has it */
	GB_STANDS_REFUSED,   /* the claim was turned down */
	GB_STANDS_ABSENT,    /* not there */
	GB_STANDS_UNCLAIMED, /* this boot claims nothing */
	GB_STANDS_UNKNOWN,   /* claimed, and which driver has it can't be told */
};

struct gb_diag_device {
	const struct gb_account_device *account; /* the last record of it, or NULL */
	unsigned line;				 /* of the claims file */
	char path[GB_PATH_MAX], id[10];
	uint32_t class; /* 0: not known */
	bool placed;	/* it has an address */
	struct gb_bdf bdf;
	char wants[GB_DRIVER_MAX];  /* the driver it is claimed for */
	char driver[GB_DRIVER_MAX]; /* that it has now, or none where that was seen */
	bool seen;		    /* whether it is there, and with which driver, could be read */
	enum gb_standing standing;
	struct gb_channels channels; /* of a rival */
};

enum gb_arming { GB_ARMED, GB_UNARMED, GB_SWITCHED_OFF, GB_ARMING_UNKNOWN };

struct gb_diag {
	struct gb_root *root;
	struct gb_account account;
	struct gb_survey survey;
	bool surveyed;
	char survey_error[200];
	int log_error; /* errno value of the kernel log, 0: it was read */
	struct gb_log log;
	int cmdline_error;
	char *text; /* of /proc/cmdline, or NULL */
	struct gb_cmdline cmdline;
	enum gb_arming arming;
	const char *checks_file; /* where the checks were read, NULL: made now */
	struct gb_checks checks;
	char (*check_id)[48];
	struct gb_diag_device *device;
	size_t devices;
	double now; /* seconds since boot */
};

/* Opens no device, wakes none, waits for nothing. 0 or -ENOMEM; *ret is always to be cleared. */
int gb_diag_read(struct gb_root *root, struct gb_diag *ret, struct gb_err *err);
void gb_diag_clear(struct gb_diag *diag);

const char *gb_standing_name(enum gb_standing standing); /* "ours", stable */
size_t gb_diag_count(const struct gb_diag *diag, enum gb_standing standing);
const char *gb_class_name(uint32_t class); /* "display", "audio", …; "device" */
/* How to boot once without claims, on this machine; one or two sentences. */
void gb_diag_back(const struct gb_diag *diag, struct gb_text *ret);
/* What to do next: calls `each` with a sentence without its full stop, most urgent first. */
typedef void (*gb_next_fn)(void *ctx, const char *text);
void gb_diag_next(const struct gb_diag *diag, gb_next_fn each, void *ctx);

/* The screen: about 24 lines. (screen.c) */
void gb_diag_screen(const struct gb_diag *diag, const struct gb_style *style,
		    struct gb_text *ret);
void gb_diag_json(const struct gb_diag *diag, struct gb_text *ret);

#endif
