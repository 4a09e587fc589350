/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis on one screen: a rescue shell may have 25 lines and nothing to scroll with. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "paragraph.h"
#include "root.h"
#include "story.h"
#include "style.h"

#define INDENT 9
#define DETAILED_MAX 4 /* devices that get more than a line */
#define SHOWN_MAX 12
#define CHECKS_SHOWN 6
#define EVENTS_SHOWN 3

struct page {
	const struct gb_style *style;
	struct gb_text *text;
	const struct gb_diag *diag;
};

static const char *code(const struct page *page, enum gb_colour colour)
{
	return gb_style_code(page->style, colour);
}

static void add_words(const struct page *page, size_t at, size_t indent, const char *text)
{
	struct gb_style style = *page->style;

	style.columns = style.columns ? style.columns : 80;
	gb_paragraph_add(page->text, &style, at, indent, text);
	gb_text_add(page->text, "\n", 1);
}

__attribute__((format(printf, 4, 5)))
static void say(const struct page *page, const char *label, enum gb_colour colour,
		const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gb_text_addf(page->text, "%s%-*s%s", code(page, colour), INDENT, label,
		     code(page, GB_PLAIN));
	add_words(page, INDENT, INDENT, text);
}

/* ---- the boot as a whole ----------------------------------------------------------- */

static void add_plan(const struct page *page)
{
	const struct gb_diag *diag = page->diag;
	const char *file = diag->account.claims_file[0]	? diag->account.claims_file
			   : diag->survey.claims_file	? diag->survey.claims_file
							: GB_CLAIMS_FILE;
	const char *arming = diag->account.arming[0]		? diag->account.arming
			     : diag->arming == GB_ARMED		? "armed"
			     : diag->arming == GB_SWITCHED_OFF	? "switched off"
			     : diag->arming == GB_UNARMED	? "not armed"
								: "armed or not, nobody can tell";

	if (diag->devices)
		say(page, "planned", GB_BOLD, "%zu function%s in %s, %s", diag->devices,
		    diag->devices == 1 ? "" : "s", file, arming);
	else if (gb_root_exists(diag->root, file))
		say(page, "planned", GB_BOLD, "what %s says, %s", file, arming);
	else
		say(page, "planned", GB_BOLD, "nothing, there is no %s; %s", file, arming);
}

static void add_trial(const struct page *page)
{
	const struct gb_cmdline *said = &page->diag->cmdline;

	if (page->diag->account.counter_text[0])
		say(page, "trial", GB_BOLD, "%s", page->diag->account.counter_text);
	else if (said->trial[0])
		say(page, "trial", GB_BOLD, "this boot is the trial %s", said->trial);
	if (said->bad_trial)
		say(page, "trial", GB_YELLOW, GB_BAD_TRIAL, said->odd_trial);
}

static void add_now(const struct page *page)
{
	size_t unknown = gb_diag_count(page->diag, GB_STANDS_UNKNOWN);
	size_t ours = gb_diag_count(page->diag, GB_STANDS_OURS);

	if (unknown == page->diag->devices)
		say(page, "now", GB_CYAN, "which driver has them can't be told");
	else if (unknown)
		say(page, "now", GB_BOLD, "%zu of %zu on the planned driver, %zu can't be told",
		    ours, page->diag->devices, unknown);
	else
		say(page, "now", GB_BOLD, "%zu of %zu on the planned driver", ours,
		    page->diag->devices);
}

static void add_done(const struct page *page)
{
	const struct gb_account *account = &page->diag->account;
	static const struct {
		const char *outcome, *words;
		enum gb_colour colour;
	} outcomes[] = {
		{ "claimed", "all claimed", GB_GREEN },
		{ "partly", "some claimed, some not", GB_YELLOW },
		{ "nothing", "nothing claimed", GB_YELLOW },
		{ "not-armed", "nothing claimed, not armed", GB_BOLD },
		{ "off", "nothing claimed, switched off", GB_BOLD },
		{ "failed", "failed, nothing claimed", GB_RED },
	};

	if (!account->file) {
		say(page, "done", page->diag->arming == GB_ARMED ? GB_RED : GB_BOLD,
		    "ghost-claim left no record in this boot");
		return;
	}
	if (account->broken) {
		say(page, "done", GB_RED, "%s can't be read", account->file);
		return;
	}
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
		if (!strcmp(account->outcome, outcomes[i].outcome))
			say(page, "done", outcomes[i].colour, "%s, %.2f s into the boot",
			    outcomes[i].words, account->at);
	if (account->armed && page->diag->devices)
		add_now(page);
	if (account->error[0])
		say(page, "error", GB_RED, "%s", account->error);
	else if (account->problems)
		say(page, "error", GB_RED, "%s%s", account->problem,
		    account->problems > 1 ? " (and more)" : "");
}

