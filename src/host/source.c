/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int gb_source_open(int fd, uint64_t offset, uint64_t length, struct gb_source *ret)
{
	*ret = (struct gb_source){ .fd = fd, .offset = offset, .left = length };
	if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	ret->buffer = malloc(GB_SOURCE_BUFFER);
	ret->data = ret->buffer;
	return ret->buffer ? 0 : -ENOMEM;
}

void gb_source_clear(struct gb_source *source)
{
	free(source->buffer);
	memset(source, 0, sizeof(*source));
}

static ssize_t read_some(struct gb_source *source, unsigned char *to, size_t room)
{
	ssize_t n;

	if (room > source->left)
		room = (size_t)source->left;
	if (!room)
		return 0;
	do
		n = read(source->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	source->left = n ? source->left - (uint64_t)n : 0;
	return n;
}

int gb_source_fill(struct gb_source *source, size_t want)
{
	ssize_t n;

	if (source->len >= want)
		return 0;
	if (source->len)
		memmove(source->buffer, source->data, source->len);
	source->data = source->buffer;
	while (source->len < want) {
		n = read_some(source, source->buffer + source->len, GB_SOURCE_BUFFER - source->len);
		if (n <= 0)
			return (int)n;
		source->len += (size_t)n;
	}
	return 0;
}

void gb_source_take(struct gb_source *source, size_t len)
{
	source->data += len;
	source->len -= len;
	source->offset += len;
}

int gb_source_copy(struct gb_source *source, void *to, size_t len)
{
	unsigned char *at = to;
	size_t had = source->len < len ? source->len : len;
	ssize_t n;

	memcpy(at, source->data, had);
	gb_source_take(source, had);
	for (at += had, len -= had; len; at += n, len -= (size_t)n) {
		n = read_some(source, at, len);
		if (n <= 0)
			return n ? (int)n : -ENODATA;
		source->offset += (uint64_t)n;
	}
	return 0;
}
