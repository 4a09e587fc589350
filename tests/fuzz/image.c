/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of any content: names stay below the root, links end, memory is bounded. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "imagetree.h"

static bool keep(void *ctx, const char *path, uint32_t size)
{
	(void)ctx;
	return size < 1000 && path[0] != 'n';
}

static void look_at(const struct gb_imagetree *tree)
{
	size_t len, kept = 0;

	for (size_t i = 0; i < tree->files; i++) {
		const struct gb_image_file *file = tree->file[i];

		if (!file->path[0] || file->path[0] == '/' || strstr(file->path, "//") ||
		    (strstr(file->path, "/../")))
			abort();
		if (!file->gone && gb_imagetree_find_link(tree, file->path) != file)
			abort();
		gb_imagetree_data(tree, file->path, &len);
	}
	for (const struct gb_body *body = tree->body; body; body = body->next)
		kept += body->data ? body->size : 0;
	if (kept != tree->kept || kept > GB_IMAGETREE_KEPT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct gb_imagetree tree;
	struct gb_err err;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	gb_imagetree_read_part(fd, 0, UINT64_MAX, keep, NULL, &tree, &err);
	look_at(&tree);
	gb_imagetree_clear(&tree);
	return 0;
}
