/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"

/* What the device's own registers say of it: resets, memory, link. */

struct subject {
	const struct gb_survey *survey;
	int node;
	const struct gb_node *there;
	struct gb_bdf address;
	char bdf[GB_BDF_MAX];
	struct gb_checks *checks;
};

/* A first line, without its end; false when it can't be read. */
static bool read_line(const struct subject *s, const char *name, char *ret, size_t size)
{
	char file[GB_SYSFS_MAX];

	if (gb_root_read(s->survey->root, gb_bdf_file(s->address, name, file), ret, size) < 0)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	for (char *c = ret; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return true;
}

/* ---- resets ---------------------------------------------------------------------------- */

/* Nothing but its own slot hangs on the bus: then VFIO may reset that as a whole. */
static bool alone_on_bus(const struct subject *s)
{
	const struct gb_topology *topology = &s->survey->topology;
	const struct gb_node *parent;

	if (s->there->parent == GB_NOWHERE)
		return false;
	parent = &topology->node[s->there->parent];
	for (size_t i = 0; i < parent->children; i++)
		if (!gb_survey_same_slot(s->survey, s->node, parent->child + (int)i) ||
		    topology->node[parent->child + (int)i].children)
			return false;
	return true;
}

/* Since 5.15 a device that can be reset has the file (drivers/pci/pci-sysfs.c
 * pci_dev_reset_method_attr_is_visible). Before, a reset by power state would not be seen here. */
static bool has_none(const struct subject *s)
{
	unsigned major, minor;

	return sscanf(s->survey->site.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 15));
}

static void check_reset(const struct subject *s)
{
	const struct gb_config *config = &s->there->config;
	char methods[128], file[GB_SYSFS_MAX];
	bool flr = config->flr == GB_YES || config->af_flr == GB_YES;
	bool there = read_line(s, "reset_method", methods, sizeof(methods));

	if (there && methods[0]) {
		gb_check(s->checks, "reset", GB_PASS, s->bdf, "can be reset by itself (%s)", methods);
		gb_check_evidence(s->checks, "%s", gb_bdf_file(s->address, "reset_method", file));
	} else if (flr) {
		gb_check(s->checks, "reset", GB_PASS, s->bdf, "can be reset by itself (%s)",
			 config->flr == GB_YES ? "flr" : "af_flr");
		gb_check_evidence(s->checks, "its config space");
	} else if (!s->survey->machine.complete && s->there->device->group < 0) {
		/* what else is on its bus was not looked at */
		gb_check(s->checks, "reset", GB_UNKNOWN, s->bdf,
			 "how it can be reset can't be told");
	} else if (alone_on_bus(s)) {
		gb_check(s->checks, "reset", GB_PASS, s->bdf,
			 "can be reset with its bus, on which nothing else is");
	} else if (!has_none(s)) {
		gb_check(s->checks, "reset", GB_UNKNOWN, s->bdf,
			 "how it can be reset can't be told");
	} else {
		gb_check(s->checks, "reset", GB_WARN, s->bdf,
			 "has no reset: after one guest, it can't be given to another, or to the "
			 "host, without a reboot");
	}
	if (!(there && methods[0]) && !flr)
		gb_check_file(s->checks, s->bdf, "reset_method", there ? "none" : "not there");
}

/* ---- memory ---------------------------------------------------------------------------- */

#define SIZE_TEXT 48

static const char *size_text(uint64_t size, char ret[static SIZE_TEXT])
{
	static const char units[][4] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t unit = 0;

	while (size >= 1024 && size % 1024 == 0 && unit < 5) {
		size /= 1024;
		unit++;
	}
	snprintf(ret, SIZE_TEXT, "%llu %s", (unsigned long long)size, units[unit]);
	return ret;
}

