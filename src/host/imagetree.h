/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGETREE_H
#define GB_IMAGETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

struct gb_err;
struct gb_root;

/* The files that are there once the kernel has unpacked an image: later archives over earlier
 * ones, names through the links that stand there by then, hard links with one body. A file whose
 * folder is missing is not there, as the kernel makes none. */

struct gb_body {
	uint32_t size;
	char *data; /* size bytes and a NUL, or NULL: not kept */
	struct gb_body *next;
};

struct gb_image_file {
	uint32_t mode;
	uint32_t children;
	bool gone; /* replaced by a later one */
	struct gb_body *body; /* of a regular file, else NULL */
	char *target;	      /* of a symbolic link, else NULL */
	char path[];	      /* "usr/sbin/ghost-claim": no link, "." or ".." in it */
};

/* Whether a file's data is to be kept. */
typedef bool (*gb_keep_fn)(void *ctx, const char *path, uint32_t size);

struct gb_imagetree {
	struct gb_image image;
	struct gb_image_file **file; /* in the order they came, gone ones too */
	size_t files;
	size_t lost;	/* whose folder is missing or no folder */
	char *first_lost;
	bool ours_lost; /* first_lost is the first that has our name */
	bool dropped; /* data that was to be kept did not fit */

	size_t room, slots;
	uint32_t *slot; /* by hash of the path: index of file + 1 */
	struct gb_link *link; /* hard links of the archive being read, by hash */
	size_t links, link_room;
	struct gb_body *body;
	struct gb_body *now; /* being filled, `filled` bytes of it */
	uint32_t filled;
	size_t memory, kept;
	gb_keep_fn keep;
	void *ctx;
};

#define GB_IMAGETREE_MEMORY (16u << 20) /* names; a real image needs 1 MiB */
#define GB_IMAGETREE_KEPT (8u << 20)	/* data; a file that does not fit has none */

/* As gb_image_read says; also -E2BIG: more files than fit. *ret is always to be cleared, and holds
 * what came before an error. */
int gb_imagetree_read(struct gb_root *root, const char *image, gb_keep_fn keep, void *ctx,
		      struct gb_imagetree *ret, struct gb_err *err);
int gb_imagetree_read_part(int fd, uint64_t offset, uint64_t length, gb_keep_fn keep, void *ctx,
			   struct gb_imagetree *ret, struct gb_err *err);
void gb_imagetree_clear(struct gb_imagetree *tree);

/* With a leading slash or without; through all links, or not the last. NULL: not there. */
const struct gb_image_file *gb_imagetree_find(const struct gb_imagetree *tree, const char *path);
const struct gb_image_file *gb_imagetree_find_link(const struct gb_imagetree *tree, const char *path);
/* Its data; NULL for what is missing, no file or not kept. */
const char *gb_imagetree_data(const struct gb_imagetree *tree, const char *path, size_t *ret_len);
/* The last part of its path if it lies in `folder` itself, else NULL. */
const char *gb_image_file_in(const struct gb_image_file *file, const char *folder);

#endif
