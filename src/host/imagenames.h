/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGENAMES_H
#define GB_IMAGENAMES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_body;
struct gb_cpio_entry;
struct gb_err;
struct gb_image_file;
struct gb_imagetree;

/* The names of an image's files: part of imagetree. */

/* Counts memory for names: -E2BIG beyond GB_IMAGETREE_MEMORY. */
int gb_names_spend(struct gb_imagetree *tree, size_t bytes, struct gb_err *err);
int gb_names_no_memory(struct gb_err *err);

/* A path without links, and a new file of that name; a gone one of that name is forgotten. */
struct gb_image_file *gb_names_lookup(const struct gb_imagetree *tree, const char *path, size_t len);
int gb_names_add(struct gb_imagetree *tree, const char *path, uint32_t mode, const char *target,
		 struct gb_image_file **ret, struct gb_err *err);

struct gb_names_path {
	char done[PATH_MAX]; /* no links in it; "" is the root */
	size_t len;
	char rest[2 * PATH_MAX]; /* still to go */
	const char *at;
	unsigned links;
};

/* The path without links, whether its last part is there or not. -ENOENT, -ENOTDIR, -ELOOP,
 * -ENAMETOOLONG. */
int gb_names_resolve(const struct gb_imagetree *tree, const char *name, bool follow,
		     struct gb_names_path *ret);

/* What an archive's names of one inode share: *ret is kept until the next call; a new one has no
 * body yet, and counts once it is given one. */
struct gb_link {
	uint32_t key[4]; /* inode, device, mode */
	struct gb_body *body;
};
int gb_names_link(struct gb_imagetree *tree, const struct gb_cpio_entry *entry,
		  struct gb_link **ret, struct gb_err *err);
/* Another archive has inodes of its own. `ctx` is the tree. */
void gb_names_forget(void *ctx);

#endif
