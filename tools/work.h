/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_WORK_H
#define GB_WORK_H

#include <stdbool.h>

#include "change.h"
#include "check.h"
#include "command.h"
#include "host.h"
#include "retire.h"
#include "setup.h"
#include "target.h"

struct gb_table;
struct gb_trying;

/* What enable, disable and update share: the machine as it is, the devices a person named, and the
 * change that is planned for them. */
struct gb_work {
	struct gb_context *context;
	struct gb_change_options options; /* --yes, --dry-run, --json */
	struct gb_host host;
	struct gb_setup setup;
	struct gb_target target;
	struct gb_checks checks; /* what stands against it, and what is warned of */
	struct gb_retire recipes; /* earlier ones that it makes unnecessary */
	struct gb_trying *trying; /* how enable's change comes to hold; or NULL */
};

/* --dry-run, --yes, --json, --root, --help and, where `more` is not NULL, its options, whose values
 * from 256 on `take` is given with their argument. -1 to go on, or the exit code. */
int gb_work_options(struct gb_work *work, struct gb_context *context, int argc, char **argv,
		    const char *usage, const struct option *more,
		    int (*take)(void *ctx, int option, const char *value), void *ctx);

/* -1 to go on, or the exit code when it was said. Recovers what an earlier call has left, and
 * reads the machine. Always to be closed. */
int gb_work_open(struct gb_work *work, struct gb_context *context);
void gb_work_close(struct gb_work *work);

/* Adds the functions that a word names; -1, or the exit code. `several`: a word may name more than
 * one. */
struct gb_nodes {
	int *node;
	size_t nodes;
};
int gb_work_select(struct gb_work *work, const char *word, struct gb_nodes *nodes);

/* "0000:01:00.0", without its domain where there is but one. */
const char *gb_work_bdf(const struct gb_work *work, int node, char ret[static GB_BDF_MAX]);

/* The plan of the setup as the engine carries it out, shown and asked for; the exit code. */
int gb_work_run(struct gb_work *work);
/* What a plan could not be made for: its line, and what to do, with --json as an object as well; the
 * exit code. */
int gb_work_refuse(struct gb_work *work, int r, const struct gb_err *err);
/* The same, in the caller's words: GB_EXIT_REFUSED. */
int gb_work_deny(struct gb_work *work, const char *what, const char *advice);

#endif
