/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CHANGING_H
#define GB_CHANGING_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "progress.h"
#include "style.h"
#include "text.h"
#include "transaction.h"

struct gb_change_options;
struct gb_context;
struct gb_host;
struct gb_plan;

/* A change while change.c carries it out, for what is said of it. */

struct gb_changing {
	struct gb_context *context;
	struct gb_host *host;
	struct gb_plan *plan;
	const struct gb_change_options *options;
	struct gb_style style;
	struct gb_progress progress;
	struct gb_room room[GB_ROOMS_MAX];
	size_t rooms;
	enum gb_end end;
	struct gb_text details; /* what somebody else has changed */
	int log;
	char unseen[256]; /* a file that a boot loader may not see yet */
	bool unfinished;  /* what failed is `start` or `finish` */
	bool stays;	  /* and the change is made */
	bool halfway;	  /* or will be: its way back goes on by being brought back itself */
	struct gb_err err;
};

/* changing-page.c: the plan, before anybody is asked, and the document of --json; the exit code. */
int gb_changing_page(struct gb_changing *c);
int gb_changing_json(struct gb_changing *c, const char *result, int code);

/* changing-end.c: what came of it: --json's word, the exit code, and what to do then. */
const char *gb_changing_end(enum gb_end end);
int gb_changing_code(enum gb_end end, int r);
void gb_changing_advice(const struct gb_changing *c, int r, char *ret, size_t size);
const char *gb_changing_unpublished(bool given_up);
const char *gb_changing_log(const struct gb_changing *c);

#endif
