/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmdplan.h"
#include "err.h"
#include "file.h"
#include "host.h"
#include "journal.h"
#include "plan.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define BUILD_S 1800 /* a slow disk, every module, xz -9 */
#define IMAGE_MODE 0600 /* only where none was: an image may hold keys */

/* ---- steps ------------------------------------------------------------------------------------ */

/* The most that a new one takes: the claims, our tools and vfio are 1 MiB; the rest is for what was
 * updated since. */
static uint64_t new_size(const struct gb_kernel *kernel, bool unified)
{
	uint64_t size = 0, any = 0;

	for (size_t i = 0; i < kernel->places; i++) {
		const struct gb_image_place *place = &kernel->place[i];

		if (place->size > any)
			any = place->size;
		if (place->unified == unified && place->size > size)
			size = place->size;
	}
	size = size ? size : any;
	return size + size / 4 + (4u << 20);
}

/* What our hooks ask for is an environment: neither builder passes on anything else. */
static int build(struct gb_host *host, const char *const *argv, const char *staged, bool trial,
		 uint64_t space, const char *reason, struct gb_plan *plan, struct gb_err *err)
{
	const char *with[16] = { "/usr/bin/env", "GHOST_BOOT_TRIAL=1" };

	for (size_t i = 0; trial && argv[i] && i + 3 < sizeof(with) / sizeof(*with); i++)
		with[i + 2] = argv[i];
	return gb_plan_build(plan, &host->store, trial ? with : argv, staged, space, BUILD_S, reason,
			     err);
}

int gb_images_build(struct gb_host *host, const struct gb_images *images,
		    const struct gb_kernel *kernel, const char *staged, bool trial,
		    const char *reason, struct gb_plan *plan, struct gb_err *err)
{
	const char *tools[] = { images->program, "-o", staged, kernel->release, NULL };
	/* Debian's hook, Fedora's and openSUSE's; it adds -q to hide what we show */
	const char *dracut[] = { images->program, "--force", staged, kernel->release, NULL };
	/* as dracut's plugin for kernel-install calls it */
	const char *installed[] = { images->program, "--force", "--no-uefi", "--kernel-image",
				    kernel->kernel, "--kver", kernel->release, staged, NULL };
	const char *host_only[] = { images->program, "--force", "--add-confdir", "hostonly",
				    "--no-uefi", "--kernel-image", kernel->kernel, "--kver",
				    kernel->release, staged, NULL };
	const char *const *argv = images->builder == GB_INITRAMFS_TOOLS ? tools :
				  images->host_only			? host_only :
				  images->as_installed			? installed :
									  dracut;

	return build(host, argv, staged, trial, new_size(kernel, false), reason, plan, err);
}

static const struct gb_image_place *first_place(const struct gb_kernel *kernel, bool unified)
{
	for (size_t i = 0; i < kernel->places; i++)
		if (kernel->place[i].unified == unified)
			return &kernel->place[i];
	return NULL;
}

/* Beside a place of its own, hidden from grub-mkconfig, linux-version and systemd-boot, which go by
 * names. An image that only becomes a part of a unified one has none. */
static bool name_staged(const struct gb_kernel *kernel, const struct gb_image_place *place,
			const char *end, char *ret, size_t size)
{
	const char *path = place ? place->path : GB_STATE "/";
	int folder = (int)(strrchr(path, '/') - path);

	return snprintf(ret, size, "%.*s/.ghost-boot-%s.%s", folder, path, kernel->release, end) <
	       (int)size;
}

static bool name_both(struct gb_kernel *kernel)
{
	const struct gb_image_place *unified = first_place(kernel, true);

	return name_staged(kernel, first_place(kernel, false), "img", kernel->staged,
			   sizeof(kernel->staged)) &&
	       (!unified || name_staged(kernel, unified, "uki", kernel->staged_unified,
					sizeof(kernel->staged_unified)));
}

bool gb_images_stamp(struct gb_host *host, const struct gb_kernel *kernel, struct gb_text *ret)
{
	bool good = kernel->places;

	for (size_t i = 0; i < kernel->places && good; i++) {
		struct gb_file file;

		good = gb_file_find(&host->store, kernel->place[i].path, false, &file);
		if (!good)
			break;
		gb_text_addf(ret, "%s%" PRIu64 "@%lld.%09ld", i ? "," : "", file.size,
			     (long long)file.modified.tv_sec, file.modified.tv_nsec);
		gb_file_clear(&file);
	}
	if (!good || ret->failed)
		gb_text_clear(ret);
	return ret->len;
}

void gb_images_take_tried(struct gb_host *host, struct gb_images *images, const char *release,
			  const char *path, const char *stamp)
{
	struct gb_text now = { 0 };

	for (size_t i = 0; i < images->kernels; i++) {
		struct gb_kernel *kernel = &images->kernel[i];

		if (!strcmp(kernel->release, release) && gb_images_stamp(host, kernel, &now) &&
		    !strcmp(now.data, stamp))
			gb_text_copy(kernel->tried, sizeof(kernel->tried), path);
		gb_text_clear(&now);
	}
}

static int plan_copy(struct gb_host *host, const struct gb_kernel *kernel, struct gb_plan *plan,
		     struct gb_err *err)
{
	const char *argv[] = { "/bin/cp", "--", kernel->tried, kernel->staged, NULL };
	char reason[256];

