/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRYING_H
#define GB_TRYING_H

#include <stdbool.h>

#include "oneshot.h"
#include "trialstate.h"

struct gb_err;
struct gb_json;
struct gb_retire;
struct gb_text;
struct gb_work;

/* How enable makes its change hold: tried for one boot, counted where no boot loader can be told to
 * take it once, or at once and for good. */

#define GB_CONFIRM_S 600 /* a trial that works is kept after so long by itself */

enum gb_way {
	GB_WAY_TRIAL,
	GB_WAY_COUNTED,	  /* for good, but claims end by themselves after boots that nobody confirmed */
	GB_WAY_PERMANENT,
};

struct gb_trying {
	struct gb_work *work; /* borrowed */
	/* what was asked for */
	bool no_trial, manual, retire, watchdog;
	unsigned seconds;
	/* what came of it */
	enum gb_way way;
	char why[512], hint[192]; /* why there is no trial, or "" */
	struct gb_oneshot oneshot;
	struct gb_trial trial;
	bool armed;	   /* the loader was told */
	/* private */
	struct gb_text *done; /* the closing words */
	bool counts;	      /* the counter is this one's; before it was: */
	uint8_t *counted;     /* NULL: there was none */
	size_t counted_len;
};

/* Which way; says why there is no trial. -1 to go on, or the exit code. Always to be cleared. */
int gb_trying_decide(struct gb_trying *trying);
/* The plan, in work->setup.plan. 0 or a negative errno. *ret_waits: it is prepared already, all that
 * is missing is perhaps to tell the loader. */
int gb_trying_plan(struct gb_trying *trying, const char *const *title,
		   const struct gb_retire *retire, bool *ret_waits, struct gb_err *err);
void gb_trying_json(const struct gb_trying *trying, struct gb_json *json);
void gb_trying_clear(struct gb_trying *trying);

/* (trying-run.c) */

/* Carries it out, and arms it. The exit code. */
int gb_trying_run(struct gb_trying *trying);
/* Arms one that waits, prepared. The exit code. */
int gb_trying_arm(struct gb_trying *trying);

/* (trying-words.c) */

/* Can the command line be edited in the boot menu? */
bool gb_trying_can_edit(const struct gb_trying *trying);
/* What happens from now on, and the ways back, for a person. */
void gb_trying_words(const struct gb_trying *trying, struct gb_text *ret);

#endif
