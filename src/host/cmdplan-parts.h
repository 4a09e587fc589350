/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDPLAN_PARTS_H
#define GB_CMDPLAN_PARTS_H

#include "cmdplan.h"
#include "loader.h"
#include "wordtrace.h"

/* What the cmdplan files share. */
struct gb_cmdwork {
	struct gb_host *host;
	struct gb_plan *plan;
	struct gb_footprint *footprint; /* may be NULL when doing */
	const struct gb_want *want;	/* when doing */
	size_t wants;
	bool *known;	/* of each want: ours already, somewhere */
	bool back;	/* taking back */
	char *running;	/* /proc/cmdline, or "" */
	char *keep;	/* /etc/kernel/cmdline afterwards, when taking back; or NULL */
	char reason[512];
	bool changed;	/* a source has other bytes now */
	bool waits;	/* /etc/kernel/cmdline, when taking back: leftover.h */
	struct gb_cmdplan_report *report;
	struct gb_err *err;
};

/* What is wanted of one source; caller frees ret->want. `since`: it may have come from others of
 * ours since. */
int gb_cmdwork_wants(struct gb_cmdwork *w, const char *path, bool since,
		     struct gb_wordtrace_wants *ret);
/* In the footprint, when doing. */
int gb_cmdwork_note(struct gb_cmdwork *w, const char *path, const char *line);
/* The step that gives it these bytes. */
int gb_cmdwork_write(struct gb_cmdwork *w, const char *path, const char *data, size_t len,
		     const char *reason);
/* A folder that is about to be made for a file: gb_footprint_remove_folder. */
void gb_cmdwork_note_folder(struct gb_cmdwork *w, const char *path);
/* The line that is used until /etc/kernel/cmdline is there. `running` is /proc/cmdline. */
struct gb_text;
int gb_cmdwork_line_of_now(struct gb_host *host, const char *running, struct gb_text *ret,
			   struct gb_err *err);
const char *gb_cmdwork_reason(const struct gb_cmdwork *w);

/* 0, or -EINVAL with why this machine's command line can't be changed, and what to type instead.
 * (cmdplan-hint.c) */
int gb_cmdwork_usable(struct gb_cmdwork *w);
static inline bool gb_want_adds(const struct gb_want *want)
{
	return want->mode != GB_WANT_GONE && want->mode != GB_WANT_NO_NAME;
}

/* An entry's path in the footprint: without its boot counter, which changes. */
void gb_cmdwork_entry_key(const char *path, char *ret, size_t size);

int gb_cmdwork_kernel(struct gb_cmdwork *w);		       /* /etc/kernel/cmdline */
int gb_cmdwork_entry(struct gb_cmdwork *w, const char *path);
int gb_cmdwork_grub(struct gb_cmdwork *w, bool drop_in);

/* When taking back: what another boot loader read, that booted this machine before.
 * (cmdplan-former.c) */
int gb_cmdwork_former(struct gb_cmdwork *w);
/* The entries that the plan does not touch. (cmdplan-former.c) */
int gb_cmdwork_since(struct gb_cmdwork *w);

/* Does the present boot loader read a command line of that kind? */
bool gb_cmdwork_is_source(const struct gb_cmdwork *w, enum gb_cmdline_kind kind);

#endif
