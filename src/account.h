/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ACCOUNT_H
#define GB_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "device.h"

struct gb_root;

/* What ghost-claim left behind, read back: claim.json and late/BDF.json. Numbers and words are
 * taken as they stand; text is printable ASCII. What is not there is empty. */
struct gb_account_device {
	unsigned line; /* of the claims file */
	char path[GB_PATH_MAX];
	char id[10];
	bool placed; /* it has an address */
	struct gb_bdf bdf;
	char decision[12], result[12];
	char text[256];
	char before[GB_DRIVER_MAX], driver[GB_DRIVER_MAX];
	bool late; /* by the udev rule, not at boot */
	double at; /* seconds since boot */
};

struct gb_account_module {
	char driver[GB_DRIVER_MAX], state[12], text[200];
};

#define GB_ACCOUNT_DEVICES_MAX 512
#define GB_ACCOUNT_MODULES_MAX 8

struct gb_account {
	const char *file; /* NULL: there is no record */
	bool broken;	  /* it can't be read */
	bool waits;	  /* it is not in /run yet, where ghost-claim looks for it */
	double at, took_ms;
	bool armed;
	char arming[100], outcome[16], error[200], claims_file[100];
	char counter[12], counter_text[100]; /* of a counted trial: src/counter */
	size_t problems;
	char problem[256]; /* the first: "/etc/ghost-boot/claims:3:1: …" */
	struct gb_account_module module[GB_ACCOUNT_MODULES_MAX];
	size_t modules;
	struct gb_account_device *device;
	size_t devices;
};

/* From GB_RECORDS, else from GB_RECORDS_WAIT. 0 or -ENOMEM; *ret is always to be cleared. */
int gb_account_read(struct gb_root *root, struct gb_account *ret);
void gb_account_clear(struct gb_account *account);

#endif
