/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SHELL_H
#define GB_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;

/* Shell files that only set variables, such as /etc/default/grub: read as dash and bash read them,
 * or refused. Nothing is run. A command's output is passed over: the variable is then unknown. */

enum gb_quote { GB_QUOTE_NONE, GB_QUOTE_SINGLE, GB_QUOTE_DOUBLE };

/* One byte of a value, and the bytes of the file that stand for it. */
struct gb_shell_byte {
	char byte;
	bool expanded;	     /* comes out of a variable, as others of the same bytes */
	unsigned char quote; /* enum gb_quote around it */
	size_t at, end;
};

#define GB_SHELL_VALUE_MAX (64u << 10)

struct gb_shell_assignment {
	char name[64];
	unsigned line; /* from 1 */
	size_t at;     /* of the name */
	size_t value;  /* behind the '=' */
	size_t end;    /* of the value */
	struct gb_shell_byte *byte;
	size_t bytes;
	size_t first;		     /* where a first byte would go ... */
	unsigned char first_quote;   /* ... and what is around it there */
	bool unset;		     /* the variable is taken away */
	const char *unknown;	     /* why its value can't be told, or NULL */
};

struct gb_shell_reader {
	void *ctx;
	/* A variable's value so far, or NULL when that can't be told. */
	const char *(*get)(void *ctx, const char *name, size_t *ret_len);
	/* Called at each assignment, in order. 0 or a negative errno, which ends the reading. */
	int (*take)(void *ctx, const struct gb_shell_assignment *assignment);
};

/* -EINVAL for what is not understood, with "line 3: why" in err; -ENOMEM. */
int gb_shell_read(const char *data, size_t len, const struct gb_shell_reader *reader,
		  struct gb_err *err);

/* Write bytes as they must stand inside these quotes; false when they can't. */
struct gb_text;
bool gb_shell_quote(const char *data, size_t len, enum gb_quote quote, struct gb_text *ret);

#endif
