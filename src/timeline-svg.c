/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timeline.h"

#include <stdio.h>
#include <string.h>

#include "svg.h"

/* pixels */
#define WIDTH 1060.0
#define LEFT 268.0 /* where the lanes begin */
#define RIGHT 28.0
#define TOP 166.0 /* of the first lane */
#define LANE 40.0
#define BAR 24.0
#define GAP 26.0 /* between the claimed and the others */
#define FOOT 74.0

struct canvas {
	struct gb_svg svg;
	const struct gb_timeline *timeline;
	double height;
	double below; /* the last lane's end */
};

static double x_of(const struct canvas *c, double at)
{
	const struct gb_timeline *t = c->timeline;
	double part = (at - t->begin) / (t->end - t->begin);

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static bool is_claimed(const struct gb_lane *lane)
{
	return lane->kind == GB_LANE_CLAIMED;
}

/* ---- axis -------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, for about eight ticks. */
static double find_step(double width)
{
	static const double steps[] = { 1, 2, 5 };
	double power = 0.001;

	for (;; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (width / (steps[i] * power) <= 9)
				return steps[i] * power;
}

static void draw_axis(struct canvas *c)
{
	const struct gb_timeline *t = c->timeline;
	double step = find_step(t->end - t->begin), y = c->below + 14;
	long first = (long)(t->begin / step);

	for (long i = first; t->timed && i <= (long)(t->end / step); i++) {
		double at = (double)i * step, x = x_of(c, at);

		if (at < t->begin)
			continue;
		gb_svg_line(&c->svg, "rule", x, TOP - 12, x, c->below + 2);
		gb_svg_label(&c->svg, "small dim", x, y, "middle", "%.*f s",
			     step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3, at);
	}
}

/* ---- lanes ------------------------------------------------------------------------- */

static const char *role_of(const struct canvas *c, const struct gb_lane *lane)
{
	static const char *const roles[] = { "to be claimed", "kept for the host", "same model",
					     "" };

	return is_claimed(lane) && !c->timeline->armed ? "not claimed now" : roles[lane->kind];
}

static const char *class_of(const struct canvas *c, const struct gb_lane *lane,
			    const struct gb_span *span)
{
	if (!is_claimed(lane) || !c->timeline->armed)
		return "info";
	return gb_text_same_module(span->driver, lane->wants) ? "good" : "bad";
}

static void draw_span(struct canvas *c, const struct gb_lane *lane, const struct gb_span *span,
		      double y)
{
	double x = span->from < 0 ? LEFT : x_of(c, span->from), end = x_of(c, span->to), room;
	char text[GB_DRIVER_MAX + 40], fitted[GB_DRIVER_MAX + 48];
	const char *class = class_of(c, lane, span);

	if (end - x < 3)
		end = x + 3;
	room = end - x - 16;
	gb_svg_group(&c->svg, span->from < 0 ? "%s, since when is not known" : "%s from %.3f s%s",
		     span->driver, span->from, span->certain ? "" : ", when it was first heard of");
	gb_svg_box(&c->svg, span->from < 0 ? "none" : class, x, y, end - x, BAR, 5);
	snprintf(text, sizeof(text), span->from < 0 ? "%s" : "%s  %.2f s", span->driver,
		 span->from);
	if (gb_svg_width("bold", text) > room)
		snprintf(text, sizeof(text), "%s", span->driver);
	if (room > 24)
		gb_svg_label(&c->svg, span->from < 0 ? "dim" : !strcmp(class, "good") ? "bold good"
						       : !strcmp(class, "bad")	? "bold bad"
										: "info",
			     x + 8, y + 16.5, "start", "%s",
			     gb_svg_fit("bold", text, room, fitted, sizeof(fitted)));
	gb_svg_group_end(&c->svg);
}

static void draw_lane(struct canvas *c, const struct gb_lane *lane, double y)
{
	double middle = y + BAR / 2;
	char address[GB_BDF_MAX];

	if (is_claimed(lane))
		gb_svg_box(&c->svg, "accent", 24, y - 2, 3, BAR + 4, 1.5);
	gb_svg_label(&c->svg, is_claimed(lane) ? "mono bold" : "mono", 36, y + 9, "start", "%s",
		     gb_bdf_format(lane->bdf, address));
	gb_svg_label(&c->svg, "small dim", 36, y + 24, "start", "%s %s%s%s",
		     gb_class_name(lane->class), lane->id, role_of(c, lane)[0] ? ", " : "",
		     role_of(c, lane));
	gb_svg_line(&c->svg, "edge dashed", LEFT, middle, WIDTH - RIGHT, middle);
	for (size_t i = 0; i < lane->spans; i++)
		draw_span(c, lane, &lane->span[i], y);
	if (!lane->spans)
		gb_svg_label(&c->svg, "small dim", LEFT + 10, middle - 5, "start",
			     "no driver was heard of");
}

/* Those to be claimed first, a gap, then what must stay as it was. */
static double lane_top(const struct gb_timeline *t, size_t i)
{
	bool gap = i && !is_claimed(&t->lane[i]) && is_claimed(&t->lane[0]);

	return TOP + (double)i * LANE + (gap ? GAP : 0);
}

static void draw_lanes(struct canvas *c)
{
	const struct gb_timeline *t = c->timeline;

	if (!t->lanes)
		gb_svg_label(&c->svg, "dim", 24, TOP - 40, "start",
			     "nothing is claimed or kept, and no display was found");
	for (size_t i = 0; i < t->lanes; i++)
		draw_lane(c, &t->lane[i], lane_top(t, i));
}

/* ---- moments ----------------------------------------------------------------------- */

#define ROWS 3 /* of labels above the lanes */

static const char *mark_text(const struct gb_instant *mark)
{
	return mark->kind == GB_MARK_MODULE ? mark->name
	       : mark->kind == GB_MARK_UDEV ? "udev starts"
					    : "real root";
}

static double mark_width(const struct gb_instant *mark)
{
	return gb_svg_width("small bold", mark_text(mark)) + 12;
}

/* No room to the right of it: there the picture ends, or the claim's line would cross the label. */
static bool leans_left(const struct canvas *c, const struct gb_instant *mark)
{
	double x = x_of(c, mark->at), right = x + mark_width(mark);
	double claim = x_of(c, c->timeline->claim);

	return right > WIDTH - RIGHT || (x < claim && claim < right);
}

static void draw_mark(struct canvas *c, const struct gb_instant *mark, size_t row, bool label,
		      bool left)
{
	bool module = mark->kind == GB_MARK_MODULE;
	double x = x_of(c, mark->at), top = TOP - 12 - (label ? 16 + 15 * (double)row : 0);

	gb_svg_group(&c->svg, module ? "module %s, %.3f s" : "%s, %.3f s", mark_text(mark),
		     mark->at);
	gb_svg_line(&c->svg, module ? "edge dashed" : "edge", x, top, x, c->below + 2);
	if (label)
		gb_svg_label(&c->svg, module ? "small dim" : "small bold", left ? x - 4 : x + 4,
			     top + 8, left ? "end" : "start", "%s", mark_text(mark));
	gb_svg_group_end(&c->svg);
}

/* How many marks from this one on are so close that their labels would touch. */
static size_t count_close(const struct canvas *c, size_t first)
{
	const struct gb_instant *mark = &c->timeline->mark[first];
	size_t left = c->timeline->marks - first, n = 1;
	double end = x_of(c, mark->at) + mark_width(mark);

	for (; n < left && x_of(c, mark[n].at) < end; n++) {
		double more = x_of(c, mark[n].at) + mark_width(&mark[n]);

		end = more > end ? more : end;
	}
	return n;
}

/* Labels that would touch are put one below the other, so that no line of one crosses the label of
 * another: what is to the right of its line has the later ones below it. */
static void draw_marks(struct canvas *c)
{
	const struct gb_timeline *t = c->timeline;

	for (size_t i = 0, n; i < t->marks; i += n) {
		size_t rows;
		bool left = false;

		n = count_close(c, i);
		rows = n < ROWS ? n : ROWS;
		for (size_t k = 0; k < rows; k++)
			left |= leans_left(c, &t->mark[i + k]);
		for (size_t k = 0; k < n; k++)
			draw_mark(c, &t->mark[i + k], left ? k : rows - 1 - k, k < rows, left);
	}
}

static void draw_claim(struct canvas *c)
{
	const struct gb_timeline *t = c->timeline;
	double x = x_of(c, t->claim), end = x_of(c, t->claim + t->claim_took), width;
	char text[64];

	if (t->claim < 0)
		return;
	snprintf(text, sizeof(text), "ghost-claim %.2f s", t->claim);
	width = gb_svg_width("small bold", text) + 18;
	gb_svg_group(&c->svg, "the claim: %.3f s, it took %.0f ms", t->claim, t->claim_took * 1e3);
	if (end - x > 4)
		gb_svg_box(&c->svg, "accent", x, TOP - 12, end - x, 4, 2);
	gb_svg_line(&c->svg, "accent", x, TOP - 74, x, c->below + 2);
	if (x + width > WIDTH - RIGHT)
		x -= width;
	gb_svg_box(&c->svg, "accent", x, TOP - 92, width, 20, 10);
	gb_svg_label(&c->svg, "small bold strong", x + width / 2, TOP - 78, "middle", "%s", text);
	gb_svg_group_end(&c->svg);
}

/* ---- around it --------------------------------------------------------------------- */

static void draw_head(struct canvas *c, const struct gb_diag *diag)
{
	const struct gb_account *account = &diag->account;
	size_t ours = gb_diag_count(diag, GB_STANDS_OURS);

	gb_svg_label(&c->svg, "title", 24, 36, "start", "Who had which device, and when");
	if (account->file && account->armed)
		gb_svg_label(&c->svg, "dim", 24, 58, "start",
			     "%s; %zu of %zu functions are on the driver they were claimed for",
			     account->arming, ours, diag->devices);
	else
		gb_svg_label(&c->svg, "dim", 24, 58, "start", "%s",
			     diag->arming == GB_UNARMED	       ? "nothing claimed: not armed"
			     : diag->arming == GB_SWITCHED_OFF ? "nothing claimed: switched off"
							       : "the claim left no record");
}

static double draw_key(struct canvas *c, double x, double y, const char *class, const char *text)
{
	gb_svg_box(&c->svg, class, x, y - 9, 22, 11, 3);
	gb_svg_label(&c->svg, "small dim", x + 28, y, "start", "%s", text);
	return x + 28 + gb_svg_width("small", text) + 22;
}

static void draw_foot(struct canvas *c, const struct gb_diag *diag)
{
	double x = 24, y = c->height - 18;

	x = draw_key(c, x, y, "good", "on the driver it was claimed for");
	x = draw_key(c, x, y, "bad", "taken by another");
	x = draw_key(c, x, y, "info", "the host's");
	draw_key(c, x, y, "none", "since when is not known");
	gb_svg_label(&c->svg, "small dim", WIDTH - RIGHT, y, "end", "%s",
		     diag->log_error ? "by the claim's record; the kernel log can't be read"
				     : "by the kernel log and the claim's record");
}

void gb_timeline_draw(const struct gb_diag *diag, const struct gb_timeline *timeline,
		      struct gb_text *ret)
{
	struct canvas c = { .svg = { ret }, .timeline = timeline };

	c.below = timeline->lanes ? lane_top(timeline, timeline->lanes - 1) + BAR + 8 : TOP;
	c.height = c.below + FOOT;
	gb_svg_begin(&c.svg, WIDTH, c.height, "ghost-boot: who had which device, and when");
	draw_head(&c, diag);
	draw_axis(&c);
	draw_marks(&c);
	draw_lanes(&c);
	draw_claim(&c);
	draw_foot(&c, diag);
	gb_svg_end(&c.svg);
}
