/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "err.h"
#include "file.h"
#include "host.h"
#include "imageproof.h"
#include "plan.h"
#include "root.h"
#include "store.h"
#include "text.h"

/* Of imageproof and what it judges by: to be raised with every change of those, so that what was
 * proved by older ones is read again. */
#define RULES "1"

#define BUILD_S 1800 /* a slow disk, every module, xz -9 */
#define IMAGE_MODE 0600 /* only where none was: an image may hold keys */

static bool glance(struct gb_host *host, const char *path, bool hash, struct gb_file *ret)
{
	struct gb_place place;
	bool is = false;

	memset(ret, 0, sizeof(*ret));
	if (gb_store_place(&host->store, path, true, &place, NULL))
		return false;
	if (place.folder >= 0)
		is = !(hash ? gb_file_look : gb_file_glance)(&place, ret, NULL) &&
		     ret->kind == GB_FILE_REGULAR;
	gb_place_clear(&place);
	return is;
}

/* Everything that the verdict on an image depends on, but for the image. */
static int wish_hash(struct gb_host *host, const char *release, const struct gb_image_wish *wish,
		     char ret[GB_SHA256_TEXT], struct gb_err *err)
{
	struct gb_text text = { 0 };
	struct gb_file program;

	gb_text_addf(&text, "%s " RULES " %s %d\n", GB_VERSION, release, !wish->claims);
	if (wish->claims && glance(host, wish->program, false, &program)) {
		gb_text_addf(&text, "%s %llu %llu %llu %lld.%ld %lld.%ld\n", wish->program,
			     (unsigned long long)program.size, (unsigned long long)program.device,
			     (unsigned long long)program.inode, (long long)program.modified.tv_sec,
			     program.modified.tv_nsec, (long long)program.changed.tv_sec,
			     program.changed.tv_nsec);
		gb_file_clear(&program);
	}
	if (wish->claims)
		gb_text_add(&text, wish->claims, wish->claims_len);
	if (text.failed) {
		gb_text_clear(&text);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	gb_sha256_of(text.data, text.len, ret);
	gb_text_clear(&text);
	return 0;
}

/* ---- what there is ---------------------------------------------------------------------------- */

/* 1: it is as wished; 0: it is not, or nobody can tell. */
static int is_good(struct gb_host *host, struct gb_images *images, const char *release,
		   const char *path, const struct gb_image_wish *wish, struct gb_err *err)
{
	struct gb_imageplan plan = { path, release, wish->program, wish->claims, wish->claims_len, 0 };
	struct gb_checks checks = { 0 };
	char hash[GB_SHA256_TEXT];
	struct gb_file file;
	int r = wish_hash(host, release, wish, hash, err);

	if (r)
		return r;
	/* looked at before it is read, so that what changes meanwhile was not proved */
	if (!glance(host, path, false, &file))
		return 0;
	if (gb_proved_has(&images->proved, path, &file, hash)) {
		gb_file_clear(&file);
		return 1;
	}
	r = gb_imageproof(host->root, &plan, &checks, err);
	if (!r)
		r = !gb_checks_count(&checks, GB_FAIL) && !gb_checks_count(&checks, GB_UNKNOWN);
	if (r == 1)
		gb_proved_add(&images->proved, path, &file, hash);
	gb_checks_clear(&checks);
	gb_file_clear(&file);
	return r;
}

static int judge(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		 const struct gb_image_wish *wish, struct gb_err *err)
{
	int r = 1;

	for (size_t i = 0; i < kernel->places && r == 1; i++)
		r = is_good(host, images, kernel->release, kernel->place[i].path, wish, err);
	kernel->good = r == 1;
	return r < 0 ? r : 0;
}

static bool recall(struct gb_host *host, const struct gb_images *images, const char *path,
		   const char *hash)
{
	struct gb_file file;
	bool known;

	if (!glance(host, path, false, &file))
		return false;
	known = gb_proved_has(&images->proved, path, &file, hash);
	gb_file_clear(&file);
	return known;
}

int gb_images_recall(struct gb_host *host, struct gb_images *images,
		     const struct gb_image_wish *wish, struct gb_err *err)
{
	gb_proved_clear(&images->proved);
	gb_proved_read(host->root, &images->proved);
	for (size_t i = 0; i < images->kernels; i++) {
		struct gb_kernel *kernel = &images->kernel[i];
		char hash[GB_SHA256_TEXT];
		int r = wish_hash(host, kernel->release, wish, hash, err);

		if (r)
			return r;
		kernel->good = true;
		for (size_t p = 0; p < kernel->places; p++)
			kernel->good &= recall(host, images, kernel->place[p].path, hash);
	}
	return 0;
}

/* ---- steps ------------------------------------------------------------------------------------ */

static uint64_t present_size(const struct gb_kernel *kernel)
{
	uint64_t size = 0;

	for (size_t i = 0; i < kernel->places; i++)
		if (kernel->place[i].size > size)
			size = kernel->place[i].size;
	return size;
}

int gb_images_build(struct gb_host *host, const struct gb_images *images,
		    const struct gb_kernel *kernel, const char *staged, const char *reason,
		    struct gb_plan *plan, struct gb_err *err)
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
	uint64_t size = present_size(kernel);

	/* the claims, our tools and vfio are 1 MiB; the rest is for what was updated since */
	return gb_plan_build(plan, &host->store, argv, staged, size + size / 4 + (4u << 20), BUILD_S,
			     reason, err);
}

