/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timeline.h"

#include <stdio.h>
#include <string.h>

#include "story.h"

static struct gb_lane *find_lane(struct gb_timeline *timeline, struct gb_bdf bdf)
{
	for (size_t i = 0; i < timeline->lanes; i++)
		if (gb_bdf_equal(timeline->lane[i].bdf, bdf))
			return &timeline->lane[i];
	return NULL;
}

static struct gb_lane *add_lane(struct gb_timeline *timeline, enum gb_lane_kind kind,
				struct gb_bdf bdf)
{
	struct gb_lane *lane = find_lane(timeline, bdf);

	if (lane || timeline->lanes == GB_LANES_MAX)
		return NULL;
	lane = &timeline->lane[timeline->lanes++];
	lane->kind = kind;
	lane->bdf = bdf;
	return lane;
}

/* ---- who held it ------------------------------------------------------------------- */

static void add_span(struct gb_lane *lane, const char *driver, double from, bool certain)
{
	struct gb_span *last = lane->spans ? &lane->span[lane->spans - 1] : NULL;

	if (last && gb_text_same_module(last->driver, driver))
		return;
	if (lane->spans == GB_SPANS_MAX)
		return;
	if (last)
		last->to = from;
	last = &lane->span[lane->spans++];
	gb_text_copy(last->driver, sizeof(last->driver), driver);
	last->from = from;
	last->to = -1;
	last->certain = certain;
}

/* Where the kernel names binds (dyndbg), what drivers say beside is of no use. */
static bool names_binds(const struct gb_log *log, struct gb_bdf bdf)
{
	struct gb_event event;
	size_t at = 0;

	while (gb_story_next(log, bdf, &at, &event))
		if (event.kind == GB_EVENT_BOUND)
			return true;
	return false;
}

static const struct gb_diag_device *find_claimed(const struct gb_diag *diag, struct gb_bdf bdf)
{
	for (size_t i = 0; i < diag->devices; i++)
		if (diag->device[i].placed && gb_bdf_equal(diag->device[i].bdf, bdf))
			return &diag->device[i];
	return NULL;
}

/* The record's word, put in where the log has gone by it. */
static void add_recorded(struct gb_lane *lane, const struct gb_diag *diag, double *done)
{
	const struct gb_diag_device *device = find_claimed(diag, lane->bdf);
	const struct gb_account_device *account = device ? device->account : NULL;

	if (!account || *done >= 0)
		return;
	*done = account->at;
	if (account->before[0] && !lane->spans)
		add_span(lane, account->before, 0, false);
	if (!strcmp(account->result, "bound"))
		add_span(lane, account->driver,
			 account->at + (account->late ? 0 : diag->account.took_ms / 1e3), true);
}

static void read_spans(struct gb_lane *lane, const struct gb_diag *diag)
{
	const struct gb_diag_device *device = find_claimed(diag, lane->bdf);
	double recorded = device && device->account ? device->account->at : -1, done = -1;
	bool binds = names_binds(&diag->log, lane->bdf);
	struct gb_event event;
	size_t at = 0;

	while (gb_story_next(&diag->log, lane->bdf, &at, &event)) {
		double when = (double)event.us / 1e6;

		if (event.us == GB_LOG_NO_TIME ||
		    event.kind != (binds ? GB_EVENT_BOUND : GB_EVENT_DRIVER))
			continue;
		if (!binds && recorded >= 0 && when > recorded)
			add_recorded(lane, diag, &done);
		add_span(lane, event.driver, when, binds);
	}
	if (!binds)
		add_recorded(lane, diag, &done);
}

/* A driver that nobody was heard to bring, and that has it now: since when is not known. */
static void end_spans(struct gb_lane *lane, double end)
{
	struct gb_span *last = lane->spans ? &lane->span[lane->spans - 1] : NULL;

	if (last && (!lane->driver[0] || gb_text_same_module(lane->driver, last->driver)))
		last->to = end;
	else if (last)
		add_span(lane, lane->driver, last->from + (end - last->from) / 2, false);
	else if (lane->driver[0])
		add_span(lane, lane->driver, -1, false);
	if (lane->spans)
		lane->span[lane->spans - 1].to = end;
}

/* ---- which devices ----------------------------------------------------------------- */

static void add_claimed(const struct gb_diag *diag, struct gb_timeline *ret)
{
	for (size_t i = 0; i < diag->devices; i++) {
		const struct gb_diag_device *device = &diag->device[i];
		struct gb_lane *lane =
			device->placed ? add_lane(ret, GB_LANE_CLAIMED, device->bdf) : NULL;

		if (!lane)
			continue;
		gb_text_copy(lane->id, sizeof(lane->id), device->id);
		gb_text_copy(lane->wants, sizeof(lane->wants), device->wants);
		gb_text_copy(lane->driver, sizeof(lane->driver), device->driver);
		lane->class = device->class;
	}
}

static bool is_twin(const struct gb_timeline *timeline, const char *id)
{
	for (size_t i = 0; i < timeline->lanes; i++)
		if (timeline->lane[i].kind == GB_LANE_CLAIMED &&
		    !strcmp(timeline->lane[i].id, id))
			return true;
	return false;
}

