/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_STATUS_H
#define GB_STATUS_H

#include "command.h"
#include "condition.h"

/* What `ghost-boot status` shows, for a person, for a program, and for a monitor. */
struct gb_status {
	const struct gb_context *context;
	const struct gb_condition *condition;
	struct gb_style style;
	bool all; /* every function that a claims file names */
};

void gb_status_page(const struct gb_status *status, struct gb_text *ret);
void gb_status_json(const struct gb_status *status, struct gb_text *ret);
/* One line; GB_EXIT_DONE or GB_EXIT_NOT_READY. */
int gb_status_check(const struct gb_status *status, struct gb_text *ret);

#endif
