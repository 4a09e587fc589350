/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "err.h"
#include "host.h"
#include "imageproof.h"
#include "pe.h"
#include "plan.h"
#include "store.h"

/* What came of a build, before it is used, and of all of it, afterwards. */

/* The first check that did not pass, or NULL. What failed says more than what nobody can tell. */
static const struct gb_check *first_bad(const struct gb_checks *checks)
{
	static const enum gb_mark marks[] = { GB_FAIL, GB_UNKNOWN };

	for (size_t m = 0; m < 2; m++)
		for (size_t i = 0; i < checks->checks; i++)
			if (checks->check[i].mark == marks[m])
				return &checks->check[i];
	return NULL;
}

static int look(struct gb_host *host, const char *path, struct gb_place *ret_place,
		struct gb_file *ret, struct gb_err *err)
{
	int r = gb_store_place(&host->store, path, true, ret_place, err);

	if (!r)
		r = ret_place->folder < 0 ? -ENOENT : gb_file_look(ret_place, ret, err);
	return r ? r : ret->kind == GB_FILE_REGULAR ? 0 : -ENOENT;
}

static int judge(struct gb_host *host, const struct gb_imageplan *plan, struct gb_err *err)
{
	struct gb_checks checks = { 0 };
	const struct gb_check *bad;
	int r = gb_imageproof(host->root, plan, &checks, err);

	bad = first_bad(&checks);
	if (!r && bad)
		r = gb_fail(err, EBADMSG, "the new image of kernel %s is not used: %s%s%.200s%s",
			    plan->release, bad->text, bad->evidence ? " (" : "",
			    bad->evidence ? bad->evidence : "", bad->evidence ? ")" : "");
	gb_checks_clear(&checks);
	return r;
}

static int prove(struct gb_host *host, const struct gb_imageplan *plan,
		 char ret_hash[GB_SHA256_TEXT], struct gb_err *err)
{
	struct gb_place place = { .folder = -1 };
	struct gb_file file = { 0 };
	int r = look(host, plan->image, &place, &file, err);

	if (r == -ENOENT)
		r = gb_fail(err, EBADMSG, "no image of kernel %s was made, though its builder ended "
			    "without an error", plan->release);
	else if (!r)
		r = judge(host, plan, err);
	if (!r && !gb_file_untouched(&place, &file))
		r = gb_fail(err, EBADMSG, "the new image of kernel %s changed while it was read",
			    plan->release);
	if (!r)
		memcpy(ret_hash, file.hash, GB_SHA256_TEXT);
	gb_file_clear(&file);
	gb_place_clear(&place);
	return r;
}

int gb_images_prove_file(struct gb_host *host, const char *release, const char *staged,
			 const struct gb_image_wish *wish, uint64_t previous,
			 char ret_hash[GB_SHA256_TEXT], struct gb_err *err)
{
	struct gb_imageplan plan = { staged, release, wish->program, wish->claims, wish->claims_len,
				     previous, NULL };

	return prove(host, &plan, ret_hash, err);
}

static bool builds(const struct gb_step *step, const char *staged)
{
	return staged[0] && step->kind == GB_STEP_BUILD && !strcmp(step->touch->path, staged);
}

/* Bytes of the image that the new one takes the place of; 0: there is none. */
static uint64_t previous_size(const struct gb_kernel *kernel)
{
	for (size_t i = 0; i < kernel->places; i++)
		if (!kernel->place[i].unified)
			return kernel->place[i].size;
	return 0;
}

/* Of the image in the unified one that the new one takes the place of; 0: there is none. */
static uint64_t previous_part(struct gb_host *host, const struct gb_kernel *kernel)
{
	const struct gb_pe_section *image = NULL;
	struct gb_pe pe;
	int fd = -1;

	for (size_t i = 0; i < kernel->places && fd < 0; i++)
		if (kernel->place[i].unified)
			fd = gb_pe_open(host->root, kernel->place[i].path, &pe, NULL);
	if (fd >= 0) {
		image = gb_pe_find(&pe, ".initrd");
		close(fd);
	}
	return image ? image->size : 0;
}

static int prove_unified(struct gb_host *host, const struct gb_images *images,
			 struct gb_kernel *kernel, const struct gb_image_wish *wish,
			 struct gb_err *err)
{
	const struct gb_unifiedplan unified = gb_images_unifiedplan(images, kernel, wish);
	struct gb_imageplan plan = { kernel->staged_unified, kernel->release, wish->program,
				     wish->claims, wish->claims_len, previous_part(host, kernel),
				     &unified };

	return prove(host, &plan, kernel->built_unified, err);
}

int gb_images_prove(struct gb_host *host, struct gb_images *images, const struct gb_image_wish *wish,
		    const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	for (size_t i = 0; i < images->kernels; i++) {
		struct gb_kernel *kernel = &images->kernel[i];
		int r;

		if (builds(&plan->step[step], kernel->staged))
			r = gb_images_prove_file(host, kernel->release, kernel->staged, wish,
						 previous_size(kernel), kernel->built, err);
		else if (builds(&plan->step[step], kernel->staged_unified))
			r = prove_unified(host, images, kernel, wish, err);
		else
			continue;
		kernel->good = !r;
		return r;
	}
	return 0;
}

static const struct gb_image_place *find_place(const struct gb_images *images, const char *path)
{
	for (size_t i = 0; i < images->kernels; i++)
		for (size_t p = 0; p < images->kernel[i].places; p++)
			if (!strcmp(images->kernel[i].place[p].path, path))
				return &images->kernel[i].place[p];
	return NULL;
}

static int check_kernel(const struct gb_kernel *kernel, const struct gb_images *now,
			struct gb_err *err)
{
	for (size_t i = 0; i < kernel->places; i++) {
		const struct gb_image_place *is = find_place(now, kernel->place[i].path);

		if (kernel->place[i].named == GB_YES && (!is || is->named == GB_NO))
			return gb_fail(err, EBADMSG, "no boot entry loads %s any more",
				       kernel->place[i].path);
	}
	return 0;
}

int gb_images_check(struct gb_host *host, const struct gb_site *site,
		    const struct gb_images *images, struct gb_err *err)
{
	struct gb_images now;
	int r = gb_images_find(host, site, &now, err);

	if (!r && images->usable && !now.usable)
		r = gb_fail(err, EBADMSG, "%s", now.why);
	for (size_t i = 0; i < images->kernels && !r; i++)
		r = check_kernel(&images->kernel[i], &now, err);
	gb_images_clear(&now);
	return r;
}
