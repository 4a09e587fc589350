/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CPIO_H
#define GB_CPIO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_err;

/* cpio archives of the formats 070701 and 070702, as the kernel reads an initramfs
 * (init/initramfs.c): several after each other, with zeros between. Data comes in pieces. */

#define GB_CPIO_HEADER 110

struct gb_cpio_entry {
	const char *name; /* as it stands there: hostile */
	const char *target; /* of a symbolic link, else NULL */
	uint32_t mode, links, inode, major, minor, size;
};

struct gb_cpio_sink {
	/* 1: its data, `size` bytes, is wanted; 0: not; negative: stop, with the error set. */
	int (*entry)(void *ctx, const struct gb_cpio_entry *entry, struct gb_err *err);
	int (*data)(void *ctx, const unsigned char *data, size_t len, struct gb_err *err);
	/* The end of an archive: inode numbers mean nothing beyond it. */
	void (*trailer)(void *ctx);
	void *ctx;
};

/* The parts of one entry, in order, then what is between archives. */
enum gb_cpio_state { GB_CPIO_START, GB_CPIO_NAME, GB_CPIO_TARGET, GB_CPIO_BODY, GB_CPIO_SKIP,
		     GB_CPIO_RESET };

struct gb_cpio {
	const struct gb_cpio_sink *sink;
	enum gb_cpio_state state;
	uint64_t position; /* what headers are aligned by; set it before a part */
	size_t archives, entries;

	struct gb_cpio_entry entry;
	uint32_t name_len, check, sum, left; /* left: of body or skip */
	bool summed, wanted, last;
	size_t had; /* of the piece being put together */
	char header[GB_CPIO_HEADER], name[PATH_MAX + 1], target[PATH_MAX + 1];
};

void gb_cpio_begin(const struct gb_cpio_sink *sink, struct gb_cpio *ret);
/* Up to an archive's end and the zeros behind it: *ret_used is less than `len` where something
 * else follows. -EBADMSG, or what the sink said. */
int gb_cpio_feed(struct gb_cpio *cpio, const unsigned char *data, size_t len, size_t *ret_used,
		 struct gb_err *err);

#endif