/* What a claim must not have touched: displays, what is kept, and cards of the same model. */
static void add_others(const struct gb_diag *diag, struct gb_timeline *ret)
{
	const struct gb_survey *survey = &diag->survey;

	for (int i = 0; diag->surveyed && i < (int)survey->topology.nodes; i++) {
		const struct gb_device *device = survey->topology.node[i].device;
		const struct gb_line *line = gb_survey_line(survey, i);
		enum gb_lane_kind kind;
		struct gb_lane *lane;
		char id[10];

		snprintf(id, sizeof(id), "%04x:%04x", device->id.vendor, device->id.device);
		if (line && line->keep)
			kind = GB_LANE_KEPT;
		else if (is_twin(ret, id))
			kind = GB_LANE_TWIN;
		else if (gb_device_is_display(device))
			kind = GB_LANE_OTHER;
		else
			continue;
		lane = add_lane(ret, kind, device->bdf);
		if (!lane)
			continue;
		gb_text_copy(lane->id, sizeof(lane->id), id);
		gb_text_copy(lane->driver, sizeof(lane->driver), gb_survey_driver(survey, i));
		lane->class = device->id.class;
	}
}

/* ---- moments ----------------------------------------------------------------------- */

/* Display drivers call themselves after their module and "drm": bochs-drm is in bochs. */
static bool is_in_module(const char *driver, const char *module)
{
	char with[GB_DRIVER_MAX + 4];

	snprintf(with, sizeof(with), "%s-drm", module);
	return gb_text_same_module(driver, module) || gb_text_same_module(driver, with);
}

static bool is_of_interest(const struct gb_timeline *timeline, const char *module)
{
	for (size_t i = 0; i < timeline->lanes; i++) {
		const struct gb_lane *lane = &timeline->lane[i];

		if (is_in_module(lane->wants, module) || is_in_module(lane->driver, module))
			return true;
		for (size_t k = 0; k < lane->spans; k++)
			if (is_in_module(lane->span[k].driver, module))
				return true;
	}
	return false;
}

static bool has_mark(const struct gb_timeline *timeline, int kind, const char *name)
{
	for (size_t i = 0; i < timeline->marks; i++)
		if ((int)timeline->mark[i].kind == kind && !strcmp(timeline->mark[i].name, name))
			return true;
	return false;
}

static void read_marks(const struct gb_log *log, struct gb_timeline *ret)
{
	for (size_t i = 0; i < log->lines && ret->marks < GB_MARKS_MAX; i++) {
		struct gb_instant *mark = &ret->mark[ret->marks];
		char module[GB_DRIVER_MAX];
		enum gb_moment moment;

		if (log->line[i].us == GB_LOG_NO_TIME ||
		    !gb_moment_read(&log->line[i], &moment, module) ||
		    (moment == GB_MOMENT_MODULE && !is_of_interest(ret, module)) ||
		    has_mark(ret, (int)moment, module))
			continue;
		mark->kind = moment == GB_MOMENT_MODULE ? GB_MARK_MODULE
			     : moment == GB_MOMENT_UDEV ? GB_MARK_UDEV
							: GB_MARK_ROOT;
		gb_text_copy(mark->name, sizeof(mark->name), module);
		mark->at = (double)log->line[i].us / 1e6;
		ret->marks++;
	}
}

static void stretch(struct gb_timeline *timeline, double at)
{
	if (at < 0)
		return;
	if (timeline->begin < 0 || at < timeline->begin)
		timeline->begin = at;
	if (at > timeline->end)
		timeline->end = at;
}

/* From a little before the first thing that happened to a little behind the last. */
static void frame(struct gb_timeline *timeline)
{
	double width;

	timeline->begin = -1;
	timeline->end = 0;
	for (size_t i = 0; i < timeline->lanes; i++)
		for (size_t k = 0; k < timeline->lane[i].spans; k++)
			stretch(timeline, timeline->lane[i].span[k].from);
	for (size_t i = 0; i < timeline->marks; i++)
		stretch(timeline, timeline->mark[i].at);
	stretch(timeline, timeline->claim);
	stretch(timeline, timeline->claim + timeline->claim_took);
	timeline->timed = timeline->begin >= 0;
	width = timeline->begin < 0 ? 0 : timeline->end - timeline->begin;
	if (width < 0.1)
		width = 0.1;
	timeline->begin -= width / 10;
	if (timeline->begin < width / 3)
		timeline->begin = 0;
	timeline->end += width / 4;
}

void gb_timeline_read(const struct gb_diag *diag, struct gb_timeline *ret)
{
	const struct gb_account *account = &diag->account;

	memset(ret, 0, sizeof(*ret));
	ret->armed = diag->arming == GB_ARMED;
	ret->claim = account->file && account->armed ? account->at : -1;
	ret->claim_took = account->took_ms > 0 ? account->took_ms / 1e3 : 0;
	add_claimed(diag, ret);
	add_others(diag, ret);
	for (size_t i = 0; i < ret->lanes; i++)
		read_spans(&ret->lane[i], diag);
	read_marks(&diag->log, ret);
	frame(ret);
	for (size_t i = 0; i < ret->lanes; i++)
		end_spans(&ret->lane[i], ret->end);
}
