/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By the formats' own libraries: libarchive reads on past a part's end, checks no gzip checksum,
 * sets no bound to memory, and starts programs for what it was built without. */
#include "unpack.h"

#include <bzlib.h>
#include <errno.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "err.h"
#include "source.h"

#define OUT_SIZE (128u << 10)
/* liblzma's own state and tables beside the window: 32 KiB, some more for each filter. */
#define LZMA_MEMORY (GB_WINDOW_MAX + (1u << 20))
#define ZSTD_WINDOW_LOG 25 /* GB_WINDOW_MAX */

static const struct format {
	const char *name, *magic;
	size_t len;
} formats[GB_PACKINGS] = {
	[GB_UNPACKED] = { "uncompressed", "0707", 4 },
	[GB_GZIP] = { "gzip", "\x1f\x8b", 2 },
	[GB_BZIP2] = { "bzip2", "BZh", 3 },
	[GB_LZMA] = { "lzma", "\x5d\x00", 2 },
	[GB_XZ] = { "xz", "\xfd" "7zXZ\x00", 6 },
	[GB_LZO] = { "lzo", "\x89LZO", 4 },
	[GB_LZ4] = { "lz4", "\x02\x21\x4c\x18", 4 },
	[GB_ZSTD] = { "zstd", "\x28\xb5\x2f\xfd", 4 },
};

const char *gb_packing_name(enum gb_packing packing)
{
	return formats[packing].name;
}

enum gb_packing gb_packing_of(const unsigned char *data, size_t len)
{
	enum gb_packing packing = GB_UNPACKED;

	while (packing < GB_PACKINGS && (len < formats[packing].len ||
					 memcmp(data, formats[packing].magic, formats[packing].len)))
		packing++;
	return packing;
}

int gb_unpack_short(const struct gb_source *source, enum gb_packing packing, struct gb_err *err)
{
	return gb_fail(err, EBADMSG, "it ends at byte %" PRIu64 ", in the middle of its %s part",
		       source->offset, gb_packing_name(packing));
}

int gb_unpack_damaged(const struct gb_source *source, enum gb_packing packing, struct gb_err *err)
{
	return gb_fail(err, EBADMSG, "its %s part is damaged near byte %" PRIu64,
		       gb_packing_name(packing), source->offset);
}

int gb_unpack_lost(const struct gb_source *source, int r, struct gb_err *err)
{
	return gb_fail(err, -r, "byte %" PRIu64 " can't be read: %s", source->offset, strerror(-r));
}

static int too_wide(enum gb_packing packing, struct gb_err *err)
{
	return gb_fail(err, E2BIG, "its %s part was made with a window of more than %u MiB, which "
				   "takes too much memory to read: choose a lower level for the "
				   "image builder", gb_packing_name(packing), GB_WINDOW_MAX >> 20);
}

/* ---- formats that stream: each step takes some input and gives some output ------------------- */

struct step {
	const unsigned char *in;
	unsigned char *out;
	size_t in_len, out_len; /* what is there; then, what is left of it */
};

enum { MORE, END };

/* One format's library. A step returns MORE, END, -EBADMSG, -E2BIG or -ENOMEM. */
struct library {
	int (*begin)(void *state);
	int (*step)(void *state, struct step *step);
	void (*end)(void *state);
};

union state {
	z_stream zlib;
	bz_stream bzip2;
	lzma_stream lzma;
	ZSTD_DCtx *zstd;
};

static int begin_gzip(void *state)
{
	return inflateInit2(state, 16 + MAX_WBITS /* zlib.h: gzip's header and trailer */) == Z_OK ?
		       0 : -ENOMEM;
}

