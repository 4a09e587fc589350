/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_UNPACK_H
#define GB_UNPACK_H

#include <stddef.h>

struct gb_err;
struct gb_source;

/* What the kernel unpacks an initramfs with, told apart by its first bytes
 * (lib/decompress.c, compressed_formats). */
enum gb_packing { GB_UNPACKED, GB_GZIP, GB_BZIP2, GB_LZMA, GB_XZ, GB_LZO, GB_LZ4, GB_ZSTD,
		  GB_PACKINGS };

/* The most that an earlier byte may lie back: what the builders' own levels need (xz -8: 32 MiB,
 * zstd -19: 8 MiB) within 64 MiB of memory in all. More is refused. */
#define GB_WINDOW_MAX (32u << 20)

const char *gb_packing_name(enum gb_packing packing); /* "xz" */
/* GB_PACKINGS: none of them. `len` of at least 6 decides. */
enum gb_packing gb_packing_of(const unsigned char *data, size_t len);

/* What was unpacked; a negative errno ends it and is returned. */
typedef int (*gb_feed_fn)(void *ctx, const unsigned char *data, size_t len, struct gb_err *err);

/* One compressed part, up to its own end and not a byte further: a gzip member, an xz stream, a
 * zstd frame, … Checksums are verified where the format has any. -EBADMSG: damaged or cut short;
 * -E2BIG: too large a window; -EIO and the like: what read said. */
int gb_unpack(struct gb_source *source, enum gb_packing packing, gb_feed_fn feed, void *ctx,
	      struct gb_err *err);

/* For gb_unpack: formats whose blocks are unpacked whole. (unpack-blocks.c) */
int gb_unpack_lz4(struct gb_source *source, gb_feed_fn feed, void *ctx, struct gb_err *err);
int gb_unpack_lzo(struct gb_source *source, gb_feed_fn feed, void *ctx, struct gb_err *err);
/* What every one of them says of such parts. */
int gb_unpack_short(const struct gb_source *source, enum gb_packing packing, struct gb_err *err);
int gb_unpack_damaged(const struct gb_source *source, enum gb_packing packing, struct gb_err *err);
int gb_unpack_lost(const struct gb_source *source, int r, struct gb_err *err); /* read failed */

#endif
