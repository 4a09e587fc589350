/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LEFTOVER_H
#define GB_LEFTOVER_H

#include <stdbool.h>

#include "journal.h"
#include "text.h"

struct gb_err;
struct gb_footprint;
struct gb_host;
struct gb_plan;
struct gb_store;

/* Where there is no /etc/kernel/cmdline, kernel-install gives each entry that it makes the running
 * kernel's command line (its plugin 90-loaderentry). One that we made must not go while that still
 * has our words: it stays without them, and goes once a kernel runs without them. Until then the
 * footprint has it as made, its hash in `text` and in `was` the words that are waited for; and for
 * the unit's condition and the package's removal there is this file: a line as sha256sum reads it,
 * and a line with the words. */
#define GB_LEFTOVER GB_STATE "/leftover"

/* The words that are waited for, or that would be now: all of ours, each once. */
void gb_leftover_words(const struct gb_footprint *footprint, struct gb_text *ret);
/* Does the running kernel's command line have any of them? */
bool gb_leftover_runs(const char *running, const char *words);
/* Is that all that the footprint still has? */
bool gb_leftover_alone(const struct gb_footprint *footprint);

/* Adds the step that writes GB_LEFTOVER, or removes it. As gb_plan_write. */
int gb_leftover_note(const struct gb_footprint *footprint, struct gb_store *store,
		     struct gb_plan *plan, struct gb_err *err);
/* What is to be done about it in this boot; no steps: nothing, or not yet. */
int gb_leftover_plan(struct gb_host *host, struct gb_plan *plan, struct gb_err *err);

#endif
