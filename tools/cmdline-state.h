/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDLINE_STATE_H
#define GB_CMDLINE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "loader.h"

struct gb_context;
struct gb_host;
struct gb_json;
struct gb_style;
struct gb_text;

/* What `ghost-boot cmdline` shows: the running command line, and where the next one comes from. */

struct gb_cmdline_place {
	char where[400]; /* a file, or with GRUB a variable too; for a person */
	char path[320];
	const char *kind; /* "grub-default", "kernel-cmdline", "entry", "grub-cfg" */
	char *line;	  /* its words; NULL: `why` there are none */
	char why[600];
	bool left;	  /* an entry that is none of ours: `why` */
};

#define GB_CMDLINE_PLACES_MAX (GB_CMDLINE_SOURCES_MAX + 4)

struct gb_cmdline_state {
	const struct gb_loader *loader;
	char *running; /* NULL: can't be read */
	struct gb_cmdline_place place[GB_CMDLINE_PLACES_MAX];
	size_t places;
	char *next;	   /* what the next boot gets, but for what the loader adds; NULL: cannot tell */
	struct gb_arguments come, go; /* of `next` and `running`: what the other lacks */
	struct gb_text stale; /* how what the loader reads differs from what it is made from */
	bool failed;
};

void gb_cmdline_look(struct gb_host *host, struct gb_cmdline_state *ret);
void gb_cmdline_state_clear(struct gb_cmdline_state *state);
void gb_cmdline_print(const struct gb_cmdline_state *state, bool verbose,
		      const struct gb_style *style, struct gb_text *text);
void gb_cmdline_json(const struct gb_cmdline_state *state, struct gb_text *text);

#endif
