/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDLINE_H
#define GB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* What the kernel command line says to us. */
enum gb_switch {
	GB_SWITCH_SILENT, /* no ghost.claim word */
	GB_SWITCH_ON,
	GB_SWITCH_OFF,
	GB_SWITCH_ODD, /* a word that is neither: treated as off, and said */
};

#define GB_TRIAL_ID 9 /* 8 digits, 0-9 and a-f, and a NUL */

#define GB_TRIAL_WORD "ghost.trial"
#define GB_BAD_TRIAL GB_TRIAL_WORD "=%s is no trial's ID: ignored"

struct gb_cmdline {
	enum gb_switch claim;
	bool debug;
	char odd[32]; /* the word that was not understood */
	char trial[GB_TRIAL_ID]; /* the trial that this boot is, or "" */
	bool counted;		 /* its boots are counted: src/counter */
	bool bad_trial;		 /* there was something else, too: ignored, and to be said */
	char odd_trial[32];	 /* printable ASCII */
};

/* Reads the text of /proc/cmdline. ghost.claim=off wins over everything, wherever it stands;
 * an odd value wins over on, for somebody at a boot menu meant to say something. Of more trials
 * the last holds; ghost.trial=IDc is a counted one. */
void gb_cmdline_read(const char *text, struct gb_cmdline *ret);

/* A word for the kernel, "iommu=pt,off": of this name, and with `piece` in its comma list, NULL
 * for any. True with the whole word, cut to `size`. */
bool gb_cmdline_find(const char *text, const char *name, const char *piece, char *word,
		     size_t size);

#endif
