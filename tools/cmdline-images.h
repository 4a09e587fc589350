/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDLINE_IMAGES_H
#define GB_CMDLINE_IMAGES_H

#include "images.h"
#include "text.h"

struct gb_cmdplan_report;
struct gb_err;
struct gb_host;
struct gb_plan;

/* Unified kernel images have the command line in them: those of a machine that boots such, made anew
 * with the words that a plan leaves, and whatever else is configured. */
struct gb_cmdline_images {
	struct gb_images images;
	struct gb_image_wish wish;
	char *claims;
	struct gb_text line;
};

/* Adds the steps. 0, also where this machine boots none or another program makes them (then `plans`
 * says false), or a negative errno. *ret is always to be cleared. */
int gb_cmdline_images_plan(struct gb_host *host, const struct gb_cmdplan_report *report,
			   struct gb_plan *plan, struct gb_cmdline_images *ret, struct gb_err *err);
bool gb_cmdline_images_plans(const struct gb_cmdline_images *images);
void gb_cmdline_images_clear(struct gb_cmdline_images *images);

#endif
