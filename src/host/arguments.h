/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ARGUMENTS_H
#define GB_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct gb_err;

/* A kernel command line as the kernel reads it (lib/cmdline.c, next_arg): words between blanks,
 * quotes that hold a word together. k="a b", as people write it, and "k=a b", as GRUB passes it
 * on, are the same argument. Dashes and underscores in names are the same (kernel/params.c,
 * parameq). */

#define GB_ARGUMENTS_MAX 4096

struct gb_argument {
	size_t at, len;	 /* the word's bytes in the line, quotes included */
	char *name;	 /* without the quotes that the kernel takes away */
	char *value;	 /* NULL: none; "" after a bare '=' */
};

struct gb_arguments {
	struct gb_argument *argument;
	size_t arguments;
	size_t kernel; /* as many of them are the kernel's: what follows "--" is for init */
	size_t end;    /* another argument for the kernel goes here: before " --", or at the end */
	bool open;     /* the last word's quote is never closed */
};

/* Of any bytes but NUL (-EINVAL). -E2BIG for more words than a kernel takes, -ENOMEM. */
int gb_arguments_parse(const char *line, size_t len, struct gb_arguments *ret);
void gb_arguments_clear(struct gb_arguments *list);

bool gb_argument_equal(const struct gb_argument *a, const struct gb_argument *b);
/* The first of `part`'s arguments for the kernel that `whole` lacks, or NULL. */
const struct gb_argument *gb_arguments_lacking(const struct gb_arguments *whole,
					       const struct gb_arguments *part);
/* All, with one blank between two, quoted k="a b" where that is needed. */
void gb_arguments_render(const struct gb_arguments *list, struct gb_text *ret);

/* ---- changing ------------------------------------------------------------------------ */

enum gb_want_mode {
	GB_WANT_ALSO,  /* beside others of its name: console=ttyS0 */
	GB_WANT_ONLY,  /* instead of every other value of its name: ghost.claim=on */
	GB_WANT_PIECE, /* in a comma list that adds up over several words, instead of its
			* opposite: intel_iommu=on where off or on,sm_on may stand */
	GB_WANT_GONE,  /* every word equal to it */
	GB_WANT_NO_NAME, /* every word of its name; its value does not matter */
	GB_WANT_SWAP,	 /* `reason`, which is no reason then, where `word` stands; both any number
			  * of words: for taking back what was replaced. No word: the empty line. */
};

struct gb_want {
	enum gb_want_mode mode;
	const char *word;   /* one argument */
	const char *reason; /* why, in words for people; only carried along; may be NULL */
};

enum gb_change_kind {
	GB_CHANGE_NONE, /* it is so already */
	GB_CHANGE_ADDED,
	GB_CHANGE_REPLACED, /* `was` has made way for it */
	GB_CHANGE_REMOVED,
};

struct gb_change {
	enum gb_change_kind kind;
	size_t want; /* which */
	char *was;   /* the words replaced or removed, as they stood; else NULL */
};

struct gb_changes {
	char *line; /* afterwards, terminated */
	size_t len;
	struct gb_change *change; /* one a want, in their order */
	size_t changes;
	bool differs; /* `line` is not the same text as before */
};

/* What a line becomes. Bytes that belong to no wanted word stay as they are: whoever adds words
 * that were missing, and later removes those, has the line he began with. Carrying out the same
 * wants twice is the same as once. Refused, -EINVAL with a reason: a line with an open quote or a
 * NUL byte, a want that is not one argument. -ENOMEM. Cleared by gb_changes_clear. */
int gb_arguments_change(const char *line, size_t len, const struct gb_want *want, size_t wants,
			struct gb_changes *ret, struct gb_err *err);
void gb_changes_clear(struct gb_changes *changes);

/* Can every reader on the way (a shell, GRUB's script, systemd-boot, dracut) carry this argument
 * without quoting? Letters, digits and _ - . , : = / + @ % only. */
bool gb_argument_is_plain(const char *word);

#endif
