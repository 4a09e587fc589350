/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBCFG_H
#define GB_GRUBCFG_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_root;

/* grub.cfg as grub-mkconfig writes it: which of its entries boot which kernel with which words. It
 * is not run: what is between BEGIN and END of 10_linux is that script's, and looks as it does. */

#define GB_GRUBCFG_MAX (4u << 20) /* bytes */

struct gb_grubcfg_entry {
	char *title, *id; /* "" where there is none */
	char *kernel;	  /* "/boot/vmlinuz-6.12" */
	char *line;	  /* what follows it */
	char *initrd;	  /* the last: microcode comes before; NULL: it has none */
	bool recovery;
};

struct gb_grubcfg {
	struct gb_grubcfg_entry *entry; /* of 10_linux, those that boot a kernel */
	size_t entries;
	bool made;  /* grub-mkconfig made it */
	bool whole; /* its last section ends, and so do all entries */
};

/* -EINVAL with the reason, -ENOMEM. *ret is to be cleared only after success. */
int gb_grubcfg_parse(const char *data, size_t len, struct gb_grubcfg *ret, struct gb_err *err);
void gb_grubcfg_clear(struct gb_grubcfg *cfg);

/* What the entries must say; each a list of words with blanks between, or NULL. */
struct gb_grubcfg_goal {
	const char *carry; /* every entry but recovery ones has these */
	const char *clean; /* no recovery entry has any of these */
	const char *gone;  /* no entry has any of these */
};

/* Do they? Words with a meaning for shell or GRUB are passed over. -EBADMSG, and which does not. */
int gb_grubcfg_check(const struct gb_grubcfg *cfg, const struct gb_grubcfg_goal *goal,
		     struct gb_err *err);
/* Is it one that can take the place of `old`: whole, with every kernel that `old` boots and that is
 * still in /boot, and with its initrd where `old` has one? -EBADMSG with the reason. */
int gb_grubcfg_replaces(const struct gb_grubcfg *cfg, const struct gb_grubcfg *old,
			struct gb_root *root, struct gb_err *err);

#endif
