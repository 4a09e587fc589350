/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBMENU_H
#define GB_GRUBMENU_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_grubscript;

/* GRUB's menu as its configuration makes it, read and not run: what can be chosen, what is booted
 * when nobody chooses, and whether next_entry is obeyed. (gb_grubcfg looks at what 10_linux wrote;
 * this at all that GRUB reads.) */

#define GB_GRUBMENU_TRIAL "ghost-boot-trial" /* ids of our own entries */
#define GB_GRUBMENU_RECOVERY "ghost-boot-recovery"
#define GB_GRUBMENU_TOP (-1)

struct gb_grubmenu_item {
	char *title, *id; /* GRUB takes the title for an id where none is said */
	char *options;	  /* the header's other words, as they stand: "--class os --unrestricted" */
	char *body;	  /* what is between its braces; of a submenu "" */
	int above;	  /* the submenu that it is in, by index, or GB_GRUBMENU_TOP */
	bool submenu;
	bool maybe;	  /* it is there on a condition, and nobody can say whether */
};

struct gb_grubmenu {
	struct gb_grubmenu_item *item; /* in the menu's order */
	size_t items;
	char *usual;	/* what `default` is without a one-shot: "0", "${saved_entry}"; or NULL */
	bool once;	/* next_entry is taken for the default, cleared and saved */
	bool custom;	/* custom.cfg is read */
	bool entries;	/* boot loader entries of type 1 stand in it, too: blscfg */
	unsigned odd;	/* the line that sets `default` after all that, or 0 */
	bool odd_custom; /* and that is in custom.cfg */
};

/* `custom` is what custom.cfg says, or NULL. -EINVAL with "line 3: why", -ENOMEM. *ret is to be
 * cleared only after success. */
int gb_grubmenu_read(const char *data, size_t len, const char *custom, size_t custom_len,
		     struct gb_grubmenu *ret, struct gb_err *err);
void gb_grubmenu_clear(struct gb_grubmenu *menu);

/* The item that a value of `default` stands for, submenus gone into as GRUB does when nobody is
 * there; "" or what is not there is the first. Negative: -ENOENT for a menu, or a submenu, without
 * items; -ENOTUNIQ: it depends on an item that may be there or not. */
int gb_grubmenu_find(const struct gb_grubmenu *menu, const char *value);
/* "gnulinux-advanced-1>gnulinux-6.1-1": ids, as `default` takes them. False: it does not fit. */
bool gb_grubmenu_path(const struct gb_grubmenu *menu, int item, char *ret, size_t size);

bool gb_grubmenu_is_ours(const struct gb_grubmenu_item *item);

/* ---- its parts -------------------------------------------------------------------------- */

/* What the words of "menuentry" or "submenu" say; false: no memory. (grubmenu-item.c) */
bool gb_grubmenu_header(const struct gb_grubscript *script, struct gb_grubmenu_item *ret);
void gb_grubmenu_item_clear(struct gb_grubmenu_item *item);

#endif
