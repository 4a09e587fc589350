/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBFILE_H
#define GB_GRUBFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "edit.h"

struct gb_err;
struct gb_root;

/* /etc/default/grub and its drop-ins, which grub-mkconfig lets a shell read one after the other.
 * What is not understood is refused with file, line and reason, never guessed. */

#define GB_GRUB_FILE "/etc/default/grub"
#define GB_GRUB_FOLDER "/etc/default/grub.d" /* *.cfg, where a distribution reads it */
#define GB_GRUB_DROP_IN GB_GRUB_FOLDER "/zz-ghost-boot.cfg"
/* "GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT" is what normal entries get, recovery entries
 * only the first (util/grub.d/10_linux.in). */
#define GB_GRUB_ALWAYS "GRUB_CMDLINE_LINUX"
#define GB_GRUB_DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"

struct gb_grub_value {
	char *name;
	char *text;	 /* NULL: can't be told */
	size_t len;
	char *file;	 /* where it was set last */
	unsigned line;
	const char *why; /* when text is NULL */
};

/* Variables after the files read so far. Zero-initialise. */
struct gb_grub {
	struct gb_grub_value *value;
	size_t values;
	bool lost; /* a file was not understood: what is not set after it can't be told */
};

/* Read one more file. -EINVAL with "FILE: line 3: why"; what it would set is then unknown, and
 * so is everything before. -ENOMEM. */
int gb_grub_read(struct gb_grub *grub, const char *file, const char *data, size_t len,
		 struct gb_err *err);
/* The same, calling `each` at every assignment once it is made; it may return a negative errno. */
struct gb_shell_assignment;
typedef int (*gb_grub_each_fn)(void *ctx, const struct gb_shell_assignment *assignment);
int gb_grub_read_each(struct gb_grub *grub, const char *file, const char *data, size_t len,
		      gb_grub_each_fn each, void *ctx, struct gb_err *err);
/* -ENOMEM; *ret is to be cleared then too. */
int gb_grub_copy(const struct gb_grub *grub, struct gb_grub *ret);
/* A command line variable; one that was never set is "". NULL when it can't be told, with why in
 * *ret_value where there is a place to name, else NULL there too. */
const char *gb_grub_get(const struct gb_grub *grub, const char *name,
			const struct gb_grub_value **ret_value);
void gb_grub_clear(struct gb_grub *grub);

/* What a file must become for a variable to carry out the wants; `before` are the variables
 * before it is read, or NULL. One edit, proved by reading the result again: the variable has the
 * wanted value then and no other has changed. A variable that the file does not set gets two
 * lines at its end, a comment and the assignment; a removal that empties them takes both.
 * -EINVAL with file, line and reason where that can't be done. */
struct gb_grub_change {
	struct gb_edit edit;
	struct gb_changes changes; /* of the variable's value */
	unsigned line;		   /* of the assignment; 0 for a new one */
};

int gb_grub_change(const struct gb_grub *before, const char *file, const char *data, size_t len,
		   const char *variable, const struct gb_want *want, size_t wants,
		   struct gb_grub_change *ret, struct gb_err *err);
void gb_grub_change_clear(struct gb_grub_change *change);

/* The text of our own drop-in, which appends these words to what the files before it say. -EINVAL
 * for a word that GRUB's script would not leave as it is. Caller clears *ret. */
int gb_grub_drop_in(const char *const *word, size_t words, struct gb_text *ret,
		    struct gb_err *err);
/* Is a drop-in of this name read after ours, in one locale's order or another's? */
bool gb_grub_is_after_drop_in(const char *name);

/* The main file and, with `drop_ins`, the *.cfg beside it, in their order, but for `skip` (a path,
 * or NULL). Reads on after a file that is not understood, and fails then at the end. */
int gb_grub_load(struct gb_root *root, bool drop_ins, const char *skip, struct gb_grub *ret,
		 struct gb_err *err);

#endif
