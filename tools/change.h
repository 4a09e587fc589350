/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CHANGE_H
#define GB_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

struct gb_context;
struct gb_err;
struct gb_host;
struct gb_json;
struct gb_plan;
struct gb_root;
struct gb_text;

/* What enable, disable, update, cmdline and rollback do with a plan: show it, ask, carry it out
 * while one sees how far it is, and say what came of it. */
struct gb_change_options {
	bool yes, dry_run, json;
	bool force;	     /* see gb_transaction */
	const char *log;     /* NULL: GB_LOG */
	const char *nothing; /* what an empty plan means; NULL: "Nothing to do." */
	const char *done;    /* said when it is done; NULL: "Done." */
	const char *left;    /* "PATH: why" and a newline for each file that is left alone; or NULL */
	void *ctx;	     /* of: */
	int (*prove)(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err);
	/* What no transaction can hold: an EFI variable, GRUB's environment. `start` comes when it is
	 * decided and nothing has changed: a negative errno ends it there. `finish` comes when all is
	 * done: with a negative errno the change is taken back. Either may be NULL. */
	int (*start)(void *ctx, struct gb_err *err);
	int (*finish)(void *ctx, struct gb_err *err);
	const char *hint; /* what to do, when one of them has failed; or NULL */
	/* Members of --json's document before the plan's. */
	void (*more)(void *ctx, struct gb_json *json);
	/* A step as the progress line calls it; NULL: "kernel 1 of 3, 6.12.48: mkinitramfs" */
	void (*title)(void *ctx, const struct gb_plan *plan, size_t step, struct gb_text *text);
};

/* To be called before anything is looked at for a plan: what a call that was ended has left is
 * finished or brought back, and that is said. -1 to go on, else the exit code. A dry run, or one
 * without privileges, changes nothing and says so. */
int gb_change_recover(struct gb_context *context, struct gb_root *root,
		      const struct gb_change_options *options);

/* The exit code, everything having been said. */
int gb_change_run(struct gb_context *context, struct gb_host *host, struct gb_plan *plan,
		  const struct gb_change_options *options);

/* "needs root", and the line to type; GB_EXIT_FAILED. */
int gb_change_needs_root(const struct gb_context *context);

#endif
