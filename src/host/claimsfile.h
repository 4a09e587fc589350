/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CLAIMSFILE_H
#define GB_CLAIMSFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "text.h"

struct gb_err;
struct gb_footprint;

/* The claims file as a text that a person may have written: lines are put in, changed and taken
 * out, all other bytes stay. What was done is noted in the footprint as GB_TRACE_LINE ("was" is the
 * line that made way), so that taking it back gives the bytes there were. */

enum gb_wish_mode {
	GB_WISH_CLAIM,
	GB_WISH_KEEP, /* unless the path is claimed */
	GB_WISH_FREE, /* no claim of this path */
};

struct gb_wish {
	enum gb_wish_mode mode;
	struct gb_line line; /* FREE: its path and host */
	const char *title;   /* of CLAIM: a comment line above it, without "# "; or NULL */
};

enum gb_wish_done {
	GB_WISH_SO, /* it was so */
	GB_WISH_ADDED,
	GB_WISH_CHANGED, /* `was` is now what is wished, of the same device */
	GB_WISH_EXCHANGED, /* `was` is about another device in the same place */
	GB_WISH_REMOVED,
};

struct gb_wished {
	enum gb_wish_done done;
	unsigned line; /* where it stands afterwards; removed: where it stood */
	char *was;     /* or NULL */
};

struct gb_claims_text {
	struct gb_text text;	 /* afterwards */
	bool differs;
	bool bare; /* nothing but our header is in it: a file that we made may go */
	struct gb_wished *wished; /* one a wish */
	size_t wishes;
};

/* `data` NULL: there is no file. The result was read by gb_claims_parse: every wish is so, and all
 * else says what it said. -EINVAL: a file that can't be read as a whole (its first line, a newer
 * version), or too many lines; -ENOMEM. *ret is always to be cleared. Nothing is noted then. */
int gb_claimsfile_change(const char *data, size_t len, const struct gb_wish *wish, size_t wishes,
			 struct gb_footprint *footprint, struct gb_claims_text *ret,
			 struct gb_err *err);
/* Takes back all that the footprint has of this file; what was changed since stays, and is counted
 * in *ret_left. While it still claims something then, our keep lines stay as well. */
int gb_claimsfile_restore(const char *data, size_t len, struct gb_footprint *footprint,
			  struct gb_claims_text *ret, size_t *ret_left, struct gb_err *err);
void gb_claims_text_clear(struct gb_claims_text *text);

/* "claim path=… id=… …", as ghost-boot writes it, without its end. */
void gb_claimsfile_line(const struct gb_line *line, struct gb_text *ret);
/* A line that is there with more words of allow=; all else stays as its owner wrote it. (both:
 * claimsfile-line.c) */
void gb_claimsfile_allow(const char *line, size_t len, unsigned more, struct gb_text *ret);

#endif
