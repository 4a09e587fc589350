/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline-images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "plan.h"
#include "root.h"

/* The claims file as it is. */
static int read_claims(struct gb_host *host, struct gb_cmdline_images *ret, struct gb_err *err)
{
	size_t len = 0;
	int r = gb_root_read_all(host->root, GB_CLAIMS_FILE, GB_CLAIMS_SIZE_MAX, &ret->claims, &len);

	if (r && r != -ENOENT)
		return gb_fail(err, -r, GB_CLAIMS_FILE ": %s", strerror(-r));
	ret->wish = gb_images_wish(r ? NULL : ret->claims, len);
	return 0;
}

static int find_line(struct gb_host *host, const struct gb_cmdplan_report *report,
		     struct gb_cmdline_images *ret, struct gb_err *err)
{
	struct gb_text line = { 0 };
	int r = gb_cmdplan_line(host, report, &line, err);

	if (!r)
		gb_images_line(&ret->images, line.data, &ret->line);
	gb_text_clear(&line);
	ret->wish.line = ret->line.data;
	return r ? r : ret->line.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

static int find_images(struct gb_host *host, struct gb_cmdline_images *ret, struct gb_err *err)
{
	struct gb_site *site = calloc(1, sizeof(*site));
	int r;

	if (!site)
		return gb_fail(err, ENOMEM, "out of memory");
	gb_site_read(host->root, site);
	r = gb_images_find(host, site, &ret->images, err);
	free(site);
	return r;
}

int gb_cmdline_images_plan(struct gb_host *host, const struct gb_cmdplan_report *report,
			   struct gb_plan *plan, struct gb_cmdline_images *ret, struct gb_err *err)
{
	int r;

	*ret = (struct gb_cmdline_images){ .wish = gb_images_wish(NULL, 0) };
	if (!report->unified)
		return 0;
	r = find_images(host, ret, err);
	if (r || !gb_cmdline_images_plans(ret))
		return r;
	r = read_claims(host, ret, err);
	if (!r)
		r = find_line(host, report, ret, err);
	if (!r)
		r = gb_images_plan(host, &ret->images, &ret->wish, plan, err);
	return r < 0 ? r : 0;
}

bool gb_cmdline_images_plans(const struct gb_cmdline_images *images)
{
	return images->images.usable && images->images.unified.program[0];
}

void gb_cmdline_images_clear(struct gb_cmdline_images *images)
{
	gb_images_clear(&images->images);
	gb_text_clear(&images->line);
	free(images->claims);
	memset(images, 0, sizeof(*images));
}
