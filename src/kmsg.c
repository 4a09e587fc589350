/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmsg.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "root.h"

#define LOG_MAX (16u << 20)
#define LINES_MAX 100000u

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

static bool take_number(struct cursor *c, uint64_t *ret)
{
	const char *start = c->at;
	uint64_t value = 0;

	while (c->at < c->end && isdigit((unsigned char)*c->at) && c->at - start < 18)
		value = value * 10 + (uint64_t)(*c->at++ - '0');
	*ret = value;
	return c->at > start;
}

/* Facility 0 is the kernel's; what programs write to /dev/kmsg gets another one
 * (kernel/printk/printk.c, devkmsg_write). */
static bool is_kernel(uint64_t prefix)
{
	return prefix >> 3 == 0;
}

/* "6,1234,567890,-;text" (Documentation/ABI/testing/dev-kmsg). More fields may come. */
static bool take_record(struct cursor *cursor, struct gb_log_line *line, uint64_t *ret_number)
{
	struct cursor c = *cursor;
	uint64_t prefix, us;
	const char *text;

	if (!take_number(&c, &prefix) || !take(&c, ',') || !take_number(&c, ret_number) ||
	    !take(&c, ',') || !take_number(&c, &us) || !take(&c, ','))
		return false;
	text = memchr(c.at, ';', (size_t)(c.end - c.at));
	if (!text)
		return false;
	cursor->at = text + 1;
	line->us = us;
	line->kernel = is_kernel(prefix);
	return true;
}

static bool take_time(struct cursor *cursor, uint64_t *ret)
{
	struct cursor c = *cursor;
	uint64_t seconds, us;
	const char *digits;

	if (!take(&c, '['))
		return false;
	while (take(&c, ' '))
		;
	if (!take_number(&c, &seconds) || !take(&c, '.'))
		return false;
	digits = c.at;
	if (!take_number(&c, &us) || c.at - digits != 6 || !take(&c, ']'))
		return false;
	take(&c, ' ');
	*ret = seconds % 1000000000000 * 1000000 + us;
	*cursor = c;
	return true;
}

/* "<6>", then "[   12.345678] ", each of which may be missing. */
static void take_prefixes(struct cursor *cursor, struct gb_log_line *line)
{
	struct cursor c = *cursor;
	uint64_t prefix;

	if (take(&c, '<') && take_number(&c, &prefix) && take(&c, '>')) {
		line->kernel = is_kernel(prefix);
		*cursor = c;
	}
	take_time(cursor, &line->us);
}

/* No longer than what it came from, and its end. */
static char *put_text(char *to, struct cursor c)
{
	size_t len = (size_t)(c.end - c.at);

	if (len && c.at[len - 1] == '\r')
		len--;
	for (size_t i = 0; i < len && i < GB_LOG_LINE_MAX - 1; i++)
		*to++ = c.at[i] >= ' ' && c.at[i] < 127 ? c.at[i] : '?';
	*to++ = '\0';
	return to;
}

/* How many lines there may be, with a bound on what a hostile log can cost. */
static size_t count_lines(const char *data, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len && n < LINES_MAX; i++)
		n += data[i] == '\n';
	return n;
}

int gb_log_parse(const char *data, size_t len, struct gb_log *ret)
{
	size_t room = count_lines(data, len);
	uint64_t number = 0, expected = 0;
	const char *end = data + len;
	bool records = false;
	char *to;

	memset(ret, 0, sizeof(*ret));
	ret->line = calloc(room, sizeof(*ret->line));
	ret->data = to = malloc(len + room + 1);
	if (!ret->line || !ret->data)
		return -ENOMEM;
	while (data < end && ret->lines < room) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		struct cursor c = { data, newline ? newline : end };
		struct gb_log_line line = { GB_LOG_NO_TIME, true, to };

		data = c.end + 1;
		/* further lines of a record begin with a space: the device, once more */
		if (c.at == c.end || (records && *c.at == ' '))
			continue;
		if (take_record(&c, &line, &number)) {
			ret->cut |= number != expected;
			expected = number + 1;
			records = true;
		} else {
			take_prefixes(&c, &line);
		}
		ret->line[ret->lines++] = line;
		to = put_text(to, c);
	}
	ret->cut |= data < end;
	return 0;
}

int gb_log_read(struct gb_root *root, struct gb_log *ret)
{
	static const char *const captured[] = { GB_RECORDS "/kmsg", "/dev/kmsg" };
	size_t first = gb_root_is_real(root), len;
	char *data;
	int r = -ENOENT;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = first; r < 0 && i < 2; i++)
		r = gb_root_read_log(root, captured[i], LOG_MAX, &data, &len);
	if (r < 0)
		return r;
	r = gb_log_parse(data, len, ret);
	free(data);
	return r;
}

void gb_log_clear(struct gb_log *log)
{
	free(log->data);
	free(log->line);
	memset(log, 0, sizeof(*log));
}
