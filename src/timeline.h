/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TIMELINE_H
#define GB_TIMELINE_H

#include "diag.h"

/* A boot as a picture: one lane a device, who held it when. Times are seconds since the kernel
 * started; what is not known is negative. */

#define GB_SPANS_MAX 6
#define GB_LANES_MAX 20
#define GB_MARKS_MAX 24

struct gb_span {
	char driver[GB_DRIVER_MAX];
	double from, to; /* to: the next driver's, or the end */
	bool certain;	 /* the kernel said that it is bound; else it was heard of then */
};

enum gb_lane_kind { GB_LANE_CLAIMED, GB_LANE_KEPT, GB_LANE_TWIN, GB_LANE_OTHER };

struct gb_lane {
	enum gb_lane_kind kind;
	struct gb_bdf bdf;
	char id[10];
	uint32_t class;
	char wants[GB_DRIVER_MAX]; /* of a claimed one */
	struct gb_span span[GB_SPANS_MAX];
	size_t spans;
	char driver[GB_DRIVER_MAX]; /* that it has now */
};

struct gb_instant {
	enum { GB_MARK_MODULE, GB_MARK_UDEV, GB_MARK_ROOT } kind;
	char name[GB_DRIVER_MAX]; /* of a module */
	double at;
};

struct gb_timeline {
	struct gb_lane lane[GB_LANES_MAX];
	size_t lanes;
	struct gb_instant mark[GB_MARKS_MAX];
	size_t marks;
	bool armed;		  /* this boot's claims were to be made */
	bool timed;		  /* anything has a time */
	double claim, claim_took; /* claim < 0: there was none */
	double begin, end;	  /* of the part that is worth drawing */
};

void gb_timeline_read(const struct gb_diag *diag, struct gb_timeline *ret);
/* As SVG. (timeline-svg.c) */
void gb_timeline_draw(const struct gb_diag *diag, const struct gb_timeline *timeline,
		      struct gb_text *ret);

#endif
