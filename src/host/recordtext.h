/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RECORDTEXT_H
#define GB_RECORDTEXT_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_text;

/* Our own records on disk: lines of words with one blank between two, %XX for each byte in them
 * that is not plain, a lone % for an empty one; a hash of all before in the last line, so that
 * what was cut or changed by hand is never taken for a record. */

void gb_record_bytes(struct gb_text *text, const void *data, size_t len); /* " word" */
void gb_record_word(struct gb_text *text, const char *word); /* NULL: an empty one */
/* The last line, for all of `text` from `begin` on. */
void gb_record_end(struct gb_text *text, size_t begin);

/* A line being read; it is changed by it. */
struct gb_record {
	char *at; /* the rest */
	bool bad; /* something in it is none of ours */
};

char *gb_record_next_raw(struct gb_record *line);
long long gb_record_next_number(struct gb_record *line, int base, long long least, long long most);
/* Decoded in place and terminated; its length. */
size_t gb_record_next_bytes(struct gb_record *line, char **ret);
/* A copy; no NUL byte in it. NULL: no memory. */
char *gb_record_next_word(struct gb_record *line);

/* A whole record: begins with `first`, a line, and its hash is right. Calls `each` with every line
 * between the two, in order, which returns false for one that says nothing known. -EBADMSG with
 * the reason, where `what` names it: "the journal's record". -ENOMEM. */
int gb_record_parse(const char *data, size_t len, const char *first, const char *what,
		    bool (*each)(void *ctx, const char *tag, struct gb_record *line), void *ctx,
		    struct gb_err *err);

#endif
