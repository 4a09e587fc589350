/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <string.h>

static void put(struct gb_json *json, const char *s)
{
	gb_text_add(json->text, s, strlen(s));
}

static void line(struct gb_json *json)
{
	put(json, "\n");
	for (unsigned i = 0; i < json->depth; i++)
		put(json, "  ");
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

static void quoted(struct gb_json *json, const char *s)
{
	put(json, "\"");
	while (*s) {
		size_t plain = 0;

		while (is_plain((unsigned char)s[plain]))
			plain++;
		gb_text_add(json->text, s, plain);
		s += plain;
		if (*s == '"' || *s == '\\')
			gb_text_addf(json->text, "\\%c", *s++);
		else if (*s)
			gb_text_addf(json->text, "\\u%04x", (unsigned char)*s++);
	}
	put(json, "\"");
}

static void start(struct gb_json *json, const char *key)
{
	if (json->depth) {
		if (!json->first)
			put(json, ",");
		line(json);
	}
	json->first = false;
	if (key) {
		quoted(json, key);
		put(json, ": ");
	}
}

void gb_json_open(struct gb_json *json, const char *key, char bracket)
{
	start(json, key);
	gb_text_add(json->text, &bracket, 1);
	json->depth++;
	json->first = true;
}

void gb_json_close(struct gb_json *json, char bracket)
{
	bool empty = json->first;

	json->depth--;
	if (!empty)
		line(json);
	gb_text_add(json->text, &bracket, 1);
	json->first = false;
	if (!json->depth)
		put(json, "\n");
}

void gb_json_string(struct gb_json *json, const char *key, const char *value)
{
	start(json, key);
	if (value)
		quoted(json, value);
	else
		put(json, "null");
}

void gb_json_int(struct gb_json *json, const char *key, long long value)
{
	start(json, key);
	gb_text_addf(json->text, "%lld", value);
}

void gb_json_fixed(struct gb_json *json, const char *key, double value, int decimals)
{
	start(json, key);
	gb_text_addf(json->text, "%.*f", decimals, value);
}

void gb_json_bool(struct gb_json *json, const char *key, bool value)
{
	start(json, key);
	put(json, value ? "true" : "false");
}

void gb_json_null(struct gb_json *json, const char *key)
{
	start(json, key);
	put(json, "null");
}
