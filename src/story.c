/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "story.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define US "ghost-boot: "

/* What stands between `before` and any of `ends` behind it; false: nothing, or too much. */
static bool between(const char *text, const char *before, const char *ends,
		    char ret[static GB_DRIVER_MAX])
{
	const char *at = strstr(text, before);
	size_t len = at ? strcspn(at += strlen(before), ends) : 0;

	if (!len || len >= GB_DRIVER_MAX || !at[len])
		return false;
	memcpy(ret, at, len);
	ret[len] = '\0';
	return true;
}

/* "driver: 'vfio-pci': driver_bound: bound to device '0000:01:00.0'" (drivers/base/dd.c); since 6.7
 * without the device, which is then the one that speaks. */
static bool read_bound(const char *text, struct gb_event *ret)
{
	ret->kind = GB_EVENT_BOUND;
	return strstr(text, "driver_bound: bound to device") &&
	       between(text, "driver: '", "'", ret->driver);
}

/* "[drm] Initialized bochs-drm 1.0.0 20130925 for 0000:01:00.0 on minor 0" */
static bool read_drm(const char *text, struct gb_event *ret)
{
	ret->kind = GB_EVENT_DRIVER;
	return between(text, "[drm] Initialized ", " ", ret->driver);
}

/* "nouveau 0000:01:00.0: text", as dev_printk writes it (drivers/base/core.c). */
static bool read_device(const char *text, const char *address, struct gb_event *ret)
{
	size_t len = (size_t)(address - text);

	if (len < 2 || len > sizeof(ret->driver) || text[len - 1] != ' ' ||
	    memchr(text, ' ', len - 1))
		return false;
	memcpy(ret->driver, text, len - 1);
	ret->driver[len - 1] = '\0';
	/* before a driver has it, the bus stands in its place; ports speak of what is below */
	ret->kind = strcmp(ret->driver, "pci") ? GB_EVENT_DRIVER : GB_EVENT_BUS;
	return true;
}

bool gb_event_read(const struct gb_log_line *line, struct gb_bdf bdf, struct gb_event *ret)
{
	const char *text = line->text, *found, *rest;
	char address[GB_BDF_MAX];
	struct gb_event event = { .us = line->us, .text = text };

	gb_bdf_format(bdf, address);
	found = strstr(text, address);
	if (!found || (found > text && isxdigit((unsigned char)found[-1]))) /* 10000:01:00.0 */
		return false;
	rest = found + strlen(address);
	if (!strncmp(text, US, strlen(US))) {
		/* only where it begins with it: a text may name others */
		if (found != text + strlen(US) && strncmp(text + strlen(US), "debug: ", 7))
			return false;
		event.kind = GB_EVENT_OURS;
		event.text = found + strlen(address) + (*rest == ' ');
	} else if (!line->kernel) {
		return false;
	} else if (!read_bound(text, &event)) {
		if (*rest == ':' && read_device(text, found, &event))
			event.text = rest + 1 + (rest[1] == ' ');
		else if (!read_drm(text, &event))
			return false;
	}
	*ret = event;
	return true;
}

bool gb_story_next(const struct gb_log *log, struct gb_bdf bdf, size_t *at,
		   struct gb_event *ret)
{
	while (*at < log->lines)
		if (gb_event_read(&log->line[(*at)++], bdf, ret))
			return true;
	return false;
}

uint64_t gb_story_first(const struct gb_log *log, struct gb_bdf bdf, const char *driver)
{
	struct gb_event event;
	size_t at = 0;

	while (gb_story_next(log, bdf, &at, &event))
		if ((event.kind == GB_EVENT_DRIVER || event.kind == GB_EVENT_BOUND) &&
		    gb_text_same_module(event.driver, driver))
			return event.us;
	return GB_LOG_NO_TIME;
}

bool gb_moment_read(const struct gb_log_line *line, enum gb_moment *ret,
		    char module[static GB_DRIVER_MAX])
{
	static const struct {
		const char *words;
		enum gb_moment moment;
	} known[] = {
		{ "systemd-udevd[", GB_MOMENT_UDEV },
		{ "udevd[", GB_MOMENT_UDEV },
		{ "Starting systemd-udevd", GB_MOMENT_UDEV },
		{ "Started systemd-udevd.service", GB_MOMENT_UDEV },
		{ "Switching root", GB_MOMENT_ROOT },
	};
	const char *at = strstr(line->text, "module_load: ");

	module[0] = '\0';
	if (at) {
		snprintf(module, GB_DRIVER_MAX, "%.*s", (int)strcspn(at + 13, " "), at + 13);
		*ret = GB_MOMENT_MODULE;
		return module[0];
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(line->text, known[i].words)) {
			*ret = known[i].moment;
			return true;
		}
	return false;
}