static int step_gzip(void *state, struct step *step)
{
	z_stream *z = state;
	int r;

	z->next_in = (unsigned char *)step->in;
	z->avail_in = (unsigned)step->in_len;
	z->next_out = step->out;
	z->avail_out = (unsigned)step->out_len;
	r = inflate(z, Z_NO_FLUSH);
	step->in_len = z->avail_in;
	step->out_len = z->avail_out;
	return r == Z_STREAM_END ? END : r == Z_OK || r == Z_BUF_ERROR ? MORE :
	       r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void end_gzip(void *state)
{
	inflateEnd(state);
}

static int begin_bzip2(void *state)
{
	return BZ2_bzDecompressInit(state, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int step_bzip2(void *state, struct step *step)
{
	bz_stream *bz = state;
	int r;

	bz->next_in = (char *)step->in;
	bz->avail_in = (unsigned)step->in_len;
	bz->next_out = (char *)step->out;
	bz->avail_out = (unsigned)step->out_len;
	r = BZ2_bzDecompress(bz);
	step->in_len = bz->avail_in;
	step->out_len = bz->avail_out;
	return r == BZ_STREAM_END ? END : r == BZ_OK ? MORE : r == BZ_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void end_bzip2(void *state)
{
	BZ2_bzDecompressEnd(state);
}

static int begin_lzma(void *state)
{
	return lzma_alone_decoder(state, LZMA_MEMORY) == LZMA_OK ? 0 : -ENOMEM;
}

static int begin_xz(void *state)
{
	return lzma_stream_decoder(state, LZMA_MEMORY, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int step_lzma(void *state, struct step *step)
{
	lzma_stream *lzma = state;
	lzma_ret r;

	lzma->next_in = step->in;
	lzma->avail_in = step->in_len;
	lzma->next_out = step->out;
	lzma->avail_out = step->out_len;
	r = lzma_code(lzma, LZMA_RUN);
	step->in_len = lzma->avail_in;
	step->out_len = lzma->avail_out;
	return r == LZMA_STREAM_END ? END : r == LZMA_OK || r == LZMA_BUF_ERROR ? MORE :
	       r == LZMA_MEMLIMIT_ERROR ? -E2BIG : r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void end_lzma(void *state)
{
	lzma_end(state);
}

static int begin_zstd(void *state)
{
	ZSTD_DCtx **zstd = state;

	*zstd = ZSTD_createDCtx();
	if (!*zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(*zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return 0;
}

static int step_zstd(void *state, struct step *step)
{
	ZSTD_inBuffer in = { step->in, step->in_len, 0 };
	ZSTD_outBuffer out = { step->out, step->out_len, 0 };
	size_t r = ZSTD_decompressStream(*(ZSTD_DCtx **)state, &out, &in);

	step->in_len -= in.pos;
	step->out_len -= out.pos;
	if (!ZSTD_isError(r))
		return r ? MORE : END;
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_frameParameter_windowTooLarge: return -E2BIG;
	case ZSTD_error_memory_allocation: return -ENOMEM;
	default: return -EBADMSG;
	}
}

static void end_zstd(void *state)
{
	ZSTD_freeDCtx(*(ZSTD_DCtx **)state);
}

static const struct library libraries[GB_PACKINGS] = {
	[GB_GZIP] = { begin_gzip, step_gzip, end_gzip },
	[GB_BZIP2] = { begin_bzip2, step_bzip2, end_bzip2 },
	[GB_LZMA] = { begin_lzma, step_lzma, end_lzma },
	[GB_XZ] = { begin_xz, step_lzma, end_lzma },
	[GB_ZSTD] = { begin_zstd, step_zstd, end_zstd },
};

struct job {
	struct gb_source *source;
	enum gb_packing packing;
	union state state;
	unsigned char *out;
	gb_feed_fn feed;
	void *ctx;
	struct gb_err *err;
	int fed; /* what feed said */
};

/* One step: takes what it used, passes on what it made. */
static int advance(struct job *job, bool *ret_moved)
{
	struct gb_source *source = job->source;
	struct step step = { source->data, job->out, source->len, OUT_SIZE };
	int r = libraries[job->packing].step(&job->state, &step);
	size_t made = OUT_SIZE - step.out_len;

	*ret_moved = made || step.in_len != source->len;
	gb_source_take(source, source->len - step.in_len);
	if (made && r >= 0)
		job->fed = job->feed(job->ctx, job->out, made, job->err);
	return r;
}

static int explain(const struct job *job, int r)
{
	switch (r) {
	case -E2BIG: return too_wide(job->packing, job->err);
	case -EBADMSG: return gb_unpack_damaged(job->source, job->packing, job->err);
	default: return gb_fail(job->err, -r, "%s", strerror(-r));
	}
}

static int stream(struct job *job)
{
	bool moved;
	int r;

	for (;;) {
		r = gb_source_fill(job->source, 1);
		if (r < 0)
			return gb_unpack_lost(job->source, r, job->err);
		r = advance(job, &moved);
		if (job->fed < 0)
			return job->fed;
		if (r < 0)
			return explain(job, r);
		if (r == END)
			return 0;
		if (!moved)
			return job->source->len ?
				       gb_unpack_damaged(job->source, job->packing, job->err) :
				       gb_unpack_short(job->source, job->packing, job->err);
	}
}

int gb_unpack(struct gb_source *source, enum gb_packing packing, gb_feed_fn feed, void *ctx,
	      struct gb_err *err)
{
	struct job job = { .source = source, .packing = packing, .feed = feed, .ctx = ctx,
			   .err = err };
	int r;

	if (packing == GB_LZ4)
		return gb_unpack_lz4(source, feed, ctx, err);
	if (packing == GB_LZO)
		return gb_unpack_lzo(source, feed, ctx, err);
	job.out = malloc(OUT_SIZE);
	r = job.out ? libraries[packing].begin(&job.state) : -ENOMEM;
	if (r < 0) {
		free(job.out);
		return gb_fail(err, -r, "%s", strerror(-r));
	}
	r = stream(&job);
	libraries[packing].end(&job.state);
	free(job.out);
	return r;
}
