/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SVG_H
#define GB_SVG_H

#include <stddef.h>

#include "text.h"

/* Writes a drawing, self-contained: no scripts, no fonts, nothing fetched. Lengths are pixels;
 * texts may hold any bytes and are escaped. Check text->failed once, at the end.
 *
 * Colours are looked up by role in the style sheet, so that map and timeline look alike, by day
 * and by night (prefers-color-scheme). A class is one or more of these words, with spaces:
 *   boxes   page card soft good warn bad info none accent  and, for areas, a0 to a7
 *   lines   edge rule path good warn bad none accent, and dashed
 *   labels  title bold mono small dim good warn bad info accent, and strong (on an accent box) */
struct gb_svg {
	struct gb_text *text;
};

#define GB_SVG_AREAS 8

void gb_svg_begin(struct gb_svg *svg, double width, double height, const char *title);
void gb_svg_end(struct gb_svg *svg);

void gb_svg_box(struct gb_svg *svg, const char *class, double x, double y, double width,
		double height, double radius);
void gb_svg_line(struct gb_svg *svg, const char *class, double x1, double y1, double x2, double y2);
/* The way down from one point and then right to the other, with a round corner. */
void gb_svg_elbow(struct gb_svg *svg, const char *class, double x1, double y1, double x2,
		  double y2);
void gb_svg_dot(struct gb_svg *svg, const char *class, double x, double y, double radius);

/* `anchor` is "start", "middle" or "end"; y is the baseline. */
__attribute__((format(printf, 6, 7)))
void gb_svg_label(struct gb_svg *svg, const char *class, double x, double y, const char *anchor,
		  const char *format, ...);
/* Everything until the matching end has this tooltip. */
__attribute__((format(printf, 2, 3)))
void gb_svg_group(struct gb_svg *svg, const char *tooltip, ...);
void gb_svg_group_end(struct gb_svg *svg);

/* About how wide a label comes out: no font is asked. */
double gb_svg_width(const char *class, const char *text);
/* The text in *ret, cut with an ellipsis when it would be wider. */
const char *gb_svg_fit(const char *class, const char *text, double width, char *ret, size_t size);

#endif
