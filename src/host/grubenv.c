/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubenv.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define SIGNATURE "# GRUB Environment Block\n"

bool gb_grubenv_is(const char *data, size_t len)
{
	return len == GB_GRUBENV_SIZE && !memcmp(data, SIGNATURE, strlen(SIGNATURE));
}

/* The end of the line at `at`, behind its newline; a backslash takes the next byte along, but in
 * a comment. 0: it has no end. */
static size_t line_end(const char *data, size_t len, size_t at)
{
	const bool comment = data[at] == '#';

	for (; at < len; at++) {
		if (!comment && data[at] == '\\')
			at++;
		else if (data[at] == '\n')
			return at + 1;
	}
	return 0;
}

/* The variable's next line from `from`, where a line begins; false when there is none. */
static bool find(const char *data, size_t len, size_t from, const char *name, size_t *ret_at,
		 size_t *ret_end)
{
	const size_t name_len = strlen(name);

	for (size_t at = from, end; at < len; at = end) {
		end = line_end(data, len, at);
		if (!end)
			return false; /* the filling */
		if (end - at > name_len && !memcmp(data + at, name, name_len) &&
		    data[at + name_len] == '=') {
			*ret_at = at;
			*ret_end = end;
			return true;
		}
	}
	return false;
}

int gb_grubenv_get(const char *data, size_t len, const char *name, char *ret, size_t size)
{
	size_t at = 0, end = strlen(SIGNATURE), n = 0;

	if (!gb_grubenv_is(data, len))
		return -EINVAL;
	/* of several, GRUB sets it to one after the other */
	while (find(data, len, end, name, &at, &end))
		;
	if (!at)
		return -ENOENT;
	for (at += strlen(name) + 1; at < end && data[at] != '\n'; at++) {
		if (data[at] == '\\' && at + 1 < end)
			at++;
		if (n + 1 >= size)
			return -E2BIG;
		ret[n++] = data[at];
	}
	ret[n] = '\0';
	return 0;
}

/* Where the filling begins: behind the last line that says something. */
static size_t used(const char *data, size_t len)
{
	while (len > strlen(SIGNATURE) && data[len - 1] == '#')
		len--;
	return len;
}

static bool all_end(const char *data, size_t full)
{
	size_t at = strlen(SIGNATURE);

	while (at && at < full)
		at = line_end(data, full, at);
	return at;
}

static bool is_name(const char *name)
{
	return *name && *name != '#' && !strpbrk(name, "=\\\n");
}

static void add_line(struct gb_text *text, const char *name, const char *value)
{
	gb_text_addf(text, "%s=", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '\n')
			gb_text_add(text, "\\", 1);
		gb_text_add(text, value, 1);
	}
	gb_text_add(text, "\n", 1);
}

int gb_grubenv_set(char *data, size_t len, const char *name, const char *value,
		   struct gb_err *err)
{
	struct gb_text line = { 0 };
	size_t at, end, full;

	if (!gb_grubenv_is(data, len))
		return gb_fail(err, EINVAL, "this is no environment block of GRUB's");
	if (!is_name(name))
		return gb_fail(err, EINVAL, "GRUB can't have a variable of the name %s", name);
	full = used(data, len);
	if (!all_end(data, full))
		return gb_fail(err, EINVAL, "a line of GRUB's environment block has no end");
	if (!find(data, full, strlen(SIGNATURE), name, &at, &end))
		at = end = full;
	if (value)
		add_line(&line, name, value);
	if (line.failed) {
		gb_text_clear(&line);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	if (full - (end - at) + line.len > len) {
		gb_text_clear(&line);
		return gb_fail(err, ENOSPC, "GRUB's environment block has no room for %s", name);
	}
	memmove(data + at + line.len, data + end, full - end);
	if (line.len)
		memcpy(data + at, line.data, line.len);
	full = full - (end - at) + line.len;
	at += line.len;
	gb_text_clear(&line);
	/* the same once more would speak against it */
	while (find(data, full, at, name, &at, &end)) {
		memmove(data + at, data + end, full - end);
		full -= end - at;
	}
	memset(data + full, '#', len - full);
	return 0;
}
