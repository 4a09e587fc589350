/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CONDITION_H
#define GB_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "account.h"
#include "check.h"
#include "claims.h"
#include "config.h"
#include "images.h"
#include "occupants.h"
#include "survey.h"
#include "trialkeeper.h"

struct gb_err;
struct gb_host;

/* What is configured, what booted, and what is now, side by side. Read only, with or without
 * privileges: what can't be told is GB_CANNOT_TELL and never "no". */

/* A claims file, and whether its claims count. */
struct gb_condition_side {
	enum gb_known there;
	struct gb_claims claims;
	char *text; /* its bytes, or NULL */
	size_t len;
	char error[160]; /* why it can't be read, or can't be used as a whole; or "" */
	enum gb_known armed;
};

enum gb_condition_kind {
	GB_FUNCTION_FREE,    /* nobody claims it */
	GB_FUNCTION_GOOD,    /* is what is configured, and stays so */
	GB_FUNCTION_WAITS,   /* a reboot makes it what is configured */
	GB_FUNCTION_WRONG,   /* this boot claims it, and its driver does not have it */
	GB_FUNCTION_UNKNOWN,
};

/* One function: every one that a claims file names, and every display. */
struct gb_condition_function {
	struct gb_path path;
	struct gb_identity id;
	int node; /* of the survey; GB_NOWHERE: it is not there */
	struct gb_bdf bdf; /* where it is there */
	const struct gb_line *configured, *booted;  /* or NULL */
	const struct gb_account_device *account;    /* what became of it at boot, or NULL */
	char driver[GB_DRIVER_MAX];		    /* now; "" for none */
	enum gb_condition_kind kind;
	char text[200]; /* what there is to say; a phrase, or "" */
};

/* A word that the kernel's command line has because of us, or should have. */
struct gb_condition_word {
	char word[128];
	size_t sources, carry; /* so many files hold a command line, so many have it on theirs */
	enum gb_known configured; /* all have it */
	enum gb_known booted;	  /* this kernel was given it */
};

enum gb_condition_claims {
	GB_IMAGE_UNKNOWN, /* why: `text` */
	GB_IMAGE_SAME,	  /* the configured claims, or none where none are */
	GB_IMAGE_OTHER,	  /* other ones, or some though none are configured */
	GB_IMAGE_NONE,	  /* none, though some are configured */
	GB_IMAGE_BAD,	  /* the configured ones, and something else is missing */
};

struct gb_condition_image {
	const struct gb_kernel *kernel;
	const char *path; /* of its places, the one that the text is about */
	enum gb_condition_claims claims;
	char text[200];
};

/* A trial boot, and what this boot is to it. */
struct gb_condition_trial {
	enum gb_known there;
	char error[200]; /* why it can't be told; or "" */
	struct gb_keeper keeper;
	bool open;   /* it is neither confirmed nor taken back: what is configured does not hold yet */
	bool unasked; /* it is armed, but the boot loader is not asked for it any more */
	bool tried;  /* this boot is it ... */
	struct gb_checks checks; /* ... and so good is it */
};

/* What should be done, most urgent first. */
struct gb_condition_note {
	const char *id; /* "journal", stable */
	char text[300]; /* what is not as it should be, a phrase */
	char next[200]; /* the command to type, or what to do */
};

#define GB_CONDITION_WORDS_MAX 16
#define GB_CONDITION_NOTES_MAX 16

struct gb_condition {
	struct gb_host *host;		 /* borrowed */
	const struct gb_survey *survey; /* borrowed; of the configured claims */
	struct gb_condition_side configured, booted;
	struct gb_account account;
	struct gb_condition_function *function; /* by address; what is not there last */
	size_t functions;
	struct gb_occupants occupants; /* their functions are those above */
	struct gb_condition_word word[GB_CONDITION_WORDS_MAX];
	size_t words;
	struct gb_images images;	  /* and what builds them */
	struct gb_condition_image *image; /* one for each kernel of those */
	struct gb_condition_trial trial;
	enum gb_known journal;	/* a change was interrupted */
	enum gb_known reboot;	/* is needed */
	struct gb_condition_note note[GB_CONDITION_NOTES_MAX];
	size_t notes;
};

/* Reading an image takes seconds; without it, what was proved before counts. */
struct gb_condition_options {
	bool read_images;  /* all of them, anew */
	bool read_unknown; /* where there are claims, those that were not proved as they are now, each
			    * once; what is found good is then in images.proved, for gb_proved_write */
	void *ctx;
	void (*reading)(void *ctx, const char *path); /* or NULL */
};

/* `survey` was read with GB_CLAIMS_FILE, GB_SURVEY_SITE and no focus. 0 or -ENOMEM; *ret is always
 * to be cleared. */
int gb_condition_read(struct gb_host *host, const struct gb_survey *survey,
		      const struct gb_condition_options *options, struct gb_condition *ret,
		      struct gb_err *err);
void gb_condition_clear(struct gb_condition *condition);

/* Words for a person, and for programs where they are quoted in the manual. */
const char *gb_condition_kind_name(enum gb_condition_kind kind);	     /* "waits" */
const char *gb_condition_claims_name(enum gb_condition_claims claims);      /* "as-configured" */
/* "claimed", "held", …: what became of a function at boot; "-" when nothing was said of it. */
const char *gb_condition_became(const struct gb_condition *condition,
				const struct gb_condition_function *function);

/* ---- its parts ------------------------------------------------------------------------------- */

int gb_condition_functions(struct gb_condition *c, struct gb_err *err); /* condition-functions.c */
void gb_condition_words(struct gb_condition *c);		       /* condition-words.c */
int gb_condition_images(struct gb_condition *c, const struct gb_condition_options *options,
			struct gb_err *err); /* condition-images.c */
/* Does a claims file claim anything? */
bool gb_condition_claims_any(const struct gb_claims *claims);
int gb_condition_trial(struct gb_condition *c, struct gb_err *err);    /* condition-trial.c */
void gb_condition_trial_judge(struct gb_condition *c);
/* What becomes of a configured claim that is not armed, while there is a trial. */
enum gb_condition_kind gb_condition_trial_claim(const struct gb_condition *c, char *ret,
						size_t size);
void gb_condition_judge(struct gb_condition *c);		       /* condition-judge.c */
__attribute__((format(printf, 4, 5)))
void gb_condition_note(struct gb_condition *c, const char *id, const char *next,
		       const char *format, ...);

#endif
