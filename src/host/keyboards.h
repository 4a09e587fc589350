/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_KEYBOARDS_H
#define GB_KEYBOARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

struct gb_root;

/* The keyboards that are plugged in, and the PCI functions that they hang on. */

#define GB_KEYBOARDS_MAX 32

struct gb_keyboard {
	char input[32]; /* "input5", below /sys/class/input */
	char name[64];	/* "Logitech USB Keyboard", printable ASCII */
	bool placed;	/* on a PCI function; else it is the board's own (PS/2, a laptop's) */
	struct gb_bdf bdf;
};

struct gb_keyboards {
	struct gb_keyboard keyboard[GB_KEYBOARDS_MAX];
	size_t keyboards;
	bool read; /* the kernel's list was there */
};

/* What programs make up (/dev/uinput) is none. Opens no device. */
void gb_keyboards_read(struct gb_root *root, struct gb_keyboards *ret);

#endif
