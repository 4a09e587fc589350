/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MAP_H
#define GB_MAP_H

#include "list.h"

/* The tree laid out in rows, top to bottom, before anything is drawn. */

struct gb_map_row {
	int node;	/* the first of them; GB_NOWHERE for the CPU or a root bus */
	int count;	/* functions beside each other that are shown as one */
	int parent;	/* row above, GB_NOWHERE for the topmost */
	int group;	/* index into the map's groups, or GB_NOWHERE: of none, or of several */
	unsigned depth;
	bool cpu;
	const struct gb_device *bus_of; /* one on this root bus, or NULL */
	bool lost;	/* what is above is not listed */
	bool hot;	/* on the way from the CPU to a display */
	double y, height;
};

struct gb_map_group {
	int number;
	int members;  /* functions */
	int displays; /* of them */
	int area;     /* of the style sheet, or GB_NOWHERE: a single function, not drawn */
};

struct gb_map {
	const struct gb_list *list;
	struct gb_map_row *row;
	size_t rows;
	struct gb_map_group *group;
	size_t groups;
	int *group_of; /* for each node, or GB_NOWHERE */
	double width, height; /* of the rows */
};

/* 0 or -ENOMEM; to be cleared in any case. */
int gb_map_make(const struct gb_list *list, struct gb_map *ret);
void gb_map_clear(struct gb_map *map);

/* Goes with a display: another function of its group that a guest would get or the host lose. */
bool gb_map_comes_along(const struct gb_map *map, int node);

void gb_map_draw(const struct gb_map *map, struct gb_text *ret);

#endif
