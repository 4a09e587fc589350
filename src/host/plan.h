/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PLAN_H
#define GB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "file.h"

struct gb_err;
struct gb_json;
struct gb_store;
struct gb_style;
struct gb_text;

/* A change as plain data: ordered steps, made by comparing what is wanted with what is there.
 * What is already so makes no step. Nothing is changed by making one; gb_transaction_run()
 * carries it out, and refuses when a file is no longer as it was here. */

enum gb_step_kind {
	GB_STEP_WRITE,
	GB_STEP_REMOVE,
	GB_STEP_RUN,   /* a program that changes files itself */
	GB_STEP_BUILD, /* a program that makes one new, staged file */
	GB_STEP_PLACE, /* a staged file takes a place */
	GB_STEP_PUBLISH, /* a program that copies what is there to where no journal reaches */
};

/* What a boot loader reads, which may replay no journal of a file system (GRUB: ext4, XFS). All
 * of one kind is on the disk for it, too, before a step of the other begins. */
enum gb_boot {
	GB_BOOT_NO,
	GB_BOOT_IMAGE,	 /* what is loaded */
	GB_BOOT_POINTER, /* what says which, and with what words */
};

/* A file that a step changes. */
struct gb_touch {
	char *path;  /* as a person knows it */
	char *place; /* where it lies: a link is followed, so that it stays */
	struct gb_file before, after; /* of a builder's files, no hash; what it makes is not
				       * known: absent */
	char *old;	/* its text before, where it is one that a person can read; else NULL */
	size_t old_len;
};

struct gb_step {
	enum gb_step_kind kind;
	enum gb_boot boot;
	char *reason; /* for a person, a sentence without its stop */
	struct gb_touch *touch; /* one; more with GB_STEP_RUN; the staged one of GB_STEP_BUILD */
	size_t touches;
	/* GB_STEP_WRITE of a regular file: these bytes, or those of a file below the root */
	char *data, *source;
	size_t len;
	/* GB_STEP_RUN, GB_STEP_BUILD, GB_STEP_PUBLISH */
	char **argv; /* ends in NULL; argv[0] is a path */
	unsigned timeout_s; /* 0: none */
	size_t fresh;	/* so many of its files, the first, it must write anew */
	uint64_t space; /* bytes that it takes beside its files while it runs, on their disk; the
			 * most that a staged file has */
	char *target;	/* the first path that a staged file is for; NULL: none yet. The one file
			 * that is published; NULL: all there is */
	/* GB_STEP_PLACE */
	char *staged;
	bool first, last; /* of the places of this staged file */
	bool spare;	  /* GB_STEP_REMOVE: nobody wants it back when the change is over */
};

/* Zeroed, an empty plan. */
struct gb_plan {
	char *reason;
	struct gb_step *step;
	size_t steps;
	/* Of a plan that takes a change back: files that a builder made, and that it leaves as they
	 * are, since nobody has their old bytes, or since they have been built again. To be built
	 * anew by whoever has made the plan of the change. */
	char **anew;
	size_t anews;
};

/* Each adds its steps and returns how many, or a negative errno. A new file gets `mode` and
 * its folders, 0755, as steps before it; one that exists keeps mode, owner, attributes. A path
 * can be changed once in a plan (-EEXIST); a file with several names (hard links) is refused
 * (-EMLINK): it would part from the others. */
int gb_plan_write(struct gb_plan *plan, struct gb_store *store, const char *path,
		  const void *data, size_t len, mode_t mode, const char *reason,
		  struct gb_err *err);
/* A link at this path itself is removed, not what it leads to. */
int gb_plan_remove(struct gb_plan *plan, struct gb_store *store, const char *path,
		   const char *reason, struct gb_err *err);
/* The same of a file that no rollback brings back: the history gets no copy of it. */
int gb_plan_drop(struct gb_plan *plan, struct gb_store *store, const char *path,
		 const char *reason, struct gb_err *err);
/* Runs `argv`, which may make, replace or remove `paths` (its temporary ones, too) and nothing
 * else that should come back. Copies everything. Always a step. Returns 1. */
int gb_plan_run(struct gb_plan *plan, struct gb_store *store, const char *const *argv,
		const char *const *paths, size_t count, const char *reason, struct gb_err *err);
/* Runs `argv`, which makes one new file, `staged`, beside what it is for ("/boot/.ghost-boot-…"):
 * until gb_plan_place puts it somewhere, no file in use has changed, and a failure leaves nothing.
 * `staged`, and with anything from '.' or '~' on behind it or a '.' before it, are names of ours:
 * in the end there is none such. A file that is there now was left by a change that nobody knows
 * any more, and goes first; anything else is in the way (-EEXIST). It takes at most `space` bytes.
 * Always a step, judged by the transaction's `prove`. Returns how many steps, with those for its
 * folders. */
int gb_plan_build(struct gb_plan *plan, struct gb_store *store, const char *const *argv,
		  const char *staged, uint64_t space, unsigned timeout_s, const char *reason,
		  struct gb_err *err);
/* Puts what an earlier gb_plan_build makes at `staged` (-EINVAL: none does) into the place of
 * `path`, with mode, owner and attributes of the file that is there, or `mode`. One staged file
 * may have several places. The same bytes already there are no change; this is known only when it
 * is carried out. Returns how many steps. */
int gb_plan_place(struct gb_plan *plan, struct gb_store *store, const char *staged,
		  const char *path, mode_t mode, const char *reason, struct gb_err *err);
/* Runs `argv`, which copies `path`, or with NULL whatever there is, to where no journal reaches: an
 * ESP that it mounts for itself. Twice has to be as good as once: it runs when all other steps are
 * done, and again when the files are brought back, now or by a rollback; not where `path` is gone.
 * What is asked for twice runs once, at the later place. Returns 1. */
int gb_plan_publish(struct gb_plan *plan, const char *const *argv, const char *path,
		    const char *reason, struct gb_err *err);
/* To be called when all steps are there: brings those of gb_plan_publish behind all others. Where
 * there are no others they go, too. A plan that was not closed is not carried out where that makes
 * a difference. */
void gb_plan_close(struct gb_plan *plan);
/* Is that so? */
bool gb_plan_is_closed(const struct gb_plan *plan);
/* Marks all steps from the `first` on, by index, as `boot`. */
void gb_plan_mark(struct gb_plan *plan, size_t first, enum gb_boot boot);
/* Makes `path` exactly `after`, whatever that is; its bytes come from `source`, a file below
 * the root. For bringing back. */
int gb_plan_put(struct gb_plan *plan, struct gb_store *store, const char *path,
		const struct gb_file *after, const char *source, const char *reason,
		struct gb_err *err);
/* For a person, when the plan can be carried out; the text is copied. */
int gb_plan_because(struct gb_plan *plan, const char *reason);
void gb_plan_clear(struct gb_plan *plan);

/* The words of the step and its differences; and as JSON, an array of steps. */
void gb_plan_print(const struct gb_plan *plan, const struct gb_style *style,
		   struct gb_text *text);
void gb_plan_json(const struct gb_plan *plan, const char *key, struct gb_json *json);
/* What a step runs, without its folder, or what env(1) is told to run; NULL: nothing. */
const char *gb_plan_program(const struct gb_step *step);
/* "write /etc/x", "run update-grub": one line, in the words of the above. */
void gb_plan_step_text(const struct gb_step *step, struct gb_text *text);

#endif
