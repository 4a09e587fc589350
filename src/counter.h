/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_COUNTER_H
#define GB_COUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct gb_loader;
struct gb_root;

/* Where no boot loader can choose a trial once, an EFI variable of our own counts the claimed boots
 * that nobody confirmed. The host makes it with 0 before a counted change takes effect, and removes
 * it when the change is confirmed; in between ghost-claim adds one in each boot, before anything
 * is claimed. It guards claims, not words such as intel_iommu=on.
 *
 * What could not be counted is not claimed: the host saw the variable hold before it armed the
 * change, so that one which is missing, is another's or can't be written means that nothing
 * would ever stop these claims. */
#define GB_COUNTER "GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67"
#define GB_COUNTER_SIZE 6 /* version 1, count, the trial's ID as four bytes, the lowest first */
#define GB_COUNTER_BOOTS 2 /* that may claim without being confirmed */

enum gb_count {
	GB_COUNT_NONE,	     /* not asked */
	GB_COUNTED,	     /* this boot too: it may claim. All that follow: it may not */
	GB_COUNT_OVER,	     /* there were GB_COUNTER_BOOTS before */
	GB_COUNT_OTHER,	     /* it counts another trial's boots */
	GB_COUNT_ODD,	     /* it holds something else */
	GB_COUNT_ABSENT,     /* no such variable, or no EFI */
	GB_COUNT_UNREADABLE, /* EFI variables can't be reached */
	GB_COUNT_UNWRITABLE, /* or does not hold what was written */
};

struct gb_counter {
	enum gb_count state;
	char text[100]; /* for a person */
};

/* A trial's ID as a number; the value that counts so many boots of it. */
uint32_t gb_counter_id(const char *trial);
void gb_counter_value(uint32_t id, uint8_t count, uint8_t ret[GB_COUNTER_SIZE]);

/* The decision, a pure function of efivarfs' file: its attributes, 4 bytes, then the value. `len` is
 * a negative errno where it could not be read. GB_COUNTED: if the same with one more can be
 * written. */
enum gb_count gb_counter_judge(const uint8_t *file, ssize_t len, uint32_t id);

/* Counts this boot of the trial. efivarfs is mounted for that only, unless it is mounted already, in
 * a real root; its module is loaded. Gives up after 10 seconds. */
void gb_counter_run(struct gb_root *root, const struct gb_loader *loader, const char *trial,
		    struct gb_counter *ret);

bool gb_counter_stops(enum gb_count state); /* nothing may be claimed */
const char *gb_count_name(enum gb_count state);

#endif
