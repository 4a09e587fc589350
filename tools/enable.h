/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ENABLE_H
#define GB_ENABLE_H

#include <stdio.h>

struct gb_checks;
struct gb_json;
struct gb_trying;
struct gb_work;

/* What enable says before its plan. (enable-page.c) */
void gb_enable_target(const struct gb_work *work);
void gb_enable_checks(FILE *out, const struct gb_checks *checks);
/* Earlier recipes that the plan leaves in use, or takes out of it only when the trial is kept. */
void gb_enable_recipes(const struct gb_work *work, const struct gb_trying *trying);
/* Members of --json's document; `work` is a gb_work. */
void gb_enable_json(void *work, struct gb_json *json);

#endif
