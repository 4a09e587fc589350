/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BOOTENTRIES_H
#define GB_BOOTENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "bootdefault.h"
#include "grubmenu.h"
#include "images.h"

struct gb_err;
struct gb_footprint;
struct gb_host;
struct gb_plan;
struct gb_want;

/* Our own entries in this machine's boot loader: what they are made from, where they are, and the
 * steps that write them or take them away. */

struct gb_bootentries {
	struct gb_host *host;		/* borrowed */
	struct gb_bootdefault usual;	/* what is booted without us */
	const struct gb_kernel *kernel; /* of the entry that ours are made from; borrowed */
	char *words;			/* its command line */
	const char *own[GB_IMAGE_PLACES_MAX]; /* its images; borrowed */
	size_t owns;
	/* private: the entry itself, of type 1 or an item of GRUB's menu */
	char file[320];
	char *conf;
	size_t conf_len;
	struct gb_grubmenu menu;
	int item;
};

/* Made from what the loader boots by itself; or where that is another system, from what is running.
 * -EOPNOTSUPP, with the reason, where we can have none. *ret is always to be cleared. */
int gb_bootentries_find(struct gb_host *host, const struct gb_images *images,
			const struct gb_site *site, struct gb_bootentries *ret, struct gb_err *err);
void gb_bootentries_clear(struct gb_bootentries *entries);

/* What they are to say; NULL: no such entry. */
struct gb_bootentries_want {
	const struct gb_want *trial; /* what becomes of the words */
	size_t trials;
	const char *image; /* of the trial: gb_bootentries_image */
	const struct gb_want *recovery;
	size_t recoveries;
	bool keep; /* the trial's, where there is one, stays as it is */
};

/* Adds the steps that make it so, and returns 0 or a negative errno; -EPERM: the loader would boot
 * another entry by itself then. The recovery entry, and a custom.cfg that there was none of, are
 * noted in the footprint. */
int gb_bootentries_plan(const struct gb_bootentries *entries, const struct gb_bootentries_want *want,
			struct gb_footprint *footprint, struct gb_plan *plan, struct gb_err *err);

/* Takes all of ours away, where gb_bootentries_find may not work. */
int gb_bootentries_drop(struct gb_host *host, struct gb_footprint *footprint, struct gb_plan *plan,
			struct gb_err *err);

#define GB_BOOTENTRIES_NAME 64

/* What the loader calls one of ours, GB_BLS_TRIAL or GB_BLS_RECOVERY in systemd-boot's words. With the
 * machine's ID in it where another system on the same ESP has the one without. */
void gb_bootentries_name(const struct gb_host *host, const char *name, char ret[GB_BOOTENTRIES_NAME]);
/* Where it is written. */
bool gb_bootentries_file(const struct gb_host *host, const char *name, char *ret, size_t size);
/* The trial's image, as a path of this system: where the loader reads it, by a name that nothing
 * takes for a kernel's. False: no loader of this machine's does. */
bool gb_bootentries_image(const struct gb_host *host, char *ret, size_t size);

#endif
