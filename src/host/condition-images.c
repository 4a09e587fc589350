/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernel's image has which claims. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cmdplan.h"
#include "condition.h"
#include "err.h"
#include "host.h"
#include "text.h"

static const struct gb_check *find_check(const struct gb_checks *checks, const char *id)
{
	for (size_t i = 0; i < checks->checks; i++)
		if (!strcmp(checks->check[i].id, id))
			return &checks->check[i];
	return NULL;
}

static const struct gb_check *first_of(const struct gb_checks *checks, enum gb_mark mark)
{
	for (size_t i = 0; i < checks->checks; i++)
		if (checks->check[i].mark == mark)
			return &checks->check[i];
	return NULL;
}

static void say_same(const struct gb_condition *c, struct gb_condition_image *image)
{
	size_t claims = 0;

	image->claims = GB_IMAGE_SAME;
	for (size_t i = 0; i < c->configured.claims.lines; i++)
		claims += !c->configured.claims.line[i].keep;
	if (claims)
		snprintf(image->text, sizeof(image->text), "the %zu claim%s configured", claims,
			 claims == 1 ? "" : "s");
	else
		snprintf(image->text, sizeof(image->text), "no claims, as configured");
}

static void take_checks(const struct gb_condition *c, const struct gb_checks *checks, bool wanted,
			struct gb_condition_image *image)
{
	const struct gb_check *claims = find_check(checks, "image-claims");
	const struct gb_check *fail = first_of(checks, GB_FAIL), *lost = first_of(checks, GB_UNKNOWN);

	if (claims && claims->mark == GB_FAIL) {
		/* one that is there and differs has its size as evidence */
		image->claims = wanted && !claims->evidence ? GB_IMAGE_NONE : GB_IMAGE_OTHER;
		snprintf(image->text, sizeof(image->text), "%s",
			 !wanted ? "a claims file, and none is configured" :
			 image->claims == GB_IMAGE_OTHER ? "other claims than those configured" :
			 gb_condition_claims_any(&c->configured.claims) ? "no claims" :
								 "not the claims file that is configured");
	} else if (fail) {
		image->claims = GB_IMAGE_BAD;
		snprintf(image->text, sizeof(image->text), "not fit: %.180s", fail->text);
	} else if (lost) {
		image->claims = GB_IMAGE_UNKNOWN;
		snprintf(image->text, sizeof(image->text), "cannot tell: %.180s",
			 lost->evidence ? lost->evidence : lost->text);
	} else {
		say_same(c, image);
	}
}

static bool keep_none(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return false;
}

/* All its places, up to the first that is not as it should be; what is known is not read again. */
static int read_image(struct gb_condition *c, const struct gb_condition_options *options,
		      const struct gb_image_wish *wish, struct gb_condition_image *image,
		      struct gb_err *err)
{
	const struct gb_kernel *kernel = image->kernel;
	int r = 1;

	for (size_t p = 0; p < kernel->places && r == 1; p++) {
		struct gb_checks checks = { 0 };

		image->path = kernel->place[p].path;
		if (options->reading)
			options->reading(options->ctx, image->path);
		r = gb_images_read(c->host, &c->images, kernel, &kernel->place[p], wish, &checks, err);
		if (r >= 0)
			take_checks(c, &checks, wish->claims, image);
		gb_checks_clear(&checks);
	}
	return r < 0 ? r : 0;
}

/* What unified images should have as their command line; nothing where that can't be told. */
static int find_line(struct gb_condition *c, struct gb_text *ret, struct gb_err *err)
{
	struct gb_text line = { 0 };

	if (c->images.unified.program[0] && !gb_cmdplan_line(c->host, NULL, &line, NULL))
		gb_images_line(&c->images, line.data, ret);
	gb_text_clear(&line);
	return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

int gb_condition_images(struct gb_condition *c, const struct gb_condition_options *options,
			struct gb_err *err)
{
	const bool any = gb_condition_claims_any(&c->configured.claims);
	struct gb_image_wish wish = gb_images_wish(c->configured.text, c->configured.len);
	struct gb_text line = { 0 };
	int r = gb_images_find(c->host, &c->survey->site, &c->images, err);

	if (!r)
		r = find_line(c, &line, err);
	wish.line = line.data;
	if (!r)
		r = gb_images_recall(c->host, &c->images, &wish, err);
	c->image = calloc(c->images.kernels + 1, sizeof(*c->image));
	if (!r && !c->image)
		r = gb_fail(err, ENOMEM, "out of memory");
	if (options->read_images)
		gb_proved_keep(&c->images.proved, keep_none, NULL);
	for (size_t i = 0; i < c->images.kernels && !r; i++) {
		struct gb_condition_image *image = &c->image[i];

		image->kernel = &c->images.kernel[i];
		image->path = image->kernel->place[0].path;
		if (c->configured.there == GB_CANNOT_TELL)
			snprintf(image->text, sizeof(image->text), "cannot tell");
		else if (options->read_images)
			r = read_image(c, options, &wish, image, err);
		else if (image->kernel->good)
			say_same(c, image);
		else if (options->read_unknown && any)
			r = read_image(c, options, &wish, image, err);
	}
	gb_text_clear(&line);
	return r;
}
