/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/iomem: every function that it names is asked for, and one that it may not name. */
#include <stdlib.h>
#include <string.h>

#include "iomem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct gb_iomem *iomem, struct gb_bdf bdf)
{
	const struct gb_range *range = NULL;
	struct gb_iomem_walk walk = { 0 };
	size_t n = 0;
	int r = gb_iomem_framebuffer(iomem, bdf, &range);

	if (r == 1 && !gb_iomem_is_framebuffer(range->name))
		abort();
	while ((range = gb_iomem_next(iomem, bdf, &walk)))
		if (n++ > iomem->ranges || range < iomem->range ||
		    range >= iomem->range + iomem->ranges)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_iomem iomem;
	struct gb_bdf bdf;

	if (!gb_iomem_parse((const char *)data, size, &iomem, NULL)) {
		ask(&iomem, (struct gb_bdf){ 0, 1, 0 });
		for (size_t i = 0; i < iomem.ranges && i < 64; i++)
			if (gb_bdf_parse(iomem.range[i].name, &bdf))
				ask(&iomem, bdf);
	}
	gb_iomem_clear(&iomem);
	return 0;
}
