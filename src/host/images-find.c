/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images-search.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "err.h"
#include "host.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define GRUB_CFG_MAX (8u << 20)

struct gb_image_wish gb_images_wish(const char *claims, size_t len)
{
	return (struct gb_image_wish){ .claims = claims, .claims_len = claims ? len : 0,
				       .program = GB_PROGRAM };
}

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

void gb_images_warn(const struct gb_images *images, struct gb_checks *checks)
{
	for (size_t i = 0; i < images->notes; i++) {
		gb_check(checks, "images", GB_WARN, "system", "%s", images->note[i].text);
		if (images->note[i].fix[0])
			gb_check_fix(checks, "%s", images->note[i].fix);
	}
}

void gb_images_clear(struct gb_images *images)
{
	free(images->kernel);
	gb_proved_clear(&images->proved);
	memset(images, 0, sizeof(*images));
}

/* ---- what the loader says --------------------------------------------------------------------- */

static void read_grub(struct gb_image_search *s)
{
	static const char *const files[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };

	if (!gb_images_by_grub_cfg(s->host->loader))
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

static int read_entries(struct gb_image_search *s)
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

/* ---- kernels ------------------------------------------------------------------------------- */

/* Nobody boots what no entry names: then this is not the image, or not the loader. */
static void judge_names(struct gb_image_search *s, const struct gb_kernel *kernel)
{
	enum gb_known named = GB_NO;
	const char *where = gb_images_by_grub_cfg(s->host->loader) ? s->grub_path : s->host->loader->boot;

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
		gb_images_refuse(s->images, gb_images_by_grub_cfg(s->host->loader) ? "update-grub" : "",
				 "no boot entry in %s loads the running kernel's image, %s", where,
				 kernel->place[0].path);
	else
		gb_images_note(s->images, "", "no boot entry in %s loads %s", where,
			       kernel->place[0].path);
}

static void add_kernel(struct gb_image_search *s, const char *release)
{
	struct gb_images *images = s->images;
	struct gb_kernel *kernel = &images->kernel[images->kernels];

	memset(kernel, 0, sizeof(*kernel));
	gb_text_copy(kernel->release, sizeof(kernel->release), release);
	kernel->running = !strcmp(release, s->site->release);
	if (!gb_images_kernel_file(s, kernel))
		return; /* what was left behind of one that is gone */
	gb_images_places(s, kernel);
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

static int find_kernels(struct gb_image_search *s)
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
static void note_read_only(struct gb_image_search *s)
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
static bool refuse_loader(struct gb_image_search *s)
{
	const struct gb_loader *loader = s->host->loader;

	if (loader->backend == GB_BACKEND_SUSE)
		gb_images_refuse(s->images, "sdbootutil mkinitrd", "sdbootutil builds this machine's "
				 "images and names each after its content");
	else if (!loader->usable)
		gb_images_refuse(s->images, loader->hint, "%s", loader->why);
	else if (loader->backend == GB_BACKEND_UKI)
		gb_images_find_unified(s->host, s->site, s->images);
	return !s->images->usable;
}

int gb_images_find(struct gb_host *host, const struct gb_site *site, struct gb_images *ret,
		   struct gb_err *err)
{
	struct gb_image_search s = { .host = host, .site = site, .images = ret };
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
