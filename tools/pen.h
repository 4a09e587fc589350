/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PEN_H
#define GB_PEN_H

#include "map.h"
#include "svg.h"

/* What the files that draw a map share. Lengths are pixels. */

#define MARGIN 28
#define STEP 30	      /* a level of the tree */
#define HEAD 104      /* above the rows */
#define FOOT 112      /* below: the legend */
#define GROUP_WIDTH 104 /* the column on the right that names groups */

struct gb_pen {
	const struct gb_map *map;
	const struct gb_list *list;
	struct gb_svg svg;
};

/* Above and below the rows. */
void gb_pen_heading(struct gb_pen *pen);
void gb_pen_legend(struct gb_pen *pen);
/* A word in a small box of its class; returns where the next thing may begin. */
double gb_pen_chip(struct gb_pen *pen, const char *class, double x, double middle,
		   const char *text);

#endif
