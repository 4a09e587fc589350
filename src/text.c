/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct gb_text *text, size_t more)
{
	size_t size = text->size ? text->size : 256;
	char *data;

	if (text->failed || more > SIZE_MAX / 4 || text->len > SIZE_MAX / 4)
		return false;
	while (size < text->len + more + 1)
		size *= 2;
	if (size == text->size)
		return true;
	data = realloc(text->data, size);
	if (!data)
		return false;
	text->data = data;
	text->size = size;
	return true;
}

void gb_text_add(struct gb_text *text, const char *data, size_t len)
{
	if (!reserve(text, len)) {
		text->failed = true;
		return;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void gb_text_addf(struct gb_text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !reserve(text, (size_t)n)) {
		text->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(text->data + text->len, (size_t)n + 1, format, args);
	va_end(args);
	text->len += (size_t)n;
}

void gb_text_clear(struct gb_text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}

bool gb_text_hex(const char **at, unsigned digits, uint64_t *ret)
{
	const char *s = *at;
	uint64_t value = 0;

	for (unsigned i = 0; i < digits; i++, s++) {
		unsigned char c = (unsigned char)*s;

		if (!isxdigit(c))
			return false;
		value = value << 4 | (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	if (isxdigit((unsigned char)*s))
		return false;
	*at = s;
	*ret = value;
	return true;
}

bool gb_text_same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

void gb_text_add_harmless(struct gb_text *text, const char *line)
{
	size_t bytes;

	for (; *line; line += bytes ? bytes : 1) {
		bytes = gb_text_character(line);
		if (bytes)
			gb_text_add(text, line, bytes);
		else if (*line == '\t')
			gb_text_add(text, " ", 1);
		else
			gb_text_addf(text, "\\x%02x", (unsigned char)*line);
	}
}

bool gb_text_copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);
	bool fits = len < size;

	if (!fits)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return fits;
}

size_t gb_text_character(const char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s[0];
	size_t bytes = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
	uint32_t value = bytes == 1 ? first : first & (0x7fu >> bytes);

	if (first >= 0xf8 || (first & 0xc0) == 0x80)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((s[i] & 0xc0) != 0x80) /* the end of the string, too */
			return 0;
		value = value << 6 | (s[i] & 0x3f);
	}
	/* XML 1.0 (2.2, Char) takes neither surrogates nor U+FFFE and U+FFFF */
	if (value < 0x20 || (value >= 0x7f && value < 0xa0) || value < least[bytes] ||
	    (value >= 0xd800 && value < 0xe000) || (value & 0xfffe) == 0xfffe || value > 0x10ffff)
		return 0;
	return bytes;
}

const char *gb_text_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
