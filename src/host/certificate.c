/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "certificate.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "pe.h"
#include "root.h"

#define FILE_MAX (64u << 10)
#define TABLE_MAX (1u << 20) /* of signatures: real ones have some KiB */
#define LEAST 64	     /* bytes; no certificate is that short, and few bytes are everywhere */
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

static int digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Base 64 (RFC 7468), in place; how many bytes. */
static size_t decode(char *text, size_t len)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int value = digit(text[i]);

		if (value < 0)
			continue; /* ends of lines, and '=' at the end of all */
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			text[n++] = (char)(bits >> held);
		}
	}
	return n;
}

int gb_certificate_read(struct gb_root *root, const char *path, void **ret, size_t *ret_len,
			struct gb_err *err)
{
	char *data, *begin, *end;
	size_t len;
	int r = gb_root_read_all(root, path, FILE_MAX, &data, &len);

	if (r)
		return gb_fail(err, -r, "%s: %s", path, strerror(-r));
	begin = strstr(data, BEGIN);
	if (begin)
		begin += strlen(BEGIN);
	end = begin ? strstr(begin, END) : NULL;
	if (end) {
		len = decode(begin, (size_t)(end - begin));
		memmove(data, begin, len);
	}
	/* a SEQUENCE (X.690) */
	if (len < LEAST || data[0] != 0x30) {
		free(data);
		return gb_fail(err, EINVAL, "%s: is no certificate", path);
	}
	*ret = data;
	*ret_len = len;
	return 0;
}

int gb_certificate_is_in(int fd, const struct gb_pe *pe, const void *certificate, size_t len)
{
	const size_t size = (size_t)pe->certificates_size;
	uint8_t *table;
	size_t at = 0;
	int r = 0;

	if (!pe->is_signed || !size)
		return 0;
	if (size > TABLE_MAX)
		return -EFBIG;
	table = malloc(size);
	if (!table)
		return -ENOMEM;
	while (at < size && !r) {
		ssize_t n = pread(fd, table + at, size - at, (off_t)(pe->certificates + at));

		if (n < 0 && errno != EINTR)
			r = -errno;
		else if (!n)
			r = -EINVAL;
		else if (n > 0)
			at += (size_t)n;
	}
	if (!r)
		r = memmem(table, size, certificate, len) != NULL;
	free(table);
	return r;
}
