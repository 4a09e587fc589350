/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images-search.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "host.h"
#include "root.h"
#include "store.h"
#include "text.h"

/* The files that hold a kernel's image, and whether a boot entry names them. */

bool gb_images_by_grub_cfg(const struct gb_loader *loader)
{
	return loader->backend == GB_BACKEND_GRUB_DROP_IN || loader->backend == GB_BACKEND_GRUB_FILE;
}

static enum gb_known is_named(const struct gb_image_search *s, const char *path)
{
	const size_t folder = strlen(s->images->unified.folder);

	/* systemd-boot shows what lies there */
	if (folder && !strncmp(path, s->images->unified.folder, folder) && path[folder] == '/')
		return GB_YES;
	if (gb_images_by_grub_cfg(s->host->loader))
		return !s->grub ? GB_CANNOT_TELL :
		       gb_images_grub_names(s->grub, s->grub_len, strrchr(path, '/') + 1) ? GB_YES :
											    GB_NO;
	for (size_t i = 0; i < s->entries; i++)
		for (size_t k = 0; k < s->entry[i].images; k++)
			if (!strcmp(s->entry[i].image[k], path))
				return GB_YES;
	/* proxmox-boot-tool's entries lie on partitions that are not mounted */
	return s->host->loader->backend == GB_BACKEND_PROXMOX ? GB_CANNOT_TELL : GB_NO;
}

static bool file_size(struct gb_host *host, const char *path, uint64_t *ret)
{
	struct gb_file file;

	if (!gb_file_find(&host->store, path, false, &file))
		return false;
	*ret = file.size;
	gb_file_clear(&file);
	return true;
}

/* False: it is not there. */
static bool add_place(struct gb_image_search *s, struct gb_kernel *kernel, const char *path)
{
	struct gb_image_place *place = &kernel->place[kernel->places];
	uint64_t size = 0;

	for (size_t i = 0; i < kernel->places; i++)
		if (!strcmp(kernel->place[i].path, path))
			return true;
	if (!file_size(s->host, path, &size))
		return false;
	if (kernel->places == GB_IMAGE_PLACES_MAX) {
		gb_images_refuse(s->images, "", "kernel %s has more copies of its image than expected",
				 kernel->release);
		return true;
	}
	gb_text_copy(place->path, sizeof(place->path), path);
	place->size = size;
	place->named = is_named(s, path);
	kernel->places++;
	return true;
}

/* Where the builder puts it. dracut's users have three names for it: those that the loader reads,
 * or else the first that is there. */
static void add_builder_places(struct gb_image_search *s, struct gb_kernel *kernel)
{
	static const char *const names[] = { "/boot/initrd.img-%s", "/boot/initramfs-%s.img",
					     "/boot/initrd-%s" };
	size_t count = s->images->builder == GB_DRACUT ? 3 : 1;
	char path[3][128];
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		snprintf(path[i], sizeof(path[i]), names[i], kernel->release);
		if (is_named(s, path[i]) == GB_YES)
			any = add_place(s, kernel, path[i]) || any;
	}
	for (size_t i = 0; i < count && !any; i++)
		any = add_place(s, kernel, path[i]);
}

static void add_entry_places(struct gb_image_search *s, struct gb_kernel *kernel,
			     const struct gb_image_entry *entry)
{
	if (entry->unclear)
		gb_images_refuse(s->images, "", "a boot entry of kernel %s loads several images, and "
				 "nothing says which of them is its own", kernel->release);
	else if (!entry->images)
		gb_images_note(s->images, "", "a boot entry of kernel %s loads no image: what it boots "
			       "claims nothing", kernel->release);
	for (size_t i = 0; i < entry->images && !entry->unclear; i++)
		if (!add_place(s, kernel, entry->image[i]))
			gb_images_note(s->images, "", "a boot entry of kernel %s loads %s, which is "
				       "not there", kernel->release, entry->image[i]);
}

static void add_loader_places(struct gb_image_search *s, struct gb_kernel *kernel)
{
	for (size_t i = 0; i < s->entries; i++)
		if (!strcmp(s->entry[i].release, kernel->release))
			add_entry_places(s, kernel, &s->entry[i]);
}

struct unified_search {
	struct gb_image_search *s;
	struct gb_kernel *kernel;
};

static int add_unified_place(void *ctx, const char *file)
{
	struct unified_search *u = ctx;
	struct gb_kernel *kernel = u->kernel;
	const size_t before = kernel->places;
	char path[320];

	if (!gb_images_is_unified(u->s->images, file, kernel->release) ||
	    snprintf(path, sizeof(path), "%s/%s", u->s->images->unified.folder, file) >=
		    (int)sizeof(path))
		return 0;
	if (add_place(u->s, kernel, path) && kernel->places > before)
		kernel->place[before].unified = true;
	return 0;
}

static void add_unified_places(struct gb_image_search *s, struct gb_kernel *kernel)
{
	struct unified_search u = { s, kernel };

	if (s->images->unified.program[0])
		gb_root_list(s->host->root, s->images->unified.folder, add_unified_place, &u);
}

bool gb_images_kernel_file(struct gb_image_search *s, struct gb_kernel *kernel)
{
	static const char *const names[] = { "/boot/vmlinuz-%s", "/boot/vmlinux-%s",
					     "/lib/modules/%s/vmlinuz" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(kernel->kernel, sizeof(kernel->kernel), names[i], kernel->release);
		if (gb_root_exists(s->host->root, kernel->kernel))
			return true;
	}
	for (size_t i = 0; i < s->entries; i++)
		if (!strcmp(s->entry[i].release, kernel->release) && s->entry[i].kernel[0] &&
		    gb_root_exists(s->host->root, s->entry[i].kernel))
			return gb_text_copy(kernel->kernel, sizeof(kernel->kernel),
					    s->entry[i].kernel);
	return false;
}

void gb_images_places(struct gb_image_search *s, struct gb_kernel *kernel)
{
	add_builder_places(s, kernel);
	add_loader_places(s, kernel);
	add_unified_places(s, kernel);
}
