/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <blkid/blkid.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disks.h"

struct system {
	blkid_cache cache;
};

/* No cache file: an old one isn't believed, and a new one isn't written. */
static blkid_cache open_cache(struct system *system)
{
	if (!system->cache && !blkid_get_cache(&system->cache, "/dev/null"))
		blkid_probe_all(system->cache);
	return system->cache;
}

/* Several devices may have one UUID: the disks of a btrfs, a snapshot beside its origin. */
static int find(void *ctx, const char *tag, const char *value, const char *type,
		void (*each)(void *each_ctx, const char *device), void *each_ctx)
{
	blkid_cache cache = ctx ? open_cache(ctx) : NULL;
	blkid_dev_iterate iterate = cache ? blkid_dev_iterate_begin(cache) : NULL;
	blkid_dev device;
	int count = 0;

	if (!iterate)
		return -ENOMEM;
	blkid_dev_set_search(iterate, tag, value);
	while (!blkid_dev_next(iterate, &device)) {
		if (type && !blkid_dev_has_tag(device, "TYPE", type))
			continue;
		each(each_ctx, blkid_dev_devname(device));
		count++;
	}
	blkid_dev_iterate_end(iterate);
	return geteuid() ? -EACCES : count;
}

void gb_blkid_system(struct gb_blkid *ret)
{
	*ret = (struct gb_blkid){ .find = find, .ctx = calloc(1, sizeof(struct system)) };
}

void gb_blkid_close(struct gb_blkid *blkid)
{
	struct system *system = blkid->ctx;

	if (system && system->cache)
		blkid_put_cache(system->cache);
	free(system);
	memset(blkid, 0, sizeof(*blkid));
}
