/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CLAIM_H
#define GB_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "device.h"

struct gb_loader;
struct gb_root;

enum gb_result {
	GB_PLANNED,    /* a dry run */
	GB_BOUND,      /* read back: on its driver */
	GB_HELD,       /* without a driver; no other can take it */
	GB_GIVEN_BACK, /* the host's only display could not be bound */
	GB_IN_USE,     /* left with the driver that somebody is using */
	GB_FAILED,     /* see text; the device is as it was */
};

/* One device to claim: what is wanted goes in, what happened comes out. */
struct gb_task {
	const struct gb_line *line;
	const struct gb_device *device;
	bool last_display;

	enum gb_result result;
	bool overridden;
	bool ours_before; /* its override named our driver already; only looked at when late */
	char before[GB_DRIVER_MAX]; /* driver found; empty: none */
	char driver[GB_DRIVER_MAX]; /* driver now */
	char text[256];
};

enum gb_module_state { GB_MODULE_READY, GB_MODULE_LOADED, GB_MODULE_MISSING, GB_MODULE_FAILED };

struct gb_module {
	char driver[GB_DRIVER_MAX];
	enum gb_module_state state;
	char text[200];
};

#define GB_MODULES_MAX 8

struct gb_claim {
	struct gb_task *task;
	size_t tasks;
	struct gb_module module[GB_MODULES_MAX];
	size_t modules;
	/* A running system: devices may be in use, and are then left alone. */
	bool live;
	bool late; /* a device that just appeared: the kernel may not be done with it */
	double start_ms; /* CLOCK_MONOTONIC */
};

/* Carries the tasks out: override all, load, then unbind, probe and read back each. Never
 * fails as a whole; every task has a result. `options` come from the claims file. */
void gb_claim_run(struct gb_root *root, const struct gb_loader *loader,
		  const struct gb_claims *claims, struct gb_claim *claim);

const char *gb_result_name(enum gb_result result);
const char *gb_module_state_name(enum gb_module_state state);
double gb_now_ms(void);

#endif
