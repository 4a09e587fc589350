/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SOURCE_H
#define GB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_err;

/* Bytes of an open file, in order, through a small buffer: no seek, no mapping, so that a file
 * that shrinks meanwhile is a short one and no signal. */
#define GB_SOURCE_BUFFER (128u << 10)

struct gb_source {
	int fd; /* borrowed */
	uint64_t offset; /* of data[0] in the file */
	uint64_t left;	 /* bytes still to be read from the file */
	const unsigned char *data; /* `len` bytes that were read and not taken yet */
	size_t len;
	unsigned char *buffer;
};

/* `length` bytes from `offset` on; UINT64_MAX for all that there are. 0, -ENOMEM or what lseek
 * said. Always to be cleared. */
int gb_source_open(int fd, uint64_t offset, uint64_t length, struct gb_source *ret);
void gb_source_clear(struct gb_source *source);

/* At least `want` bytes at `data`, at most GB_SOURCE_BUFFER; fewer only at the end. 0, or what
 * read said. */
int gb_source_fill(struct gb_source *source, size_t want);
void gb_source_take(struct gb_source *source, size_t len);
/* Exactly `len` bytes to a buffer of the caller's; -ENODATA when there are fewer. */
int gb_source_copy(struct gb_source *source, void *to, size_t len);

#endif
