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

struct gb_cmdline {
	enum gb_switch claim;
	bool debug;
	char odd[32]; /* the word that was not understood */
};

/* Reads the text of /proc/cmdline. ghost.claim=off wins over everything, wherever it stands;
 * an odd value wins over on, for somebody at a boot menu meant to say something. */
void gb_cmdline_read(const char *text, struct gb_cmdline *ret);

/* A word for the kernel, "iommu=pt,off": of this name, and with `piece` in its comma list, NULL
 * for any. True with the whole word, cut to `size`. */
bool gb_cmdline_find(const char *text, const char *name, const char *piece, char *word,
		     size_t size);

#endif
