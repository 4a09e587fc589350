/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_JSONREAD_H
#define GB_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>

/* Reads JSON, for our own records: whole documents are checked once, values are then slices of
 * them and own nothing. A zeroed value is one that is not there; everything may be asked of it,
 * and it says no. */
struct gb_value {
	const char *at, *end;
};

/* False when this is no JSON, or nested deeper than 32. */
bool gb_value_parse(const char *data, size_t len, struct gb_value *ret);
/* A member of an object. */
struct gb_value gb_value_member(struct gb_value object, const char *key);
/* Members of an array: begin with a zeroed *item; false at the end. */
bool gb_value_next(struct gb_value array, struct gb_value *item);

/* A string without its escapes, cut to fit, terminated; what is no printable ASCII becomes a
 * question mark, for who wrote it may mean harm to a terminal. False, and empty, for others. */
bool gb_value_text(struct gb_value value, char *ret, size_t size);
bool gb_value_number(struct gb_value value, double *ret);
bool gb_value_is_true(struct gb_value value);

#endif
