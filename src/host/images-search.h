/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IMAGES_SEARCH_H
#define GB_IMAGES_SEARCH_H

#include "images.h"
#include "loader.h"

/* What images-find.c has read of the loader, for images-places.c. */
struct gb_image_search {
	struct gb_host *host;
	const struct gb_site *site;
	struct gb_images *images;
	char *grub; /* text of grub.cfg, or NULL */
	size_t grub_len;
	const char *grub_path;
	struct gb_image_entry *entry;
	size_t entries;
};

bool gb_images_by_grub_cfg(const struct gb_loader *loader);
/* The file of the kernel itself; false: it is not there. */
bool gb_images_kernel_file(struct gb_image_search *s, struct gb_kernel *kernel);
/* All that hold its image: where its builder puts it, what entries load, unified ones. */
void gb_images_places(struct gb_image_search *s, struct gb_kernel *kernel);

#endif
