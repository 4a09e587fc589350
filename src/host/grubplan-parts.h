/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBPLAN_PARTS_H
#define GB_GRUBPLAN_PARTS_H

#include "grubfile.h"
#include "grubplan.h"

/* What the grubplan files share. Functions return 0 or a negative errno with the reason. */

#define GB_GRUBNAMES_MAX 256

struct gb_grubnames {
	char *name[GB_GRUBNAMES_MAX];
	size_t names;
	bool failed;
};

struct gb_grubwork {
	struct gb_root *root;
	bool drop_in, always_first, back;
	struct gb_grubplan *plan;
	struct gb_grubplan_file *file; /* its first */
	char *text; /* of `file`, as it becomes; NULL: not there */
	struct gb_grubnames names; /* of drop-ins but ours, in their order */
	struct gb_grub before, after; /* the variables before and behind `file` */
	struct gb_err *err;
};

/* ---- files (grubplan-files.c) ------------------------------------------------------------ */

int gb_grubwork_memory(struct gb_grubwork *w);
/* As it is; one that is not there is success, with NULL. */
int gb_grubwork_read(struct gb_grubwork *w, const char *path, char **ret);
/* Its variables, as it becomes. */
int gb_grubwork_load(struct gb_grubwork *w, const char *path, struct gb_grub *grub);
int gb_grubwork_before(struct gb_grubwork *w);
int gb_grubwork_after(struct gb_grubwork *w);
void gb_grubwork_clear_names(struct gb_grubnames *names);

/* ---- what gets words (grubplan-own.c) ----------------------------------------------------- */

/* The words of our drop-in. */
int gb_grubwork_our_words(struct gb_grubwork *w, char **ret);
int gb_grubwork_change_ours(struct gb_grubwork *w, const struct gb_want *want);
/* The variable of the main file that gets words. */
const char *gb_grubwork_variable(const struct gb_grubwork *w);
int gb_grubwork_change_main(struct gb_grubwork *w, const struct gb_want *want);

/* ---- what only loses some (grubplan-other.c) ----------------------------------------------- */

/* Out of every file of a person's that has it. */
int gb_grubwork_take_out(struct gb_grubwork *w, const struct gb_want *want);
int gb_grubwork_other(struct gb_grubwork *w, const char *path, const struct gb_want *want);

#endif
