/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "file.h"
#include "host.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define GRUB_CFG_MAX (8u << 20)

struct search {
	struct gb_host *host;
	const struct gb_site *site;
	struct gb_images *images;
	char *grub; /* text of grub.cfg, or NULL */
	size_t grub_len;
	const char *grub_path;
	struct gb_image_entry *entry;
	size_t entries;
};

void gb_images_refuse(struct gb_images *images, const char *hint, const char *format, ...)
{
	va_list args;

	images->usable = false;
	if (images->why[0])
		return; /* the first reason is the cause of the others */
	va_start(args, format);
	vsnprintf(images->why, sizeof(images->why), format, args);
	va_end(args);
	gb_text_copy(images->hint, sizeof(images->hint), hint);
}

void gb_images_note(struct gb_images *images, const char *fix, const char *format, ...)
{
	struct gb_image_note *note = &images->note[images->notes];
	va_list args;

	if (images->notes == GB_IMAGE_NOTES_MAX)
		return;
	images->notes++;
	va_start(args, format);
	vsnprintf(note->text, sizeof(note->text), format, args);
	va_end(args);
	gb_text_copy(note->fix, sizeof(note->fix), fix);
}

void gb_images_clear(struct gb_images *images)
{
	free(images->kernel);
	gb_proved_clear(&images->proved);
	memset(images, 0, sizeof(*images));
}

/* ---- what the loader says --------------------------------------------------------------------- */

static bool uses_grub_cfg(const struct gb_loader *loader)
{
	return loader->backend == GB_BACKEND_GRUB_DROP_IN || loader->backend == GB_BACKEND_GRUB_FILE;
}

static void read_grub(struct search *s)
{
	static const char *const files[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };

	if (!uses_grub_cfg(s->host->loader))
		return;
	s->grub_path = files[!gb_root_exists(s->host->root, files[0])];
	if (gb_root_read_all(s->host->root, s->grub_path, GRUB_CFG_MAX, &s->grub, &s->grub_len))
		s->grub = NULL;
	/* Ubuntu's 10_linux: the first try of each boot is without any image */
	else if (memmem(s->grub, s->grub_len, "attempting initrdless boot", 26))
		gb_images_refuse(s->images, "remove GRUB_FORCE_PARTUUID from /etc/default/grub.d, and "
				 "run update-grub",
				 "GRUB boots this machine without an image (GRUB_FORCE_PARTUUID), so "
				 "nothing in one can claim");
}

static int read_entries(struct search *s)
{
	const struct gb_loader *loader = s->host->loader;

	s->entry = calloc(loader->sources + 1, sizeof(*s->entry));
	if (!s->entry)
		return -ENOMEM;
	for (size_t i = 0; i < loader->sources; i++)
		if (loader->source[i].kind == GB_CMDLINE_ENTRY &&
		    gb_images_read_entry(s->host, s->site, loader->source[i].path,
					 &s->entry[s->entries]) &&
		    s->entry[s->entries].release[0])
			s->entries++;
	return 0;
}

