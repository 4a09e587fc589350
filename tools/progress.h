/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PROGRESS_H
#define GB_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "style.h"

struct gb_plan;
struct gb_root;
struct gb_text;

/* How far a plan is: on a terminal one line that is drawn anew with the seconds that passed, what
 * builders say running by above it; elsewhere a line for each step, and theirs. */
struct gb_progress {
	FILE *out; /* NULL: nothing is shown */
	int log;   /* descriptor that gets the steps too, or -1 */
	struct gb_root *root;
	struct gb_style style;
	void *ctx; /* of `title`, see gb_change_options */
	void (*title)(void *ctx, const struct gb_plan *plan, size_t step, struct gb_text *text);
	/* private */
	char now[256]; /* the step that goes on, or "" */
	int64_t began, shown; /* ms, monotonic */
	bool runs;	      /* it is a program: seconds count */
	bool drawn;	      /* the line is on the terminal */
};

void gb_progress_begin(struct gb_progress *progress, const struct gb_plan *plan, size_t step);
/* The same for a program that runs again, since the files are back. */
void gb_progress_again(struct gb_progress *progress, char *const *argv);
/* A builder's line. */
void gb_progress_line(struct gb_progress *progress, const char *line, bool error);
void gb_progress_tick(struct gb_progress *progress);
/* The last step is over, whatever came of it. */
void gb_progress_end(struct gb_progress *progress);

#endif
