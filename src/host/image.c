/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own walk (init/initramfs.c, unpack_to_rootfs), but for what it passes over in
 * silence: an archive cut short, and anything but zeros behind the last one. */
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "root.h"
#include "source.h"

struct walk {
	struct gb_source source;
	struct gb_cpio cpio;
	struct gb_image *image;
	struct gb_image_part part;
	uint64_t start; /* where the image begins in its file */
};

static int count(struct walk *walk, size_t len, struct gb_err *err)
{
	walk->part.unpacked += len;
	walk->image->unpacked += len;
	if (walk->image->unpacked > GB_IMAGE_SIZE_MAX)
		return gb_fail(err, E2BIG, "it unpacks to more than %u GiB",
			       (unsigned)(GB_IMAGE_SIZE_MAX >> 30));
	return 0;
}

/* Inside a compressed part another archive may follow, and nothing else. */
static int feed(void *ctx, const unsigned char *data, size_t len, struct gb_err *err)
{
	struct walk *walk = ctx;
	struct gb_cpio *cpio = &walk->cpio;
	int r = count(walk, len, err);
	size_t used;

	while (!r) {
		r = gb_cpio_feed(cpio, data, len, &used, err);
		data += used;
		len -= used;
		if (r || !len)
			return r;
		if (*data != '0' || cpio->position & 3)
			return gb_fail(err, EBADMSG, "something that is no archive follows "
						     "archive %zu", cpio->archives);
		cpio->state = GB_CPIO_START;
	}
	return r;
}

static int read_compressed(struct walk *walk, struct gb_err *err)
{
	enum gb_packing packing = walk->part.packing;
	int r;

	walk->cpio.position = 0;
	r = gb_unpack(&walk->source, packing, feed, walk, err);
	if (!r && walk->cpio.state != GB_CPIO_RESET)
		r = gb_fail(err, EBADMSG, "its %s part ends in the middle of an archive",
			    gb_packing_name(packing));
	return r;
}

/* Up to the end of an archive and the zeros behind it. */
static int read_plain(struct walk *walk, struct gb_err *err)
{
	struct gb_source *source = &walk->source;
	size_t used;
	int r;

	walk->cpio.state = GB_CPIO_START;
	walk->cpio.position = source->offset - walk->start;
	do {
		r = gb_source_fill(source, 1);
		if (r < 0)
			return gb_unpack_lost(source, r, err);
		if (!source->len)
			break;
		r = gb_cpio_feed(&walk->cpio, source->data, source->len, &used, err);
		gb_source_take(source, used);
		if (!r)
			r = count(walk, used, err);
	} while (!r && !source->len);
	if (!r && walk->cpio.state != GB_CPIO_RESET)
		r = gb_unpack_short(source, GB_UNPACKED, err);
	return r;
}

static int skip_zeros(struct gb_source *source, struct gb_err *err)
{
	int r;

	do {
		size_t len = 0;

		r = gb_source_fill(source, 1);
		while (len < source->len && !source->data[len])
			len++;
		gb_source_take(source, len);
		if (!r && !len)
			break;
	} while (!r);
	/* what tells the formats apart */
	if (!r)
		r = gb_source_fill(source, 16);
	return r < 0 ? gb_unpack_lost(source, r, err) : 0;
}

static int identify(struct walk *walk, struct gb_err *err)
{
	const struct gb_source *source = &walk->source;
	enum gb_packing packing = gb_packing_of(source->data, source->len);

	if (packing == GB_PACKINGS || (packing == GB_UNPACKED &&
				       (source->offset - walk->start) & 3))
		return gb_fail(err, EBADMSG, "at byte %" PRIu64 " is neither an archive nor any "
					     "compression that the kernel knows", source->offset);
	walk->part = (struct gb_image_part){ .packing = packing, .offset = source->offset };
	return 0;
}

static int read_next(struct walk *walk, struct gb_err *err)
{
	struct gb_image *image = walk->image;
	int r = identify(walk, err);

	if (!r)
		r = walk->part.packing == GB_UNPACKED ? read_plain(walk, err) :
							read_compressed(walk, err);
	walk->part.packed = walk->source.offset - walk->part.offset;
	if (image->parts < GB_IMAGE_PARTS)
		image->part[image->parts] = walk->part;
	image->parts++;
	return r;
}

static int read_all(struct walk *walk, struct gb_err *err)
{
	int r;

	do
		r = skip_zeros(&walk->source, err);
	while (!r && walk->source.len && !(r = read_next(walk, err)));
	walk->image->size = walk->source.offset - walk->start;
	walk->image->archives = walk->cpio.archives;
	walk->image->entries = walk->cpio.entries;
	if (!r && !walk->image->parts)
		r = gb_fail(err, EBADMSG, "it is empty");
	return r;
}

int gb_image_read_part(int fd, uint64_t offset, uint64_t length, const struct gb_cpio_sink *sink,
		       struct gb_image *ret, struct gb_err *err)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!walk)
		return gb_fail(err, ENOMEM, "out of memory");
	walk->image = ret;
	walk->start = offset;
	gb_cpio_begin(sink, &walk->cpio);
	r = gb_source_open(fd, offset, length, &walk->source);
	if (r < 0)
		gb_fail(err, -r, "%s", strerror(-r));
	else
		r = read_all(walk, err);
	gb_source_clear(&walk->source);
	free(walk);
	return r;
}

int gb_image_read(struct gb_root *root, const char *path, const struct gb_cpio_sink *sink,
		  struct gb_image *ret, struct gb_err *err)
{
	int fd = gb_root_file(root, path), r;

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		return gb_fail(err, -fd, fd == -EINVAL ? "it is no file" : "%s", strerror(-fd));
	r = gb_image_read_part(fd, 0, UINT64_MAX, sink, ret, err);
	close(fd);
	return r;
}

