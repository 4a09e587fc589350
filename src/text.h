/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TEXT_H
#define GB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string. Zero-initialise, append, check `failed` once at the end (out of
 * memory), free with gb_text_clear. `data` is NULL until something was appended. */
struct gb_text {
	char *data;
	size_t len, size;
	bool failed;
};

void gb_text_add(struct gb_text *text, const char *data, size_t len);
__attribute__((format(printf, 2, 3)))
void gb_text_addf(struct gb_text *text, const char *format, ...);
void gb_text_clear(struct gb_text *text);

/* Exactly `digits` hexadecimal digits at *at, which moves behind them. */
bool gb_text_hex(const char **at, unsigned digits, uint64_t *ret);

/* Driver and module names are equal when they differ only in - and _ (kernel:
 * scripts/mod, libkmod: modname_normalize). */
bool gb_text_same_module(const char *a, const char *b);

/* The bytes of the UTF-8 character at `s` (RFC 3629): 0 for a byte that begins none and for
 * control characters, which no reader should meet. */
size_t gb_text_character(const char *s);

/* What could move a cursor or worse becomes \xNN; a tab, a blank. For other people's texts. */
void gb_text_add_harmless(struct gb_text *text, const char *line);

/* Copy, always terminated; false when it did not fit. */
bool gb_text_copy(char *to, size_t size, const char *from);

/* What follows a path's last slash, or all of it. */
const char *gb_text_base(const char *path);

#endif