static void add_unread(const struct page *page)
{
	const struct gb_diag *diag = page->diag;

	if (!diag->surveyed)
		say(page, "unknown", GB_CYAN, "the devices: %s", diag->survey_error);
	if (diag->cmdline_error)
		say(page, "unknown", GB_CYAN, "the kernel command line: /proc/cmdline: %s",
		    strerror(diag->cmdline_error));
	if (diag->log_error)
		say(page, "unknown", GB_CYAN, "when it happened: /dev/kmsg: %s",
		    strerror(diag->log_error));
}

/* ---- one device -------------------------------------------------------------------- */

static enum gb_colour standing_text(const struct gb_diag_device *device, char *ret, size_t size)
{
	const struct gb_account_device *account = device->account;

	switch (device->standing) {
	case GB_STANDS_OURS:
		snprintf(ret, size, "on %s, as planned", device->driver);
		return GB_GREEN;
	case GB_STANDS_RIVAL:
		snprintf(ret, size, "taken by %s; planned: %s", device->driver, device->wants);
		return GB_RED;
	case GB_STANDS_HELD:
		snprintf(ret, size, "without a driver; planned: %s", device->wants);
		return GB_YELLOW;
	case GB_STANDS_REFUSED:
		snprintf(ret, size, "not claimed: %s", account->text);
		return GB_YELLOW;
	case GB_STANDS_ABSENT:
		snprintf(ret, size, "not there; planned: %s", device->wants);
		return GB_YELLOW;
	case GB_STANDS_UNKNOWN:
		snprintf(ret, size, "can't be told who has it; planned: %s", device->wants);
		return GB_CYAN;
	default:
		snprintf(ret, size, "%s%s%snot claimed in this boot",
			 device->driver[0]		  ? "on "
			 : device->seen && device->placed ? "without a driver, "
							  : "",
			 device->driver, device->driver[0] ? ", " : "");
		return GB_DIM;
	}
}

static void add_line(const struct page *page, const struct gb_diag_device *device)
{
	char address[GB_BDF_MAX], text[400], head[80];
	enum gb_colour colour = standing_text(device, text, sizeof(text));

	if (device->placed)
		gb_bdf_format(device->bdf, address);
	snprintf(head, sizeof(head), "%s %s %s ", device->placed ? address : device->path,
		 device->id, gb_class_name(device->class));
	gb_text_addf(page->text, "%s%s%s%s", code(page, GB_BOLD), head, code(page, GB_PLAIN),
		     code(page, colour));
	add_words(page, strlen(head), INDENT + 2, text);
	gb_text_addf(page->text, "%s", code(page, GB_PLAIN));
}

static void add_event(const struct page *page, double at, const char *who, const char *text)
{
	size_t edge = page->style->columns ? page->style->columns : 80;
	char line[GB_LOG_LINE_MAX + 128];

	if (at < 0)
		snprintf(line, sizeof(line), "        ?    %-12s %s", who, text);
	else
		snprintf(line, sizeof(line), "%9.2f s  %-12s %s", at, who, text);
	/* a message of the log is not worth a second line */
	if (edge > 3 && strlen(line) > edge)
		snprintf(line + edge - 3, 4, "...");
	gb_text_addf(page->text, "%s%s%s\n", code(page, GB_DIM), line, code(page, GB_PLAIN));
}

struct moments {
	struct {
		double at;
		char who[GB_DRIVER_MAX];
		const char *text;
	} moment[EVENTS_SHOWN + 1];
	size_t n;
};

static void add_moment(struct moments *m, double at, const char *who, const char *text)
{
	size_t i = m->n;

	if (m->n == EVENTS_SHOWN + 1)
		return;
	for (m->n++; i > 0 && m->moment[i - 1].at > at; i--)
		m->moment[i] = m->moment[i - 1];
	m->moment[i].at = at;
	m->moment[i].text = text;
	gb_text_copy(m->moment[i].who, sizeof(m->moment[i].who), who);
}

static bool heard_before(const struct moments *m, const char *driver)
{
	for (size_t i = 0; i < m->n; i++)
		if (gb_text_same_module(m->moment[i].who, driver))
			return true;
	return false;
}

/* What each driver said first, and what we did. */
static void add_events(const struct page *page, const struct gb_diag_device *device)
{
	const struct gb_account_device *account = device->account;
	struct moments moments = { .n = 0 };
	struct gb_event event;
	size_t at = 0;

	if (account)
		add_moment(&moments, account->at, "ghost-claim", account->text);
	while (moments.n < EVENTS_SHOWN && device->placed &&
	       gb_story_next(&page->diag->log, device->bdf, &at, &event)) {
		bool ours = event.kind == GB_EVENT_OURS;

		if (event.kind == GB_EVENT_BUS || (ours && account) ||
		    (!ours && heard_before(&moments, event.driver)))
			continue;
		add_moment(&moments, event.us == GB_LOG_NO_TIME ? -1 : (double)event.us / 1e6,
			   ours ? "ghost-claim" : event.driver, event.text);
	}
	for (size_t i = 0; i < moments.n; i++)
		add_event(page, moments.moment[i].at, moments.moment[i].who,
			  moments.moment[i].text);
}

