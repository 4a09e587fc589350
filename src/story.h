/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_STORY_H
#define GB_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "kmsg.h"

/* What the kernel log says of one function, in the order of time. A hint, no proof. */

enum gb_event_kind {
	GB_EVENT_BUS,	 /* the PCI core: found, resources, power */
	GB_EVENT_DRIVER, /* a driver that has it, or tries */
	GB_EVENT_BOUND,	 /* driver core, with dyndbg: a driver has it now */
	GB_EVENT_OURS,	 /* ghost-claim */
};

struct gb_event {
	enum gb_event_kind kind;
	uint64_t us; /* GB_LOG_NO_TIME: not said */
	char driver[GB_DRIVER_MAX];
	const char *text; /* of the log, without the address before it */
};

/* What one line says of a device; false: nothing, or it can't be told. */
bool gb_event_read(const struct gb_log_line *line, struct gb_bdf bdf, struct gb_event *ret);
/* The next event at or after *at, which moves on; false at the end. */
bool gb_story_next(const struct gb_log *log, struct gb_bdf bdf, size_t *at,
		   struct gb_event *ret);
/* When a driver was first heard of with this device; GB_LOG_NO_TIME: never, or without a time. */
uint64_t gb_story_first(const struct gb_log *log, struct gb_bdf bdf, const char *driver);

/* Moments of the boot as a whole. */
enum gb_moment { GB_MOMENT_MODULE, GB_MOMENT_UDEV, GB_MOMENT_ROOT };
/* With trace_event=module:module_load tp_printk, a module's name goes to `module`. */
bool gb_moment_read(const struct gb_log_line *line, enum gb_moment *ret,
		    char module[static GB_DRIVER_MAX]);

#endif
