/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "acpi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"

/* Little-endian, as everything in ACPI. */
static uint64_t get(struct gb_acpi_view v, size_t at, unsigned bytes)
{
	uint64_t value = 0;

	if (at > v.len || bytes > v.len - at)
		return 0;
	while (bytes--)
		value = value << 8 | v.data[at + bytes];
	return value;
}

uint8_t gb_acpi_u8(struct gb_acpi_view v, size_t at)
{
	return (uint8_t)get(v, at, 1);
}

uint16_t gb_acpi_u16(struct gb_acpi_view v, size_t at)
{
	return (uint16_t)get(v, at, 2);
}

uint32_t gb_acpi_u32(struct gb_acpi_view v, size_t at)
{
	return (uint32_t)get(v, at, 4);
}

uint64_t gb_acpi_u64(struct gb_acpi_view v, size_t at)
{
	return get(v, at, 8);
}

int gb_acpi_header(struct gb_acpi_view *v, const char *signature, struct gb_acpi_table *ret,
		   struct gb_err *err)
{
	uint8_t sum = 0;

	if (v->len < GB_ACPI_BODY)
		return gb_fail(err, EBADMSG, "%s: %zu bytes are no table", signature, v->len);
	if (memcmp(v->data, signature, 4))
		return gb_fail(err, EBADMSG, "%s: the signature is another", signature);
	ret->length = gb_acpi_u32(*v, 4);
	ret->revision = gb_acpi_u8(*v, 8);
	if (ret->length < GB_ACPI_BODY)
		return gb_fail(err, EBADMSG, "%s: its length is said to be %u", signature,
			       ret->length);
	if (ret->length > v->len) {
		snprintf(ret->problem, sizeof(ret->problem), "cut to %zu of %u bytes", v->len,
			 ret->length);
		return 0;
	}
	v->len = ret->length;
	for (size_t i = 0; i < v->len; i++)
		sum = (uint8_t)(sum + v->data[i]);
	ret->checksum = !sum;
	return 0;
}

void gb_acpi_bad(struct gb_acpi_table *table, size_t at, size_t len)
{
	if (!table->problem[0])
		snprintf(table->problem, sizeof(table->problem),
			 "structure at byte %zu of %u is said to have %zu bytes", at,
			 table->length, len);
}

int gb_acpi_walk(struct gb_acpi_view v, struct gb_acpi_table *table, gb_acpi_fn each, void *ctx,
		 struct gb_err *err)
{
	for (size_t at = GB_ACPI_BODY; at < v.len;) {
		size_t n = gb_acpi_u16(v, at + 2);

		if (n < 4 || n > v.len - at) {
			gb_acpi_bad(table, at, n);
			break;
		}
		if (each(ctx, (struct gb_acpi_view){ v.data + at, n }, at))
			return gb_fail(err, ENOMEM, "out of memory");
		at += n;
	}
	return 0;
}

int gb_acpi_read(struct gb_root *root, const char *path, char **ret, size_t *ret_len,
		 struct gb_err *err)
{
	int r = gb_root_read_all(root, path, GB_ACPI_SIZE_MAX, ret, ret_len);

	return r ? gb_fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

void *gb_acpi_grow(void **array, size_t n, size_t *room, size_t size)
{
	if (n == *room) {
		size_t more = *room ? *room * 2 : 8;
		void *larger = realloc(*array, more * size);

		if (!larger)
			return NULL;
		*array = larger;
		*room = more;
	}
	return memset((char *)*array + n * size, 0, size);
}