static enum gb_known is_named(const struct search *s, const char *path)
{
	if (uses_grub_cfg(s->host->loader))
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

/* ---- one kernel's files ----------------------------------------------------------------------- */

static bool file_size(struct gb_host *host, const char *path, uint64_t *ret)
{
	struct gb_place place;
	struct gb_file file = { 0 };
	bool is = false;

	if (gb_store_place(&host->store, path, true, &place, NULL))
		return false;
	if (place.folder >= 0 && !gb_file_glance(&place, &file, NULL))
		is = file.kind == GB_FILE_REGULAR;
	if (is)
		*ret = file.size;
	gb_file_clear(&file);
	gb_place_clear(&place);
	return is;
}

/* False: it is not there. */
static bool add_place(struct search *s, struct gb_kernel *kernel, const char *path)
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
static void add_builder_places(struct search *s, struct gb_kernel *kernel)
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

static void add_entry_places(struct search *s, struct gb_kernel *kernel,
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

static void add_loader_places(struct search *s, struct gb_kernel *kernel)
{
	for (size_t i = 0; i < s->entries; i++)
		if (!strcmp(s->entry[i].release, kernel->release))
			add_entry_places(s, kernel, &s->entry[i]);
}

static bool find_kernel_file(struct search *s, struct gb_kernel *kernel)
{
	static const char *const names[] = { "/boot/vmlinuz-%s", "/boot/vmlinux-%s" };

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

/* Nobody boots what no entry names: then this is not the image, or not the loader. */
static void judge_names(struct search *s, const struct gb_kernel *kernel)
{
	enum gb_known named = GB_NO;
	const char *where = uses_grub_cfg(s->host->loader) ? s->grub_path : s->host->loader->boot;

	for (size_t i = 0; i < kernel->places; i++)
		if (kernel->place[i].named == GB_YES ||
		    (kernel->place[i].named == GB_CANNOT_TELL && named == GB_NO))
			named = kernel->place[i].named;
	if (named == GB_YES)
		return;
	if (named == GB_CANNOT_TELL)
		gb_images_note(s->images, "", "whether a boot entry loads %s can't be told",
			       kernel->place[0].path);
	else if (kernel->running)
		gb_images_refuse(s->images, uses_grub_cfg(s->host->loader) ? "update-grub" : "",
				 "no boot entry in %s loads the running kernel's image, %s", where,
				 kernel->place[0].path);
	else
		gb_images_note(s->images, "", "no boot entry in %s loads %s", where,
			       kernel->place[0].path);
}

static void add_kernel(struct search *s, const char *release)
{
	struct gb_images *images = s->images;
	struct gb_kernel *kernel = &images->kernel[images->kernels];

	memset(kernel, 0, sizeof(*kernel));
	gb_text_copy(kernel->release, sizeof(kernel->release), release);
	kernel->running = !strcmp(release, s->site->release);
	if (!find_kernel_file(s, kernel))
		return; /* what was left behind of one that is gone */
	add_builder_places(s, kernel);
	add_loader_places(s, kernel);
	if (kernel->places) {
		images->kernels++;
		judge_names(s, kernel);
	} else if (kernel->running) {
		gb_images_refuse(images, "", "the running kernel %s has no image, so nothing can claim "
				 "before its drivers", release);
	} else {
		gb_images_note(images, "", "kernel %s has no image: booted with it, nothing is claimed",
			       release);
	}
}

static int find_kernels(struct search *s)
{
	struct gb_images *images = s->images;

	images->kernel = calloc(s->site->kernels + 1, sizeof(*images->kernel));
	if (!images->kernel)
		return -ENOMEM;
	for (size_t i = 0; i < s->site->kernels; i++)
		if (strcmp(s->site->kernel[i], s->site->release))
			add_kernel(s, s->site->kernel[i]);
	for (size_t i = 0; i < s->site->kernels; i++)
		if (!strcmp(s->site->kernel[i], s->site->release))
			add_kernel(s, s->site->kernel[i]);
	if (s->site->kernels == GB_KERNELS_MAX)
		gb_images_refuse(images, "remove old kernels", "there are more kernels than expected "
				 "in /lib/modules");
	else if (images->usable && !images->kernels)
		gb_images_refuse(images, "", "no kernel with modules and an image is to be found; is "
				 "/boot mounted?");
	return 0;
}

/* update-initramfs looks for this itself, and ends as if all were well. */
static void note_read_only(struct search *s)
{
	char place_folder[320];
	const struct gb_images *images = s->images;

	for (size_t i = 0; i < images->kernels; i++)
		for (size_t p = 0; p < images->kernel[i].places; p++) {
			bool read_only = false;
			uint64_t bytes;
			int fd;

			gb_text_copy(place_folder, sizeof(place_folder),
				     images->kernel[i].place[p].path);
			*strrchr(place_folder, '/') = '\0';
			fd = gb_root_open_folder(s->host->root, place_folder);
			if (fd < 0)
				continue;
			gb_store_space(&s->host->store, fd, &bytes, &read_only);
			close(fd);
			if (!read_only)
				continue;
			gb_images_note(s->images, "mount it with -o remount,rw",
				       "%s is mounted read-only: no image can be built there, and "
				       "update-initramfs skips it without an error", place_folder);
			return;
		}
}

/* What nothing here can do, whatever builds. */
static bool refuse_loader(struct search *s)
{
	const struct gb_loader *loader = s->host->loader;

	if (loader->backend == GB_BACKEND_UKI)
		gb_images_refuse(s->images, "", "this machine boots unified kernel images, which can't "
				 "be built by ghost-boot yet");
	else if (loader->backend == GB_BACKEND_SUSE)
		gb_images_refuse(s->images, "sdbootutil mkinitrd", "sdbootutil builds this machine's "
				 "images and names each after its content");
	else if (!loader->usable)
		gb_images_refuse(s->images, loader->hint, "%s", loader->why);
	else
		return false;
	return true;
}

int gb_images_find(struct gb_host *host, const struct gb_site *site, struct gb_images *ret,
		   struct gb_err *err)
{
	struct search s = { .host = host, .site = site, .images = ret };
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	gb_images_find_builder(host, site, ret);
	if (ret->usable && !refuse_loader(&s)) {
		read_grub(&s);
		r = read_entries(&s);
		if (!r)
			r = find_kernels(&s);
		if (!r)
			note_read_only(&s);
	}
	free(s.grub);
	free(s.entry);
	return r ? gb_fail(err, -r, "out of memory") : 0;
}
