/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SVG_H
#define GB_SVG_H

#include "text.h"

/* Writes a drawing, self-contained: no scripts, no fonts, nothing fetched. Lengths are pixels;
 * texts may hold any bytes and are escaped. Check text->failed once, at the end. */
struct gb_svg {
	struct gb_text *text;
};

/* Colours are looked up by role, so that map and timeline look alike, by day and by night
 * (prefers-color-scheme). */
void gb_svg_begin(struct gb_svg *svg, double width, double height, const char *title);
void gb_svg_end(struct gb_svg *svg);
/* `class` is one of the style sheet's, see svg.c; several are separated by spaces. */
void gb_svg_box(struct gb_svg *svg, const char *class, double x, double y, double width,
		double height, double radius);
void gb_svg_line(struct gb_svg *svg, const char *class, double x1, double y1, double x2, double y2);
/* `anchor` is "start", "middle" or "end". A tooltip, or NULL. */
__attribute__((format(printf, 6, 7)))
void gb_svg_label(struct gb_svg *svg, const char *class, double x, double y, const char *anchor,
		  const char *format, ...);
/* Everything until the matching end has this tooltip. */
__attribute__((format(printf, 2, 3)))
void gb_svg_group(struct gb_svg *svg, const char *tooltip, ...);
void gb_svg_group_end(struct gb_svg *svg);

#endif