static void add_channels(const struct page *page, const struct gb_diag_device *device)
{
	const struct gb_channels *channels = &device->channels;

	if (!channels->channels)
		say(page, "  came", GB_BOLD, "how %s came nobody can tell", device->driver);
	for (size_t i = 0; i < channels->channels && i < 2; i++) {
		const struct gb_channel *channel = &channels->channel[i];

		say(page, i ? "   also" : "   came", GB_BOLD, "%s: %s%s%s",
		    gb_channel_text(channel->kind), channel->where, channel->what[0] ? ": " : "",
		    channel->what);
	}
}

static bool wants_detail(const struct gb_diag_device *device)
{
	return device->standing == GB_STANDS_RIVAL || device->standing == GB_STANDS_HELD ||
	       (device->standing == GB_STANDS_UNKNOWN && device->account);
}

static void add_devices(const struct page *page)
{
	const struct gb_diag *diag = page->diag;
	size_t detailed = 0;

	if (diag->devices)
		gb_text_add(page->text, "\n", 1);
	for (size_t i = 0; i < diag->devices && i < SHOWN_MAX; i++) {
		const struct gb_diag_device *device = &diag->device[i];

		add_line(page, device);
		if (!wants_detail(device) || detailed++ >= DETAILED_MAX)
			continue;
		add_events(page, device);
		if (device->standing == GB_STANDS_RIVAL)
			add_channels(page, device);
	}
	if (diag->devices > SHOWN_MAX)
		say(page, "", GB_PLAIN, "and %zu more, see ghost-diag --full",
		    diag->devices - SHOWN_MAX);
}

/* ---- checks and advice ------------------------------------------------------------- */

/* Said above already, with how it came to that. */
static bool is_told(const struct gb_diag *diag, const struct gb_check *check)
{
	char address[GB_BDF_MAX];

	for (size_t i = 0; i < diag->devices && i < SHOWN_MAX; i++)
		if (diag->device[i].placed && !strcmp(check->id, "driver") &&
		    !strcmp(check->subject, gb_bdf_format(diag->device[i].bdf, address)))
			return true;
	return false;
}

static void add_checks(const struct page *page)
{
	static const enum gb_mark marks[] = { GB_FAIL, GB_WARN };
	const struct gb_checks *checks = &page->diag->checks;
	size_t failed = gb_checks_count(checks, GB_FAIL), shown = 0;
	size_t warned = gb_checks_count(checks, GB_WARN);

	if (!checks->checks)
		return;
	gb_text_add(page->text, "\n", 1);
	say(page, "checks", GB_BOLD, "%zu failed, %zu warning%s, %s%s", failed, warned,
	    warned == 1 ? "" : "s",
	    page->diag->checks_file ? "made at boot" : "made now",
	    failed + warned ? "; more: ghost-verify" : "");
	for (size_t m = 0; m < sizeof(marks) / sizeof(*marks); m++)
		for (size_t i = 0; i < checks->checks && shown < CHECKS_SHOWN; i++) {
			const struct gb_check *check = &checks->check[i];
			bool system = !strcmp(check->subject, "system");

			if (check->mark != marks[m] || is_told(page->diag, check))
				continue;
			shown++;
			say(page, gb_mark_name(check->mark), m ? GB_YELLOW : GB_RED, "%s%s%s",
			    system ? "" : check->subject, system ? "" : " ", check->text);
		}
}

static void add_next(void *ctx, const char *text)
{
	const struct page *page = ctx;

	say(page, "next", GB_BOLD, "%s", text);
}

static void add_advice(const struct page *page)
{
	struct gb_text back = { 0 };

	gb_text_add(page->text, "\n", 1);
	gb_diag_next(page->diag, add_next, (void *)page);
	gb_diag_back(page->diag, &back);
	if (back.data)
		say(page, "back", GB_BOLD, "%s", back.data);
	page->text->failed |= back.failed;
	gb_text_clear(&back);
	say(page, "more", GB_BOLD, "ghost-diag, ghost-verify; onto a USB stick: "
				   "ghost-diag --save /dev/sdX1");
}

void gb_diag_screen(const struct gb_diag *diag, const struct gb_style *style,
		    struct gb_text *ret)
{
	struct page page = { style, ret, diag };

	gb_text_addf(ret, "%sghost-boot %s: what became of this boot's claims%s\n",
		     code(&page, GB_BOLD), GB_VERSION, code(&page, GB_PLAIN));
	add_plan(&page);
	add_trial(&page);
	add_done(&page);
	add_unread(&page);
	add_devices(&page);
	add_checks(&page);
	add_advice(&page);
	ret->failed |= diag->checks.failed;
}
