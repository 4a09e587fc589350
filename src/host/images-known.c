/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "err.h"
#include "file.h"
#include "host.h"
#include "imageproof.h"
#include "store.h"
#include "text.h"

/* Which images are as wished: by reading them, and by what was written down of that. */

/* Of imageproof and what it judges by: to be raised with every change of those, so that what was
 * proved by older ones is read again. */
#define RULES "3"

/* The file and the state that it is in: what changes it shows in its times or in its number. */
static void add_file(struct gb_text *text, struct gb_host *host, const char *path)
{
	struct gb_file file;

	if (!gb_file_find(&host->store, path, false, &file))
		return;
	gb_text_addf(text, "%s %llu %llu %llu %lld.%ld %lld.%ld\n", path,
		     (unsigned long long)file.size, (unsigned long long)file.device,
		     (unsigned long long)file.inode, (long long)file.modified.tv_sec,
		     file.modified.tv_nsec, (long long)file.changed.tv_sec, file.changed.tv_nsec);
	gb_file_clear(&file);
}

/* Everything that the verdict on an image depends on, but for the image. */
static int wish_hash(struct gb_host *host, const struct gb_images *images,
		     const struct gb_kernel *kernel, const struct gb_image_wish *wish,
		     char ret[GB_SHA256_TEXT], struct gb_err *err)
{
	const struct gb_unifiedplan unified = gb_images_unifiedplan(images, kernel, wish);
	struct gb_text text = { 0 };
	bool is_unified = false;

	for (size_t i = 0; i < kernel->places; i++)
		is_unified = is_unified || kernel->place[i].unified;
	gb_text_addf(&text, "%s " RULES " %s %d\n", GB_VERSION, kernel->release, !wish->claims);
	if (wish->claims)
		add_file(&text, host, wish->program);
	if (is_unified) {
		gb_text_addf(&text, "%d\n", unified.is_signed);
		if (unified.certificate[0])
			add_file(&text, host, unified.certificate);
		add_file(&text, host, unified.kernel);
	}
	if (wish->line)
		gb_text_addf(&text, "%s\n", wish->line);
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

/* ---- reading ---------------------------------------------------------------------------- */

int gb_images_read(struct gb_host *host, struct gb_images *images, const struct gb_kernel *kernel,
		   const struct gb_image_place *place, const struct gb_image_wish *wish,
		   struct gb_checks *checks, struct gb_err *err)
{
	const struct gb_unifiedplan unified = gb_images_unifiedplan(images, kernel, wish);
	const struct gb_imageplan plan = { place->path, kernel->release, wish->program, wish->claims,
					   wish->claims_len, 0, place->unified ? &unified : NULL };
	char hash[GB_SHA256_TEXT];
	struct gb_file file = { 0 };
	int r = wish_hash(host, images, kernel, wish, hash, err);
	bool there;

	if (r)
		return r;
	/* looked at before it is read, so that what changes meanwhile was not proved */
	there = gb_file_find(&host->store, place->path, false, &file);
	if (there && gb_proved_has(&images->proved, place->path, &file, hash)) {
		gb_file_clear(&file);
		return 1;
	}
	r = gb_imageproof(host->root, &plan, checks, err);
	if (!r)
		r = !gb_checks_count(checks, GB_FAIL) && !gb_checks_count(checks, GB_UNKNOWN);
	if (r == 1 && there)
		gb_proved_add(&images->proved, place->path, &file, hash);
	gb_file_clear(&file);
	return r;
}

int gb_images_judge(struct gb_host *host, struct gb_images *images, struct gb_kernel *kernel,
		    const struct gb_image_wish *wish, struct gb_err *err)
{
	int r = 1;

	for (size_t i = 0; i < kernel->places && r == 1; i++) {
		struct gb_checks checks = { 0 };

		r = gb_images_read(host, images, kernel, &kernel->place[i], wish, &checks, err);
		gb_checks_clear(&checks);
	}
	kernel->good = r == 1;
	return r < 0 ? r : 0;
}

static bool recall(struct gb_host *host, const struct gb_images *images, const char *path,
		   const char *hash)
{
	struct gb_file file;
	bool known;

	if (!gb_file_find(&host->store, path, false, &file))
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
		int r = wish_hash(host, images, kernel, wish, hash, err);

		if (r)
			return r;
		kernel->good = true;
		for (size_t p = 0; p < kernel->places; p++)
			kernel->good &= recall(host, images, kernel->place[p].path, hash);
	}
	return 0;
}

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
			  const struct gb_kernel *kernel, const struct gb_image_place *place,
			  const struct gb_image_wish *wish, struct gb_err *err)
{
	const char *path = place->path, *built = place->unified ? kernel->built_unified : kernel->built;
	char hash[GB_SHA256_TEXT];
	struct gb_file file;
	int r = built[0] ? wish_hash(host, images, kernel, wish, hash, err) : 0;

	if (r || !built[0] || !gb_file_find(&host->store, path, true, &file))
		return r;
	if (!strcmp(file.hash, built))
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
			r = remember_place(host, images, &images->kernel[i],
					   &images->kernel[i].place[p], wish, err);
	gb_proved_keep(&images->proved, is_place, images);
	return r ? r : gb_proved_write(&images->proved, &host->store, err);
}
