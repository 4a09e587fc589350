/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CMDLINE_H
#define GB_CMDLINE_H

#include <stdbool.h>

/* What the kernel command line says to us. */
enum gb_switch {
	GB_SWITCH_SILENT, /* no ghost.claim word */
	GB_SWITCH_ON,
	GB_SWITCH_OFF,
	GB_SWITCH_ODD, /* a word that is neither: treated as off, and said */
};

struct gb_cmdline {
	enum gb_switch claim;
	bool debug;
	char odd[32]; /* the word that was not understood */
};

/* Reads the text of /proc/cmdline. ghost.claim=off wins over everything, wherever it stands;
 * an odd value wins over on, for somebody at a boot menu meant to say something. */
void gb_cmdline_read(const char *text, struct gb_cmdline *ret);

#endif
