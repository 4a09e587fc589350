/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_JSON_H
#define GB_JSON_H

#include <stdbool.h>

#include "text.h"

/* Writes JSON into a text, two spaces a level. A NULL key is for array members; a NULL
 * string becomes null. Strings may hold any bytes: what is not printable ASCII is escaped
 * byte by byte, so that a hostile name can't break the document. Check text->failed once,
 * at the end. */
struct gb_json {
	struct gb_text *text;
	unsigned depth;
	bool first;
};

void gb_json_open(struct gb_json *json, const char *key, char bracket); /* '{' or '[' */
void gb_json_close(struct gb_json *json, char bracket);			/* '}' or ']' */
void gb_json_string(struct gb_json *json, const char *key, const char *value);
void gb_json_int(struct gb_json *json, const char *key, long long value);
void gb_json_fixed(struct gb_json *json, const char *key, double value, int decimals);
void gb_json_bool(struct gb_json *json, const char *key, bool value);
void gb_json_null(struct gb_json *json, const char *key);

#endif