/* On the disk of its first place, hidden from grub-mkconfig and linux-version, which go by
 * names. */
static bool name_staged(struct gb_kernel *kernel)
{
	const char *path = kernel->place[0].path;
	int folder = (int)(strrchr(path, '/') - path);

	return snprintf(kernel->staged, sizeof(kernel->staged), "%.*s/.ghost-boot-%s.img", folder,
			path, kernel->release) < (int)sizeof(kernel->staged);
}

static int plan_kernel(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		       const struct gb_image_wish *wish, struct gb_plan *plan, struct gb_err *err)
{
	const size_t first = plan->steps;
	char reason[256];
	int r, steps;

	if (!name_staged(kernel))
		return gb_fail(err, ENAMETOOLONG, "%s: its name is too long", kernel->place[0].path);
	snprintf(reason, sizeof(reason), "a new image for kernel %s, %s", kernel->release,
		 wish->claims ? "with the claims in it" : "without claims");
	steps = gb_images_build(host, images, kernel, kernel->staged, reason, plan, err);
	for (size_t i = 0; i < kernel->places && steps >= 0; i++) {
		snprintf(reason, sizeof(reason), i ? "the copy of it that the boot loader reads" :
						     "kernel %s's image, once the new one was read and "
						     "found as planned", kernel->release);
		r = gb_plan_place(plan, &host->store, kernel->staged, kernel->place[i].path,
				  IMAGE_MODE, reason, err);
		steps = r < 0 ? r : steps + r;
	}
	gb_plan_mark(plan, first, GB_BOOT_IMAGE);
	return steps;
}

/* What update-initramfs would have run, with what it gives it; what they do we don't know. */
static int plan_hooks(struct gb_host *host, const struct gb_images *images, struct gb_plan *plan,
		      struct gb_err *err)
{
	int steps = 0;

	for (size_t i = 0; i < images->kernels; i++)
		for (size_t h = 0; h < images->hooks && !images->kernel[i].good; h++) {
			const struct gb_kernel *kernel = &images->kernel[i];
			const char *argv[] = { images->hook[h], kernel->release,
					       kernel->place[0].path, NULL };
			int r = gb_plan_run(plan, &host->store, argv, NULL, 0,
					    "what update-initramfs runs after each image", err);

			if (r < 0)
				return r;
			steps += r;
		}
	return steps;
}

static int check_hook(struct gb_host *host, const struct gb_images *images, struct gb_err *err)
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
		r = judge(host, images, &images->kernel[i], wish, err);
		all = all && images->kernel[i].good;
	}
	if (!r && !all && wish->claims)
		r = check_hook(host, images, err);
	for (size_t i = 0; i < images->kernels && r >= 0; i++) {
		if (images->kernel[i].good)
			continue;
		r = plan_kernel(host, images, &images->kernel[i], wish, plan, err);
		steps += r;
	}
	if (r >= 0)
		r = plan_hooks(host, images, plan, err);
	return r < 0 ? r : steps + r;
}

/* ---- afterwards ------------------------------------------------------------------------------- */

static bool is_place(void *ctx, const char *path)
{
	const struct gb_images *images = ctx;

	for (size_t i = 0; i < images->kernels; i++)
		for (size_t p = 0; p < images->kernel[i].places; p++)
			if (!strcmp(images->kernel[i].place[p].path, path))
				return true;
	return false;
}

/* What was built and proved is in its place only when its bytes are. */
static int remember_place(struct gb_host *host, struct gb_images *images,
			  const struct gb_kernel *kernel, const char *path,
			  const struct gb_image_wish *wish, struct gb_err *err)
{
	char hash[GB_SHA256_TEXT];
	struct gb_file file;
	int r = wish_hash(host, kernel->release, wish, hash, err);

	if (r || !glance(host, path, true, &file))
		return r;
	if (!strcmp(file.hash, kernel->built))
		gb_proved_add(&images->proved, path, &file, hash);
	gb_file_clear(&file);
	return 0;
}

int gb_images_remember(struct gb_host *host, struct gb_images *images,
		       const struct gb_image_wish *wish, struct gb_err *err)
{
	int r = 0;

	if (!images->usable)
		return 0;
	for (size_t i = 0; i < images->kernels; i++)
		for (size_t p = 0; p < images->kernel[i].places && !r; p++)
			if (images->kernel[i].built[0])
				r = remember_place(host, images, &images->kernel[i],
						   images->kernel[i].place[p].path, wish, err);
	gb_proved_keep(&images->proved, is_place, images);
	return r ? r : gb_proved_write(&images->proved, &host->store, err);
}
