/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BLS_H
#define GB_BLS_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "edit.h"

struct gb_err;

/* Boot loader entries of type 1, loader/entries/NAME.conf: the UAPI Group's Boot Loader
 * Specification, as its two readers really take it. */

enum gb_bls_reader {
	GB_BLS_SYSTEMD, /* systemd-boot, zipl: repeated options add up */
	GB_BLS_GRUB,	/* Fedora's blscfg: the first options count; a blank line, or a key without
			 * a value, ends the entry */
};

#define GB_BLS_MAX (64u << 10) /* bytes of an entry */
#define GB_BLS_INITRDS_MAX 16

struct gb_bls {
	/* NULL where they are not said; of several, the last. `kernel` is the key "linux", which
	 * is a macro in this dialect of C. */
	char *title, *version, *kernel, *efi, *sort_key, *machine_id, *architecture;
	char *initrd[GB_BLS_INITRDS_MAX];
	size_t initrds;
	char *options;	    /* all, joined by blanks, as systemd-boot does; or NULL */
	char *grub_options; /* the ones that Fedora's GRUB takes; NULL: default_kernelopts of grubenv */
	bool expands;	    /* grub_options hold $variables, which GRUB replaces */
};

/* -EINVAL with the reason, -ENOMEM. */
int gb_bls_parse(const char *data, size_t len, struct gb_bls *ret, struct gb_err *err);
void gb_bls_clear(struct gb_bls *bls);

/* What the entry's file must become for its options to carry out the wants. -EINVAL with the
 * reason where that can't be done. The wants are of kernel arguments; $kernelopts and the like
 * are arguments of no known meaning and stay. */
struct gb_bls_change {
	struct gb_edit edit;
	struct gb_changes changes; /* of the options that this reader takes */
};

int gb_bls_change(const char *data, size_t len, enum gb_bls_reader reader,
		  const struct gb_want *want, size_t wants, struct gb_bls_change *ret,
		  struct gb_err *err);
void gb_bls_change_clear(struct gb_bls_change *change);

/* ---- names and order (bls-order.c) --------------------------------------------------- */

/* "NAME+LEFT-DONE.conf", the boot counter optional; of type 2, EFI/Linux, ".efi". */
struct gb_bls_name {
	char id[256];	/* as systemd-boot calls the entry: the file's name in lower case, all of it */
	char file[256]; /* as it is */
	char stem[256]; /* without the counter and the end */
	long left, done; /* -1: no counter */
};

/* False for what is no entry's file name. */
bool gb_bls_name(const char *file, struct gb_bls_name *ret);
bool gb_bls_name_unified(const char *file, struct gb_bls_name *ret);

/* Names of our own entries. By systemd-boot's order, highest id first and those without a sort-key
 * last, they come after every other that does not begin with '-' or '~'. */
#define GB_BLS_TRIAL "a-ghost-boot-trial.conf"
#define GB_BLS_RECOVERY "a-ghost-boot-recovery.conf"
/* Where another system on the same ESP has one of that name: these digits of the machine's ID behind it. */
#define GB_BLS_MACHINE 8
/* Is it one of these, by its path or name, of this system or another, boot counter or not? */
bool gb_bls_is_ours(const char *path);

struct gb_bls_entry {
	struct gb_bls_name name;
	const char *title, *sort_key, *version, *machine_id; /* or NULL; borrowed */
	bool automatic; /* found by systemd-boot itself: "auto-windows" */
};

/* For qsort of entries: as the menu shows them, first at the top. */
int gb_bls_compare_systemd(const void *a, const void *b);
int gb_bls_compare_grub(const void *a, const void *b);

#define GB_BLS_NONE ((size_t)-1)

/* The entry that is booted when nobody chooses and there is no one-shot: an index, after sorting
 * `entry` into the menu's order, or GB_BLS_NONE when the menu waits. Any of the strings may be
 * NULL. */
struct gb_bls_defaults {
	const char *preferred[2]; /* systemd-boot from 260 on: LoaderEntryPreferred, and loader.conf's
				   * "preferred": patterns, passed over for an entry that has failed */
	const char *variable;	 /* systemd-boot: LoaderEntryDefault */
	const char *file;	 /* systemd-boot: loader.conf's "default", a pattern */
	const char *last_booted; /* systemd-boot: LoaderEntryLastBooted, for "@saved" */
	const char *saved_entry; /* GRUB: of grubenv: an id, a title, or a number */
};

size_t gb_bls_default(struct gb_bls_entry *entry, size_t entries, enum gb_bls_reader reader,
		      const struct gb_bls_defaults *defaults);

#endif
