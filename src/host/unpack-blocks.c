/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unpack.h"

#include <errno.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "err.h"
#include "source.h"

/* lz4's legacy frame, the only one the kernel reads (lib/decompress_unlz4.c): blocks of 8 MiB. */
#define LZ4_MAGIC 0x184c2102u
#define LZ4_BLOCK (8u << 20)
#define LZO_BLOCK (256u << 10) /* of lzop and lib/decompress_unlzo.c */

struct blocks {
	struct gb_source *source;
	enum gb_packing packing;
	unsigned char *in, *out;
	struct gb_err *err;
};

static int begin(struct blocks *blocks, size_t in, size_t out)
{
	blocks->in = malloc(in);
	blocks->out = malloc(out);
	return blocks->in && blocks->out ? 0 : gb_fail(blocks->err, ENOMEM, "out of memory");
}

static int copy(struct blocks *blocks, void *to, size_t len)
{
	int r = gb_source_copy(blocks->source, to, len);

	return r == -ENODATA ? gb_unpack_short(blocks->source, blocks->packing, blocks->err) :
	       r < 0	     ? gb_unpack_lost(blocks->source, r, blocks->err) : 0;
}

static int damaged(struct blocks *blocks)
{
	return gb_unpack_damaged(blocks->source, blocks->packing, blocks->err);
}

static void end(struct blocks *blocks)
{
	free(blocks->in);
	free(blocks->out);
}

/* ---- lz4 ------------------------------------------------------------------------------------- */

static uint32_t little(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* The length of the next block; 0: there is none. A length of 0 is padding, no length but the
 * magic is another frame. */
static int next_lz4(struct blocks *blocks, uint32_t *ret)
{
	struct gb_source *source = blocks->source;
	int r;

	do {
		r = gb_source_fill(source, 4);
		if (r < 0)
			return gb_unpack_lost(source, r, blocks->err);
		*ret = source->len < 4 ? 0 : little(source->data);
		if (*ret)
			gb_source_take(source, 4);
	} while (*ret == LZ4_MAGIC);
	return *ret > (uint32_t)LZ4_COMPRESSBOUND(LZ4_BLOCK) ? damaged(blocks) : 0;
}

static int stream_lz4(struct blocks *blocks, gb_feed_fn feed, void *ctx)
{
	uint32_t len = 0;
	int r, made;

	while (!(r = next_lz4(blocks, &len)) && len && !(r = copy(blocks, blocks->in, len))) {
		made = LZ4_decompress_safe((char *)blocks->in, (char *)blocks->out, (int)len,
					   LZ4_BLOCK);
		if (made < 0)
			return damaged(blocks);
		r = feed(ctx, blocks->out, (size_t)made, blocks->err);
		if (r < 0)
			break;
	}
	return r;
}

int gb_unpack_lz4(struct gb_source *source, gb_feed_fn feed, void *ctx, struct gb_err *err)
{
	struct blocks blocks = { .source = source, .packing = GB_LZ4, .err = err };
	int r = begin(&blocks, LZ4_COMPRESSBOUND(LZ4_BLOCK), LZ4_BLOCK);

	if (!r)
		r = stream_lz4(&blocks, feed, ctx);
	end(&blocks);
	return r;
}

/* ---- lzo: lzop's container ------------------------------------------------------------------- */

/* Flags of lzop's header (lzop: src/conf.h). */
#define LZOP_ADLER_PLAIN 0x1u
#define LZOP_ADLER_PACKED 0x2u
#define LZOP_EXTRA 0x40u
#define LZOP_CRC_PLAIN 0x100u
#define LZOP_CRC_PACKED 0x200u
#define LZOP_FILTER 0x800u

static int get_big(struct blocks *blocks, size_t bytes, uint32_t *ret)
{
	unsigned char data[4];
	int r = copy(blocks, data, bytes);

	*ret = 0;
	for (size_t i = 0; !r && i < bytes; i++)
		*ret = *ret << 8 | data[i];
	return r;
}

static int skip(struct blocks *blocks, uint32_t len)
{
	int r = 0;

	for (uint32_t part; !r && len; len -= part) {
		part = len < LZO_BLOCK ? len : LZO_BLOCK;
		r = copy(blocks, blocks->in, part);
	}
	return r;
}

/* Magic 9, version 2, library 2, needed version 2, method 1, level 1, flags 4, [filter 4], mode 4,
 * time 4 and 4, name 1 and more, checksum 4, [extra 4, more, 4] (lib/decompress_unlzo.c,
 * parse_header). Version 0940 brought the needed version, level and the second half of the time. */
static int read_lzop(struct blocks *blocks, uint32_t *ret_flags)
{
	uint32_t version, flags, name, extra;
	int r = skip(blocks, 9);

	if (!r)
		r = get_big(blocks, 2, &version);
	if (!r && version < 0x0940)
		return damaged(blocks); /* lzop before 1997 */
	if (!r)
		r = skip(blocks, 2 + 2 + 1 + 1);
	if (!r)
		r = get_big(blocks, 4, &flags);
	if (!r)
		r = skip(blocks, (flags & LZOP_FILTER ? 4 : 0) + 4 + 4 + 4);
	if (!r)
		r = get_big(blocks, 1, &name);
	if (!r)
		r = skip(blocks, name + 4);
	if (!r && flags & LZOP_EXTRA) {
		r = get_big(blocks, 4, &extra);
		if (!r)
			r = skip(blocks, extra) ? -EBADMSG : skip(blocks, 4);
	}
	*ret_flags = r ? 0 : flags;
	return r;
}

/* 1: a block is in `out`, 0: the end. */
static int next_lzo(struct blocks *blocks, uint32_t flags, uint32_t *ret)
{
	uint32_t packed = 0, adler = 0, unused;
	lzo_uint made = LZO_BLOCK;
	bool stored;
	int r = get_big(blocks, 4, ret);

	if (r || !*ret)
		return r;
	r = get_big(blocks, 4, &packed);
	if (!r && (*ret > LZO_BLOCK || !packed || packed > *ret))
		return damaged(blocks);
	stored = packed == *ret;
	if (!r && flags & LZOP_ADLER_PLAIN)
		r = get_big(blocks, 4, &adler);
	if (!r && flags & LZOP_CRC_PLAIN)
		r = get_big(blocks, 4, &unused);
	if (!r && flags & LZOP_ADLER_PACKED && !stored)
		r = get_big(blocks, 4, &unused);
	if (!r && flags & LZOP_CRC_PACKED && !stored)
		r = get_big(blocks, 4, &unused);
	if (!r)
		r = copy(blocks, stored ? blocks->out : blocks->in, packed);
	if (r)
		return r;
	if (!stored && (lzo1x_decompress_safe(blocks->in, packed, blocks->out, &made, NULL) ||
			made != *ret))
		return damaged(blocks);
	if (flags & LZOP_ADLER_PLAIN && adler32(1, blocks->out, *ret) != adler)
		return damaged(blocks);
	return 1;
}

int gb_unpack_lzo(struct gb_source *source, gb_feed_fn feed, void *ctx, struct gb_err *err)
{
	struct blocks blocks = { .source = source, .packing = GB_LZO, .err = err };
	uint32_t flags = 0, len = 0;
	int r = begin(&blocks, LZO_BLOCK, LZO_BLOCK);

	if (!r)
		r = read_lzop(&blocks, &flags);
	while (!r && (r = next_lzo(&blocks, flags, &len)) > 0)
		r = feed(ctx, blocks.out, len, err);
	end(&blocks);
	return r;
}