static void check_bars(const struct subject *s)
{
	char list[400] = "", size[SIZE_TEXT], file[GB_SYSFS_MAX];
	struct gb_bars bars;
	int unplaced = -1;
	size_t at = 0;

	if (gb_config_bars(s->survey->root, s->address, &bars))
		return;
	for (int i = 0; i < GB_BARS; i++) {
		if (!bars.bar[i].size || bars.bar[i].io)
			continue;
		if (!bars.bar[i].start && unplaced < 0)
			unplaced = i;
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%sBAR %d of %s%s",
				       at ? ", " : "", i,
				       size_text(bars.bar[i].size, size),
				       bars.bar[i].start >> 32 ? " above 4 GiB" : "");
	}
	if (unplaced >= 0) {
		gb_check(s->checks, "bars", GB_WARN, s->bdf,
			 "BAR %d has no address, so its memory can't be used: %s", unplaced, list);
		gb_check_fix(s->checks, "turn on Above 4G Decoding in the firmware");
	} else if (*list) {
		gb_check(s->checks, "bars", GB_PASS, s->bdf, "%s", list);
	} else if (GB_BASE_CLASS(s->there->device->id.class) == GB_CLASS_DISPLAY) {
		gb_check(s->checks, "bars", GB_UNKNOWN, s->bdf, "no memory of its own can be seen");
	} else {
		return;
	}
	gb_check_evidence(s->checks, "%s", gb_bdf_file(s->address, "resource", file));
}

static unsigned largest(uint64_t sizes)
{
	return sizes ? 63 - (unsigned)__builtin_clzll(sizes) : 0;
}

/* 2^size MiB; the specification ends at 2^47 (7.8.6.2), a register need not. */
static const char *rebar_text(unsigned size, char ret[static SIZE_TEXT])
{
	return size < 44 ? size_text(UINT64_C(1) << (20 + size), ret) : "too much";
}

static void check_rebar(const struct subject *s)
{
	const struct gb_config *config = &s->there->config;

	for (unsigned i = 0; config->resizable == GB_YES && i < config->rebars; i++) {
		const struct gb_rebar *bar = &config->rebar[i];
		unsigned most = largest(bar->sizes);
		char now[SIZE_TEXT], can[SIZE_TEXT];

		if (!(bar->sizes & (bar->sizes - 1)))
			continue; /* one size is no choice */
		gb_check(s->checks, "resizable-bar", GB_PASS, s->bdf, "BAR %u is %s, %s%s", bar->bar,
			 rebar_text(bar->size, now),
			 most > bar->size ? "and can be resized, before a driver has it, up to " :
					    "the most it can be",
			 most > bar->size ? rebar_text(most, can) : "");
		gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/resource%u_resize", s->bdf,
				  bar->bar);
	}
}

/* ---- link ------------------------------------------------------------------------------ */

/* The speed falls by itself while a card is idle; lanes do not come and go. */
static void check_link(const struct subject *s)
{
	char now[16], most[16], speed[48];
	unsigned long lanes, all;

	if (!read_line(s, "current_link_width", now, sizeof(now)) ||
	    !read_line(s, "max_link_width", most, sizeof(most)))
		return;
	lanes = strtoul(now, NULL, 10);
	all = strtoul(most, NULL, 10);
	if (!lanes || !all || lanes > 32 || all > 32)
		return;
	if (!read_line(s, "current_link_speed", speed, sizeof(speed)))
		strcpy(speed, "unknown speed");
	gb_check(s->checks, "link", lanes < all ? GB_WARN : GB_PASS, s->bdf,
		 "runs on %lu of its %lu lanes, at %s now", lanes, all, speed);
	if (lanes < all)
		gb_check_fix(s->checks, "seat the card again, or use a slot that has all its lanes; "
					"many boards share them with another slot or a disk");
}

void gb_judge_hardware(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct subject s = {
		.survey = survey,
		.node = node,
		.there = &survey->topology.node[node],
		.address = survey->topology.node[node].device->bdf,
		.checks = checks,
	};

	gb_bdf_format(s.address, s.bdf);
	check_reset(&s);
	check_bars(&s);
	check_rebar(&s);
	check_link(&s);
}
