/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "efi.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static size_t encode_utf8(uint32_t c, char *ret)
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The character at *at, which moves behind it: '?' for what nobody should print. */
static uint32_t next_character(const uint8_t *data, size_t len, size_t *at)
{
	uint32_t c = get16(data + *at), low;
	char bytes[5] = "";

	*at += 2;
	if (c >= 0xd800 && c < 0xdc00 && len - *at >= 2) {
		low = get16(data + *at);
		if (low >= 0xdc00 && low < 0xe000) {
			*at += 2;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	encode_utf8(c, bytes);
	return gb_text_character(bytes) ? c : '?';
}

int gb_efi_text(const uint8_t *data, size_t len, char *ret, size_t size)
{
	size_t at = 0, n = 0;
	bool fits = true;

	while (fits && len - at >= 2 && get16(data + at)) {
		char bytes[4];
		size_t more = encode_utf8(next_character(data, len, &at), bytes);

		fits = n + more < size;
		if (fits) {
			memcpy(ret + n, bytes, more);
			n += more;
		}
	}
	ret[n] = '\0';
	if (!fits)
		return -E2BIG;
	return len - at == 1 ? -EINVAL : 0;
}

int gb_efi_texts(const uint8_t *data, size_t len, int (*each)(void *ctx, const char *text),
		 void *ctx)
{
	int r = 0;

	for (size_t at = 0; !r && len - at >= 2;) {
		size_t end = at;
		char text[256];

		while (len - end >= 2 && get16(data + end))
			end += 2;
		if (end > at && !gb_efi_text(data + at, end - at, text, sizeof(text)))
			r = each(ctx, text);
		at = len - end >= 2 ? end + 2 : len;
	}
	return r;
}

static void put16(struct gb_text *ret, uint32_t unit)
{
	char bytes[2] = { (char)(unit & 0xff), (char)(unit >> 8) };

	gb_text_add(ret, bytes, 2);
}

bool gb_efi_encode(const char *text, struct gb_text *ret)
{
	while (*text) {
		size_t bytes = gb_text_character(text);
		uint32_t c = (unsigned char)*text;

		if (!bytes)
			return false;
		if (bytes > 1)
			c &= 0x7fu >> bytes;
		for (size_t i = 1; i < bytes; i++)
			c = c << 6 | (text[i] & 0x3f);
		if (c >= 0x10000) {
			put16(ret, 0xd800 + ((c - 0x10000) >> 10));
			put16(ret, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			put16(ret, c);
		}
		text += bytes;
	}
	put16(ret, 0);
	return !ret->failed;
}

/* The first three fields are little-endian numbers (UEFI specification, appendix A). */
static void format_guid(const uint8_t *g, char *ret, size_t size)
{
	snprintf(ret, size, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", get32(g), get16(g + 4),
		 get16(g + 6), g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

/* UEFI specification 10.3: media device paths are type 4, hard drive 1 and file path 4; 0x7f ends
 * them. */
static int read_path(const uint8_t *data, size_t len, struct gb_efi_boot *ret)
{
	size_t used = 0;

	while (len >= 4 && data[0] != 0x7f) {
		uint16_t node = get16(data + 2);

		if (node < 4 || node > len)
			return -EINVAL;
		if (data[0] == 4 && data[1] == 1 && node >= 42 && data[41] == 2)
			format_guid(data + 24, ret->partition, sizeof(ret->partition));
		if (data[0] == 4 && data[1] == 4) {
			if (gb_efi_text(data + 4, node - 4u, ret->path + used, sizeof(ret->path) - used))
				return -EINVAL;
			used = strlen(ret->path);
		}
		data += node;
		len -= node;
	}
	return 0;
}

int gb_efi_boot(const uint8_t *data, size_t len, struct gb_efi_boot *ret)
{
	struct gb_efi_boot boot = { 0 };
	size_t at = 6, path;
	int r;

	if (len < 8)
		return -EINVAL;
	boot.active = get32(data) & 1; /* LOAD_OPTION_ACTIVE */
	path = get16(data + 4);
	gb_efi_text(data + at, len - at, boot.title, sizeof(boot.title));
	while (len - at >= 2 && get16(data + at))
		at += 2;
	if (len - at < 2 || path > len - at - 2)
		return -EINVAL;
	r = read_path(data + at + 2, path, &boot);
	if (!r)
		*ret = boot;
	return r;
}