	snprintf(reason, sizeof(reason), "a new image for kernel %s: the one that was tried",
		 kernel->release);
	return build(host, argv, kernel->staged, false, new_size(kernel, false), reason, plan, err);
}

/* On FAT the last place takes the image itself, so what is made of it is made first. */
static int plan_builds(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		       const struct gb_image_wish *wish, struct gb_plan *plan, struct gb_err *err)
{
	char reason[256];
	int r, steps;

	snprintf(reason, sizeof(reason), "a new image for kernel %s, %s", kernel->release,
		 wish->claims ? "with the claims in it" : "without claims");
	steps = kernel->tried[0] ? plan_copy(host, kernel, plan, err) :
				   gb_images_build(host, images, kernel, kernel->staged, false, reason, plan,
						   err);
	if (steps < 0 || !kernel->staged_unified[0])
		return steps;
	snprintf(reason, sizeof(reason), "kernel %s, that image and the command line in one",
		 kernel->release);
	r = gb_images_unify(host, images, kernel, wish, new_size(kernel, true), reason, plan, err);
	return r < 0 ? r : steps + r;
}

static int plan_places(struct gb_host *host, const struct gb_kernel *kernel, bool unified,
		       struct gb_plan *plan, struct gb_err *err)
{
	const char *staged = unified ? kernel->staged_unified : kernel->staged;
	bool first = true;
	char reason[256];
	int steps = 0;

	for (size_t i = 0; i < kernel->places; i++) {
		int r;

		if (kernel->place[i].unified != unified)
			continue;
		snprintf(reason, sizeof(reason), first ? "kernel %s's %s, once the new one was read and "
				 "found as planned" : "the copy of it that the boot loader reads",
			 kernel->release, unified ? "unified image" : "image");
		r = gb_plan_place(plan, &host->store, staged, kernel->place[i].path, IMAGE_MODE, reason,
				  err);
		if (r < 0)
			return r;
		steps += r;
		first = false;
	}
	return steps;
}

static int plan_kernel(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		       const struct gb_image_wish *wish, struct gb_plan *plan, struct gb_err *err)
{
	const size_t first = plan->steps;
	int r, steps;

	if (!name_both(kernel))
		return gb_fail(err, ENAMETOOLONG, "%s: its name is too long", kernel->place[0].path);
	steps = plan_builds(host, images, kernel, wish, plan, err);
	for (unsigned unified = 0; unified < 2 && steps >= 0; unified++) {
		r = plan_places(host, kernel, unified, plan, err);
		steps = r < 0 ? r : steps + r;
	}
	gb_plan_mark(plan, first, GB_BOOT_IMAGE);
	return steps;
}

/* What update-initramfs would have run, with what it gives it; what they do we don't know. An image
 * that is only a part of a unified one has no file of its own to give. */
static int plan_hooks(const struct gb_images *images, struct gb_plan *plan, struct gb_err *err)
{
	int steps = 0;

	for (size_t i = 0; i < images->kernels; i++) {
		const struct gb_kernel *kernel = &images->kernel[i];
		const struct gb_image_place *place = first_place(kernel, false);

		for (size_t h = 0; h < images->hooks && place && !kernel->good; h++) {
			const char *argv[] = { images->hook[h], kernel->release, place->path, NULL };
			int r = gb_plan_publish(plan, argv, place->path,
						"what update-initramfs runs after each image", err);

			if (r < 0)
				return r;
			steps += r;
		}
	}
	return steps;
}

int gb_images_check_hook(struct gb_host *host, const struct gb_images *images,
			 struct gb_err *err)
{
	static const char *const tools[] = { "/usr/share/initramfs-tools/hooks/ghost-boot",
					     "/etc/initramfs-tools/hooks/ghost-boot" };
	static const char *const dracut[] = {
		"/usr/lib/dracut/modules.d/50ghost-boot/module-setup.sh",
		"/usr/local/lib/dracut/modules.d/50ghost-boot/module-setup.sh"
	};
	const char *const *path = images->builder == GB_DRACUT ? dracut : tools;

	if (gb_root_exists(host->root, path[0]) || gb_root_exists(host->root, path[1]))
		return 0;
	return gb_fail(err, ENOENT, "%s: not there, so %s would leave the claims out; install "
		       "ghost-boot again", path[0], images->name);
}

int gb_images_plan(struct gb_host *host, struct gb_images *images, const struct gb_image_wish *wish,
		   struct gb_plan *plan, struct gb_err *err)
{
	bool all = true;
	int r = 0, steps = 0;

	if (!images->usable)
		return gb_fail(err, EOPNOTSUPP, "%s", images->why);
	gb_proved_clear(&images->proved);
	gb_proved_read(host->root, &images->proved);
	for (size_t i = 0; i < images->kernels && !r; i++) {
		r = gb_images_judge(host, images, &images->kernel[i], wish, err);
		all = all && images->kernel[i].good;
	}
	if (!r && !all && wish->claims)
		r = gb_images_check_hook(host, images, err);
	for (size_t i = 0; i < images->kernels && r >= 0; i++) {
		if (images->kernel[i].good)
			continue;
		r = plan_kernel(host, images, &images->kernel[i], wish, plan, err);
		steps += r;
	}
	if (r >= 0)
		r = plan_hooks(images, plan, err);
	if (r < 0)
		return r;
	steps += r;
	r = all ? 0 : gb_cmdplan_publish(host, plan, err);
	return r < 0 ? r : steps + r;
}
