/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDPLAN_H
#define GB_CMDPLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"

struct gb_err;
struct gb_footprint;
struct gb_host;
struct gb_loader;
struct gb_plan;

/* The kernel command line of this machine, in every file that it comes from: steps that make all
 * of them carry what is wanted, and what the loader reads with them. */

struct gb_cmdplan_report {
	/* Of grub.cfg, when it is built anew: for gb_cmdplan_prove. */
	char *carry, *clean, *gone;
	/* /etc/kernel/cmdline's afterwards, without our words where the file goes; NULL: it has no part
	 * in it. */
	char *line;
	bool unified; /* unified images keep their old line until they are built anew */
	struct gb_text left; /* a line for each entry that is left alone: "PATH: why\n" */
};

/* In the text of an error: what to type follows, with the words that are wanted, as long as all of it is
 * not longer than an error may be that is wrapped. */
#define GB_CMDPLAN_HELPS "; what helps: "
#define GB_CMDPLAN_WHOLE 360 /* bytes */

/* Adds the steps, in the order in which they are safe, and notes in the footprint what was added,
 * replaced, made and seen (NULL: nothing; then these words are their owner's, and no disable takes
 * them away). What is so already makes no step. -EINVAL, with file, line and reason, for a machine
 * or a file where it can't be done; the plan may hold some steps then, and is to be thrown away.
 * *ret is always to be cleared. */
int gb_cmdplan(struct gb_host *host, const struct gb_want *want, size_t wants,
	       struct gb_footprint *footprint, struct gb_plan *plan, struct gb_cmdplan_report *ret,
	       struct gb_err *err);

/* Takes back what the footprint says of command lines, and only that, and forgets it there. Files
 * that nobody else has changed have their old bytes again; entries of kernels that came since
 * lose what they have from us. So do the files of another boot loader that booted this machine
 * before. */
int gb_cmdplan_undo(struct gb_host *host, struct gb_footprint *footprint, struct gb_plan *plan,
		    struct gb_cmdplan_report *ret, struct gb_err *err);

/* For a plan that brings back files as they were before a footprint: entries that came since, and that
 * it does not touch, lose what they have from us. */
int gb_cmdplan_undo_since(struct gb_host *host, struct gb_footprint *footprint,
			  struct gb_plan *plan, struct gb_cmdplan_report *ret, struct gb_err *err);

/* The line that an image gets that is made anew once that plan is carried out; `report` NULL: now.
 * Of the running kernel where no file says it. Appended to *ret, which the caller clears. */
int gb_cmdplan_line(struct gb_host *host, const struct gb_cmdplan_report *report,
		    struct gb_text *ret, struct gb_err *err);

void gb_cmdplan_report_clear(struct gb_cmdplan_report *report);

/* For a transaction's `prove`: judges the GRUB configuration that a step of the above has built, by
 * reading it: whole, every kernel there was, the words where they belong and only there. Any other
 * step is good. */
int gb_cmdplan_prove(struct gb_host *host, const struct gb_cmdplan_report *report,
		     const struct gb_plan *plan, size_t step, struct gb_err *err);

/* Adds the steps that make GRUB's configuration anew from its sources, as earlier steps leave them,
 * and put it in its place: for taking back a change after which others have made it. To be proved
 * with a zeroed report. */
int gb_cmdplan_anew(struct gb_host *host, struct gb_plan *plan, struct gb_err *err);

/* Is this entry one that has the machine's command line? Else why not, in a few words; "" when it
 * can't be read. `running` is /proc/cmdline. */
const char *gb_cmdplan_left_alone(const struct gb_host *host, const char *path, const char *data,
				  size_t len, const char *running);

/* Is this entry one that should have the footprint's words, and has none of them? Its kernel came when
 * they were taken back, and they are there again. */
bool gb_cmdplan_lacks(const struct gb_host *host, const struct gb_footprint *footprint,
		      const char *path);

/* The step that copies kernels, images and the command line to where the boot loader is, on a
 * machine where that is no folder of this system (Proxmox). How many: 1, elsewhere 0, or a negative
 * errno. */
int gb_cmdplan_publish(struct gb_host *host, struct gb_plan *plan, struct gb_err *err);

/* Where GRUB's configuration is, or NULL. */
const char *gb_cmdplan_grub_cfg(const struct gb_host *host);

#endif
