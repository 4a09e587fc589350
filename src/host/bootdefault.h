/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BOOTDEFAULT_H
#define GB_BOOTDEFAULT_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_grubmenu;
struct gb_host;

/* What the boot loader boots when nobody chooses and there is no one-shot: now, and with files of
 * ours that are not written yet. Whoever adds an entry asks before and after, since a new one can
 * become the default by its name alone. */

struct gb_bootdefault {
	char id[512];	/* as the loader calls it; GRUB's of a submenu: "a>b" */
	char title[256]; /* or "" */
	char file[320]; /* an entry of type 1; "" for any other */
	bool grub;	/* it is in GRUB's configuration: item of the menu ... */
	int item;
	bool ours;	/* it is one of ours */
};

/* Files that are to be there as well. */
struct gb_bootdefault_with {
	const char *const *entry; /* names of type 1 entries, "debian.conf", ended by NULL; or NULL */
	const char *custom;	  /* what GRUB's custom.cfg is to say; NULL: as it is */
	size_t custom_len;
};

/* `with` may be NULL. 0, or a negative errno with the reason: -ENOTUNIQ when it depends on what
 * can't be known, -EOPNOTSUPP for a loader whose choice is not known. */
int gb_bootdefault_find(struct gb_host *host, const struct gb_bootdefault_with *with,
			struct gb_bootdefault *ret, struct gb_err *err);

/* GRUB's whole menu, with its custom.cfg; *ret is to be cleared after success. */
int gb_bootdefault_menu(struct gb_host *host, const struct gb_bootdefault_with *with,
			struct gb_grubmenu *ret, struct gb_err *err);

/* ---- its parts -------------------------------------------------------------------------- */

/* bootdefault-entries.c */
int gb_bootdefault_entries(struct gb_host *host, const struct gb_bootdefault_with *with,
			   const char *saved, struct gb_bootdefault *ret, struct gb_err *err);

#endif
