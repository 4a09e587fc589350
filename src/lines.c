/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <ctype.h>
#include <string.h>

/* One line of the file, up to its end or a NUL byte. */
static size_t line_length(const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len);

	return strnlen(data, newline ? (size_t)(newline - data) : len);
}

void gb_lines_each(const char *data, size_t len, gb_line_fn each, void *ctx)
{
	char line[GB_LINE_MAX];
	size_t n = 0;
	unsigned number = 1, first = 1;

	for (const char *end = data + len; data < end; number++) {
		size_t more = line_length(data, (size_t)(end - data)), used = more;
		bool joined;

		if (used && data[used - 1] == '\r')
			used--;
		joined = used && data[used - 1] == '\\' && data + more < end;
		used -= joined;
		if (used > sizeof(line) - 1 - n)
			used = sizeof(line) - 1 - n;
		memcpy(line + n, data, used);
		n += used;
		data += more + 1;
		if (joined && data < end)
			continue;
		line[n] = '\0';
		each(ctx, first, line);
		n = 0;
		first = number + 1;
	}
}

bool gb_lines_word(const char **at, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	while (isspace((unsigned char)**at))
		++*at;
	if (!**at)
		return false;
	for (; **at && (quoted || !isspace((unsigned char)**at)); ++*at) {
		if (**at == '"')
			quoted = !quoted;
		else if (n < size - 1)
			word[n++] = **at;
	}
	word[n] = '\0';
	return true;
}

const char *gb_lines_after(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++)
		if ((*text == '-' ? '_' : *text) != (*prefix == '-' ? '_' : *prefix))
			return NULL;
	return text;
}
