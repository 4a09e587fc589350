/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SELECTOR_H
#define GB_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

struct gb_names;
struct gb_root;
struct gb_style;
struct gb_survey;
struct gb_text;

/* What a person may call a device: its address 0000:01:00.0 or 01:00.0, its slot 01:00, its path
 * 0000:00/01.0/00.0, its IDs 10de:2203, or a part of its name. A slot means the display in it, or
 * else its first function; a name means a display, unless none has it. */
struct gb_selection {
	int *node; /* in the order of the topology */
	size_t nodes;
	bool failed; /* out of memory */
};

void gb_select(const struct gb_survey *survey, struct gb_names *names, const char *word,
	       struct gb_selection *ret);
void gb_selection_clear(struct gb_selection *selection);

/* What is plugged into it: "DP-1, HDMI-A-1"; "nothing"; or "" when that can't be told, since no
 * graphics driver has it. From /sys/class/drm's folders below the device; wakes nothing. */
void gb_select_outlets(struct gb_root *root, struct gb_bdf bdf, char *ret, size_t size);

/* Why `word` is not one device, and the lines to type instead: `command` and an address. */
void gb_select_complain(const struct gb_survey *survey, struct gb_names *names,
			const struct gb_selection *selection, const char *word,
			const char *command, const struct gb_style *style, struct gb_text *ret);

#endif
