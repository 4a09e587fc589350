/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CONFIRM_H
#define GB_CONFIRM_H

#include <stdbool.h>
#include <stddef.h>

struct gb_checks;
struct gb_context;
struct gb_host;
struct gb_keeper;
struct gb_text;

/* What `ghost-boot confirm` and its service share. */

/* Looks after the trial of this boot until it is over: notes that it has come up, tells those who
 * log in, waits. -1 when it is to be kept, with by what in `how`; else the exit code. */
int gb_confirm_serve(struct gb_context *context, char *how, size_t size);

/* The checks that speak against it, in one line: "enp3s0: the link was up, and is not; …". */
void gb_confirm_reasons(const struct gb_checks *checks, struct gb_text *ret);

/* What there is to say of it, to whoever logs in next; and on the terminals of those who are. */
void gb_confirm_tell(struct gb_context *context, struct gb_host *host,
		     const struct gb_keeper *keeper, bool terminals);

#endif
