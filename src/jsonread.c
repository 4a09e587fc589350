/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jsonread.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 32

/* RFC 8259. Each skip function returns where its thing ends, or NULL when it is none. */

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) && *at)
		at++;
	return at;
}

static const char *skip_string(const char *at, const char *end)
{
	if (at == end || *at++ != '"')
		return NULL;
	for (; at < end && *at != '"'; at++)
		if (*at == '\\' && ++at == end)
			return NULL;
	return at < end ? at + 1 : NULL;
}

static const char *skip_word(const char *at, const char *end)
{
	static const char *const words[] = { "true", "false", "null" };
	const char *start = at;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(end - at) >= len && !memcmp(at, words[i], len))
			return at + len;
	}
	while (at < end && *at && strchr("+-.0123456789eE", *at))
		at++;
	return at > start && (*start == '-' || isdigit((unsigned char)*start)) ? at : NULL;
}

static const char *skip_value(const char *at, const char *end, unsigned depth);

static const char *skip_members(const char *at, const char *end, unsigned depth)
{
	bool object = *at == '{';
	char close = object ? '}' : ']';

	at = skip_space(at + 1, end);
	if (at < end && *at == close)
		return at + 1;
	for (;;) {
		if (object) {
			at = skip_string(skip_space(at, end), end);
			at = at ? skip_space(at, end) : NULL;
			if (!at || at == end || *at++ != ':')
				return NULL;
		}
		at = skip_value(at, end, depth + 1);
		at = at ? skip_space(at, end) : NULL;
		if (!at || at == end)
			return NULL;
		if (*at == close)
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static const char *skip_value(const char *at, const char *end, unsigned depth)
{
	at = skip_space(at, end);
	if (at == end || depth > DEPTH_MAX)
		return NULL;
	if (*at == '{' || *at == '[')
		return skip_members(at, end, depth);
	return *at == '"' ? skip_string(at, end) : skip_word(at, end);
}

bool gb_value_parse(const char *data, size_t len, struct gb_value *ret)
{
	const char *end = data + len, *stop = skip_value(data, end, 0);

	if (!stop || skip_space(stop, end) != end)
		return false;
	*ret = (struct gb_value){ skip_space(data, end), stop };
	return true;
}

/* The rest works on what was checked: nothing returns NULL, nothing ends early. */

static struct gb_value slice(const char *at, const char *end)
{
	at = skip_space(at, end);
	return (struct gb_value){ at, skip_value(at, end, 0) };
}

static bool is(struct gb_value value, char first)
{
	return value.at && *value.at == first;
}

struct gb_value gb_value_member(struct gb_value object, const char *key)
{
	size_t len = strlen(key);

	if (!is(object, '{'))
		return (struct gb_value){ NULL, NULL };
	for (const char *at = skip_space(object.at + 1, object.end); *at == '"';) {
		const char *name = at + 1, *stop = skip_string(at, object.end);
		struct gb_value value;

		at = skip_space(stop, object.end) + 1;
		value = slice(at, object.end);
		if ((size_t)(stop - name) == len + 1 && !memcmp(name, key, len))
			return value;
		at = skip_space(value.end, object.end);
		if (*at == ',')
			at = skip_space(at + 1, object.end);
	}
	return (struct gb_value){ NULL, NULL };
}

bool gb_value_next(struct gb_value array, struct gb_value *item)
{
	const char *at;

	if (!is(array, '['))
		return false;
	at = skip_space(item->at ? item->end : array.at + 1, array.end);
	if (item->at && *at == ',')
		at = skip_space(at + 1, array.end);
	if (*at == ']')
		return false;
	*item = slice(at, array.end);
	return true;
}

/* Records of ours have no escapes but these and bytes; others are nothing for a terminal. */
static char unescape(const char **at)
{
	const char *hex = *at + 1;
	unsigned value = 0;

	if (**at != 'u')
		return strchr("\"\\/", **at) ? **at : ' ';
	for (int i = 0; i < 4; i++, hex++) {
		if (!isxdigit((unsigned char)*hex))
			return '?';
		value = value << 4 | (unsigned)(isdigit((unsigned char)*hex)
							? *hex - '0'
							: tolower((unsigned char)*hex) - 'a' + 10);
	}
	*at = hex - 1;
	return value >= ' ' && value < 127 ? (char)value : '?';
}

bool gb_value_text(struct gb_value value, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	if (!is(value, '"'))
		return false;
	for (const char *at = value.at + 1; at < value.end - 1 && n + 1 < size; at++) {
		char c = *at;

		if (c == '\\') {
			at++;
			c = unescape(&at);
		}
		ret[n++] = c >= ' ' && c < 127 ? c : '?';
	}
	ret[n] = '\0';
	return true;
}

/* Without exponents, of which our records have none: strtod alone is larger than this file. */
bool gb_value_number(struct gb_value value, double *ret)
{
	double number = 0, scale = 1;
	const char *at = value.at;
	bool fraction = false;

	if (!at)
		return false;
	at += *at == '-';
	if (at == value.end || !isdigit((unsigned char)*at))
		return false;
	for (; at < value.end; at++) {
		if (*at == '.' && !fraction) {
			fraction = true;
			continue;
		}
		if (!isdigit((unsigned char)*at) || value.end - value.at > 32)
			return false;
		number = number * 10 + (*at - '0');
		scale *= fraction ? 10 : 1;
	}
	*ret = (*value.at == '-' ? -number : number) / scale;
	return true;
}

bool gb_value_is_true(struct gb_value value)
{
	return is(value, 't');
}
