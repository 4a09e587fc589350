/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIALENTRY_H
#define GB_TRIALENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "bls.h"
#include "text.h"

struct gb_err;
struct gb_grubmenu_item;

/* The texts of our own boot entries, each made from the one that the loader boots by itself: the
 * same commands, with other words, and for a trial with another image. */

struct gb_trialentry {
	const char *title; /* what is put behind the other's: " (without GPU claims)" */
	const char *id;	   /* GRUB's */
	const char *machine; /* of type 1: GB_BLS_MACHINE digits of whose it is; NULL: it has none */
	const struct gb_want *want; /* its words */
	size_t wants;
	/* The kernel's own images in it, as paths of this system, and what takes their place, from
	 * the root of the loader's partition on; GRUB, which may call folders otherwise, goes by the
	 * files' names, and takes ours in the same folder. NULL: they stay. */
	const char *const *own;
	size_t owns;
	const char *image;
	/* GRUB: this kernel, or when it is gone, any that has an image; NULL: this one or the menu
	 * from its beginning, where the usual entry is booted. */
	const char *release;
};

/* An entry of type 1, from the text of another; without a sort-key, which puts it last. -EINVAL
 * with the reason where that can't be done, -ENOMEM. Caller clears *ret. */
int gb_trialentry_conf(const char *data, size_t len, const struct gb_trialentry *entry,
		       struct gb_text *ret, struct gb_err *err);
/* The machine that such an entry is of. False: its text names none. */
bool gb_trialentry_machine(const char *data, size_t len, char ret[GB_BLS_MACHINE + 1]);
/* A menu entry of GRUB's, for custom.cfg; errors as above. (trialentry-grub.c) */
int gb_trialentry_grub(const struct gb_grubmenu_item *item, const struct gb_trialentry *entry,
		       struct gb_text *ret, struct gb_err *err);
/* The kernel that an item of GRUB's boots, as it is called there, and the words for it; false: it is
 * no Linux with an image. */
bool gb_trialentry_boots(const struct gb_grubmenu_item *item, struct gb_text *ret_kernel,
			 struct gb_text *ret_words);
/* What makes GRUB boot `usual`, a value of `default`, when the trial can't be loaded, `fallback` as
 * the menu's number, and when next_entry can't be taken away. */
void gb_trialentry_guard(const char *usual, int fallback, struct gb_text *ret);

#endif
