/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BLS_LINES_H
#define GB_BLS_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;

/* The lines of a boot loader entry that say something, for bls.c and bls-change.c. */
struct gb_bls_line {
	size_t at, end;	      /* the line; `end` is behind its newline, if it has one */
	size_t key, key_len;
	size_t value, value_len; /* without the blanks around it; value_len 0: none */
	bool grub;	      /* before the place where Fedora's GRUB stops */
	bool is_options;
};

#define GB_BLS_LINES_MAX 256

struct gb_bls_lines {
	struct gb_bls_line line[GB_BLS_LINES_MAX];
	size_t lines;
};

/* -EINVAL with the reason: NUL bytes, stray carriage returns, too many lines. */
int gb_bls_lines(const char *data, size_t len, struct gb_bls_lines *ret, struct gb_err *err);

#endif
