/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_GRUBSCRIPT_H
#define GB_GRUBSCRIPT_H

#include <stddef.h>

struct gb_err;

/* GRUB's script language cut into commands, as its own scanner cuts it (grub-core/script/
 * yylex.l). Nothing is run, and no variable known. */

struct gb_grubscript_word {
	size_t at, len;	 /* as it stands */
	char *text;	 /* without its quotes; a variable as it stands: "${saved_entry}" */
};

enum gb_grubscript_end {
	GB_GRUBSCRIPT_LINE,  /* a newline, a semicolon, && and the like */
	GB_GRUBSCRIPT_OPEN,  /* { */
	GB_GRUBSCRIPT_CLOSE, /* } */
	GB_GRUBSCRIPT_OVER,  /* the end of the text */
};

/* Zeroed but for the text and its length, it is at its beginning. */
struct gb_grubscript {
	const char *data;
	size_t len;
	size_t at;	/* what comes next */
	unsigned line;	/* lines before that */
	struct gb_grubscript_word *word;
	size_t words, room;
	unsigned first; /* line of the first word, from 1 */
};

/* The next command, which may have no word, up to what ends it. "then", "do" and "else" are
 * commands of their own. -EINVAL, with "line 3: why": an open quote, a NUL byte; -ENOMEM.
 * Whatever it says, gb_grubscript_clear in the end. */
int gb_grubscript_next(struct gb_grubscript *script, enum gb_grubscript_end *ret,
		       struct gb_err *err);
/* Behind a GB_GRUBSCRIPT_OPEN: moves behind the brace that closes it. *ret_at and *ret_len are
 * what is between. */
int gb_grubscript_skip(struct gb_grubscript *script, size_t *ret_at, size_t *ret_len,
		       struct gb_err *err);
void gb_grubscript_clear(struct gb_grubscript *script);

#endif
